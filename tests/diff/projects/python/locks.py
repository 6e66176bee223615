"""Locks between processes: fcntl's belong to the process and go with any close of the file; those of open file descriptions and flock's
belong to the description. What a library opens and closes behind a program's back would lose the first kind."""
import errno
import fcntl
import os
import struct

OFD_GETLK, OFD_SETLK = 36, 37
B = os.environ["B"]


def flock_of(kind, start=0, length=0):
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, start, length, 0)


def attempt(call, *args):
    try:
        call(*args)
        return "ok"
    except OSError as e:
        return errno.errorcode[e.errno]


def in_child(function):
    """What it returns in a process of its own."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, str(function()).encode())
        os._exit(0)
    os.close(write)
    text = os.read(read, 1000).decode()
    os.close(read)
    os.waitpid(child, 0)
    return text


def seen(start=0, length=0):
    """Whom another process sees to hold a part of "f": kind, start, length, and whether it is us."""
    def ask():
        fd = os.open("f" if os.path.exists("f") else "g", os.O_RDWR)
        kind, _, begin, size, pid = struct.unpack("hhqqi4x", fcntl.fcntl(fd, fcntl.F_GETLK, flock_of(fcntl.F_WRLCK, start, length)))
        return (kind, begin, size, pid == parent) if kind != fcntl.F_UNLCK else "free"
    return in_child(ask)


def other(kind, command=fcntl.F_SETLK, start=0, length=0):
    return in_child(lambda: attempt(fcntl.fcntl, os.open("f", os.O_RDWR), command, flock_of(kind, start, length)))


parent = os.getpid()
fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o644)
os.write(fd, b"0123456789")

fcntl.fcntl(fd, fcntl.F_SETLK, flock_of(fcntl.F_WRLCK, 2, 3))
print("record lock", seen(), seen(5), other(fcntl.F_WRLCK, start=5), other(fcntl.F_RDLCK), other(fcntl.F_RDLCK, length=2))
# None of these closes a descriptor of the file: the lock must be there after each.
for what, change in {
        "chmod": lambda: os.chmod("f", 0o600), "utime": lambda: os.utime(B + "/f", (1, 1)), "stat": lambda: os.stat("f"), "rename": lambda: os.rename("f", "g"),
        "back": lambda: os.rename(B + "/g", B + "/f"), "link": lambda: os.link("f", "h"), "unlink": lambda: os.unlink("h"), "truncate": lambda: os.ftruncate(fd, 20),
        "fchmod": lambda: os.fchmod(fd, 0o644), "write": lambda: os.pwrite(fd, b"x", 15), "fsync": lambda: os.fsync(fd), "symlink": lambda: os.symlink("f", "s"),
        "access": lambda: os.access("s", os.W_OK), "mkdir": lambda: os.mkdir("d"), "path": lambda: os.path.realpath("s"), "listdir": lambda: os.listdir("."),
        "another file": lambda: open("z", "w", encoding="ascii").close(), "fork": lambda: in_child(lambda: 1), "system": lambda: os.system("true"),
        "chown": lambda: os.chown("f", -1, -1), "xattr": lambda: attempt(os.setxattr, "f", "user.x", b"1")}.items():
    change()
    print(what, seen(2, 1))
os.close(os.open("f", os.O_RDONLY))
print("closed another descriptor", seen())
fcntl.fcntl(fd, fcntl.F_SETLK, flock_of(fcntl.F_RDLCK))
print("shared", other(fcntl.F_RDLCK), other(fcntl.F_WRLCK))
os.close(os.dup(fd))
print("closed a duplicate", seen())
fcntl.lockf(fd, fcntl.LOCK_EX)
print("dup2 over a duplicate", os.dup2(0, os.dup(fd)) > 0, seen())

# Open file descriptions
one, two = os.open("f", os.O_RDWR), os.open(B + "/f", os.O_RDWR)
fcntl.fcntl(one, OFD_SETLK, flock_of(fcntl.F_WRLCK, 0, 4))
print("description", attempt(fcntl.fcntl, two, OFD_SETLK, flock_of(fcntl.F_WRLCK, 3, 1)), attempt(fcntl.fcntl, two, OFD_SETLK, flock_of(fcntl.F_WRLCK, 4, 4)))
copy = os.dup(one)
os.close(one)
os.close(os.open("f", os.O_RDONLY))
print("its duplicate holds it", attempt(fcntl.fcntl, two, OFD_SETLK, flock_of(fcntl.F_WRLCK)), other(fcntl.F_WRLCK, OFD_SETLK), other(fcntl.F_WRLCK))
os.close(copy)
print("gone with the last", attempt(fcntl.fcntl, two, OFD_SETLK, flock_of(fcntl.F_WRLCK)))
os.close(two)

# flock
one, two = os.open("f", os.O_RDONLY), os.open("f", os.O_RDWR)
fcntl.flock(one, fcntl.LOCK_EX)
print("flock", attempt(fcntl.flock, two, fcntl.LOCK_EX | fcntl.LOCK_NB), attempt(fcntl.flock, os.dup(one), fcntl.LOCK_EX | fcntl.LOCK_NB),
      in_child(lambda: attempt(fcntl.flock, os.open("f", os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB)))
for change in (lambda: os.chmod("f", 0o640), lambda: os.rename("f", "g"), lambda: os.rename("g", "f"), lambda: os.close(os.open("f", os.O_WRONLY))):
    change()
    print("kept", attempt(fcntl.flock, two, fcntl.LOCK_EX | fcntl.LOCK_NB))
child = os.fork()
if not child:
    os.close(one)  # an inherited one: the parent still holds it
    os._exit(0)
os.waitpid(child, 0)
print("a child closed it", attempt(fcntl.flock, two, fcntl.LOCK_SH | fcntl.LOCK_NB))
child = os.fork()
if not child:
    fcntl.flock(one, fcntl.LOCK_UN)
    os._exit(0)
os.waitpid(child, 0)
print("a child unlocked it", attempt(fcntl.flock, two, fcntl.LOCK_EX | fcntl.LOCK_NB))

# Processes that wait for each other: none works at the same time as another.
with open("count", "w", encoding="ascii") as file:
    file.write("0")
children = []
for number in range(4):
    child = os.fork()
    if not child:
        for _ in range(50):
            mine = os.open("count", os.O_RDWR)
            (fcntl.lockf if number % 2 else lambda f, how: fcntl.fcntl(f, fcntl.F_SETLKW, flock_of(fcntl.F_WRLCK)))(mine, fcntl.LOCK_EX)
            value = int(os.read(mine, 20))
            os.pwrite(mine, b"%d" % (value + 1), 0)
            os.close(mine)
        os._exit(0)
    children.append(child)
print([os.waitpid(child, 0)[1] for child in children], open("count", encoding="ascii").read())
