"""Temporary directories, gone when the test ends."""
import contextlib
import os
import shutil
import tempfile


def memory():
    """A directory in memory when there is one that can run programs and has room, else on disk. Both names have 8 bytes
    (the differential runner relies on that)."""
    try:
        fs = os.statvfs("/dev/shm")
        if not fs.f_flag & os.ST_NOEXEC and fs.f_bavail * fs.f_frsize > 1 << 30 and os.access("/dev/shm", os.W_OK):
            return "/dev/shm"
    except OSError:
        pass
    return "/var/tmp"


@contextlib.contextmanager
def directory(where=None, prefix="wbtest-"):
    """A fresh directory; its whole tree is removed afterwards, unless WBSHIM_KEEP is set."""
    path = tempfile.mkdtemp(prefix=prefix, dir=where)
    try:
        yield path
    finally:
        if os.environ.get("WBSHIM_KEEP"):
            print(f"    kept {path}")
        else:
            remove(path)


def remove(path):
    """rm -rf, also of directories without permissions."""
    def unlock(function, name, _):
        os.chmod(os.path.dirname(name), 0o700)
        if os.path.isdir(name) and not os.path.islink(name):
            os.chmod(name, 0o700)
        function(name)
    shutil.rmtree(path, onerror=unlock)
