#!/usr/bin/env python3
"""Every call that writes or makes a name, on a staging disk that is full when it begins and not any more soon after."""
import contextlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, small_disk, volume  # noqa: E402
from lib.cases import expect  # noqa: E402
from lib.small_volume import Small  # noqa: E402

small_disk.enter()

# Calls, each on a disk that is full, and from which somebody deletes 256 KiB, or names, soon after the call began.
CALLS = """
import ctypes, errno, itertools, os, sys, threading
number = itertools.count()
prefix, disk, what = sys.argv[1:4]
libc = ctypes.CDLL(None, use_errno=True)
def fill():
    if os.path.exists(f"{disk}/ballast"):
        os.unlink(f"{disk}/ballast")
    for spare in ("spare", "ballast"):
        fd = os.open(f"{disk}/{spare}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            while os.fstat(fd).st_size < (262144 if spare == "spare" else 1 << 30):
                os.write(fd, b"b" * 4096)
        except OSError:
            pass
        os.close(fd)
def fill_names():
    os.makedirs(f"{disk}/names", exist_ok=True)
    try:
        while True:
            os.close(os.open(f"{disk}/names/{next(number)}", os.O_WRONLY | os.O_CREAT))
    except OSError:
        pass
def relieve():
    if what == "bytes":
        os.unlink(f"{disk}/spare")
    else:
        for name in os.listdir(f"{disk}/names")[:10]:
            os.unlink(f"{disk}/names/{name}")
def checked(result):
    if result != 0:
        raise OSError(result if result > 0 else ctypes.get_errno(), "call")
def raw(number, *a):
    if libc.syscall(number, *a) < 0:
        raise OSError(ctypes.get_errno(), "syscall")
page = b"p" * 4096
source = os.open(f"{disk}/source", os.O_RDONLY)
L = ctypes.c_long
W = lambda f: (lambda n: (lambda fd: (f(fd), os.close(fd)))(os.open(f"{prefix}/{n}", os.O_RDWR)))
P = lambda f: (lambda n: f(f"{prefix}/{n}"))
bytes_calls = {
    "write": W(lambda fd: os.write(fd, page)), "pwrite": W(lambda fd: os.pwrite(fd, page, 0)),
    "writev": W(lambda fd: os.writev(fd, [page, page])), "pwritev": W(lambda fd: os.pwritev(fd, [page], 0)),
    "sendfile": W(lambda fd: os.sendfile(fd, source, 0, 4096)), "copy_file_range": W(lambda fd: os.copy_file_range(source, fd, 4096, 0, 0)),
    "posix_fallocate": W(lambda fd: os.posix_fallocate(fd, 0, 65536)),
    "fallocate": W(lambda fd: checked(libc.fallocate(fd, 0, L(0), L(65536)))),
    "syscall:write": W(lambda fd: raw(1, fd, page, L(4096))), "syscall:fallocate": W(lambda fd: raw(285, fd, 0, L(0), L(65536))),
}
names_calls = {
    "open": P(lambda p: os.close(os.open(p, os.O_WRONLY | os.O_CREAT, 0o644))), "mkdir": P(os.mkdir), "symlink": P(lambda p: os.symlink("x", p)),
    "link": P(lambda p: os.link(f"{prefix}/there", p)), "mkfifo by mknod": P(lambda p: os.mknod(p, 0o10644)),
    "mkstemp": P(lambda p: os.close(__import__("tempfile").mkstemp(dir=prefix)[0])), "mkdtemp": P(lambda p: __import__("tempfile").mkdtemp(dir=prefix)),
    "syscall:mkdir": P(lambda p: raw(83, p.encode(), 0o755)),
}
table = bytes_calls if what == "bytes" else names_calls
if what == "bytes":
    for i in range(len(table)):
        os.close(os.open(f"{prefix}/{i}", os.O_WRONLY | os.O_CREAT, 0o644))
for i, (name, call) in enumerate(table.items()):
    fill() if what == "bytes" else fill_names()
    helper = threading.Timer(0.3, relieve)
    helper.start()
    try:
        call(str(i))
        print(name, "ok")
    except OSError as e:
        print(name, errno.errorcode[e.errno])
    helper.join()
"""


def calls(what):
    with Small() as s:
        with open(os.path.join(s.disk.path, "source"), "wb") as f:
            f.write(b"s" * 4096)
        s.v.start()
        s.v.sh("echo there > $WBSHIM_PREFIX/there")
        if what == "bytes":
            s.without_reserve()
            s.disk.empty()
        done = s.v.run(["/usr/bin/python3", "-c", CALLS, volume.PREFIX, s.disk.path, what])
        expect(done.stderr, b"", "stderr")
        lines = done.stdout.decode().splitlines()
        expect([line for line in lines if not line.endswith(" ok")], [], "calls that did not go through")
        expect(len(lines), 10 if what == "bytes" else 8, "calls")
        expect(s.metric("wbshim_enospc_retries_total") >= 4, True, f"second tries: {s.metric('wbshim_enospc_retries_total')}")
        for name in ("ballast", "spare"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(s.disk.path, name))
        s.all_arrives()


cases.add("every call that writes waits for room and goes through when somebody deletes", lambda: calls("bytes"), 240)
cases.add("every call that makes a name: the same with inodes", lambda: calls("names"), 240)
cases.main()
