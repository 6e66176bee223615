"""A disk that loses its power: ext4 on a loop device, in a mount namespace of the test's own.

cut() shuts the file system down without writing its journal out (EXT4_IOC_SHUTDOWN): what had not been synced is gone, as after a
power loss. The kernel's boot id is covered by a file, so that power() can stand for the reboot."""
import fcntl
import os
import struct
import subprocess
import sys
import uuid

from lib import wait

BOOT_ID = "/proc/sys/kernel/random/boot_id"
_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
_NO_LOG_FLUSH = struct.pack("I", 2)
_INSIDE = "WBTEST_POWER_NAMESPACE"


def enter_namespace():
    """Runs this script again in a mount namespace of its own: nothing that it mounts is seen, or left, outside."""
    if os.environ.get(_INSIDE) == "1":
        return
    os.environ[_INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, "-B", *sys.argv])


def _run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip()}")


class PowerDisk:
    """base: a directory for the image. A context manager: mounted at .path."""

    def __init__(self, base, megabytes=64):
        self.image = os.path.join(base, "disk.img")
        self.path = os.path.join(base, "disk")
        self._boot = os.path.join(base, "boot_id")
        self._covers = False
        with open(self.image, "wb") as file:
            file.truncate(megabytes << 20)
        _run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.image)
        os.mkdir(self.path)
        self.cuts = 0

    def __enter__(self):
        self._new_boot()
        _run("mount", "--bind", self._boot, BOOT_ID)
        self._covers = True
        self.power()
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], stderr=subprocess.DEVNULL, check=False)
        if self._covers:
            subprocess.run(["umount", BOOT_ID], stderr=subprocess.DEVNULL, check=False)

    def _new_boot(self):
        with open(self._boot, "w", encoding="ascii") as file:
            file.write(f"{uuid.uuid4()}\n")

    def cut(self):
        """The power goes: every further access to the file system fails, nothing more reaches the disk."""
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, _SHUTDOWN, _NO_LOG_FLUSH)
        finally:
            os.close(fd)
        self.cuts += 1

    def power(self):
        """After cut(), once nobody has a file open there any more: mounted anew, in another boot."""
        if os.path.ismount(self.path):
            # What killed processes had open is let go a moment after their end.
            wait.until(lambda: subprocess.run(["umount", self.path], capture_output=True, check=False).returncode == 0, 20, "umount")
            self._new_boot()
        _run("mount", "-o", "loop", self.image, self.path)
