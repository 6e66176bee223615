"""What hands out keys to AWS tools, and takes them: STS, a container's agent, an instance's metadata (version 2), a program for
credential_process; and an S3 store that looks at key id, token and end of every request."""
import http.server
import json
import os
import re
import socketserver
import threading
import time
import urllib.parse

from lib import s3_proxy, volume

ROLES = "/latest/meta-data/iam/security-credentials/"
_PROGRAM = """import os, sys, urllib.request
if "LD_PRELOAD" in os.environ: sys.exit("LD_PRELOAD is set")
sys.stdout.write(urllib.request.urlopen(sys.argv[1] + "/program").read().decode())
"""


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class KeyServices:
    """All of them on one port of loopback. Each time keys are asked for, new ones are issued, good for `life` seconds.

    issued: {id: end}. revoked: ids that the store takes no more. faults: from the next request on, "hang", or (status, body) for whatever
    gives keys; hanging: requests that hang now. tokens: what web identity and containers must show."""

    def __init__(self, life=3600):
        self.life, self.issued, self.revoked, self.fault, self.hanging = life, {}, set(), None, 0
        self.tokens, self.asked, self.lock, self.released = {"web": "jwt-1", "container": "auth-1"}, [], threading.Lock(), threading.Event()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def any_method(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                status, answer = owner.answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer.encode())

            do_GET = do_PUT = do_POST = any_method

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def issue(self):
        with self.lock:
            key, end = f"KEY{len(self.issued) + 1}", time.time() + self.life
            self.issued[key] = end
        return {"AccessKeyId": key, "SecretAccessKey": "hush-" + key, "SessionToken": "token-" + key, "Expiration": iso(end)}

    def fault_in(self, request):
        """Why the store takes no request with that, or None."""
        key = request.access_key
        if key not in self.issued:
            return "InvalidAccessKeyId"
        if key in self.revoked or time.time() > self.issued[key]:
            return "ExpiredToken"
        return None if request.header("x-amz-security-token") == "token-" + key else "InvalidToken"

    def answer(self, method, path, headers, body):
        self.asked.append((method, path))
        if self.fault == "hang":
            self.hanging += 1
            self.released.wait()
            self.hanging -= 1
            return 503, ""
        if path == "/latest/api/token":
            good = method == "PUT" and headers.get("X-aws-ec2-metadata-token-ttl-seconds")
            return (200, "instance-1") if good else (400, "")
        if self.fault:
            return self.fault
        if path.startswith(ROLES):
            return self._instance(path, headers)
        if path == "/container":
            return self._json("Token") if headers.get("Authorization") == self.tokens["container"] else (401, "")
        if path == "/program":
            return self._json("SessionToken")
        return self._sts(method, headers, dict(urllib.parse.parse_qsl(body)))

    def _json(self, token):
        keys = self.issue()
        keys.update({"Version": 1, "Code": "Success", token: keys["SessionToken"]})
        return 200, json.dumps(keys)

    def _instance(self, path, headers):
        if headers.get("X-aws-ec2-metadata-token") != "instance-1":
            return 401, ""
        return (200, "web") if path == ROLES else self._json("Token")

    def _sts(self, method, headers, form):
        signed = re.search(r"Credential=([^/]+)/\d{8}/[^/]+/sts/aws4_request", headers.get("Authorization") or "")
        action = form.get("Action")
        good = {"AssumeRole": signed and signed[1] == "BASE",
                "AssumeRoleWithWebIdentity": not signed and form.get("WebIdentityToken") == self.tokens["web"]}
        if method != "POST" or not good.get(action) or form.get("RoleArn") != "arn:aws:iam::1:role/web":
            return 403, f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>not with {form.get('WebIdentityToken')}</Message></Error></ErrorResponse>"
        keys = "".join(f"<{name}>{value}</{name}>" for name, value in self.issue().items())
        return 200, f"<{action}Response><{action}Result><Credentials>{keys}</Credentials></{action}Result></{action}Response>"


class KeyedS3(s3_proxy.S3Proxy):
    """services: whose keys are taken; None: only requests without a signature."""

    def __init__(self, services):
        super().__init__()
        self.services = services

    def _refusal(self, fault, request):
        if self.services:
            wrong = self.services.fault_in(request)
        else:
            wrong = "AccessDenied" if request.header("authorization") else None
        return self._error(403, wrong) if wrong else super()._refusal(fault, request)


class KeyedVolume(volume.Volume):
    """env: where its tools find their keys."""

    def __init__(self, services, env, **options):
        super().__init__(**{"UPLOAD_DELAY": "200ms", "STORE_URL": "s3://bkt/p", **options})
        self.s3 = KeyedS3(services)
        self.env = env

    def __enter__(self):
        self.s3.__enter__()
        self.extra = {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": self.s3.url, "AWS_EC2_METADATA_DISABLED": "true", **self.env}
        return self

    def __exit__(self, *stop):
        try:
            super().__exit__(*stop)
        finally:
            self.s3.__exit__()

    def aws_file(self, name, text):
        """A file in the home's .aws; returns its path."""
        path = os.path.join(self.home, ".aws", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.rename(path + ".new", path)
        return path

    def program(self, services):
        """A program for credential_process, as its command line."""
        return f"/usr/bin/python3 '{self.aws_file('keys of a program.py', _PROGRAM)}' {services.url}"

    def refused(self):
        return [r for r in self.s3.requests if r.status == 403]

    def keys_used(self):
        """Of the stored files, in order."""
        return [r.access_key for r in self.s3.requests if r.method == "PUT" and r.status == 200 and "/.wbshim" not in r.path]
