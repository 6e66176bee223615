"""A TCP relay on the loopback that counts what it passes on, and misbehaves when told."""
import selectors
import socket
import threading


class Relay:
    """Use as a context manager. `target` is "http://host:port"; `url` is where the relay listens."""

    def __init__(self, target):
        host, port = target.split("//")[1].split(":")
        self.target = (host, int(port))
        self.accepted = 0  # connections ever
        self.open = 0
        self.peak = 0      # open at once
        self.cut_answers = False  # close when the server has answered, instead of passing the answer on
        self.delay = 0      # seconds before a piece of an answer is passed on, one after another: a slow server
        self.gate = threading.Event()  # not set: nothing is passed on, a server that hangs
        self.gate.set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.wake, self.waker = socket.socketpair()
        self.peers = {}
        self.selector = selectors.DefaultSelector()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        for s in (self.listener, self.wake):
            self.selector.register(s, selectors.EVENT_READ)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.gate.set()
        self.waker.close()
        self.thread.join(10)
        for s in [self.listener, self.wake, *self.peers]:
            s.close()
        self.selector.close()

    def _serve(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.wake:
                    return
                if key.fileobj is self.listener:
                    self._accept()
                elif key.fileobj in self.peers:
                    self._pass_on(key.fileobj)

    def _accept(self):
        client = self.listener.accept()[0]
        server = socket.create_connection(self.target)
        for s in (client, server):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(s, selectors.EVENT_READ)
        self.peers[client], self.peers[server] = (server, False), (client, True)
        self.accepted += 1
        self.open += 1
        self.peak = max(self.peak, self.open)

    def _pass_on(self, source):
        peer, from_server = self.peers[source]
        try:
            data = source.recv(1 << 16)
            self.gate.wait()
            if from_server and self.delay:
                threading.Event().wait(self.delay)
            if data and not (from_server and self.cut_answers):
                peer.sendall(data)
                return
        except OSError:
            pass
        for s in (source, peer):
            self.selector.unregister(s)
            del self.peers[s]
            s.close()
        self.open -= 1
