#!/usr/bin/env python3
"""Keys from wherever AWS tools find them: the uploader drains with them, has new ones before they end, and waits for nobody meanwhile."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, outage, wait  # noqa: E402
from lib.cases import case, expect, expect_in  # noqa: E402
from lib.key_services import KeyedVolume, KeyServices  # noqa: E402

ROLE = "arn:aws:iam::1:role/web"
SECRETS = ("hush-", "token-KEY", "jwt-1", "auth-1", "instance-1", "base-secret")


def web_identity(v, services):
    v.extra.update(AWS_WEB_IDENTITY_TOKEN_FILE=v.aws_file("token", services.tokens["web"] + "\n"), AWS_ROLE_ARN=ROLE,
                   AWS_ENDPOINT_URL_STS=services.url)


def assumed_role(v, services):
    v.aws_file("credentials", "[base]\naws_access_key_id = BASE\naws_secret_access_key = base-secret\n")
    v.aws_file("config", f"[profile work]\nrole_arn = {ROLE}\nsource_profile = base\n")
    v.extra.update(AWS_PROFILE="work", AWS_ENDPOINT_URL_STS=services.url)


def process(v, services):
    v.aws_file("config", f"[default]\ncredential_process = {v.program(services)}\n")


def container(v, services):
    v.extra.update(AWS_CONTAINER_CREDENTIALS_FULL_URI=services.url + "/container",
                   AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=v.aws_file("authorization", services.tokens["container"]))


def instance(v, services):
    v.extra.update(AWS_EC2_METADATA_SERVICE_ENDPOINT=services.url, AWS_EC2_METADATA_DISABLED="false")


SOURCES = [("web identity", web_identity, f"role {ROLE} (AWS_WEB_IDENTITY_TOKEN_FILE)"),
           ("an assumed role", assumed_role, f"role {ROLE} (role_arn in ~/.aws/config [profile work])"),
           ("credential_process", process, "credential_process in ~/.aws/config [default]"),
           ("a container's agent", container, "(AWS_CONTAINER_CREDENTIALS_FULL_URI)"),
           ("an instance's role", instance, "the instance's role web (IMDS)")]


def store(v, name):
    """A file, until it is in the store."""
    v.sh(f'echo {name} > "$WBSHIM_PREFIX/{name}"')
    wait.until(lambda: any(path.endswith("/" + name) for path in v.s3.puts()), what=f"{name} to be stored; log:\n{v.log()}")


def no_secrets(*texts):
    for text in texts:
        for secret in SECRETS:
            expect(secret in text, False, f"{secret!r} is shown")


for title, give, shown in SOURCES:
    def renewed(give=give, shown=shown):
        with KeyServices(life=12) as services, KeyedVolume(services, {}) as v:
            give(v, services)
            v.start()
            store(v, "first")
            first = v.keys_used()[-1]
            wait.until(lambda: len(services.issued) > 1, what="keys to be renewed before they end")
            expect(time.time() < services.issued[first], True, "renewed while the old ones are good")
            wait.until(lambda: "the store has new keys: " in v.log(), what="the uploader to have them")
            store(v, "second")
            expect(v.keys_used()[-1] != first, True, "the second file went with new keys")
            expect([(r.path, r.access_key) for r in v.refused()], [], "refused requests")
            expect_in(shown, v.log(), "log")
            no_secrets(v.log(), v.ctl("status", "--json").stdout.decode())
    cases.add(f"{title}: drains, and new keys come before the old ones end", renewed)

for title, give, _ in SOURCES:
    def withdrawn(give=give):
        with KeyServices() as services, KeyedVolume(services, {}) as v:
            give(v, services)
            v.start()
            store(v, "first")
            services.tokens.update(web="jwt-2", container="auth-2")  # renewed by others
            v.aws_file("token", "jwt-2")
            v.aws_file("authorization", "auth-2")
            services.revoked.update(services.issued)
            store(v, "second")
            expect(len(services.issued), 2, "keys issued")
            expect(outage.uploader(v)["dead_letters"], 0, "dead letters")
    cases.add(f"{title}: keys that the store takes no more are replaced, with the files' present tokens", withdrawn)

for title, give in (("an instance's metadata", instance), ("STS", web_identity), ("credential_process", process)):
    def hung(give=give):
        with KeyServices(life=40) as services, KeyedVolume(services, {}) as v:
            give(v, services)
            v.start()
            store(v, "first")
            services.fault = "hang"
            wait.until(lambda: services.hanging > 0, what="the uploader to ask for new keys")
            slowest = longest = 0.0
            for i in range(5):
                slowest = max(slowest, outage.ask(v, "PING")[1])
                start = time.monotonic()
                store(v, f"during{i}")
                longest = max(longest, time.monotonic() - start)
            # Of the 10 s that STS, and the 20 s that a program may take.
            expect(longest < 5.0, True, f"a file took {longest:.1f} s")
            expect(slowest < 1.0, True, f"an answer of the uploader took {slowest:.2f} s")
            expect(v.refused(), [], "refused requests")
            start = time.monotonic()
            v.ctl_ok("stop")
            expect(time.monotonic() - start < 10, True, f"stopping took {time.monotonic() - start:.1f} s")
    cases.add(f"{title} that hangs: everything drains meanwhile, and the uploader ends at once", hung)


@case("new keys cannot be had: told, and when they can be, everything drains")
def _():
    with KeyServices(life=8) as services, KeyedVolume(services, {}) as v:
        container(v, services)
        v.start()
        store(v, "first")
        services.fault = (500, "")
        wait.until(lambda: "keys could not be renewed" in v.log(), what="a warning")
        wait.until(lambda: time.time() > max(services.issued.values()), what="the keys to end")
        v.sh('echo > "$WBSHIM_PREFIX/late"')
        wait.until(lambda: "renewing them failed" in v.ctl("status").stdout.decode(), what=f"status to say so; log:\n{v.log()}")
        told = v.ctl("status").stdout.decode()
        for part in ("PROBLEM", "ExpiredToken", "answered 500"):
            expect_in(part, told, "status")
        no_secrets(told, v.log())
        services.fault = None
        outage.wait_drained(v)
        expect(outage.uploader(v)["dead_letters"], 0, "dead letters")


GARBAGE, EXPIRED = (200, "<html>hush-</html>"), (200, '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"hush-1","Expiration":"2020-01-01T00:00:00Z"}')
BAD = [("a container's answer is garbage", container, GARBAGE, ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "no JSON"]),
       ("a container says 404", container, (404, "hush-"), ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "answered 404"]),
       ("a container's keys have ended", container, EXPIRED, ["ended at 2020-01-01T00:00:00Z"]),
       ("a container hangs", container, "hang", ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "did not answer"]),
       ("an instance's answer is garbage", instance, GARBAGE, ["AWS_ACCESS_KEY_ID", "the instance's metadata"]),
       ("an instance without a role", instance, (404, ""), ["AWS_ACCESS_KEY_ID", "has no role"]),
       ("an instance hangs", instance, "hang", ["AWS_ACCESS_KEY_ID", "the instance's metadata", "no answer"]),
       ("STS' answer is garbage", web_identity, GARBAGE, [ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE", "no access key id"]),
       ("STS' keys have no secret", assumed_role, (200, "<a><Credentials><AccessKeyId>A</AccessKeyId></Credentials></a>"), ["no secret access key"]),
       ("a program's answer is garbage", process, GARBAGE, ["credential_process in ~/.aws/config [default]", "no JSON"]),
       ("a program's keys have ended", process, EXPIRED, ["credential_process", "ended at 2020"]),
       ("a program fails", process, (500, ""), ["credential_process", "ended with status 1", "HTTP Error 500"]),
       ("a program hangs", process, "hang", ["credential_process", "did not end within 20 s"])]
for title, give, fault, parts in BAD:
    def bad(give=give, fault=fault, parts=parts):
        with KeyServices() as services, KeyedVolume(services, {}) as v:
            give(v, services)
            services.fault = fault
            done = v.ctl("start")
            cases.expect_one_line(done, 2, *parts)
            no_secrets(done.stderr.decode(), done.stdout.decode(), v.log())
    cases.add(f"a start that fails: {title}", bad)


@case("a start that fails: STS refuses the token, which is not shown")
def _():
    with KeyServices() as services, KeyedVolume(services, {}) as v:
        web_identity(v, services)
        services.tokens["web"] = "another"
        done = v.ctl("start")
        cases.expect_one_line(done, 2, "answered 403 AccessDenied: not with ***")
        no_secrets(done.stderr.decode())


@case("a start that fails: a container's endpoint somewhere else is never asked")
def _():
    with KeyServices() as services, KeyedVolume(services, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://keys.example/x"}) as v:
        cases.expect_one_line(v.ctl("start"), 2, "http://keys.example/x", "is not asked for keys")


@case("WBSHIM_S3_ANONYMOUS=1: unsigned requests, and nobody is asked for keys")
def _():
    with KeyServices() as services, KeyedVolume(None, {}, S3_ANONYMOUS="1") as v:
        instance(v, services)
        v.start()
        store(v, "first")
        expect(services.asked, [], "requests for keys")
        v.s3.switch("status", 403, "AccessDenied")
        v.sh('echo > "$WBSHIM_PREFIX/refused"')
        wait.until(lambda: "an unsigned request (WBSHIM_S3_ANONYMOUS=1)" in v.ctl("status").stdout.decode(), what="status to say so")


cases.main()
