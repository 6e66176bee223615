"""sqlite3, shutil and tempfile in the working directory; TMPDIR names it too."""
import os
import shutil
import sqlite3
import stat
import tempfile

B = os.environ["B"]


def said(text):
    print(str(text).replace(B, "BASE"))


def databases():
    for mode in ("delete", "truncate", "persist", "wal"):
        name = mode + ".db"
        one, two = sqlite3.connect(name, timeout=0), sqlite3.connect(os.path.join(B, name), timeout=0)
        said(one.execute(f"pragma journal_mode={mode}").fetchall())
        one.execute("create table t(a integer primary key, b text)")
        with one:
            one.executemany("insert into t(b) values(?)", [("row %d" % i,) for i in range(500)])
        one.execute("begin immediate")
        try:
            two.execute("insert into t(b) values('other')")
            said("not locked")
        except sqlite3.OperationalError as e:
            said(e)
        one.rollback()
        with two:
            two.execute("delete from t where a % 7 = 0")
        said(one.execute("select count(*), sum(a) from t").fetchall())
        said(sorted(n for n in os.listdir(".") if n.startswith(mode)))
        backup = sqlite3.connect(mode + ".copy")
        one.backup(backup)
        backup.execute("vacuum")
        one.execute("attach 'delete.db' as other")
        said(one.execute("select count(*) from other.t").fetchall())
        said(one.execute("pragma integrity_check").fetchall())
        for connection in (backup, one, two):
            connection.close()
    said(sorted(os.listdir(".")))


def trees():
    os.makedirs("src/deep/er")
    for name in ("a", "deep/b", "deep/er/c"):
        with open("src/" + name, "w", encoding="ascii") as file:
            file.write(name * 100)
    os.symlink("a", "src/l")
    os.chmod("src/a", 0o640)
    said(shutil.copytree("src", "copy", symlinks=True))
    said(shutil.copytree("src", B + "/copy", dirs_exist_ok=True, ignore=shutil.ignore_patterns("er")))
    said(shutil.move("copy/deep", "moved"))
    said(shutil.make_archive(B + "/packed", "tar", "src"))
    shutil.unpack_archive("packed.tar", "unpacked")
    os.unlink("packed.tar")
    said(sorted((d, sorted(dirs), sorted(files)) for d, dirs, files in os.walk(".")))
    said(shutil.which("tool", path=B))
    shutil.copy2("src/a", "tool")
    os.chmod("tool", 0o755)
    said(shutil.which("tool", path=B))
    said(oct(stat.S_IMODE(os.stat("copy/a").st_mode)))
    shutil.rmtree("moved")
    try:
        shutil.copytree("src", "copy")
    except FileExistsError as e:
        said(e)
    said(shutil.disk_usage(".").total > 0)


def temporaries():
    said(tempfile.gettempdir())
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
        said(os.fstat(file.fileno()).st_nlink)
    with tempfile.NamedTemporaryFile("w", suffix=".n", delete=False) as file:
        file.write("kept")
    said(os.path.dirname(file.name))
    os.rename(file.name, "named")
    with tempfile.TemporaryDirectory() as directory:
        said((os.path.dirname(directory), oct(stat.S_IMODE(os.stat(directory).st_mode))))
        open(directory + "/f", "w", encoding="ascii").close()
    said(os.path.exists(directory))
    with tempfile.SpooledTemporaryFile(10) as file:
        file.write(b"more than ten bytes")
        file.seek(0)
        said(file.read())
    fd, name = tempfile.mkstemp(dir=B + "/src")
    os.close(fd)
    said((os.path.dirname(name), oct(stat.S_IMODE(os.stat(name).st_mode))))
    os.unlink(name)
    said(sorted(os.listdir(".")))


databases()
trees()
temporaries()
