#!/usr/bin/env python3
"""Names of Unix sockets as long as an address holds, under a prefix that is shorter than the staging directory."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, volume  # noqa: E402
from lib.cases import case, expect  # noqa: E402

MOST = 107  # bytes of an address, and a NUL
PROGRAM = """
import errno, os, signal, socket, sys
def ended(*_): print("SIGCHLD")
signal.signal(signal.SIGCHLD, ended)
cwd = os.getcwd()
prefix, most = sys.argv[1], int(sys.argv[2])
for size in range(20, most - len(prefix)):
    path = prefix + "/" + "s" * size
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen(3)
    if s.getsockname() != path: print(size, "getsockname", s.getsockname())
    try:
        socket.socket(socket.AF_UNIX).bind(path)
    except OSError as e:
        if e.errno != errno.EADDRINUSE: print(size, "again", e)
    else:
        print(size, "bound twice")
    for i in range(2):
        c = socket.socket(socket.AF_UNIX)
        c.connect(path)
        c.send(b"x")
        other, _ = s.accept()
        if other.recv(1) != b"x": print(size, "nothing came")
    os.unlink(path)
    try:
        socket.socket(socket.AF_UNIX).connect(path)
    except OSError as e:
        if e.errno != errno.ENOENT: print(size, "gone", e)
    d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    d.bind(path)
    c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    c.sendto(b"y", path)
    c.sendmsg([b"z"], [], 0, path)
    if d.recv(1) + d.recv(1) != b"yz": print(size, "no datagrams")
    if size % 2: os.unlink(path)
    for one in s, other, d, c: one.close()
if os.getcwd() != cwd: print("the working directory", os.getcwd())
try:
    print("a child", os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    pass
try:
    socket.socket(socket.AF_UNIX).bind(prefix + "/no/" + "s" * (most - len(prefix) - 4))
except OSError as e:
    if e.errno != errno.ENOENT: print("no directory", e)
print("done")
"""


@case("every length that fits an address, by bind, connect, sendto, sendmsg, getsockname")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start_redis()
        done = v.run(["/usr/bin/python3", "-B", "-c", PROGRAM, volume.PREFIX, str(MOST)], cwd="/")
        expect((done.returncode, done.stdout.decode(), done.stderr.decode()), (0, "done\n", ""), "the program")
        expect(len(os.listdir(v.tree)) > 30, True, "sockets in the tree")
        expect(v.records(), {}, "records")


cases.main()
