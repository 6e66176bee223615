"""A volume on a small disk (small_disk.py) with its private Redis; the store lies elsewhere."""
import contextlib
import json
import os
import signal

from lib import scratch, small_disk, volume, wait
from lib.cases import expect

# Writes 64 KiB pieces to the file until a call fails: prints the bytes that were written, and errno.
UNTIL_FULL = """
import errno, os, sys
fd, done = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), 0
try:
    while done < 100 << 20:
        done += os.write(fd, b"w" * 65536)
except OSError as e:
    print(done, errno.errorcode[e.errno])
os.close(fd)
"""


class Small:
    """Use as a context manager. Options are WBSHIM_* names without that prefix."""

    def __init__(self, disk=None, **options):
        self.stack = contextlib.ExitStack()
        self.disk = self.stack.enter_context(disk or small_disk.Disk())
        self.store = os.path.join(self.stack.enter_context(scratch.directory(scratch.memory())), "store")
        options = {"FREE_SPACE_RATIO": "0", "UPLOAD_DELAY": "1h", "STORE_URL": f"file://{self.store}", **options}
        self.v = self.stack.enter_context(volume.Volume(where=self.disk.path, **options))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.disk.empty()
        self.stack.close()

    def status(self):
        return json.loads(self.v.ctl("status", "--json").stdout)["uploader"]["status"]

    def pressure(self):
        return self.status()["pressure"]

    def until_full(self, name):
        out = self.v.sh(f"exec /usr/bin/python3 -c '{UNTIL_FULL}' $WBSHIM_PREFIX/{name}").split()
        return int(out[0]), out[1]

    def metric(self, name):
        return sum(float(line.split()[-1]) for line in self.v.sh("cat $WBSHIM_PREFIX/.stats").splitlines() if line.startswith(name))

    def without_reserve(self):
        """The disk is full, and the reserve is used up as well."""
        # In this order: between the looks it may be given up.
        while os.path.exists(os.path.join(self.v.staging, "run", "reserve", "bytes")) or self.disk.free() > 0:
            self.disk.fill()

    @contextlib.contextmanager
    def frozen(self):
        """The uploader does nothing meanwhile."""
        pid = self.v.uploader_pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def all_arrives(self):
        """After room was made: records agree with the tree, and a flush stores all of it."""
        self.disk.empty()
        self.v.ctl_ok("flush", timeout=100)
        wait.until(lambda: not self.v.disagreements(), 60, f"records that agree; log:\n{self.v.log()}")
        files = {p: e for p, e in self.v.snapshot().items() if e.kind == "f"}
        for name in files:
            with open(os.path.join(self.v.tree, name), "rb") as staged, open(os.path.join(self.store, name), "rb") as object_:
                expect(object_.read() == staged.read(), True, f"the object of {name} holds its bytes")
