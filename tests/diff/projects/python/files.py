"""open in every mode, os calls on names and descriptors, tempfile, pathlib."""
import os
import pathlib
import tempfile

with open("a", "w") as f:
    f.write("one\n")
with open("a", "a+") as f:
    f.write("two\n")
    f.seek(0)
    print(f.read())
with open("a", "r+b") as f:
    f.truncate(4)
try:
    open("a", "x")
except FileExistsError as e:
    print(e)
for wrong in ("nowhere/x", "a/x", "."):
    try:
        open(wrong, "w")
    except OSError as e:
        print(type(e).__name__, e.errno, e.filename)
os.rename("a", "b")
os.replace("b", "c")
os.link("c", "d")
os.symlink("c", "s")
os.makedirs("x/y/z", exist_ok=True)
os.chmod("c", 0o600)
os.utime("c", (5, 5))
os.truncate("c", 2)
print(os.stat("d").st_size, os.lstat("s").st_size, os.readlink("s"), os.path.samefile("c", "s"))
print(sorted(os.listdir()), sorted(e.name for e in os.scandir() if e.is_file()))
print(os.path.realpath("s") == os.path.join(os.getcwd(), "c"), os.access("c", os.R_OK), os.access("no", os.F_OK))
dirfd = os.open("x", os.O_RDONLY | os.O_DIRECTORY)
fd = os.open("under", os.O_WRONLY | os.O_CREAT, 0o640, dir_fd=dirfd)
os.write(fd, b"by descriptor\n")
os.fchmod(fd, 0o604)
os.fsync(fd)
os.close(fd)
os.mkdir("made", dir_fd=dirfd)
os.rename("under", "moved", src_dir_fd=dirfd, dst_dir_fd=dirfd)
os.symlink("moved", "link", dir_fd=dirfd)
os.unlink("link", dir_fd=dirfd)
print(os.stat("moved", dir_fd=dirfd).st_mode & 0o777, sorted(os.listdir(dirfd)))
os.fchdir(dirfd)
print(os.path.basename(os.getcwd()))
os.chdir("..")
os.close(dirfd)
with tempfile.NamedTemporaryFile(dir=".", delete=False) as t:
    t.write(b"temp")
os.rename(t.name, "was-temp")
with tempfile.TemporaryDirectory(dir=".") as t:
    pathlib.Path(t, "in").write_text("gone")
with tempfile.TemporaryFile(dir=".") as t:
    t.write(b"never named")
p = pathlib.Path("pl")
p.write_bytes(b"1")
p.rename("pl2")
pathlib.Path("pl2").touch(mode=0o600)
print(sorted(str(q) for q in pathlib.Path().rglob("*")), pathlib.Path("s").resolve().name)
os.removedirs("x/y/z") if not os.listdir("x/y/z") and os.rmdir("x/made") is None else None
os.remove("d")
for wrong in (lambda: os.rmdir("x"), lambda: os.unlink("x"), lambda: os.rename("nowhere", "n"), lambda: os.mkdir("c")):
    try:
        wrong()
    except OSError as e:
        print(type(e).__name__, e.errno)
