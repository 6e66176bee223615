"""A volume whose store is a bucket of a real S3 server, and the comparison of the bucket with the tree."""
import os
import stat

from lib import volume, wait

_count = [0]


class StoredVolume(volume.Volume):
    """Uploads into a fresh bucket of the server, below the key prefix "p"."""

    def __init__(self, server, **options):
        _count[0] += 1
        self.bucket = server.bucket(f"wbtest-{os.getpid()}-{_count[0]}")
        options.setdefault("UPLOAD_DELAY", "300ms")
        super().__init__(STORE_URL=f"s3://{self.bucket.name}/p", **options)
        self.extra = server.env()

    def object(self, path):
        """(body, headers) of that path's object, or None."""
        return self.bucket.get("p/" + path)

    def puts(self, path):
        return self.bucket.puts("p/" + path)

    def deletes(self, path):
        return self.bucket.deletes("p/" + path)

    def stored_paths(self):
        """Keys below the prefix, without the volume's own marker."""
        return [k[2:] for k in self.bucket.keys("p/") if not k.startswith("p/.wbshim")]

    def wait_drained(self, timeout=60):
        """Until nothing is due and nothing waits for deletion."""
        def empty():
            with self.redis() as redis:
                return not self.due() and not redis("ZCARD", self.key("del"))
        wait.until(empty, timeout, f"an empty queue; log:\n{self.log()}")

    def wrong_objects(self):
        """Sentences on every object that is not what the tree says; none when all are."""
        entries = self.snapshot()
        parents = {os.path.dirname(path) for path in entries}
        expected = {}
        for path, entry in entries.items():
            if entry.kind == "f" or entry.kind == "l":
                expected[path] = entry
            elif entry.kind == "d" and path not in parents:
                expected[path + "/"] = entry
        stored = set(self.stored_paths())
        wrong = [f"no object of {path!r}" for path in sorted(set(expected) - stored)]
        wrong += [f"an object {path!r} of nothing" for path in sorted(stored - set(expected)) if path.rstrip("/") not in parents]
        for path in sorted(set(expected) & stored):
            body, headers = self.object(path)
            wrong += [f"{path!r}: {what}" for what in object_faults(os.path.join(self.tree, path.rstrip("/")), body, headers,
                                                                     self.tree, self.options["PREFIX"])]
        return wrong


def object_faults(local, body, headers, real_root="", prefix=""):
    """How an object differs from the local file it stands for: bytes, and metadata as s3fs writes it."""
    status = os.lstat(local)
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFREG:
        with open(local, "rb") as f:
            wanted = f.read()
    elif kind == stat.S_IFLNK:
        wanted = os.fsencode(os.readlink(local).replace(real_root, prefix))
    else:
        wanted = b""
    faults = [] if body == wanted else [f"{len(body)} bytes stored, {len(wanted)} local, or other bytes"]
    seconds, nanoseconds = divmod(status.st_mtime_ns, 10**9)
    for name, value in (("mode", status.st_mode), ("uid", status.st_uid), ("gid", status.st_gid),
                        ("mtime", f"{seconds}.{nanoseconds:09d}")):
        if headers.get(name) != str(value):
            faults.append(f"x-amz-meta-{name} is {headers.get(name)!r}, wanted {value!r}")
    if kind == stat.S_IFDIR and headers.get("type") != "application/x-directory":
        faults.append(f"content type {headers.get('type')!r}")
    return faults
