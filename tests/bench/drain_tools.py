"""Tools that bring a tree of small files into a bucket: wbshim, rclone, and a loop around libcurl."""
import dataclasses
import os

import watched
from drivers import driver, numbers
from lib import build, scratch, volume, wait

SIZE = 4096
BUCKET = "drain"
CONNECTIONS = 20  # WBSHIM_MAX_UPLOADS as it comes
DIRECTORIES = 10


@dataclasses.dataclass
class Drained:
    taken: watched.Taken
    requests: int   # that the server took meanwhile
    objects: int    # of the right size, in the bucket at the end
    note: str = ""
    redis_bytes: int = 0  # that Redis holds for the files in the end
    uploaded: int = 0     # records that say so


def make_files(base, count, env=None):
    """That many files of 4 KiB, in directories that are there."""
    for i in range(DIRECTORIES):
        numbers([driver("files"), "create", f"{base}/d{i}", str(count // DIRECTORIES)], env)


def objects(server):
    """How many files are in the bucket, whole."""
    pages = server.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return sum(o["Size"] == SIZE for page in pages for o in page.get("Contents", []))


def rclone_env(server, home):
    """The remote "wb:", from the environment alone."""
    settings = {"TYPE": "s3", "PROVIDER": "Ceph", "ACCESS_KEY_ID": server.access, "SECRET_ACCESS_KEY": server.secret,
                "ENDPOINT": server.endpoint, "REGION": server.region}
    return dict({"RCLONE_CONFIG_WB_" + name: value for name, value in settings.items()}, PATH="/usr/bin:/bin", HOME=home,
                RCLONE_CONFIG=home + "/none")


def by_command(argv, env):
    """A tool that is one command: of where the files are and where they go. env: of the server and a directory of its own."""
    def drain(server, count):
        with scratch.directory(scratch.memory()) as base:
            for i in range(DIRECTORIES):
                os.makedirs(f"{base}/files/d{i}")
            make_files(base + "/files", count)
            before = server.requests()
            taken = watched.run(argv(base + "/files"), env(server, base), server.port)
            return Drained(taken, server.requests() - before, objects(server))
    return drain


def rclone(*flags):
    return by_command(lambda files: ["rclone", "copy", *flags, files, f"wb:{BUCKET}/p"], rclone_env)


def curl_multi():
    return by_command(lambda files: [driver("curl_multi"), f"s3://{BUCKET}/p", files, str(CONNECTIONS)],
                      lambda server, _: dict(server.env(), PATH="/usr/bin:/bin"))


def wbshim(server, count):
    """Everything is staged and recorded before the clock starts; then a flush. CPU is the uploader's, Redis' and shim-ctl's."""
    with volume.Volume(STORE_URL=f"s3://{BUCKET}/p", UPLOAD_DELAY="1h", LOG="warn", MAX_UPLOADS=str(CONNECTIONS)) as v:
        v.extra = server.env()
        v.start()
        v.sh(": > $WBSHIM_PREFIX/first")  # now Redis holds the scripts, too
        v.ctl_ok("flush")
        bytes_before = redis_bytes(v)
        stage(v, count)
        uploader, redis = v.uploader_pid(), v.redis_pid()
        parts = [watched.cpu(uploader), watched.cpu(redis)]
        before = server.requests()
        taken = watched.run([build.SHIM_CTL, "flush"], v.tool_env(), server.port, uploader)
        requests = server.requests() - before
        parts = [now - then for now, then in zip((watched.cpu(uploader), watched.cpu(redis)), parts)]
        note = (f"uploader {parts[0]:.2f} s, Redis {parts[1]:.2f} s, shim-ctl {taken.cpu:.2f} s; "
                f"Redis' peak memory {watched.memory(redis, 'VmHWM') / 1024:.0f} MiB")
        taken.cpu += sum(parts)
        uploaded = sum("/" in path and r["state"] == "uploaded" for path, r in v.records().items())
        return Drained(taken, requests, objects(server), note, redis_bytes(v) - bytes_before, uploaded)


def stage(v, count):
    """Makes the files under the prefix, and returns when every one waits for its upload."""
    v.sh("mkdir " + " ".join(f"{volume.PREFIX}/d{i}" for i in range(DIRECTORIES)))
    make_files(volume.PREFIX, count, dict(v.program_env(), PATH="/usr/bin:/bin"))
    wait.until(lambda: queued(v) == count, what="every file to be queued")


def queued(v):
    """Files in the delay queue."""
    return sum("/" in path for path in v.due())


def redis_bytes(v):
    with v.redis() as redis:
        lines = redis("INFO", "memory").decode().splitlines()
    return next(int(line.split(":")[1]) for line in lines if line.startswith("used_memory:"))
