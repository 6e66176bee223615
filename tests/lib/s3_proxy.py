"""An S3 endpoint that misbehaves when told: a proxy in front of a real server, or, without one, a small store of its own."""
import email.utils
import hashlib
import http.client
import re
import socket
import struct
import threading
import time

_pause = threading.Event().wait
_REASONS = {200: "OK", 204: "No Content", 403: "Forbidden", 404: "Not Found", 500: "Internal Server Error", 503: "Slow Down"}


class Request:
    """One request as it came; status is what the client was told (0: nothing that it could read); time is when it came, done when the
    server had answered."""

    def __init__(self, method, path, headers):
        self.method, self.path, self.headers = method, path, headers
        self.status, self.time, self.done = 0, time.monotonic(), 0

    def header(self, name):
        return next((v for k, v in self.headers if k.lower() == name), "")

    @property
    def access_key(self):
        found = re.search(r"Credential=([^/]+)/", self.header("authorization"))
        return found[1] if found else ""


class S3Proxy:
    """Use as a context manager; `url` is where it listens. target: "http://host:port" of a real server, or None.

    switch() sets the fault from now on:
      ("delay", s)             every answer comes so much later
      ("hang",)                takes requests, never answers
      ("close",)               accepts and closes
      ("cut", "body")          resets the connection in the middle of the request's body;  "answer": in the middle of the answer
      ("lose",)                the server does it, the client hears nothing
      ("status", n, code, *headers)  that error, without asking the server
      ("text", body)           200 with that body, without asking the server
      ("length", n)            Content-Length of answers is wrong by n
      ("skew", s)              the server's clock: Date is ahead by s; by it, requests are 15 minutes good
      ("keys", id, code)       only that access key id is good, else 403 with that code
    only: a predicate of the request, or None. requests: all that came. down() and up() close and open the port."""

    def __init__(self, target=None):
        self.target = target.split("//")[1] if target else None
        self.fault, self.only = None, None
        self.requests, self.objects, self.lock = [], {}, threading.Lock()
        self.connections, self.busy, self.peak = set(), 0, 0
        self.listener, self.port = None, 0

    def __enter__(self):
        self.up()
        return self

    def __exit__(self, *_):
        self.fault = ("close",)
        self.down()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def up(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def down(self):
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        self.drop()

    def drop(self):
        """Cuts every connection there is."""
        with self.lock:
            connections, self.connections = self.connections, set()
        for s in connections:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def switch(self, *fault, only=None):
        """Nothing: no fault."""
        self.only, self.fault = only, fault or None

    def puts(self, status=200):
        """Paths of PUTs that were answered so, in the order of their answers, without the volume's own objects."""
        with self.lock:
            return [r.path for r in self.requests if r.method == "PUT" and r.status == status and "/.wbshim" not in r.path]

    def _accept(self, listener):
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        upstream = http.client.HTTPConnection(self.target, timeout=60) if self.target else None
        try:
            reader = client.makefile("rb")
            while self.fault != ("close",) and self._one(client, reader, upstream):
                pass
        except (OSError, http.client.HTTPException, ValueError):
            pass
        finally:
            with self.lock:
                self.connections.discard(client)
            client.close()
            if upstream:
                upstream.close()

    def _one(self, client, reader, upstream):
        """One request. False: the connection ends."""
        line = reader.readline().decode("latin-1").split()
        if len(line) != 3:
            return False
        headers = []
        while (text := reader.readline().decode("latin-1").strip("\r\n")):
            name, _, value = text.partition(":")
            headers.append((name, value.strip()))
        request = Request(line[0], line[1], headers)
        with self.lock:
            self.requests.append(request)
            self.busy += 1
            self.peak = max(self.peak, self.busy)
        try:
            return self._answer(client, reader, upstream, request)
        finally:
            with self.lock:
                self.busy -= 1

    def _answer(self, client, reader, upstream, request):
        fault = self.fault or ("none",)
        if self.only and not self.only(request):
            fault = ("none",)
        if request.header("expect"):
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        size = int(request.header("content-length") or 0)
        if fault[0] == "cut" and fault[1] == "body":
            reader.read(size // 2)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        body = reader.read(size)
        if len(body) < size:  # who sent it is gone
            return False
        if fault[0] == "hang":
            while self.fault and self.fault[0] == "hang" and client in self.connections:
                _pause(0.05)
            return False
        if fault[0] == "delay":
            _pause(fault[1])
        status, answer_headers, answer = self._refusal(fault, request) or self._do(upstream, request, body)
        request.done = time.monotonic()
        if fault[0] == "lose":
            return False
        spoilt = fault[0] == "cut" or (fault[0] == "length" and fault[1] > 0)
        request.status = 0 if spoilt else status
        return self._send(client, fault, request, status, answer_headers, answer) and not spoilt

    def _refusal(self, fault, request):
        """What the fault itself answers, or None."""
        if fault[0] == "status":
            return self._error(fault[1], fault[2], fault[3:])
        if fault[0] == "text":
            return 200, [("Content-Type", "application/xml")], fault[1].encode()
        if fault[0] == "keys" and request.access_key != fault[1]:
            return self._error(403, fault[2])
        if fault[0] == "skew":
            dated = time.mktime(time.strptime(request.header("x-amz-date"), "%Y%m%dT%H%M%SZ")) - time.timezone
            if abs(dated - (time.time() + fault[1])) > 900:
                return self._error(403, "RequestTimeTooSkewed")
        return None

    @staticmethod
    def _error(status, code, headers=()):
        body = f"<Error><Code>{code}</Code><Message>the test wants it</Message><RequestId>r1</RequestId></Error>".encode()
        return status, [("Content-Type", "application/xml"), *headers], body

    def _do(self, upstream, request, body):
        if not upstream:
            return self._do_here(request, body)
        upstream.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            if name.lower() not in ("expect", "connection"):
                upstream.putheader(name, value)
        upstream.endheaders(body)
        answer = upstream.getresponse()
        text = answer.read()
        headers = [(k, v) for k, v in answer.getheaders() if k.lower() not in ("transfer-encoding", "connection", "content-length")]
        if request.method == "HEAD":
            headers.append(("Content-Length", answer.getheader("Content-Length", "0")))
        return answer.status, headers, text

    def _do_here(self, request, body):
        with self.lock:
            if request.method == "PUT":
                etag = hashlib.md5(body).hexdigest()
                self.objects[request.path] = (body, etag, [(k, v) for k, v in request.headers if k.lower().startswith("x-amz-meta-")])
                return 200, [("ETag", f'"{etag}"')], b""
            if request.method == "DELETE":
                self.objects.pop(request.path, None)
                return 204, [], b""
            found = self.objects.get(request.path)
        if not found:
            return self._error(404, "NoSuchKey") if request.method == "GET" else (404, [], b"")
        return 200, [("ETag", f'"{found[1]}"'), *found[2]], found[0]

    def _send(self, client, fault, request, status, headers, body):
        shift = fault[1] if fault[0] == "skew" else 0
        head = f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}\r\n"
        if shift or not any(k.lower() == "date" for k, _ in headers):
            headers = [(k, v) for k, v in headers if k.lower() != "date"]
            headers.append(("Date", email.utils.formatdate(time.time() + shift, usegmt=True)))
        if not any(k.lower() == "content-length" for k, _ in headers):
            headers.append(("Content-Length", str(len(body) + (fault[1] if fault[0] == "length" else 0))))
        head += "".join(f"{k}: {v}\r\n" for k, v in headers) + "\r\n"
        data = head.encode("latin-1") + (b"" if request.method == "HEAD" else body)
        if fault[0] == "cut" and fault[1] == "answer":
            client.sendall(data[:len(data) // 2])
            return False
        client.sendall(data)
        return True
