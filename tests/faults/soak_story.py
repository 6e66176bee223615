"""What happens in the rounds of soak.py: the deck out of which faults are drawn, and when each begins and ends."""
import time

from soak_faults import FOR_ALL, FOR_S3

UNFELT = 5  # seconds after which a fault that nobody meets is given up


class Deck:
    """Every kind comes before one comes twice; those that only this session can do come first, so that a short run has them all."""

    def __init__(self, draw, s3):
        self.draw = draw
        self.kinds = [*FOR_ALL, *FOR_S3] if s3 else list(FOR_ALL)
        self.left = self._shuffled([*FOR_S3] if s3 else self.kinds)
        self.first = True  # not all of these have come yet

    def _shuffled(self, kinds):
        return self.draw.sample(kinds, len(kinds))

    def take(self):
        if not self.left:
            self.first = False
            self.left = self._shuffled(self.kinds)
        return self.left.pop()

    def put_back(self, kind):
        """It could not be done, or nobody met it. It is next but some."""
        self.left.insert(max(0, len(self.left) - 4), kind)


class Happening:
    """A fault in its round. share: of the programs' lines that are done when it begins. within: or, so far into the one before it."""

    def __init__(self, kind, v, draw, before):
        make, seconds = (FOR_ALL.get(kind) or FOR_S3[kind])
        self.kind, self.fault = kind, make(v, draw)
        self.share, self.within, self.seconds = draw.uniform(0, 1.1), draw.random() * 0.9, draw.uniform(*seconds)
        self.before = before if before and draw.random() < 0.6 else None
        self.begun = self.ended = None  # times
        self.done = False

    def due(self, share):
        if self.before:
            return self.before.ended or self.before.begun and time.monotonic() >= self.before.begun + self.within * self.before.seconds
        return share >= self.share

    def step(self, share):
        """Begins or ends it when it is time to."""
        if self.ended:
            return
        now = time.monotonic()
        if not self.begun:
            if self.due(share):
                self.begun = now
                self.done = self.fault.begin()
                if not self.done:
                    self.ended = now
        elif now >= self.begun + self.seconds:
            if not (felt := self.fault.felt()) and now < self.begun + UNFELT:
                return
            self.fault.end()
            self.done, self.ended = felt, time.monotonic()

    def told(self, start):
        if not self.begun:
            return f"{self.kind} (did not begin)"
        how = [f"{how:.2f}" if isinstance(how, float) else str(how) for how in self.fault.told]
        lasted = f"for {self.ended - self.begun:.2f} s" if self.ended else "still going on"
        return f"{self.kind} ({' '.join(how)}) {self.begun - start:.2f} s after the start, {lasted}" + ("" if self.done else ", without effect")

