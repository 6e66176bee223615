"""A real S3 server as a child of the test, and a client of it that is not ours (boto3)."""
import json
import os
import re
import signal
import socket
import struct
import urllib.request

from lib import build, ports, process, scratch, wait

# kind: start script, ports in a row, access key, secret key
KINDS = {
    "radosgw": ("start-radosgw.sh", 11, "rgwtest", "rgwtestsecret"),
    "swift": ("start-swift-s3.sh", 5, "test:tester", "testing"),
}


class Server:
    """Use as a context manager. It listens on the loopback and is gone afterwards."""

    def __init__(self, kind, **environment):
        self.kind = kind
        self.script, self.width, self.access, self.secret = KINDS[kind]
        self.environment = environment
        self.region = "us-east-1"
        self.child = self.client = self.endpoint = self.port = self.scratch = self.path = None

    def __enter__(self):
        self.scratch = scratch.directory("/tmp", "wbs3-")
        self.path = self.scratch.__enter__()
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.scratch.__exit__(None, None, None)

    def start(self, port=None):
        """Returns when it answers. With a port: there again (its objects in memory are gone)."""
        self.port = port or ports.free_run(self.width)
        env = dict(os.environ, **self.environment)
        env.pop("LD_PRELOAD", None)
        self.child = process.start([os.path.join(build.ROOT, "tests", "s3", self.script), self.path, str(self.port), self.access, self.secret],
                                   stdout=process.subprocess.PIPE, env=env)
        line = self.child.stdout.readline().decode()
        found = re.search(r"endpoint=(\S+)", line)
        if not found:
            raise RuntimeError(f"{self.script} did not start: {line!r}")
        self.endpoint = found[1]
        self._connect()

    def _connect(self):
        import boto3  # only here: the other tests do without
        from botocore.config import Config
        self.client = boto3.client(
            "s3", endpoint_url=self.endpoint, aws_access_key_id=self.access, aws_secret_access_key=self.secret, region_name=self.region,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}, connect_timeout=5, read_timeout=30, proxies={}))

    def stop(self):
        if self.child:
            process.stop(self.child, 20)
            self.child.stdout.close()
            self.child = None

    def gateway(self):
        """The process of radosgw alone, or None. Its objects lie with another."""
        mine = str(self.child.pid)
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as f:
                    name, rest = f.read().split("(", 1)[1].rsplit(")", 1)
            except (FileNotFoundError, ProcessLookupError):
                continue
            if name == "radosgw" and rest.split()[0] not in "ZX" and rest.split()[1] == mine:
                return int(entry)
        return None

    def kill_gateway(self):
        """SIGKILL to radosgw alone; with CEPH_RGW_AGAIN it comes back."""
        pid = wait.until(self.gateway, 60, "radosgw")
        os.kill(pid, signal.SIGKILL)
        process.wait_gone(pid)

    def wait_gateway(self):
        def answers():
            try:
                with urllib.request.urlopen(self.endpoint, timeout=5) as answer:
                    return answer.status == 200
            except OSError:
                return False
        wait.until(answers, 60, "radosgw to answer again")

    def requests(self):
        """How many requests radosgw has taken since it started."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.settimeout(20)
            admin.connect(os.path.join(self.path, "run", "client.rgw.asok"))
            admin.sendall(b'{"prefix": "perf dump"}\0')
            with admin.makefile("rb") as answer:
                return json.loads(answer.read(struct.unpack(">I", answer.read(4))[0]))["rgw"]["req"]

    def env(self):
        """For the uploader."""
        return {"AWS_ACCESS_KEY_ID": self.access, "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_REGION": self.region,
                "AWS_ENDPOINT_URL_S3": self.endpoint, "AWS_EC2_METADATA_DISABLED": "true"}

    def bucket(self, name):
        """A new bucket that keeps every version, so that each PUT and DELETE that reached it can be counted."""
        self.client.create_bucket(Bucket=name)
        self.client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return Bucket(self.client, name)


class Bucket:
    """What is stored, as plain data."""

    def __init__(self, client, name):
        self.client, self.name = client, name

    def keys(self, prefix=""):
        found, token = [], {}
        while True:
            page = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix, **token)
            found += [o["Key"] for o in page.get("Contents", [])]
            if not page.get("IsTruncated"):
                return sorted(found)
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def get(self, key):
        """(body, headers) or None."""
        try:
            answer = self.client.get_object(Bucket=self.name, Key=key)
        except self.client.exceptions.NoSuchKey:
            return None
        body = answer["Body"].read()
        return body, {"type": answer["ContentType"], "etag": answer["ETag"].strip('"'), **answer["Metadata"]}

    def puts(self, key):
        """How many PUTs of that key the server has taken."""
        return sum(v["Key"] == key for v in self._versions(key).get("Versions", []))

    def deletes(self, key):
        """How many DELETEs of that key the server has taken."""
        return sum(v["Key"] == key for v in self._versions(key).get("DeleteMarkers", []))

    def _versions(self, key):
        return self.client.list_object_versions(Bucket=self.name, Prefix=key)
