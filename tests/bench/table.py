"""The benchmark's table: bare number, ours, difference, budget, records."""


class Table:
    """Times in µs; a budget of None has no verdict. A row with an expected number of records fails when Redis holds another one."""

    def __init__(self):
        self.rows, self.notes = [], []

    def add(self, what, bare, ours, budget, budget_text, records=None, expected=None):
        ratio = ours / bare if bare else 0
        verdict = "-" if budget is None else "within" if ours <= budget else f"over by {(ours / budget - 1) * 100:.0f} %"
        counted = "-" if records is None else f"{records} of {expected}"
        self.rows.append((what, _time(bare), _time(ours), f"{_time(ours - bare, True)} ({ratio:.2f}×)", budget_text, verdict, counted,
                          records is not None and records != expected))

    def note(self, text):
        self.notes.append(text)

    def failed(self):
        return any(row[-1] for row in self.rows)

    def text(self):
        head = ("what", "bare", "wbshim", "difference", "budget", "verdict", "records")
        cells = [head] + [row[:-1] for row in self.rows]
        widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells]
        lines.insert(1, "  ".join("-" * width for width in widths))
        lines += [f"{row[0]}: {row[6]} records: the row does not count" for row in self.rows if row[-1]]
        return "\n".join(self.notes + lines)


def _time(microseconds, signed=False):
    sign = "+" if signed else ""
    if abs(microseconds) >= 1e6:
        return f"{microseconds / 1e6:{sign}.3f} s"
    if abs(microseconds) >= 1000:
        return f"{microseconds / 1000:{sign}.2f} ms"
    if abs(microseconds) >= 1:
        return f"{microseconds:{sign}.2f} µs"
    return f"{microseconds * 1000:{sign}.0f} ns"
