#!/usr/bin/python3
"""Where requests go: addressing styles, ports, base paths, IPv6, proxies, AWS's own names, and the bucket's region when it is another.

What arrives is held against its signature, which is worked out anew from the wire (lib/sigv4_check.py).
"""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import build, cases, odd_s3, ports, process, sigv4_check  # noqa: E402
from lib.cases import case, expect, expect_in  # noqa: E402
from lib.fake_aws import ProxyS3, RegionS3, region_of  # noqa: E402
from lib.odd_volume import OddVolume  # noqa: E402

TOOL = os.path.join(build.BUILD, "tests", "s3", "store_tool")
SECRET = "odd-secret"


def tool(args, **env):
    """{field: value} of one store_tool run; odd values of a key are the point."""
    full = {"HOME": "/nonexistent", "AWS_ACCESS_KEY_ID": "odd", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1",
            "WBSHIM_STORE_URL": "s3://odd/p", "STORE_TOOL_AGAIN": "1"}
    done = process.run([TOOL, *args], env={**full, **env})
    expect(done.stderr, b"", "standard error")
    return dict(line.partition(" ")[::2] for line in done.stdout.decode().rstrip("\n").split("\n"))


def put(key="a b+/../c", **env):
    return tool(["put", key, "/etc/hostname", "33188", "0", "0", "1", "1"], **env)


def all_signed(server):
    faults = [sigv4_check.fault(method, path, headers, SECRET) for method, path, headers in server.requests]
    expect((len(faults) > 0, [f for f in faults if f]), (True, []), "requests, and those whose signature is not theirs")


@case("path style with a port and a base path, with and without a last slash")
def _():
    for base, path in (("", ""), ("/", ""), ("/gate/way.s3", "/gate/way.s3"), ("/gate/", "/gate")):
        with odd_s3.OddS3() as server:
            expect(put(AWS_ENDPOINT_URL_S3=server.endpoint + base)["outcome"], "Stored", f"put below {base!r}")
            tool(["list", "d/"], AWS_ENDPOINT_URL_S3=server.endpoint + base)
            paths = [p.partition("?")[0] for _, p, _ in server.requests]
            expect(paths, [path + "/odd/p/a%20b%2B/../c", path + "/odd/"], f"paths below {base!r}")
            expect({h["Host"] for _, _, h in server.requests}, {f"127.0.0.1:{server.port}"}, "hosts")
            all_signed(server)


@case("virtual-host style, with a base path")
def _():
    with odd_s3.OddS3() as server:
        env = {"AWS_ENDPOINT_URL_S3": f"http://s3.localhost:{server.port}/base", "WBSHIM_S3_ADDRESSING": "virtual"}
        expect(put(**env)["outcome"], "Stored", "put")
        expect([(p, h["Host"]) for _, p, h in server.requests], [("/base/p/a%20b%2B/../c", f"odd.s3.localhost:{server.port}")], "request")
        all_signed(server)


@case("IPv6, by address")
def _():
    with odd_s3.OddS3(host="::1") as server:
        expect(put(AWS_ENDPOINT_URL_S3=server.endpoint)["outcome"], "Stored", "put")
        expect([h["Host"] for _, _, h in server.requests], [f"[::1]:{server.port}"], "hosts")
        all_signed(server)


@case("AWS_ENDPOINT_URL_S3 goes before AWS_ENDPOINT_URL, which goes before the profile's")
def _():
    with odd_s3.OddS3() as server, odd_s3.OddS3() as other:
        expect(put(AWS_ENDPOINT_URL_S3=server.endpoint, AWS_ENDPOINT_URL=other.endpoint)["outcome"], "Stored", "both")
        expect(put(AWS_ENDPOINT_URL=server.endpoint)["outcome"], "Stored", "the general one")
        expect((len(server.requests), other.requests), (2, []), "requests to each")


@case("a proxy from the environment: used, passed over for no_proxy, never for this machine")
def _():
    with ProxyS3() as proxy, odd_s3.OddS3() as server:
        far = {"AWS_ENDPOINT_URL_S3": "http://s3.far.invalid:8123", "http_proxy": proxy.endpoint}
        expect(put(**far)["outcome"], "Stored", "put through the proxy")
        expect((proxy.hosts, proxy.requests[0][1]), (["s3.far.invalid:8123"], "http://s3.far.invalid:8123/odd/p/a%20b%2B/../c"), "what the proxy got")
        method, path, headers = proxy.requests[0]
        expect(sigv4_check.fault(method, path[len("http://s3.far.invalid:8123"):], headers, SECRET), None, "the signature")
        missed = put(no_proxy="elsewhere,.far.invalid", **far)
        expect((missed["class"], len(proxy.requests)), ("connect", 1), "without the proxy, requests to it")
        expect(put(AWS_ENDPOINT_URL_S3=server.endpoint, http_proxy=proxy.endpoint)["outcome"], "Stored", "put to this machine")
        expect((len(server.requests), len(proxy.requests)), (1, 1), "requests to each")
        dead = put(AWS_ENDPOINT_URL_S3="http://s3.far.invalid", http_proxy=f"http://me:hidden@127.0.0.1:{ports.free()}")
        expect((dead["outcome"], dead["class"], "hidden" in dead["message"]), ("TryLater", "connect", False), "a proxy that is not there")


def secure_hosts(count, **env):
    """The host names that a proxy is asked to connect to when the endpoint is AWS's own."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(60)
    child = process.start([TOOL, "head", "k"], stdout=process.subprocess.PIPE, env={
        "HOME": "/nonexistent", "AWS_ACCESS_KEY_ID": "odd", "AWS_SECRET_ACCESS_KEY": SECRET, "WBSHIM_STORE_URL": "s3://odd-bucket/p",
        "https_proxy": "http://127.0.0.1:%d" % listener.getsockname()[1], **env})
    hosts = []
    with listener:
        while len(hosts) < count:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                hosts.append(lines.readline().decode().split()[1])
                connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
    child.communicate(timeout=60)
    return hosts


@case("AWS's own names: dual-stack and FIPS, from variables and profile; an endpoint of one's own has no FIPS")
def _():
    dual, fips = {"AWS_USE_DUALSTACK_ENDPOINT": "true"}, {"AWS_USE_FIPS_ENDPOINT": "true"}
    region = {"AWS_REGION": "eu-west-1"}
    expect(secure_hosts(1, **region), ["odd-bucket.s3.eu-west-1.amazonaws.com:443"], "neither")
    expect(secure_hosts(1, **region, **dual), ["odd-bucket.s3.dualstack.eu-west-1.amazonaws.com:443"], "dual-stack")
    expect(secure_hosts(1, AWS_REGION="us-west-2", **fips), ["odd-bucket.s3-fips.us-west-2.amazonaws.com:443"], "FIPS")
    expect(secure_hosts(1, AWS_REGION="us-west-2", **dual, **fips), ["odd-bucket.s3-fips.dualstack.us-west-2.amazonaws.com:443"], "both")
    with odd_s3.OddS3() as server:
        said = put(AWS_ENDPOINT_URL_S3=server.endpoint, **fips)
        expect((said["outcome"], server.requests), ("Refused", []), "FIPS with another endpoint")
        expect_in("AWS_USE_FIPS_ENDPOINT", said["message"], "the line")
        expect(put(AWS_ENDPOINT_URL_S3=server.endpoint, **dual)["outcome"], "Stored", "dual-stack is nothing to another endpoint")


def moved_permanently(handler):
    handler.reply(301, b"<Error><Code>PermanentRedirect</Code><Message>.</Message><Endpoint>evil.invalid</Endpoint></Error>",
                  x_amz_bucket_region="eu-west-1", Location="http://evil.invalid/")


REFUSALS = {
    "301 with the header": moved_permanently,
    "301 with nothing else": lambda h: h.reply(301, x_amz_bucket_region="eu-west-1"),
    "400 that names it": lambda h: h.reply(400, b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"),
    "400 with the header, as HEAD gets it": lambda h: h.reply(400, x_amz_bucket_region="eu-west-1"),
    "IllegalLocationConstraintException": lambda h: h.reply(
        400, b"<Error><Code>IllegalLocationConstraintException</Code></Error>", x_amz_bucket_region="eu-west-1"),
}


@case("the bucket's region is learnt from each way of refusing, for each kind of request")
def _():
    for what, refuse in REFUSALS.items():
        for args in (["put", "k", "/etc/hostname", "33188", "0", "0", "1", "1"], ["head", "k"], ["get", "k", "/dev/null"], ["remove", "k"], ["probe"]):
            if args[0] == "head" and what == "400 that names it":  # an answer to HEAD has no body
                continue
            with RegionS3("eu-west-1", refuse) as server:
                done = tool(args, AWS_ENDPOINT_URL_S3=server.endpoint)
                expect(done["outcome"] in ("Stored", "Absent"), True, f"{args[0]} after {what}: {done}")
                expect(len(server.refused), 1, f"refusals of {args[0]} by {what}")
                all_signed(server)


@case("the uploader learns it once for all, and no file fails by it; cat learns it for itself")
def _():
    with RegionS3("eu-west-1", moved_permanently) as server, OddVolume(server) as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; for i in $(seq 50); do echo $i > f$i; done")
        v.ctl_ok("flush")
        expect([server.stored(f"f{i}") for i in range(1, 51)], [b"%d\n" % i for i in range(1, 51)], "objects")
        expect((len(server.refused), v.ctl_json("status")["dead"]), (1, []), "refusals, dead letters")
        expect_in("is in region 'eu-west-1', not 'us-east-1'", v.log(), "the log")
        v.kill_uploader()
        os.unlink(os.path.join(v.tree, "f7"))
        expect(v.ctl_ok("cat", "f7"), "7\n", "what cat fetches")


@case("AWS's names follow the region; a redirect to another host does not get the credentials")
def _():
    with ProxyS3() as proxy:
        proxy.inner = lambda h: region_of(h.headers) != "eu-west-1" and (moved_permanently(h) or True)
        done = put(AWS_ENDPOINT_URL_S3="http://s3.us-east-1.amazonaws.com", WBSHIM_S3_ADDRESSING="virtual", http_proxy=proxy.endpoint)
        expect(done["outcome"], "Stored", "put")
        expect(proxy.hosts, ["odd.s3.us-east-1.amazonaws.com", "odd.s3.eu-west-1.amazonaws.com"], "hosts")
        proxy.hosts.clear()
        put(AWS_ENDPOINT_URL_S3="http://s3.far.invalid", http_proxy=proxy.endpoint)
        expect(proxy.hosts, ["s3.far.invalid", "s3.far.invalid"], "hosts of a server that is not AWS's")
    with odd_s3.OddS3() as thief, odd_s3.OddS3() as server:
        for status in (301, 302, 307, 308):
            server.answer = lambda h, status=status: h.reply(status, Location=thief.endpoint + h.path) or True
            expect(put(AWS_ENDPOINT_URL_S3=server.endpoint)["outcome"] in ("TryLater", "Credentials", "Refused"), True, f"put after {status}")
        expect(thief.requests, [], "requests to where it pointed")


@case("a server that never has enough of regions is left alone")
def _():
    names = iter(f"region-{i}" for i in range(1000))
    with odd_s3.OddS3() as server:
        server.answer = lambda h: h.reply(301, x_amz_bucket_region=next(names)) or True
        done = tool(["fill", "many", "40", "1"], AWS_ENDPOINT_URL_S3=server.endpoint, WBSHIM_MAX_UPLOADS="1")
        regions = {region_of(h) for _, _, h in server.requests}
        expect((done["stored"], len(regions) <= 4), ("0", True), f"stored, regions {regions}")
    for name in ("evil.invalid/", "a b", "", "-", "x" * 65, "UPPER"):
        with odd_s3.OddS3() as server:
            server.answer = lambda h, name=name: h.reply(301, x_amz_bucket_region=name) or True
            done = put(AWS_ENDPOINT_URL_S3=server.endpoint)
            expect((done["outcome"], len(server.requests)), ("Credentials", 1), f"a region called {name!r}")


if __name__ == "__main__":
    cases.main()
