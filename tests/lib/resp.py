"""A small Redis client: commands and replies over one socket, and nothing else."""
import socket


class RedisError(Exception):
    """An error reply."""


class Redis:
    """One connection. Texts come back as bytes."""

    def __init__(self, path=None, port=None, timeout=10):
        if path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(path)
        else:
            self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.reader = self.socket.makefile("rb")

    def close(self):
        self.reader.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __call__(self, *words):
        data = b"*%d\r\n" % len(words)
        for word in words:
            raw = word if isinstance(word, bytes) else str(word).encode()
            data += b"$%d\r\n%s\r\n" % (len(raw), raw)
        self.socket.sendall(data)
        return self._reply()

    def hash(self, key):
        """HGETALL as a dictionary."""
        flat = self("HGETALL", key)
        return dict(zip(flat[::2], flat[1::2]))

    def keys(self, pattern):
        """All keys of a pattern, by SCAN."""
        found, cursor = [], b"0"
        while True:
            cursor, part = self("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
            found += part
            if cursor == b"0":
                return sorted(set(found))

    def _reply(self):
        line = self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            raise RedisError(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self.reader.read(size + 2)[:-2]
        if kind == b"*":
            return None if int(rest) < 0 else [self._reply() for _ in range(int(rest))]
        raise ConnectionError(f"unknown reply {line!r}")
