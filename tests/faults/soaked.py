"""A round of soak.py: programs write, faults befall them, all is healed, and everything must be right."""
import os
import threading
import time

import model
from soak_life import PATIENCE, Living
from soak_story import Happening

LIMIT = model.SMALL * 30  # WBSHIM_WRITEBACK_MAX_SIZE of a session


class Soaked(Living):
    """happenings: of this round; started: when it began."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.happenings, self.started = [], time.monotonic()

    def round(self, kinds):
        """Those happen, everything goes on, and then all must be right. Returns the kinds that had an effect."""
        # They take about as long as the faults, so that there is something to do before, in and after each.
        self.operations, self.rest = self.draw.choice([(20, 100), (40, 40), (80, 0), (80, 30)])
        self.happenings = []
        for kind in kinds:
            self.happenings.append(Happening(kind, self, self.draw, self.happenings[-1] if self.happenings else None))
        self.started = time.monotonic()
        self.start_workers()
        lines = sum(2 * len(f"A {i}\n") for script in self.scripts for i in range(len(script.lines)))

        def over():
            share = sum(os.path.getsize(os.path.join(self.base, f"{top}.log")) for top in self.tops) / lines
            share = 2 if all(w.poll() is not None for w in self.workers) else share
            for happening in self.happenings:
                happening.step(share)
            return all(h.ended for h in self.happenings)
        self.wait_for(over, "the faults' end")
        self.heal()
        self.wait_for(lambda: all(w.poll() is not None for w in self.workers), "the programs' end")
        self._flush()
        self.check()
        return [h.kind for h in self.happenings if h.done]

    def heal(self):
        """Nothing stands in the way any more. A request that hung in the proxy is let go first: it would come late."""
        self.go_on()
        self.line.switch()
        if self.store_line:
            self.store_line.switch()
            self.s3.wait_gateway()
            self.wait_for(lambda: not self.store_line.busy, "the requests that hung")
        self.revive()
        self.accept()
        self.await_uploader()

    def _flush(self):
        """Until it says that all is stored. It may say no for a while, as the uploader waits before it tries again what has failed, but
        only when it names that: nothing may be left for a reason of its own."""
        end = time.monotonic() + PATIENCE
        while True:
            said = []
            asking = threading.Thread(target=self._ask_flush, args=(said,))
            asking.start()
            self.wait_for(lambda asking=asking: not asking.is_alive(), "flush's answer")
            last = said[-1] if said else b""
            if last == b"OK":
                return
            known = b"Redis does not answer" in last or b"the store fails" in last or last.startswith(b"ERR ETIMEDOUT")
            if not known or time.monotonic() > end:
                raise AssertionError(f"flush does not end well: {said[-5:]}")
            self.counts["refused flushes"] += 1

    # What must be true

    def check(self):
        """A request that nobody waits for any more may reach the store over a newer one: that is found by asking the store 16 minutes
        later, when no server takes it any more (core/scripts/settle.lua), so until then the oracle would be wrong. Where the proxy saw it
        happen, that time comes at once: nothing is under way any more."""
        if self._overtaken() and self.wrong_objects():
            self.counts["late requests"] += 1
            self.ask_unanswered()
            self._flush()
        super().check()
        self._check_errors()

    def _overtaken(self):
        """Whether of two requests of this round for one key the earlier one was still with the store, or before it, when the later came."""
        busy = {}  # until when
        for request in self.store_line.requests if self.store_line else ():
            if request.time < self.started or request.method not in ("PUT", "DELETE") or "/.wbshim" in request.path:
                continue
            if request.time < busy.get(request.path, 0):
                return True
            busy[request.path] = request.done
        return False

    def _check_errors(self):
        """Only a close that was to store a big file may fail; the oracle does not look at that."""
        for top, script in zip(self.tops, self.scripts):
            with open(os.path.join(self.base, f"{top}.log"), encoding="ascii") as f:
                log = [line.split() for line in f]
            self.counts["operations"] += sum(line[0] == "A" and script.lines[int(line[1])][0] != "rest" for line in log)
            for number in (int(line[1]) for line in log if line[0] == "F"):
                line = script.lines[number]
                if line[0] not in model.WRITES + ("append",) or len(script.before[number + 1][line[1]][1]) <= LIMIT:
                    raise AssertionError(f"{line} failed with EIO, and is not big")

    def ask_unanswered(self):
        def settled():
            with self.redis() as redis:
                seconds, micros = redis("TIME")
                keys = redis("ZRANGE", self.key("settle"), 0, -1)
                for key in keys:
                    redis("ZADD", self.key("settle"), "XX", "LT", int(seconds) * 1000 + int(micros) // 1000, key)
            return not keys
        self.wait_for(settled, "the store to be asked about unanswered requests")

    def end_check(self):
        self.ask_unanswered()
        self._flush()
        super().end_check()

    def told(self):
        """Of the round, for who wants to repeat it."""
        lines = [f"programs of {self.operations} operations, resting {self.rest} ms at most"] + [h.told(self.started) for h in self.happenings]
        return "\n".join("    " + line for line in lines)

