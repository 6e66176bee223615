"""Holes: what SEEK_DATA and SEEK_HOLE find, how many blocks there are, before and after the changes that make and fill them."""
import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16


def extents(fd):
    """[(first, past the last)] of the data."""
    found, at = [], 0
    while True:
        try:
            at = os.lseek(fd, at, os.SEEK_DATA)
        except OSError as e:
            return found, errno.errorcode[e.errno]
        end = os.lseek(fd, at, os.SEEK_HOLE)
        found.append((at, end))
        at = end


def show(what, name="f"):
    fd = os.open(name, os.O_RDONLY)
    status = os.fstat(fd)
    print(what, status.st_size, status.st_blocks, extents(fd), os.stat(name).st_blocks == status.st_blocks)
    os.close(fd)


fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o644)
os.ftruncate(fd, 1 << 20)
show("all hole")
os.pwrite(fd, b"data", 300000)
os.pwrite(fd, b"more", 800000)
show("two islands")
os.lseek(fd, 2 << 20, os.SEEK_SET)
os.write(fd, b"beyond the end")
show("beyond the end")
print("fallocate", libc.fallocate(fd, KEEP_SIZE, 0, 65536), libc.fallocate(fd, 0, 0, 65536), libc.fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 286720, 65536),
      libc.fallocate(fd, PUNCH_HOLE, 0, 1), errno.errorcode[ctypes.get_errno()])
show("punched")
print(os.pread(fd, 10, 300000), os.pread(fd, 4, 800000))
os.posix_fallocate(fd, 3 << 20, 4096)
show("posix_fallocate")
for offset, whence in ((4 << 20, os.SEEK_DATA), (-1, os.SEEK_HOLE), (0, os.SEEK_HOLE)):
    try:
        print(os.lseek(fd, offset, whence))
    except OSError as e:
        print(errno.errorcode[e.errno])
other = os.open("g", os.O_RDWR | os.O_CREAT, 0o644)
print("copy_file_range", os.copy_file_range(fd, other, 1 << 20, 0, 0), "sendfile", os.sendfile(other, fd, 1 << 20, 1 << 20) if os.lseek(other, 1 << 20, 0) else 0)
os.close(other)
show("copied", "g")
os.truncate(os.environ["B"] + "/f", 500000)
show("cut")
os.ftruncate(fd, 5 << 30)
show("five gigabytes")
os.rename("f", "moved")
show("renamed", "moved")
os.ftruncate(fd, 100)
os.close(fd)
