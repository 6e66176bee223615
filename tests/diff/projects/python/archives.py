"""zipfile, tarfile, gzip, lzma, bz2."""
import bz2
import gzip
import lzma
import os
import tarfile
import zipfile

os.makedirs("in/sub")
for name in ("in/a", "in/sub/b"):
    with open(name, "w") as f:
        f.write(name * 100)
    os.utime(name, (1000000000, 1000000000))
with zipfile.ZipFile("z.zip", "w", zipfile.ZIP_DEFLATED) as z:
    z.write("in/a")
    z.writestr(zipfile.ZipInfo("made"), "inside")
with zipfile.ZipFile("z.zip", "a") as z:
    z.write("in/sub/b")
with zipfile.ZipFile("z.zip") as z:
    print(z.namelist(), z.testzip())
    z.extractall("unzipped")


def plain(info):
    info.mtime, info.uname, info.gname = 0, "", ""
    return info


with tarfile.open("t.tar", "w") as t:
    t.add("in", filter=plain)
with tarfile.open("t.tar") as t:
    print(t.getnames())
    t.extractall("untarred")
for module in (bz2, lzma):
    with module.open("x." + module.__name__, "wb") as f:
        f.write(b"x" * 1000)
    with module.open("x." + module.__name__) as f:
        print(len(f.read()))
with open("x.gz", "wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as f:
    f.write(b"y" * 1000)
print(sorted(os.listdir("untarred/in/sub")), os.stat("unzipped/in/a").st_size)
