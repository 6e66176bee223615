"""walk_driver.py ROOT OUTSIDE FILE LINKED: does the steps of a walk (JSON lists, one a line) and prints a line for what each returned;
writes the numbers of the files that ever had several names into LINKED.

A step: [operation, argument…]. Paths hold {R} and {O}. Descriptors live in slots, so that a step means the same with others left out.
"""
import ctypes
import errno
import json
import mmap
import os
import signal
import socket
import stat
import sys

ROOT, OUTSIDE = sys.argv[1], sys.argv[2]
libc = ctypes.CDLL(None, use_errno=True)
slots = {}
linked = set()


def name_of(text):
    return text.replace("{R}", ROOT).replace("{O}", OUTSIDE)


def shown(text):
    return text.replace(ROOT, "{R}").replace(OUTSIDE, "{O}")


def fd_of(slot):
    if slot not in slots:
        raise OSError(errno.EBADF, "nothing in this slot")
    return slots[slot]


def dirfd(slot):
    return {} if slot is None else {"dir_fd": fd_of(slot)}


def keep(slot, fd):
    if slot in slots:
        os.close(slots[slot])
    slots[slot] = fd
    return "opened"


def facts(s, by_descriptor=False):
    kind = stat.filemode(s.st_mode)
    if by_descriptor and stat.S_ISLNK(s.st_mode):
        return kind  # the length of a link's own descriptor is that of the kept text
    time = s.st_mtime_ns if s.st_mtime < 10**9 else "now"  # what utimensat() set
    return f"{kind} {s.st_uid}:{s.st_gid}" + ("" if stat.S_ISDIR(s.st_mode) else f" {s.st_nlink} {s.st_size} {time}")


def call(function, *args):
    if function(*args) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return 0


def raw(slot):
    return -100 if slot is None else fd_of(slot)


def side(path, slot):
    """On which side of the border the entry lies; renames and links across it fail as between file systems."""
    base = os.getcwd() if slot is None else os.readlink(f"/proc/self/fd/{fd_of(slot)}")
    whole = os.path.join(base, name_of(path)).rstrip("/")
    parent = os.path.realpath(os.path.dirname(whole))
    return (parent + "/").startswith(ROOT + "/") and whole != ROOT


def crosses(one, other):
    return side(*one) != side(*other)


def open_(path, slot, flags, mode, into):
    return keep(into, os.open(name_of(path), flags | os.O_NONBLOCK | os.O_CLOEXEC, mode, **dirfd(slot)))


def rename(a, aslot, b, bslot, flags):
    if crosses((a, aslot), (b, bslot)):
        return "crosses"
    if flags:
        return call(libc.renameat2, raw(aslot), os.fsencode(name_of(a)), raw(bslot), os.fsencode(name_of(b)), flags)
    return os.rename(name_of(a), name_of(b), **({} if aslot is None else {"src_dir_fd": fd_of(aslot)}), **({} if bslot is None else {"dst_dir_fd": fd_of(bslot)}))


def link(a, b, follow):
    if crosses((a, None), (b, None)) or (follow and crosses((os.path.realpath(name_of(a)), None), (b, None))):
        return "crosses"
    os.link(name_of(a), name_of(b), follow_symlinks=follow)
    linked.add(os.lstat(name_of(b)).st_ino)


def tmpfile(path, name):
    """O_TMPFILE, written, named by its link in /proc, written again, closed."""
    fd = os.open(name_of(path), os.O_TMPFILE | os.O_RDWR, 0o640)
    try:
        os.write(fd, b"unnamed at first")
        there = os.path.realpath(name_of(path)) + "/"
        if there.startswith(ROOT + "/") == side(name, None):
            call(libc.linkat, -100, b"/proc/self/fd/%d" % fd, -100, os.fsencode(name_of(name)), 0x400)
            os.write(fd, b", then by that")
    finally:
        os.close(fd)


def bind(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(name_of(path))


def mapped(slot, text):
    fd = fd_of(slot)
    if os.fstat(fd).st_size == 0:
        return "empty"
    with mmap.mmap(fd, 0) as m:
        m[:min(len(text), len(m))] = text.encode()[:len(m)]
    return "mapped"


def in_child(slot, text, way):
    """Another process writes to the descriptor, or closes it, or does so as a program of its own."""
    fd = fd_of(slot)
    if way == "exec":
        os.set_inheritable(fd, True)
        result = os.spawnv(os.P_WAIT, "/bin/sh", ["sh", "-c", f"exec 2> /dev/null; echo {text} >&{fd}"]) if fd < 10 else "high"
        os.set_inheritable(fd, False)
        return result
    child = os.fork()
    if not child:
        try:
            if way == "write":
                os.write(fd, text.encode())
            os.close(fd)
        except OSError as e:
            os._exit(e.errno)
        os._exit(0)
    return os.waitpid(child, 0)[1] >> 8


def spawned(path, text):
    if os.path.exists(name_of(path)) and stat.S_ISFIFO(os.stat(name_of(path)).st_mode):
        return "would wait for a reader"
    return os.spawnv(os.P_WAIT, "/bin/sh", ["sh", "-c", 'exec 2> /dev/null; echo "$2" >> "$1"', "sh", name_of(path), text])


def dup2(slot, to):
    if to in slots:
        os.dup2(fd_of(slot), slots[to])
        return "over"
    return keep(to, os.dup(fd_of(slot)))


def close(slot):
    os.close(fd_of(slot))
    del slots[slot]


def whole(path):
    with open(name_of(path), "rb", opener=lambda p, f: os.open(p, f | os.O_NONBLOCK)) as file:
        return file.read()[:200]


def stdio(path, mode, text):
    with open(name_of(path), mode, encoding="utf-8", opener=lambda p, f: os.open(p, f | os.O_NONBLOCK, 0o644)) as file:
        return file.read(50) if mode == "r" else file.write(text)


def view():
    """Everything, as a program sees it."""
    found = []
    for top in (ROOT, OUTSIDE):
        for directory, names, files in os.walk(top):
            for name in sorted(names + files):
                path = os.path.join(directory, name)
                found.append(f"{path} {facts(os.lstat(path))}" + (" -> " + os.readlink(path) if os.path.islink(path) else ""))
    return shown("; ".join(sorted(found)))


OPERATIONS = {
    "open": open_, "rename": rename, "link": link, "tmpfile": tmpfile, "bind": bind, "mapped": mapped, "in_child": in_child, "spawned": spawned,
    "dup2": dup2, "close": close, "whole": whole, "stdio": stdio, "view": view,
    "write": lambda slot, text: os.write(fd_of(slot), text.encode()),
    "pwrite": lambda slot, text, at: os.pwrite(fd_of(slot), text.encode(), at),
    "read": lambda slot, size: os.read(fd_of(slot), size),
    "lseek": lambda slot, at, whence: os.lseek(fd_of(slot), at, whence),
    "ftruncate": lambda slot, size: os.ftruncate(fd_of(slot), size),
    "truncate": lambda path, size: os.truncate(name_of(path), size),
    "fallocate": lambda slot, at, size: os.posix_fallocate(fd_of(slot), at, size),
    "symlink": lambda target, path, slot: os.symlink(name_of(target), name_of(path), **dirfd(slot)),
    "unlink": lambda path, slot: os.unlink(name_of(path), **dirfd(slot)),
    "rmdir": lambda path, slot: os.rmdir(name_of(path), **dirfd(slot)),
    "mkdir": lambda path, slot, mode: os.mkdir(name_of(path), mode, **dirfd(slot)),
    "mkfifo": lambda path: os.mkfifo(name_of(path), 0o644),
    "stat": lambda path, slot, follow: facts(os.stat(name_of(path), follow_symlinks=follow, **dirfd(slot))),
    "fstat": lambda slot: facts(os.fstat(fd_of(slot)), True),
    "listdir": lambda path: sorted(os.listdir(name_of(path))),
    "scandir": lambda path: sorted((e.name, e.is_dir(), e.is_symlink()) for e in os.scandir(name_of(path))),
    "flistdir": lambda slot: sorted(os.listdir(fd_of(slot))),
    "chmod": lambda path, mode: os.chmod(name_of(path), mode),
    "fchmod": lambda slot, mode: os.fchmod(fd_of(slot), mode),
    "utime": lambda path, time, follow: os.utime(name_of(path), ns=(time, time), follow_symlinks=follow),
    "futime": lambda slot, time: os.utime(fd_of(slot), ns=(time, time)),
    "readlink": lambda path, slot: shown(os.readlink(name_of(path), **dirfd(slot))),
    "chdir": lambda path: os.chdir(name_of(path)),
    "fchdir": lambda slot: os.fchdir(fd_of(slot)),
    "getcwd": lambda: shown(os.getcwd()),
    "realpath": lambda path: shown(os.path.realpath(name_of(path))),
    "proc": lambda slot: shown(os.readlink(f"/proc/self/fd/{fd_of(slot)}")).replace("/#", " #").split(" #")[0],
    "access": lambda path, mode: os.access(name_of(path), mode),
    "chown": lambda path, follow: os.chown(name_of(path), os.getuid(), os.getgid(), follow_symlinks=follow),
    "setxattr": lambda path, value: os.setxattr(name_of(path), "user.walk", value.encode()),
    "copy": lambda one, two: os.sendfile(fd_of(two), fd_of(one), 0, 100),
    "fsync": lambda slot: os.fsync(fd_of(slot)),
}

signal.alarm(300)
os.umask(0o022)
os.chdir(ROOT)
with open(sys.argv[3], encoding="utf-8") as file:
    steps = [json.loads(line) for line in file]
for step in steps:
    try:
        result = OPERATIONS[step[0]](*step[1:])
    except OSError as e:
        result = errno.errorcode.get(e.errno, e.errno)
    except ValueError as e:
        result = f"ValueError {e}"
    print(ascii(result))
sys.stdout.flush()
for slot in sorted(slots):
    os.close(slots[slot])
with open(sys.argv[4], "w", encoding="ascii") as file:
    file.write(" ".join(map(str, linked)))
