"""Waiting for a condition with a bound, never for a time."""
import threading
import time

_pause = threading.Event()


# The machine that runs the tests may be a slow one: what is certain to come is waited for at least so long.
PATIENCE = 60.0


def promised(condition, seconds, what):
    """Wait for what the product does within so many seconds on a machine that has time for it; say so when it took longer."""
    start = time.monotonic()
    until(condition, PATIENCE, what)
    taken = time.monotonic() - start
    if taken > seconds:
        print(f"    slow: {what} took {taken:.1f} s, not {seconds:g} s")


def until(condition, timeout=PATIENCE, what="a condition"):
    """Return the first true value of condition(); TimeoutError names what was waited for and its last value."""
    end = time.monotonic() + timeout
    step = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout:g} s for {what}; last saw {value!r}")
        _pause.wait(step)
        step = min(step * 1.5, 0.05)
