#!/usr/bin/env python3
"""shim-ctl retry: what a person had to mend is tried again at once, with an uploader and without."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, s3, stored, wait  # noqa: E402
from lib.cases import case, expect, expect_in, expect_one_line  # noqa: E402

server = s3.Server("radosgw")


def dead(v):
    with v.redis() as redis:
        return {name.decode(): json.loads(text) for key in redis.keys(v.key("dead:*")) for name, text in redis.hash(key).items()}


def forbid(v):
    """Four names may not be written to; the rest of the bucket may."""
    places = [f"arn:aws:s3:::{v.bucket.name}/p/{name}" for name in ("a", "d/b", "d/c", "dd")]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": places}]}
    v.bucket.client.put_bucket_policy(Bucket=v.bucket.name, Policy=json.dumps(policy))


def allow(v):
    v.bucket.client.delete_bucket_policy(Bucket=v.bucket.name)


def make_dead(v):
    v.start()
    forbid(v)
    v.sh("cd $WBSHIM_PREFIX; mkdir d; for f in a d/b d/c dd other; do echo $f > $f; done")
    v.ctl("flush")
    wait.until(lambda: sorted(dead(v)) == ["a", "d/b", "d/c", "dd"], what="dead letters")


@case("radosgw starts")
def _():
    server.__enter__()


@case("none: said so, exit 0; a PATH that is no dead letter: exit 1")
def _():
    with stored.StoredVolume(server) as v:
        done = v.ctl("retry")
        expect_one_line(done, 1, "WBSHIM_REDIS_URL", "shim-ctl start")
        v.start()
        expect(v.ctl_ok("retry"), "no dead letters\n", "the answer")
        expect(v.ctl_json("retry"), {"retried": 0, "uploader": True, "paths": []}, "the document")
        expect_one_line(v.ctl("retry", "x"), 1, "'/proc/wb/x'", "shim-ctl status")
        expect_one_line(v.ctl("retry", "/etc/x"), 2, "not under the prefix")


@case("with the uploader: due now, attempts anew, stored; at or below PATH only")
def _():
    with stored.StoredVolume(server, UPLOAD_DELAY="1h") as v:
        make_dead(v)
        v.ctl("retry")  # refused again: now each has more than one attempt, counted from nothing
        wait.until(lambda: {letter["attempts"] for letter in dead(v).values()} == {1}, what="attempts to count anew")
        allow(v)
        document = v.ctl_json("retry", "d")
        expect((document["retried"], document["paths"]), (2, ["d/b", "d/c"]), "what lies below d, not dd")
        wait.until(lambda: sorted(dead(v)) == ["a", "dd"], what="the two to be stored")
        expect(v.stored_paths(), ["d/b", "d/c", "other"], "objects")
        done = v.ctl("retry", "a", "nothing")
        expect(done.returncode, 1, "exit status with one PATH of two")
        expect_in("1 dead letter is due now", done.stdout.decode(), "the answer")
        # The one that was asked for may have been stored meanwhile, or not.
        said = v.ctl_ok("retry")
        expect(said in ("1 dead letter is due now\n", "2 dead letters are due now\n"), True, f"the rest: {said!r}")
        wait.until(lambda: not dead(v), what="all to be stored")
        expect(v.wrong_objects(), [], "objects")


@case("without the uploader: they wait for the next one")
def _():
    with stored.StoredVolume(server, UPLOAD_DELAY="1h") as v:
        v.start_redis()
        make_dead(v)
        v.ctl_ok("stop")
        allow(v)
        expect_in("4 dead letters are due now, once an uploader runs", v.ctl_ok("retry"), "the answer")
        expect({letter["attempts"] for letter in dead(v).values()}, {0}, "attempts")
        v.start()
        wait.until(lambda: not dead(v), what="all to be stored")
        expect(v.wrong_objects(), [], "objects")


@case("radosgw stops")
def _():
    server.__exit__()


cases.main()
