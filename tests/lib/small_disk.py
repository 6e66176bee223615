"""Small file systems of a test's own, in a private mount namespace: nothing is left behind, however the test ends."""
import contextlib
import ctypes
import os

from lib import process, scratch

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_PRIVATE_ALL = (1 << 18) | 0x4000
_libc = ctypes.CDLL(None, use_errno=True)


def _call(function, *arguments):
    if function(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{function.__name__}: {os.strerror(error)}; this test needs CAP_SYS_ADMIN or user namespaces")


def enter():
    """This process and its children get mounts of their own. Without the right to mount the test fails."""
    user, group = os.getuid(), os.getgid()
    _call(_libc.unshare, _CLONE_NEWNS | (0 if user == 0 else _CLONE_NEWUSER))
    if user != 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as f:
                f.write(text)
    _call(_libc.mount, None, b"/", None, _MS_PRIVATE_ALL, None)


class Disk:
    """Use as a context manager: `path` is where it is mounted. inodes: as many are there (0: what mkfs finds right)."""

    def __init__(self, size="24m", inodes=2000, kind="tmpfs"):
        self.size, self.inodes, self.kind = size, inodes, kind
        self.stack = contextlib.ExitStack()
        self.path = None

    def __enter__(self):
        base = self.stack.enter_context(scratch.directory("/var/tmp", "wbdisk-"))
        self.path = os.path.join(base, "mnt")
        os.mkdir(self.path)
        if self.kind == "tmpfs":
            self._run("mount", "-t", "tmpfs", "-o", f"size={self.size},nr_inodes={self.inodes}", "wbdisk", self.path)
        else:
            image = os.path.join(base, "image")
            self._run("truncate", "-s", self.size, image)
            self._run("mkfs.ext4", "-q", "-F", "-m", "0", "-N", str(self.inodes), image)
            self._run("mount", "-o", "loop", image, self.path)
        self.stack.callback(self._run, "umount", "-l", self.path)
        return self

    def __exit__(self, *_):
        self.stack.close()

    @staticmethod
    def _run(*argv):
        done = process.run(list(argv), 60)
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: {done.stderr.decode()}")

    def free(self):
        fs = os.statvfs(self.path)
        return fs.f_bavail * fs.f_frsize

    def free_inodes(self):
        return os.statvfs(self.path).f_favail

    def fill(self, leave=0, name="ballast"):
        """Takes up all bytes but `leave`, outside every staging directory."""
        with open(os.path.join(self.path, name), "ab", buffering=0) as f:
            while self.free() > leave:
                try:
                    f.write(b"b" * min(1 << 20, max(4096, self.free() - leave)))
                except OSError:
                    return

    def fill_inodes(self, leave=0):
        directory = os.path.join(self.path, "names")
        os.makedirs(directory, exist_ok=True)
        while self.free_inodes() > leave:
            try:
                with open(os.path.join(directory, str(len(os.listdir(directory)))), "x", encoding="ascii"):
                    pass
            except OSError:
                return

    def empty(self):
        """Removes what fill() and fill_inodes() made."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.path, "ballast"))
        if os.path.isdir(os.path.join(self.path, "names")):
            scratch.remove(os.path.join(self.path, "names"))
