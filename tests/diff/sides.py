"""The two sides of a differential run: a bare directory, and a volume under the prefix."""
import os

from lib import process, scratch, tree, volume
import program

# Everything that would make two runs differ is fixed.
FIXED = {
    "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC", "SOURCE_DATE_EPOCH": "1000000000", "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.invalid", "GIT_COMMITTER_NAME": "c",
    "GIT_COMMITTER_EMAIL": "c@example.invalid", "GIT_AUTHOR_DATE": "1000000000 +0000", "GIT_COMMITTER_DATE": "1000000000 +0000",
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "USER": "user", "LOGNAME": "user", "TERM": "dumb", "TMPDIR": "/tmp",
    "P": os.path.join(program.HERE, "projects"),
}
_ENTER = 'umask 022; mkdir -p "$B" && cd "$B" || exit 99\n'
# The tree as the program itself sees it, so that listing and stat go through the library, too.
_VIEW = r'''cd "$B" && find . -mindepth 1 -printf '%P\001%y\001%m\001%n\001%l\0' | LC_ALL=C sort -z'''


class Outcome:
    """What one run left behind, with the base directory's name replaced."""

    def __init__(self, base, real, done, view, renames):
        self.status = done.returncode
        self.stdout, self.stderr, self.view = (_named(text, renames) for text in (done.stdout, done.stderr, view))
        self.tree = tree.snapshot(real, renames)
        self.base = base


def _named(text, renames):
    for old, new in renames:
        text = text.replace(old, new)
    return text


def _run(case, base, env):
    env = dict(FIXED, **env, B=base)
    done = process.run([*case.shell, _ENTER + case.script], case.seconds, env=env, cwd="/")
    view = process.run(["/bin/sh", "-c", _VIEW], 60, env=env, cwd="/").stdout
    return done, view


def bare(case, name):
    """On an ordinary directory. Its name is as long as the one under the prefix, so that even binaries can be compared."""
    base = os.path.join(scratch.memory(), name)
    with scratch.directory() as home:
        try:
            done, view = _run(case, base, {"HOME": home})
            return Outcome(base, base, done, view, [(base.encode(), b"/BASE")])
        finally:
            if os.path.isdir(base):
                scratch.remove(base)


def shimmed(case, name, where):
    """Under the prefix, in that volume."""
    base = os.path.join(volume.PREFIX, name)
    env = {k: v for k, v in where.program_env().items() if k not in FIXED}
    done, view = _run(case, base, env)
    real = os.path.join(where.tree, name)
    return Outcome(base, real, done, view, [(real.encode(), b"/BASE"), (base.encode(), b"/BASE")])


def differences(case, one, other):
    """Sentences on what is not the same; none when all is."""
    wrong = []
    for what in ("status", "stdout", "stderr", "view"):
        a, b = getattr(one, what), getattr(other, what)
        if a != b:
            wrong.append(f"{what}:\n  bare   {_brief(a, b)}\n  shimmed {_brief(b, a)}")
    for path in sorted(set(one.tree) | set(other.tree)):
        if path not in other.tree or path not in one.tree:
            wrong.append(f"{path!r} is only in the {'bare' if path in one.tree else 'shimmed'} tree")
            continue
        strict = not case.is_loose(path)
        a, b = (side.tree[path].facts(strict, path in case.mtime) for side in (one, other))
        wrong += [f"{path!r}: {fact}: bare {a.get(fact)!r}, shimmed {b.get(fact)!r}" for fact in a | b if a.get(fact) != b.get(fact)]
    return wrong


def _brief(a, b):
    """The lines of a that are not in b."""
    if not isinstance(a, bytes):
        return repr(a)
    others = set(b.splitlines())
    return b" | ".join([line for line in a.splitlines() if line not in others][:8]).decode(errors="backslashreplace") or "(same lines)"
