"""An S3 server for what no real one does: it loses bytes, answers with nonsense, echoes checksums, has a certificate nobody knows.

It checks no signature and keeps its objects in memory.
"""
import base64
import hashlib
import http.server
import os
import socket
import socketserver
import ssl
import threading
import time

from lib import process


def certificate(directory):
    """A self-signed one for 127.0.0.1, with its key, in one file."""
    path = os.path.join(directory, "cert.pem")
    done = process.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-keyout", path + ".key", "-out", path], 60)
    if done.returncode:
        raise AssertionError(done.stderr.decode())
    with open(path, "a", encoding="ascii") as both, open(path + ".key", encoding="ascii") as key:
        both.write(key.read())
    return path


class OddS3:
    """Use as a context manager. `paths` are the paths of all requests as they came, `puts` their headers."""

    def __init__(self, cert=None, host="127.0.0.1"):
        self.objects = {}
        self.requests = []       # (method, raw path, headers)
        self.arrivals = []       # (monotonic time, bytes): heads, and bodies piece by piece
        self.damage = None       # bytes -> bytes: what is stored instead
        self.echo = None         # request headers, body -> the checksum to answer with
        self.answer = None       # (handler) -> bool: answers instead of us
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def reply(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def body_of_request(self):
                left, pieces = int(self.headers.get("Content-Length") or 0), []
                owner.arrivals.append((time.monotonic(), len(self.raw_requestline) + 2 + sum(len(n) + len(v) + 4 for n, v in self.headers.items())))
                while left:
                    pieces.append(self.rfile.read1(min(left, 1 << 16)))
                    owner.arrivals.append((time.monotonic(), len(pieces[-1])))
                    left -= len(pieces[-1])
                    if not pieces[-1]:
                        break
                return b"".join(pieces)

            def any_method(self):
                body = self.body_of_request()
                owner.requests.append((self.command, self.path, dict(self.headers)))
                if owner.answer and owner.answer(self):
                    return
                owner.serve(self, body)

            do_GET = do_HEAD = do_PUT = do_DELETE = any_method

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass

        Server.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.server = Server((host, 0), Handler)
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        name = f"[{host}]" if ":" in host else host
        self.endpoint = f"http{'s' if cert else ''}://{name}:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def env(self, secret="odd-secret"):
        return {"AWS_ACCESS_KEY_ID": "odd", "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": self.endpoint}

    def serve(self, handler, body):
        key = handler.path
        if handler.command == "PUT":
            stored = self.damage(body) if self.damage else body
            self.objects[key] = (stored, {n: v for n, v in handler.headers.items() if n.lower().startswith("x-amz-meta-")})
            extra = {"ETag": f'"{hashlib.md5(stored).hexdigest()}"'}
            echoed = self.echo(handler.headers, stored) if self.echo else None
            if echoed:
                extra["x_amz_checksum_crc32c"] = echoed
            return handler.reply(200, **extra)
        if handler.command == "DELETE":
            self.objects.pop(key, None)
            return handler.reply(204)
        if key not in self.objects:
            return handler.reply(404, b"<Error><Code>NoSuchKey</Code></Error>")
        stored, meta = self.objects[key]
        return handler.reply(200, stored, ETag=f'"{hashlib.md5(stored).hexdigest()}"', **meta)

    def stored(self, path):
        """The bytes of that path's object, or None."""
        found = self.objects.get("/odd/p/" + path)
        return found and found[0]

    def sent(self, path):
        """Headers of the PUTs of that path."""
        return [headers for method, raw, headers in self.requests if method == "PUT" and raw == "/odd/p/" + path]


def crc32c(data):
    """As the header says it; slow, and nobody else's."""
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return base64.b64encode((crc ^ 0xffffffff).to_bytes(4, "big")).decode()
