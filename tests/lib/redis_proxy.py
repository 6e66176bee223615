"""A proxy in front of a Redis that misbehaves when told: between the programs and a real server, switched while they run."""
import os
import socket
import threading

PAUSE = threading.Event()  # never set: a sleep that ends with the process


class Parser:
    """Commands out of a stream of requests: lists of words."""

    def __init__(self):
        self.data = b""

    def feed(self, data):
        self.data += data
        found = []
        while True:
            command, size = self._one()
            if command is None:
                return found
            found.append(command)
            self.data = self.data[size:]

    def _one(self):
        end = self.data.find(b"\r\n")
        if end < 0 or not self.data.startswith(b"*"):
            return None, 0
        words, at = [], end + 2
        for _ in range(int(self.data[1:end])):
            end = self.data.find(b"\r\n", at)
            if end < 0:
                return None, 0
            size = int(self.data[at + 1:end])
            at = end + 2 + size + 2
            if len(self.data) < at:
                return None, 0
            words.append(self.data[at - 2 - size:at - 2])
        return words, at


class RedisProxy:
    """Use as a context manager. `path` is where it listens (a Unix socket), `port` the same over TCP; `target` the real socket.

    fault: None, or a word with what belongs to it:
      ("delay", s)       every answer comes so much later
      ("trickle", s)     one byte of an answer every so many seconds
      ("hang",)          accepts, takes, never answers
      ("close",)         accepts and closes
      ("cut", "request") closes when half of a request was passed on;  "answer": when half of an answer was
      ("lose",)          passes the request on and closes instead of answering;  ("lose", bytes): only those that hold them
      ("error", text, *commands)  that error for these commands (upper case; none: for all)
      ("garbage", bytes) these instead of an answer
    commands: how many requests came, by name. connections: how many were accepted."""

    def __init__(self, path, target):
        self.path, self.target = path, target
        self.fault = None
        self.commands, self.connections, self.lock = {}, 0, threading.Lock()
        if os.path.exists(path):
            os.unlink(path)
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(path)
        self.unix.listen(512)
        self.tcp = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.tcp.getsockname()[1]
        self.open = set()
        self.lost = set()  # connections whose next answer is not passed on
        self.losses = 0

    def __enter__(self):
        for listener in (self.unix, self.tcp):
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return self

    def __exit__(self, *_):
        for s in (self.unix, self.tcp):
            s.close()
        self.drop()

    def drop(self):
        """Cuts every connection there is."""
        with self.lock:
            connections, self.open = self.open, set()
        for s in connections:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def switch(self, *fault):
        """From now on; nothing: no fault. Connections that hang stay as they are: drop() ends them."""
        self.fault = fault or None

    def _accept(self, listener):
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            if self.fault == ("close",):
                client.close()
                continue
            with self.lock:
                self.open.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self.target)
            answers = threading.Thread(target=self._answers, args=(server, client), daemon=True)
            answers.start()
            self._requests(client, server)
        except OSError:
            pass
        finally:
            with self.lock:
                self.open.discard(client)
            for s in (client, server):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                s.close()

    def _requests(self, client, server):
        parser, lost = Parser(), []
        while True:
            data = client.recv(1 << 16)
            if not data:
                return
            commands = parser.feed(data)
            with self.lock:
                for command in commands:
                    name = command[0].decode().upper()
                    self.commands[name] = self.commands.get(name, 0) + 1
            fault = self.fault or ("none",)
            if fault[0] == "hang":
                lost.append(data)
            elif fault[0] == "close":
                return
            elif fault[0] == "cut" and fault[1] == "request":
                server.sendall(data[:len(data) // 2])
                return
            elif fault[0] == "garbage":
                client.sendall(fault[1])
            elif fault[0] == "error":
                self._refuse(client, server, fault, data, commands)
            else:
                if fault[0] == "lose" and fault[1:] and fault[1] in data:
                    self.lost.add(client)
                server.sendall(data)

    def _refuse(self, client, server, fault, data, commands):
        """What is sent together is refused together: the answers keep their order."""
        if len(fault) == 2 or any(c[0].decode().upper() in fault[2:] for c in commands):
            client.sendall((b"-" + fault[1].encode() + b"\r\n") * len(commands))
        else:
            server.sendall(data)

    def _answers(self, server, client):
        try:
            while True:
                data = server.recv(1 << 16)
                if not data:
                    break
                fault = self.fault or ("none",)
                if fault == ("lose",) or client in self.lost:
                    self.losses += 1
                    break
                if fault[0] == "cut" and fault[1] == "answer":
                    client.sendall(data[:max(1, len(data) // 2)])
                    break
                if fault[0] == "trickle":
                    for i in range(len(data)):
                        PAUSE.wait(fault[1])
                        client.sendall(data[i:i + 1])
                    continue
                if fault[0] == "delay":
                    PAUSE.wait(fault[1])
                client.sendall(data)
        except OSError:
            pass
        try:
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
