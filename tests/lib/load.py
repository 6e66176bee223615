"""How busy this machine is at the moment: what a promise in seconds is worth is measured, never assumed.

As a program: prints a sample "wall cpu echo" every now and then, until its standard input ends. A process of its own, so that the
threads of a test do not wait for each other instead of for the machine.
"""
import ctypes
import os
import select
import sys
import tempfile
import threading
import time

IDLE = 1.5   # what a CPU second costs in wall time while nobody else is busy
ECHO = 0.15  # seconds that a shell needs at most then to start, close a file, and be heard of by inotify
SPIN = 0.004
MOST = 8.0


class Load:
    """Samples while it is open."""

    def __init__(self):
        self.wall = self.cpu = self.echo = 0.0

    def __enter__(self):
        from lib import process
        pipe = process.subprocess.PIPE
        self._child = process.start(["/usr/bin/python3", "-B", os.path.abspath(__file__)], stdin=pipe, stdout=pipe)
        self._thread = threading.Thread(target=self._take)
        self._thread.start()
        return self

    def _take(self):
        for line in self._child.stdout:
            wall, cpu, echo = map(float, line.split())
            self.wall, self.cpu, self.echo = self.wall + wall, self.cpu + cpu, max(self.echo, echo)

    def __exit__(self, *_):
        self._child.stdin.close()
        self._child.wait()
        self._thread.join()
        self._child.stdout.close()

    def factor(self):
        """1 on a machine that has time. On another one, by how much it is slower, and never more than MOST."""
        stretch = max(self.wall / self.cpu if self.cpu else 1.0, self.echo / ECHO)
        return 1.0 if stretch <= IDLE else min(stretch, MOST)

    def __str__(self):
        return f"a CPU second takes {self.wall / self.cpu if self.cpu else 1:.1f} s, the slowest echo took {self.echo:.2f} s"


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    with tempfile.TemporaryDirectory(prefix="wbload-") as directory:
        fd = libc.inotify_init1(os.O_CLOEXEC)
        if fd < 0 or libc.inotify_add_watch(fd, os.fsencode(directory), 0x8) < 0:
            sys.exit(f"inotify: {os.strerror(ctypes.get_errno())}")
        while not select.select([sys.stdin], [], [], 0.05)[0]:
            wall, cpu = time.monotonic(), time.process_time()
            while time.process_time() < cpu + SPIN:
                pass
            cpu, wall = time.process_time() - cpu, time.monotonic() - wall
            asked = time.monotonic()
            child = os.posix_spawn("/bin/sh", ["sh", "-c", f"echo > {directory}/echo"], {})
            select.select([fd], [], [], 60)
            os.read(fd, 65536)
            os.waitpid(child, 0)
            print(wall, cpu, time.monotonic() - asked, flush=True)


if __name__ == "__main__":
    main()
