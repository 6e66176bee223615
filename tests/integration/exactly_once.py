#!/usr/bin/env python3
"""How often each kind of change is told to Redis, counted by the server itself (commandstats): once, where that can be had.

No uploader runs, so every call of the script is the library's.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, process, resp, volume  # noqa: E402
from lib.cases import expect  # noqa: E402

C = "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
W = "os.O_WRONLY | os.O_CREAT | os.O_TRUNC"

# name, what is done before (not counted), the program, calls of the script
ROWS = [
    ("nothing", "", "pass", 0),
    ("look at it: stat, list, read, access", "open('f', 'w').write('x'); os.mkdir('d')",
     "os.stat('f'); os.listdir('.'); open('f').read(); os.access('f', os.R_OK); os.path.realpath('d'); os.getcwd()", 0),
    ("create, write, close", "", "fd = os.open('f', %s); os.write(fd, b'x'); os.close(fd)" % W, 1),
    ("create with stdio, close", "", "f = open('f', 'w'); f.write('x'); f.close()", 1),
    ("append", "open('f', 'w').close()", "f = open('f', 'a'); f.write('x'); f.close()", 1),
    ("create, exit without close", "", "fd = os.open('f', %s); os.write(fd, b'x')" % W, 1),
    ("create, _exit", "", "fd = os.open('f', %s); os.write(fd, b'x'); os._exit(0)" % W, 1),
    ("two descriptors of one file, both closed", "", "fd = os.open('f', %s); two = os.dup(fd); os.write(two, b'x'); os.close(fd); os.close(two)" % W, 1),
    ("dup2 over it", "open('/dev/null')", "fd = os.open('f', %s); os.write(fd, b'x'); os.dup2(0, fd)" % W, 1),
    ("close_range", "", "fd = os.open('f', %s); os.write(fd, b'x'); os.closerange(3, 100)" % W, 1),
    ("exec of a close-on-exec descriptor", "", "fd = os.open('f', %s); os.write(fd, b'x'); os.execv('/bin/true', ['true'])" % W, 1),
    ("the same, where links are", "os.symlink('to', 'l')", "fd = os.open('f', %s); os.write(fd, b'x'); os.execv('/bin/true', ['true'])" % W, 1),
    ("the same, two descriptors of one file", "", "fd = os.open('f', %s); os.write(fd, b'x'); os.dup(fd); os.execv('/bin/true', ['true'])" % W, 1),
    ("the same, renamed before", "", "fd = os.open('f', %s); os.write(fd, b'x'); os.rename('f', 'g'); os.execv('/bin/true', ['true'])" % W, 2),
    ("the same, a program looked for along PATH", "", "os.environ['PATH'] = '/no/where:/etc:/usr/bin'; fd = os.open('f', %s); os.write(fd, b'x'); os.execvp('true', ['true'])" % W, 1),
    ("the same, by the program's descriptor", "", "fd = os.open('f', %s); os.write(fd, b'x'); os.execve(os.open('/bin/true', os.O_RDONLY), ['true'], os.environ)" % W, 1),
    ("a dup3 that fails, then a write", "", C + "fd = os.open('f', %s); assert libc.dup3(0, fd, 7) == -1 and ctypes.get_errno() == 22; os.write(fd, b'x'); os.close(fd)" % W, 1),
    ("a dup2 that fails, then a write", "", C + "fd = os.open('f', %s); assert libc.dup2(99, fd) == -1 and ctypes.get_errno() == 9; os.write(fd, b'x'); os.close(fd)" % W, 1),
    ("a dup2 over a number past the limit, then a write", "", C + "import resource; fd = os.open('f', %s); os.dup2(fd, 99); os.close(fd); resource.setrlimit(resource.RLIMIT_NOFILE, (50, 99))\n"
     "assert libc.dup2(0, 99) == -1; os.write(99, b'x'); os.close(99)" % W, 1),
    ("a close_range that fails, then a write", "", C + "fd = os.open('f', %s); assert libc.close_range(3, -1, 8) == -1 and ctypes.get_errno() == 22; os.write(fd, b'x'); os.close(fd)" % W, 1),
    ("a child made by _Fork", "", C + "if libc._Fork() == 0: open('f', 'w').write('x'); os._exit(0)\nos.wait()", 1),
    ("fopen, fputs, fclose", "", C + "libc.fopen.restype = ctypes.c_void_p; f = ctypes.c_void_p(libc.fopen(b'f', b'w')); libc.fputs(b'x', f); libc.fclose(f)", 1),
    ("unflushed stdio at exit", "", C + "libc.fopen.restype = ctypes.c_void_p; f = ctypes.c_void_p(libc.fopen(b'f', b'w')); libc.fputs(b'x', f); libc.exit(0)", 1),
    ("freopen of one file by another", "", C + "libc.fopen.restype = libc.freopen.restype = ctypes.c_void_p\n"
     "f = ctypes.c_void_p(libc.fopen(b'f', b'w')); libc.fputs(b'x', f); f = ctypes.c_void_p(libc.freopen(b'g', b'w', f)); libc.fclose(f)", 2),
    ("a child writes what its parent opened", "", "fd = os.open('f', %s); os.set_inheritable(fd, True)\n"
     "if os.fork() == 0: os.write(fd, b'x'); os._exit(0)\n"
     "os.wait(); os.close(fd)" % W, 2),
    ("O_TMPFILE, then linked", "", "fd = os.open('.', os.O_WRONLY | os.O_TMPFILE); os.write(fd, b'x'); os.link('/proc/self/fd/%d' % fd, 'f', dst_dir_fd=os.open('.', os.O_RDONLY)); os.close(fd)", 2),
    ("O_TMPFILE, linked, then written", "", "fd = os.open('.', os.O_WRONLY | os.O_TMPFILE); os.write(fd, b'x'); os.link('/proc/self/fd/%d' % fd, 'f', dst_dir_fd=os.open('.', os.O_RDONLY)); os.write(fd, b'y'); os.close(fd)", 2),
    ("a link to what lies in an open directory, by its descriptor's name", "os.mkdir('d'); open('d/f', 'w').close()", "d = os.open('d', os.O_RDONLY); os.link('/proc/self/fd/%d/f' % d, 'g')", 1),
    ("shared mapping, closed after it", "", "import mmap; fd = os.open('f', os.O_RDWR | os.O_CREAT); os.ftruncate(fd, 10); m = mmap.mmap(fd, 10); m[0] = 1; m.close(); os.close(fd)", 1),
    ("ftruncate, fallocate, fchmod, futimens of an open file", "", "fd = os.open('f', %s); os.posix_fallocate(fd, 0, 9); os.ftruncate(fd, 3); os.fchmod(fd, 0o600); os.utime(fd, (1, 1)); os.close(fd)" % W, 1),
    ("mkdir", "", "os.mkdir('d')", 1),
    ("rmdir", "os.mkdir('d')", "os.rmdir('d')", 1),
    ("unlink", "open('f', 'w').close()", "os.unlink('f')", 1),
    ("rename", "open('f', 'w').close()", "os.rename('f', 'g')", 1),
    ("rename over another", "open('f', 'w').close(); open('g', 'w').close()", "os.rename('f', 'g')", 1),
    ("rename of a directory: once, and once for each entry", "os.makedirs('d/e'); open('d/f', 'w').close()", "os.rename('d', 'n')", 3),
    ("symlink, link", "open('f', 'w').close()", "os.symlink('f', 'l'); os.link('f', 'h')", 2),
    ("chmod, chown, utimens, truncate: each", "open('f', 'w').close()", "os.chmod('f', 0o600); os.chown('f', os.getuid(), -1); os.utime('f', (1, 1)); os.truncate('f', 9)", 4),
    ("what failed", "os.mkdir('d')", "import contextlib\nfor call in (lambda: os.mkdir('d'), lambda: os.unlink('no'), lambda: os.rename('no', 'x'), lambda: os.rmdir('no'), lambda: open('no/x', 'w')):\n"
     "    with contextlib.suppress(OSError): call()", 0),
    ("a FIFO and a socket", "", "import socket; os.mkfifo('p'); s = socket.socket(socket.AF_UNIX); s.bind('s')", 0),
    ("cp of ten files", "for i in range(10): open('f%d' % i, 'w').close()\nos.mkdir('d')", "import glob; os.execvp('cp', ['cp', *glob.glob('f*'), 'd'])", 10),
    ("a shell's redirections", "", "os.execvp('sh', ['sh', '-c', 'echo 1 > a; echo 2 >> a; { echo 3; echo 4; } > b'])", 3),
    ("redirected output of a command: it tells, and the shell that opened the file", "", "os.execvp('sh', ['sh', '-c', '/bin/echo 5 > c'])", 2),
    ("a compiler", "open('m.c', 'w').write('int m;')", "os.execvp('gcc', ['gcc', '-c', 'm.c'])", 1),
]


def count(v):
    """Calls of scripts so far, as Redis counts them."""
    with resp.Redis(v.socket) as redis:
        stats = redis("INFO", "commandstats").decode()
    return sum(int(line.split("calls=")[1].split(",")[0]) for line in stats.splitlines() if line.startswith("cmdstat_evalsha"))


def run(v, directory, text):
    env = dict(v.program_env(), PATH="/usr/bin:/bin", PYTHONDONTWRITEBYTECODE="1")
    prologue = f"import os\nos.makedirs({directory!r}, exist_ok=True); os.chdir({directory!r})\n"
    done = process.run(["/usr/bin/python3", "-c", prologue + text], 30, env=env)
    expect((done.returncode, done.stderr.decode()), (0, ""), "the program")


def check(number, before, program, wanted):
    with volume.Volume(name="once") as v:
        v.start_redis()
        directory = f"{volume.PREFIX}/{number}"
        run(v, directory, before or "pass")
        start = count(v)
        run(v, directory, program)
        if v.replay_journal():
            print("    not counted")
            return
        expect(count(v) - start, wanted, "calls of the script")
        expect(v.disagreements(), [], "records")
        expect(len(v.records()) > 0, True, "records")


for i, (name, before, program, wanted) in enumerate(ROWS):
    cases.add(name, lambda i=i, before=before, program=program, wanted=wanted: check(i, before, program, wanted))
cases.main()
