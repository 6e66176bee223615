"""Volumes of the same shape on both kinds of store, with PUTs and DELETEs counted."""
import json
import os
import time

from lib import stored, stored_files, volume


class OnFiles(volume.Volume):
    """On a file:// store."""

    kind = "file"

    def __init__(self, **options):
        super().__init__(**options)
        self.store = os.path.join(self.staging, "store")

    def objects(self):
        found = {}
        for path in stored_files.walk(self.store):
            full = os.path.join(self.store, path)
            if os.path.islink(full):
                found[path] = os.fsencode(os.readlink(full))
            else:
                with open(full, "rb") as f:
                    found[path] = f.read()
        return found

    def spoil(self, path, body):
        with open(os.path.join(self.store, path), "wb") as f:
            f.write(body)

    def remove_object(self, path):
        os.remove(os.path.join(self.store, path))


class OnRadosgw(stored.StoredVolume):
    kind = "radosgw"

    def objects(self):
        return {path: self.object(path)[0] for path in self.stored_paths() if not path.endswith("/")}

    def spoil(self, path, body):
        self.bucket.client.put_object(Bucket=self.bucket.name, Key="p/" + path, Body=body)

    def remove_object(self, path):
        self.bucket.client.delete_object(Bucket=self.bucket.name, Key="p/" + path)


def transfers(v):
    """(PUTs, DELETEs) that the running uploader counts."""
    counters = json.loads(v.ctl("status", "--json").stdout)["uploader"]["status"]["counters"]
    return counters["uploads"], counters["deletes"]


def restart_redis(v, snapshot=True):
    """Redis dies and comes back with its last SAVE, or with nothing."""
    v.kill_redis()
    if not snapshot and os.path.exists(os.path.join(v.base, "dump.rdb")):
        os.remove(os.path.join(v.base, "dump.rdb"))
    v.start_redis()


def now_us():
    return time.time_ns() // 1000
