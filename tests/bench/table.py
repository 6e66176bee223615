"""The benchmarks' tables: the others' number, ours, budget, verdict, and what proves that the work was done."""


class Columns:
    """Rows of text below a head, notes above them. What is wrong with a row stands below, and fails the table."""

    def __init__(self, *head):
        self.head, self.rows, self.notes, self.wrong = head, [], [], []

    def row(self, *cells, wrong=None):
        self.rows.append(cells)
        if wrong:
            self.wrong.append(f"{cells[0]}: {wrong}: the row does not count")

    def note(self, text):
        self.notes.append(text)

    def failed(self):
        return bool(self.wrong)

    def text(self):
        cells = [self.head] + self.rows
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.head))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join(self.notes + lines + self.wrong)


class Table(Columns):
    """Times in µs; a budget of None has no verdict. A row with an expected number of records fails when Redis holds another one."""

    def __init__(self):
        super().__init__("what", "bare", "wbshim", "difference", "budget", "verdict", "records")

    def add(self, what, bare, ours, budget, budget_text, records=None, expected=None):
        ratio = ours / bare if bare else 0
        verdict = "-" if budget is None else _at_most(ours, budget)
        counted = "-" if records is None else f"{records} of {expected}"
        self.row(what, time(bare), time(ours), f"{time(ours - bare, True)} ({ratio:.2f}×)", budget_text, verdict, counted,
                 wrong=f"{counted} records" if records is not None and records != expected else None)


class Budgets(Columns):
    """Ours against another's by a factor, or against a number. counts: (what was counted, how many there must be) each."""

    def __init__(self):
        super().__init__("what", "other", "wbshim", "ratio", "budget", "verdict", "counted")

    def times(self, what, other, ours, factor, least, *counts):
        """other, ours: as they are shown; the factor by which ours is better must be the least at least."""
        short = (1 - factor / least) * 100
        verdict = "within" if factor >= least else f"short by {short:.{0 if short >= 1 else 2}f} %"
        self._add((what, other, ours, f"{factor:.2f}×", f"at least {least:g}×", verdict), counts)

    def most(self, what, ours, limit, unit, *counts):
        self._add((what, "-", f"{ours:.1f}".removesuffix(".0") + unit, "-", f"at most {limit:g}{unit}", _at_most(ours, limit)), counts)

    def absent(self, what, why):
        """A row that could not be measured, and says so."""
        self.row(what, "-", "-", "-", "-", f"not measured: {why}", "-")

    def _add(self, cells, counts):
        shown = ", ".join(f"{found} of {expected}" for found, expected in dict.fromkeys(counts))
        wrong = [f"{found} of {expected}" for found, expected in counts if found != expected]
        self.row(*cells, shown, wrong=", ".join(wrong))


def _at_most(ours, budget):
    over = (ours / budget - 1) * 100
    return "within" if ours <= budget else f"over by {over:.{0 if over >= 1 else 2}f} %"


def time(microseconds, signed=False):
    sign = "+" if signed else ""
    if abs(microseconds) >= 1e6:
        return f"{microseconds / 1e6:{sign}.3f} s"
    if abs(microseconds) >= 1000:
        return f"{microseconds / 1000:{sign}.2f} ms"
    if abs(microseconds) >= 1:
        return f"{microseconds:{sign}.2f} µs"
    return f"{microseconds * 1000:{sign}.0f} ns"
