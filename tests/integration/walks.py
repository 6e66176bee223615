#!/usr/bin/env python3
"""ftw, nftw and fts under the prefix against libc's own on the same directory: every callback, every field, random trees.

Every case prints its seed; WBSHIM_SEED repeats one.
"""
import contextlib
import os
import random
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, process, scratch, volume  # noqa: E402
from lib.cases import expect  # noqa: E402

DRIVER = os.path.join(build.BUILD, "tests", "integration", "walks")
TREES, WALKS = 30, 40
LEFT = "DESCRIPTORS LEFT"

PHYS, MOUNT, CHDIR, DEPTH, ACTION = 1, 2, 4, 8, 16
COMFOLLOW, LOGICAL, NOCHDIR, NOSTAT, PHYSICAL, SEEDOT, XDEV = 1, 2, 4, 8, 16, 32, 64


class Forest:
    """One random tree at `top`; `outside` is a directory beside it that links lead to and from."""

    def __init__(self, rng, top, outside, loops):
        self.rng, self.top, self.outside, self.loops = rng, top, outside, loops
        self.directories, self.closed = [""], []
        self.number = 0

    def name(self):
        self.number += 1
        return self.rng.choice("abcdefgh") + self.rng.choice(["", ".x", "_long" * 8, "é", "..", ".hidden"]) + str(self.number)

    def grow(self):
        for _ in range(self.rng.randrange(3, 60)):
            where = self.rng.choice(self.directories[-12:])
            self.add(where, f"{where}/{self.name()}".lstrip("/"))
        if self.rng.random() < 0.3:  # deeper than any limit of descriptors
            deep = "deep"
            for _ in range(40):
                os.mkdir(os.path.join(self.top, deep))
                self.file(deep + "/leaf")
                deep += "/d"
        if self.rng.random() < 0.2:
            os.mkdir(os.path.join(self.top, "many"))
            for i in range(1500):
                self.file(f"many/{i}")
        for path, mode in self.closed:
            os.chmod(os.path.join(self.top, path), mode)

    def file(self, path):
        with open(os.path.join(self.top, path), "wb") as f:
            f.write(b"x" * self.rng.randrange(100))

    def add(self, where, path):
        full = os.path.join(self.top, path)
        kind = self.rng.random()
        if kind < 0.35:
            os.mkdir(full)
            self.directories.append(path)
            if self.rng.random() < 0.12:
                self.closed.append((path, self.rng.choice([0o000, 0o111, 0o444, 0o555])))
        elif kind < 0.65:
            self.file(path)
        elif kind < 0.68:
            os.mkfifo(full)
        else:
            os.symlink(self.target(where, path), full)

    def target(self, where, path):
        somewhere = self.rng.choice(self.directories)
        choices = ["missing", "missing/below", "..", ".", "../..", self.outside, f"{self.outside}/file", f"{self.outside}/sub/back",
                   os.path.join(self.top, somewhere), self.top, os.path.join(self.top, "missing"),
                   os.path.relpath(os.path.join(self.top, somewhere), os.path.join(self.top, where))]
        if self.loops:
            choices.append(os.path.basename(path))
        return self.rng.choice(choices)


def roots(rng, forest):
    inside = [d for d in forest.directories if d]
    choices = ["@/top/er", "@/top/er/", "@/top//er//", "@/top/er/missing", "@/top/er/missing/x"]
    choices += ["@/top/er/" + rng.choice(inside)] * 4 + ["@/top/er/" + rng.choice(inside) + "/"] if inside else []
    links = [n for n in os.listdir(forest.top) if os.path.islink(os.path.join(forest.top, n))]
    choices += ["@/top/er/" + rng.choice(links)] * 2 + ["@/top/er/" + rng.choice(links) + "/"] if links else []
    files = [n for n in os.listdir(forest.top) if os.path.isfile(os.path.join(forest.top, n))]
    choices += ["@/top/er/" + rng.choice(files)] if files else []
    return [c for c in choices if " " not in c]


def relative(rng, root):
    """The same root as a program in the forest would write it."""
    rest = root.removeprefix("@/top/er").lstrip("/") or "."
    return rng.choice([rest, "./" + rest, "../er/" + rest])


def walks(rng, forest, root_of):
    """Lines for the driver. libc loses its way with FTW_CHDIR when a link leads out of a directory that it had to close."""
    suffix = rng.choice(["-", "64"])
    seed = rng.choice([0, 0, rng.randrange(1, 10**6)])
    kind = rng.random()
    if kind < 0.1:
        return f"ftw {suffix} {rng.choice([-1, 0, 1, 2, 5, 64])} {seed} {root_of()}"
    if kind < 0.55:
        flags = rng.randrange(32)
        limit = 500 if flags & CHDIR and not flags & PHYS else rng.choice([-1, 0, 1, 2, 3, 8, 64])
        if rng.random() < 0.02:
            flags |= 1024
        return f"nftw {suffix} {limit} {flags} {seed} {root_of()}"
    options = rng.choice([PHYSICAL, LOGICAL, PHYSICAL, 0])
    for option in (COMFOLLOW, NOCHDIR, NOSTAT, SEEDOT, XDEV):
        options |= option if rng.random() < 0.35 else 0
    if rng.random() < 0.02:
        options |= 1 << 12
    paths = [root_of() for _ in range(rng.choice([1, 1, 2, 4]))]
    if rng.random() < 0.2:
        paths.insert(rng.randrange(len(paths) + 1), forest.outside)
    if rng.random() < 0.02:
        paths.append("''")
    return f"fts {suffix} {options} {rng.randrange(4)} {seed} {' '.join(paths)}"


class LibcErred(Exception):
    """libc's own walk ended by a signal, or said two things of one tree, as its fts does once in a few hundred: nothing to compare with."""


def output(done, whose):
    expect((done.returncode, done.stderr), (0, b""), f"the driver's end, {whose}")
    return done.stdout.decode(errors="surrogateescape").splitlines()


def agree(bare, ours):
    """Line by line, so that the first difference is what one sees."""
    walk = ""
    for number, (wanted, got) in enumerate(zip(bare, ours)):
        walk = wanted if wanted.startswith("#") else walk
        if wanted != got:
            around = "\n    ".join(bare[max(0, number - 3):number])
            cases.fail(f"{walk}\n    {around}\n    got    {got}\n    wanted {wanted}")
    expect(len(ours), len(bare), "lines")


def beside(text, v, driver=DRIVER):
    """What libc says of the tree itself, and what the library says of the same tree below the prefix."""
    lines = os.fsencode("\n".join(text))
    where = os.path.join(v.base, "walks")
    with open(where, "wb") as f:
        f.write(lines)
    bare, ours = [], []
    for perturbed in ("0", "165"):  # what fresh memory holds
        with open(where, "rb") as f:
            bare.append(process.run([driver, v.tree], 60, stdin=f, env=dict(os.environ, MALLOC_PERTURB_=perturbed)))
        with open(where, "rb") as f:
            ours.append(output(v.run([driver, volume.PREFIX], 60, stdin=f, env={"MALLOC_PERTURB_": perturbed}), "with the library"))
    if -signal.SIGSEGV in [done.returncode for done in bare] or bare[0].stdout != bare[1].stdout:
        raise LibcErred
    plain = output(bare[0], "libc alone")
    if ours[0] != ours[1] and plain in ours:  # the same walk by the same libc, but for what its memory held
        raise LibcErred
    return plain, ours[0]


@contextlib.contextmanager
def plain_volume():
    """A volume with an empty directory for trees, and one outside that links lead to and back from."""
    expect(os.path.lexists(volume.PREFIX), False, "the prefix exists without the library")
    with volume.Volume() as v, scratch.directory(scratch.memory(), "outside-") as base:
        top = os.path.join(v.tree, "top", "er")  # links lead two up at most: past the prefix lies nothing to compare
        os.makedirs(top, mode=0o700)
        os.chmod(v.staging, 0o700)
        os.chmod(v.tree, 0o700)
        outside = base + "/private"
        os.makedirs(outside + "/sub")
        os.symlink(v.tree, outside + "/sub/back")
        with open(outside + "/file", "wb"):
            pass
        v.sh(f"ls {volume.PREFIX}")  # the staging directory is complete: its entry in ".." shall not change between the two
        yield v, top, outside


def one_tree(seed):
    """That seed's tree, or when libc errs in it the next."""
    for attempt in range(3):
        try:
            return compare(f"{seed}{'+' * attempt}")
        except LibcErred:
            print("    libc's own walk erred, another tree")
    return cases.fail("libc erred in three trees")


def compare(seed):
    print(f"    seed {seed}")
    rng = random.Random(seed)
    with plain_volume() as (v, top, outside):
        forest = Forest(rng, top, outside, rng.random() < 0.15)
        forest.grow()
        choices = roots(rng, forest)
        text = ["drop"] + [walks(rng, forest, lambda: rng.choice(choices)) for _ in range(WALKS * 3 // 4)]
        text += ["cd @/top/er"] + [walks(rng, forest, lambda: relative(rng, rng.choice(choices))) for _ in range(WALKS // 4)]
        bare, ours = beside(text, v)
        # libc's fts forgets a descriptor when it is closed below a link that it was told to follow.
        agree([line for line in bare if line != LEFT], ours)
        expect(len([line for line in ours if line.startswith("#")]), len(text), "walks")
        expect(any(" type=" in line or " info=" in line for line in ours), True, "something was seen")
        expect(any(v.tree in line for line in ours), False, "names of the staging tree seen by the program")


def at_once():
    """Handles of both kinds at the same time, more than one block of ours; and an exception's way out."""
    with plain_volume() as (v, top, outside):
        os.makedirs(top + "/a/b/c")
        os.mkdir(outside + "/sub/deeper")
        bare, ours = beside([f"together @/top {outside} @/top/er/a", "throw @/top/er", f"throw {outside}"], v)
        agree(bare, ours)
        expect(sum(line.startswith("caught at") for line in ours), 2, "exceptions")


def long_paths():
    """Deeper than PATH_MAX: reached as long as the directory above is open, refused when it no longer is."""
    with plain_volume() as (v, top, _):
        fd = os.open(top, os.O_RDONLY)
        for _ in range(20):
            os.mkdir("d" * 250, dir_fd=fd)
            below = os.open("d" * 250, os.O_RDONLY, dir_fd=fd)
            os.close(fd)
            fd = below
        os.close(os.open("leaf", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
        os.close(fd)
        bare, ours = beside([f"nftw 64 {limit} {flags} 0 @/top/er" for limit in (1, 5, 64) for flags in (0, PHYS, PHYS | DEPTH)], v)
        agree(bare, ours)
        expect(sum("/leaf " in line for line in ours), 6, "walks that come to the end")
        expect(sum("ENAMETOOLONG" in line for line in ours), 3, "walks that cannot")


def removal(how):
    """A tree is removed by the walk's callbacks; nothing of it is left here or in Redis."""
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start_redis()
        v.sh(f"cd {volume.PREFIX} && mkdir -p t/a/b/c/d/e t/x && echo 1 > t/a/b/c/f && echo 2 > t/x/g && ln -s a t/link && echo 3 > kept")
        expect("t/a/b/c/f" in str(v.records()), True, "a record before")
        with scratch.directory() as where:
            with open(where + "/walks", "wb") as f:
                f.write(f"remove {how} @/t".encode())
            with open(where + "/walks", "rb") as f:
                expect(output(v.run([DRIVER, volume.PREFIX], 60, stdin=f), "with the library")[1].startswith("= 0 "), True, "the walk's end")
        expect(sorted(v.snapshot()), ["kept"], "the tree")
        expect(v.disagreements(), [], "records against the tree")


given = os.environ.get("WBSHIM_SEED")
for number in range(1 if given else TREES):
    tree_seed = given or str(random.SystemRandom().randrange(10**9))
    cases.add(f"tree {number}, {WALKS} walks", lambda seed=tree_seed: one_tree(seed))
cases.add("many walks at once, exceptions", at_once)
cases.add("paths longer than PATH_MAX", long_paths)
for walk in ("nftw", "fts"):
    cases.add(f"removal by {walk}", lambda walk=walk: removal(walk))
cases.main()
