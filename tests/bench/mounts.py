"""A bucket as a FUSE file system, for as long as a with block lasts. Nothing stays mounted, however this process ends."""
import contextlib
import ctypes
import os
import shutil

from drain_tools import rclone_env
from lib import process, scratch, wait

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS, _MS_REC, _MS_PRIVATE = 0x20000, 0x4000, 0x40000


class NoMount(Exception):
    """Why there is none."""


def private_namespace():
    """From now on our mounts are seen by us and our children only, and end with us. Where that is not allowed, nothing changes."""
    if _libc.unshare(_CLONE_NEWNS) == 0:
        _libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None)


def _rclone(server, bucket, base):
    argv = ["rclone", "mount", "--vfs-cache-mode", "writes", "--cache-dir", base + "/cache", f"wb:{bucket}", base + "/mnt"]
    return argv, rclone_env(server, base)


def _s3fs(server, bucket, base):
    with open(base + "/passwd", "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
        f.write(f"{server.access}:{server.secret}\n")
    options = f"url={server.endpoint},endpoint={server.region},use_path_request_style,passwd_file={base}/passwd,tmpdir={base}"
    return ["s3fs", bucket, base + "/mnt", "-f", "-o", options], {"PATH": "/usr/bin:/bin", "HOME": base}


KINDS = {"rclone mount --vfs-cache-mode writes": _rclone, "s3fs": _s3fs}


@contextlib.contextmanager
def mounted(kind, server, bucket):
    """The directory; NoMount where FUSE or the program is missing."""
    _possible(kind.split()[0])
    with scratch.directory(scratch.memory(), "wbmount-") as base:
        os.mkdir(base + "/mnt")
        argv, env = KINDS[kind](server, bucket, base)
        with open(base + "/log", "wb") as log:
            child = process.start(argv, env=env, stdout=log, stderr=log)
        try:
            wait.until(lambda: _is_mounted(base + "/mnt") or child.poll() is not None, what=f"{kind} to be mounted")
            if not _is_mounted(base + "/mnt"):
                raise NoMount(f"cannot mount here: {_complaint(base + '/log')}")
            yield base + "/mnt"
        finally:
            process.stop(child, 20)  # both unmount on SIGTERM
            _unmount(base + "/mnt")


def _possible(program):
    if not os.path.exists("/dev/fuse"):
        raise NoMount("no /dev/fuse here")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        raise NoMount("/dev/fuse is not ours to open")
    if not shutil.which(program):
        raise NoMount(f"no {program} here")


def _complaint(log):
    """The line that tells why; s3fs prints others after it."""
    with open(log, encoding="utf-8", errors="replace") as f:
        lines = [line.strip() for line in f] or ["it said nothing"]
    return next((line for line in lines if "fusermount" in line), lines[-1])[-150:]


def _is_mounted(directory):
    """By the kernel's list: a mount whose program is dead answers nothing else."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as f:
        return any(line.split()[4] == directory for line in f)


def _unmount(directory):
    for command in (["fusermount", "-u", "-z"], ["fusermount3", "-u", "-z"], ["umount", "-l"]):
        if _is_mounted(directory):
            with contextlib.suppress(OSError):
                process.run([*command, directory], 20)
    if _is_mounted(directory):
        raise RuntimeError(f"{directory} cannot be unmounted")
