"""Several processes append to one file: no line is torn or lost; descriptors inherited, own, and set to append later."""
import fcntl
import os

LINES = 200


def writer(number, fd):
    for i in range(LINES):
        line = b"%d %04d %s\n" % (number, i, b"x" * (i % 50))
        if os.write(fd, line) != len(line):
            os._exit(1)


def later():
    fd = os.open("log", os.O_WRONLY)
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)
    return fd


shared = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
ways = [lambda: shared, lambda: os.open("log", os.O_WRONLY | os.O_APPEND), lambda: os.open(os.environ["B"] + "/log", os.O_RDWR | os.O_APPEND),
        later, lambda: os.dup(shared)]
children = []
for place, way in enumerate(ways):
    child = os.fork()
    if not child:
        fd = way()
        writer(place, fd)
        os.close(fd)
        os._exit(0)
    children.append(child)
print([os.waitpid(child, 0)[1] for child in children])
os.close(shared)
with open("log", "rb") as file:
    lines = file.read().splitlines()
for place in range(len(ways)):
    mine = [line for line in lines if line.startswith(b"%d " % place)]
    print(place, len(mine), mine == sorted(mine), all(line == b"%d %04d %s" % (place, i, b"x" * (i % 50)) for i, line in enumerate(mine)))
with open("log", "wb") as file:  # in an order that two runs share
    file.write(b"\n".join(sorted(lines)))
