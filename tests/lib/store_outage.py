"""A volume whose S3 store is reached through a proxy that fails when told."""
import os
import re

from lib import outage, s3_proxy, stored, volume, wait
from lib.cases import expect

_count = [0]
ENOUGH = 4  # requests that the fault met before it ends


class StoreOutage(volume.Volume):
    """server: a tests/lib/s3.Server behind the proxy; None: the proxy's own store."""

    def __init__(self, server=None, **options):
        _count[0] += 1
        self.bucket = server.bucket(f"wbout-{os.getpid()}-{_count[0]}") if server else None
        self.name_of_bucket = self.bucket.name if server else "bkt"
        super().__init__(**{"UPLOAD_DELAY": "200ms", "MAX_UPLOADS": "1", "STORE_URL": f"s3://{self.name_of_bucket}/p", **options})
        self.s3 = s3_proxy.S3Proxy(server.endpoint if server else None)
        self.keys = (server.access, server.secret) if server else ("key1", "secret1")
        self.credentials = os.path.join(self.base, "credentials")
        self.write_keys(*self.keys)

    def write_keys(self, access, secret):
        """The shared credentials file, replaced at once."""
        with open(self.credentials + ".new", "w", encoding="ascii") as file:
            file.write(f"[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n")
        os.rename(self.credentials + ".new", self.credentials)

    def __enter__(self):
        self.start_redis()
        self.s3.__enter__()
        self.extra = {"AWS_SHARED_CREDENTIALS_FILE": self.credentials, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": self.s3.url,
                      "AWS_EC2_METADATA_DISABLED": "true"}
        return self

    def __exit__(self, *stop):
        self.s3.switch("close")
        self.s3.drop()
        try:
            super().__exit__(*stop)
        finally:
            self.s3.__exit__()

    def stored_in_order(self):
        """Relative paths of successful PUTs, in order."""
        head = f"/{self.name_of_bucket}/p/"
        return [p[len(head):] for p in self.s3.puts() if p.startswith(head)]

    def failures(self):
        """Requests that did not do what they should."""
        return [r for r in self.s3.requests if r.status not in (200, 204)]

    def wrong_objects(self):
        """As sentences, byte for byte."""
        if self.bucket:
            return stored.StoredVolume.wrong_objects(self)
        head, wrong = f"/{self.name_of_bucket}/p/", []
        local = {p: e for p, e in self.snapshot().items() if e.kind == "f"}
        there = {p[len(head):]: v for p, v in self.s3.objects.items() if not p[len(head):].startswith(".wbshim")}
        wrong += [f"no object of {p}" for p in local if p not in there]
        wrong += [f"an object of nothing: {p}" for p in there if p not in local]
        for path in set(local) & set(there):
            with open(os.path.join(self.tree, path), "rb") as file:
                if file.read() != there[path][0]:
                    wrong.append(f"other bytes: {path}")
        return wrong

    # For stored.StoredVolume.wrong_objects

    def object(self, path):
        return self.bucket.get("p/" + path)

    def stored_paths(self):
        return [k[2:] for k in self.bucket.keys("p/") if not k.startswith("p/.wbshim")]


def paths(folder, count):
    return [f"{folder}/{i}" for i in range(1, count + 1)]


def begin(v, count):
    """Uploader up, some files stored. Returns the seconds that so many processes take."""
    v.start()
    v.sh('cd "$WBSHIM_PREFIX"; mkdir during; echo > during/first')
    took = outage.processes(v, "usual", count)
    outage.wait_drained(v)
    return took


def bear(v, count, took, met=None):
    """Programs during the fault: local speed. Waits until the fault has met some requests. The uploader answers and does not spin."""
    seen = len(v.failures())
    outage.at_local_speed(v, "during", count, took)
    wait.until(met or (lambda: len(v.failures()) >= seen + ENOUGH), 60, "the fault to meet some requests")
    pid = v.uploader_pid()
    cpu, slowest = outage.cpu_seconds(pid), 0.0
    for _ in range(10):
        for request in ("PING", "STATUS"):
            slowest = max(slowest, outage.ask(v, request)[1])
        outage.pause(0.2)
    used = (outage.cpu_seconds(pid) - cpu) / 2  # a loop that spins takes all of a core
    expect(slowest < 1.5, True, f"an answer of the uploader took {slowest:.2f} s")
    expect(used < 0.7, True, f"the uploader spins: it used {used * 100:.0f} % of a core")


def healed(v, count, twice=False, seconds=60, late=""):
    """It drains by itself in the order of age, byte for byte; each file was stored once and is no dead letter. twice: a request that was
    not answered may have been done before. late: a path that may come later than its age."""
    outage.wait_drained(v, seconds)
    order = [p for p in v.stored_in_order() if re.fullmatch(r"during/\d+", p)]
    if twice:
        order = list(dict.fromkeys(order))
    wanted = paths("during", count)
    expect(late == "" or late in order, True, f"{late} is stored")
    expect([p for p in order if p != late], [p for p in wanted if p != late], "PUTs in order of age")
    expect(v.wrong_objects(), [], "objects")
    status = outage.uploader(v)
    expect((status["counters"]["uploads"], status["dead_letters"], status["store"]["trouble"]), (2 * count + 1, 0, ""),
           "uploads, dead letters, trouble")
