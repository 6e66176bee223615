#!/usr/bin/env python3
"""Paths as long as the kernel takes them, where the staging tree's name is longer than the prefix."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import beside, cases  # noqa: E402
from lib.cases import case  # noqa: E402

# Directories down to a path of `size` bytes exactly, made step by step; path(n) is one of n bytes.
SETUP = r"""
import errno, os, shutil, subprocess, sys
B = os.environ['B']
def path(size):
    p = B
    while size - len(p) > 251:
        p += '/' + 'd' * 200
    return p + '/' + 'e' * (size - len(p) - 1)
def tell(what, *a, **k):
    try:
        r = what(*a, **k)
        print(r if r is None or isinstance(r, (int, bool)) else type(r).__name__)
    except OSError as e:
        print(errno.errorcode[e.errno])
os.makedirs(os.path.dirname(path(4095)))
"""


def python(text):
    return "/usr/bin/python3 - <<'END'\n" + SETUP + text + "END\n"


@case("every operation at PATH_MAX")
def operations():
    beside.compare(python(r"""
for n in (4000, 4050, 4060, 4070, 4080, 4085, 4090, 4094, 4095, 4096, 4097, 4110):
    p = path(n); print(n)
    if n == 4060: before = len(os.listdir('/proc/self/fd'))
    if n < 4096: assert len(p) == n
    tell(os.stat, p); tell(os.lstat, p); tell(os.mkdir, p); tell(os.stat, p); tell(os.listdir, p); tell(os.chdir, p); os.chdir('/'); tell(os.rmdir, p)
    tell(lambda: open(p, 'w').write('x' * 9)); tell(lambda: os.stat(p).st_size); tell(os.open, p, os.O_CREAT | os.O_EXCL); tell(os.access, p, os.R_OK)
    tell(os.chmod, p, 0o600); tell(os.truncate, p, 3); tell(os.utime, p, (1, 2)); tell(lambda: open(p).read() == 'xxx')
    tell(os.rename, p, B + '/short'); tell(os.rename, B + '/short', p); tell(os.link, p, B + '/l'); tell(os.unlink, p); n < 4096 and tell(os.link, B + '/l', p)
    tell(os.unlink, B + '/l'); tell(os.unlink, p); tell(os.symlink, 'x', p); tell(lambda: os.readlink(p) == 'x'); tell(os.unlink, p); tell(os.mkfifo, p)
    tell(os.unlink, p); tell(shutil.copy, '/bin/true', p); tell(os.chmod, p, 0o755); tell(lambda: subprocess.call([p])); tell(os.unlink, p); tell(os.scandir, p)
    tell(os.stat, p + '/x'); n < 4096 and tell(os.stat, os.path.dirname(p) + '/'); tell(os.statvfs, os.path.dirname(p))
    d = os.open(os.path.dirname(path(4000)), os.O_RDONLY); tell(os.stat, p, dir_fd=d); os.close(d)
print(len(os.listdir('/proc/self/fd')) - before)
"""), records=False)


@case("targets of symbolic links at PATH_MAX")
def targets():
    beside.compare(python(r"""
open(path(4090), 'w').write('here')
for n in (4000, 4050, 4070, 4080, 4090, 4094, 4095, 4096):
    tell(os.symlink, path(n), B + '/l')
    tell(lambda: os.readlink(B + '/l') == path(n)); tell(lambda: os.lstat(B + '/l').st_size); tell(os.stat, B + '/l'); tell(lambda: open(B + '/l').read() == 'here')
    tell(os.unlink, B + '/l')
for n in (4000, 4080, 4094, 4095, 4096):
    t = '../../../../../' + 'x/' * 2100
    tell(os.symlink, t[:n], B + '/l'); tell(lambda: os.lstat(B + '/l').st_size > n - 5); tell(os.unlink, B + '/l')
"""), records=False)


cases.main()
