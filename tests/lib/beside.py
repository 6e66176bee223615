"""The same script on a bare directory and under the prefix: what it says must be the same, and never name the staging directory."""
import contextlib
import difflib
import os

from lib import cases, process, scratch, volume

MEANS = "set -eu\n"


class Said:
    """What a script printed: its own directory is @, the one beside it is %."""

    def __init__(self, done, base, outside):
        self.status = done.returncode
        self.out, self.err = (text.decode(errors="surrogateescape").replace(base, "@").replace(outside, "%")
                              for text in (done.stdout, done.stderr))


def bare(argv, seconds=60, env=None):
    """In a directory of its own, which is $B and the working directory; $O is another, outside. /bin/bash runs a string."""
    with scratch.directory(scratch.memory()) as base, scratch.directory(scratch.memory()) as outside:
        return Said(process.run(_argv(argv), seconds, env=_env(base, outside, env), cwd=base), base, outside)


def shimmed(v, argv, seconds=60, env=None):
    """In the volume's prefix."""
    start = ["/bin/sh", "-c", 'cd "$B" && exec "$@"', "sh", *_argv(argv)]
    with scratch.directory(scratch.memory()) as outside:
        done = v.run(start, seconds, env=_env(volume.PREFIX, outside, env), cwd="/")
    cases.expect([name for name in ("out", "err") if v.staging.encode() in (done.stdout, done.stderr)[name == "err"]], [],
                 f"what names the staging directory:\n{done.stdout.decode(errors='replace')}\n{done.stderr.decode(errors='replace')}")
    return Said(done, volume.PREFIX, outside)


def _argv(argv):
    return ["/bin/bash", "-c", MEANS + argv] if isinstance(argv, str) else argv


def _env(base, outside, more):
    return dict({"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC", "B": base, "O": outside}, **(more or {}))


@contextlib.contextmanager
def started_volume(**options):
    """A volume with a Redis, so that records can be compared afterwards."""
    with volume.Volume(UPLOAD_DELAY="1h", **options) as v:
        v.start_redis()
        yield v


def compare(argv, env=None, records=True):
    """Both sides end alike, and well: a script that stops early compares nothing."""
    one = bare(argv, env=env)
    cases.expect(one.status, 0, f"the bare run's end; {one.out}\n{one.err}")
    with started_volume() as v:
        v.sh(f"ls {volume.PREFIX}")
        two = shimmed(v, argv, env=env)
        lines = [f"{side.out}\nerrors:\n{side.err}\nexit {side.status}".splitlines() for side in (one, two)]
        cases.expect(list(difflib.unified_diff(*lines, "bare", "under the prefix", n=4, lineterm=""))[:60], [], "output, errors, status")
        cases.expect(os.path.lexists(volume.PREFIX), False, "the prefix exists without the library")
        if records:
            v.replay_journal()
            cases.expect(v.disagreements(), [], "records against the tree")
