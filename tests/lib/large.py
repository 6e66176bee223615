"""Volumes and programs of the tests of large files."""
from lib import process, store_outage, volume
from lib.cases import expect

# Obeys lines: "write OFFSET SIZE", "truncate SIZE", "close"; says "ok", or what was wrong.
WRITER = """
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o640)
for line in sys.stdin:
    verb, *numbers = line.split()
    try:
        if verb == "write":
            at, size = map(int, numbers)
            while size:
                n = os.pwrite(fd, os.urandom(min(size, 1 << 20)), at)
                at, size = at + n, size - n
        elif verb == "truncate":
            os.ftruncate(fd, int(numbers[0]))
        else:
            os.close(fd)
        print("ok", flush=True)
    except OSError as e:
        print(e, flush=True)
"""


class LargeVolume(store_outage.StoreOutage):
    """Behind a proxy that knows every request."""

    def __init__(self, where, **options):
        super().__init__(where, **{"MAX_UPLOADS": "8", "UPLOAD_DELAY": "1h", **options})

    def parts(self, status=200):
        """Part numbers in the order of their answers."""
        return [int(r.path.split("partNumber=")[1].split("&")[0]) for r in self.s3.requests
                if r.method == "PUT" and "partNumber=" in r.path and r.status == status]

    def begun(self):
        return sum(1 for r in self.s3.requests if r.method == "POST" and r.path.endswith("uploads=") and r.status == 200)

    def left_over(self):
        """Uploads in parts that the store still has, and what Redis says of them."""
        listed = self.bucket.client.list_multipart_uploads(Bucket=self.bucket.name).get("Uploads", [])
        with self.redis() as redis:
            return [u["Key"] for u in listed] + redis("HKEYS", self.key("parts"))

    def object(self, path):
        return self.bucket.get("p/" + path)

    def stored_paths(self):
        return [k[2:] for k in self.bucket.keys("p/") if not k.startswith("p/.wbshim")]


class Writer:
    """A program under the library that writes when told."""

    def __init__(self, v, name):
        self.child = process.start(["/usr/bin/python3", "-c", WRITER, f"{volume.PREFIX}/{name}"], env=v.program_env(),
                                   stdin=process.subprocess.PIPE, stdout=process.subprocess.PIPE)

    def __call__(self, *words):
        self.child.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self.child.stdin.flush()
        expect(self.child.stdout.readline().decode().strip(), "ok", f"{words}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait(60)
        self.child.stdout.close()
