#!/usr/bin/env python3
"""A staging disk that is really full, of bytes or of inodes: small file systems in a mount namespace of the test's own."""
import json
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, compiled, process, small_disk, stored_files, volume, wait  # noqa: E402
from lib.cases import case, expect  # noqa: E402
from lib.small_volume import Small  # noqa: E402

small_disk.enter()

# One small program per kind of writer that libc or the kernel makes write behind our back: waits for a line between
# writing into its buffer or mapping and what makes that a file.
WRITERS = r"""
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static void rest(void) { char c; if (write(1, "ready\n", 6) != 6 || read(0, &c, 1) != 1) _exit(9); }
int main(int argc, char** argv) {
  static char text[3000];
  memset(text, 't', sizeof text);
  if (!strcmp(argv[1], "stdio") || !strcmp(argv[1], "flush")) {
    FILE* f = fopen(argv[2], "w");
    if (!f || fwrite(text, 1, sizeof text, f) != sizeof text) return 2;
    rest();
    if (argv[1][0] == 'f' && fflush(f)) return 3;
    return fclose(f) ? 4 : 0;
  }
  int fd = open(argv[2], O_RDWR | O_CREAT, 0644);
  if (fd < 0 || ftruncate(fd, 65536)) return 5;
  char* at = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return 6;
  rest();
  for (int i = 0; i < 16; i++) at[4096 * i] = 'm';
  return close(fd) ? 7 : 0;
}
"""


@case("a direct writer gets the reserve before it sees ENOSPC; with room there is a reserve again")
def _():
    with Small() as s:
        s.v.start()
        wait.until(lambda: s.pressure()["reserve_bytes"] >= 240 << 10, what="the reserve")
        expect(s.pressure()["reserve_inodes"], 16, "inodes kept back")
        kept, free = s.pressure()["reserve_bytes"], s.disk.free()
        done, error = s.until_full("f")
        expect(error, "ENOSPC", "how it ends")
        # Beside the file: the journal, Redis' log of changes, statistics.
        expect(done > free + kept // 2, True, f"{done} bytes were written, {free} were free and {kept} kept back")
        wait.until(lambda: s.pressure()["reserve_bytes"] == 0, what="the reserve to be gone")
        expect(s.pressure()["reserve_given_up"], 1, "times given up")
        s.v.sh("rm $WBSHIM_PREFIX/f; echo small > $WBSHIM_PREFIX/g")
        wait.until(lambda: s.pressure()["reserve_bytes"] == kept, what="the reserve to be back")
        expect(s.metric("wbshim_enospc_failures_total") > 0, True, "failures are counted")
        s.all_arrives()


def ordinary_writer(s, kind, when_full):
    program = compiled.program(WRITERS, os.path.join(s.v.home, "writer"))
    child = process.start([program, kind, volume.PREFIX + "/" + kind], env=s.v.program_env(), stdin=process.subprocess.PIPE,
                          stdout=process.subprocess.PIPE)
    expect(child.stdout.readline(), b"ready\n", "the writer's word")
    when_full()
    child.stdin.write(b"\n")
    child.stdin.flush()
    expect(child.wait(20), 0, f"how the {kind} writer ended")
    child.stdout.close()
    child.stdin.close()


@case("stdio at fclose and at fflush, and a mapping: the reserve lets them end well, and all of it arrives")
def _():
    for kind in ("stdio", "flush", "map"):
        with Small() as s:
            s.v.start()
            wait.until(lambda: s.pressure()["reserve_bytes"] > 0, what="the reserve")
            s.v.sh("echo other > $WBSHIM_PREFIX/other")
            s.disk.fill(1 << 20)
            wait.until(lambda: s.pressure()["level"] == "none" and s.disk.free() <= 1 << 20, what="the uploader to have looked")

            def full():
                with s.frozen():  # or it gives the reserve up before all is full
                    s.disk.fill()
                if kind == "map":  # it cannot ask: the uploader gives the reserve up by itself
                    wait.until(lambda: s.disk.free() > 0, what="the reserve to be given up")
            ordinary_writer(s, kind, full)
            s.all_arrives()


@case("the uploader killed: the library gives the reserve up; a start on the full disk works; nothing acknowledged is lost")
def _():
    with Small() as s:
        s.v.start()
        wait.until(lambda: s.pressure()["reserve_bytes"] > 0, what="the reserve")
        s.v.sh("for i in 1 2 3; do echo $i > $WBSHIM_PREFIX/f$i; done")
        s.v.kill_uploader()
        s.disk.fill()
        s.v.sh("cd $WBSHIM_PREFIX; for i in 4 5 6; do seq $i | dd of=f$i status=none; done; mkdir d; mv f4 d/f4")
        expect(os.path.exists(os.path.join(s.v.staging, "run", "reserve", "bytes")), False, "the reserve is there")
        s.disk.fill()
        done = s.v.run("exec dd if=/dev/zero of=$WBSHIM_PREFIX/f7 bs=5 count=1")
        expect((done.returncode, b"No space left" in done.stderr), (1, True), f"a write when nothing is left: {done.stderr!r}")
        s.disk.empty()
        s.v.start()
        s.all_arrives()
        expect(sorted(n for n in stored_files.of(s.store) if n != "f7"), ["d/f4", "f1", "f2", "f3", "f5", "f6"], "objects")


@case("a start when the disk is full and only the reserve is left")
def _():
    with Small() as s:
        s.v.start()
        wait.until(lambda: s.pressure()["reserve_bytes"] > 0, what="the reserve")
        s.v.sh("echo 1 > $WBSHIM_PREFIX/f1")
        s.v.kill_uploader()
        s.disk.fill()
        s.v.start()
        s.all_arrives()


@case("the journal on a full disk: the flag makes a scan that finds what could not be noted")
def _():
    with Small() as s:
        s.v.start()
        s.v.sh("echo 0 > $WBSHIM_PREFIX/f0; echo 00 > $WBSHIM_PREFIX/gone")
        s.v.kill_uploader()
        pid = s.v.redis_pid()
        os.kill(pid, 9)
        process.wait_gone(pid)
        shutil.rmtree(os.path.join(s.v.staging, "run", "reserve"))
        s.disk.fill()
        s.v.sh("cd $WBSHIM_PREFIX; : > empty; rm gone; mv f0 f1")
        with open(os.path.join(s.v.staging, "run", "shared"), "rb") as f:
            page = f.read(64)
        expect(int.from_bytes(page[24:32], "little"), 1, "scan needed")
        s.disk.empty()
        s.v.start()
        s.all_arrives()
        expect(sorted(s.v.records()), ["empty", "f1"], "records")


@case("Redis' append-only file on the same full disk: programs go on, and Redis hears of it all afterwards")
def _():
    with Small() as s:
        s.v.start()
        s.v.sh("for i in 1 2 3; do echo $i > $WBSHIM_PREFIX/f$i; done")
        s.without_reserve()
        # Empty files and renames want no block.
        done = s.v.run("cd $WBSHIM_PREFIX; for i in $(seq 50); do : > e$i; done; mv f1 f4; rm f2; for i in $(seq 50); do mv e$i g$i; done", 100)
        expect((done.returncode, done.stderr), (0, b""), "the program's end")
        s.all_arrives()
        expect(sum(n.startswith("g") for n in s.v.records()), 50, "records")


@case("the shared page has its block beforehand: a program on a full disk is not killed by it")
def _():
    # In tier none a page that is younger than the files makes them doubtful: they are held back.
    with Small(DURABILITY="local") as s:
        s.v.sh("echo 1 > $WBSHIM_PREFIX/f1")
        os.unlink(os.path.join(s.v.staging, "run", "shared"))
        s.disk.fill()
        done = s.v.run("cat $WBSHIM_PREFIX/f1; : > $WBSHIM_PREFIX/f2")
        expect((done.returncode, done.stdout), (0, b"1\n"), f"the program's end; {done.stderr!r}")
        s.disk.empty()
        s.v.start()
        s.all_arrives()


@case("the store's disk is full as well: ENOSPC soon, nothing hangs, and all arrives when there is room on both")
def _():
    with small_disk.Disk("4m") as other, Small(UPLOAD_DELAY="0s", STORE_URL=f"file://{other.path}/store") as s:
        s.store = os.path.join(other.path, "store")
        s.v.start()
        other.fill()
        s.v.sh("for i in 1 2 3 4 5 6; do echo $i > $WBSHIM_PREFIX/f$i; done")
        wait.until(lambda: s.status()["store"]["away"], what="the store to be known as away")
        s.without_reserve()
        start = time.monotonic()
        # A block or two may come free by what the uploader and Redis throw away: each writes until there is none.
        expect([s.until_full(f"f{i}")[1] for i in (7, 8, 9)], ["ENOSPC"] * 3, "how three writers end")
        expect(time.monotonic() - start < 20, True, f"three files took {time.monotonic() - start:.1f} s")
        other.empty()
        s.all_arrives()


@case("WBSHIM_FREE_SPACE_RATIO: below 1.5 times early, below it at close; a store on the same disk moves nobody")
def _():
    with Small(FREE_SPACE_RATIO="0.4") as s:
        s.v.start()
        s.v.sh("head -c 1000000 /dev/zero > $WBSHIM_PREFIX/a")
        expect((s.pressure()["level"], stored_files.of(s.store)), ("none", {}), "with room")
        s.disk.fill(12 << 20)
        wait.until(lambda: "a" in stored_files.of(s.store), what="an early upload")
        expect(s.pressure()["level"], "soft", "level")
        s.disk.fill(8 << 20)
        wait.until(lambda: s.pressure()["level"] == "hard", what="the level")
        cases.expect_in("hard pressure: ", s.v.ctl("status").stdout.decode(), "status")
        found = [f for f in json.loads(s.v.ctl("doctor", "--json").stdout)["checks"] if "WBSHIM_FREE_SPACE_RATIO" in f["mend"]]
        expect([f["level"] for f in found], ["warning"], "doctor")
        s.v.sh("printf 1 > $WBSHIM_PREFIX/b; cat $WBSHIM_PREFIX/b > /dev/null")
        s.v.sh("exec /usr/bin/python3 -c 'import os; f = os.open(os.environ[\"WBSHIM_PREFIX\"] + \"/c\", 65); os.close(f); assert os.path.exists(\"%s/c\")'" % s.store)
        expect(s.metric('wbshim_write_through_total{cause="space"}') > 0, True, "the metric")
        s.all_arrives()
    with Small(FREE_SPACE_RATIO="0.4", STORE_URL=None) as s:
        s.v.start()
        s.v.sh("echo a > $WBSHIM_PREFIX/a")
        s.disk.fill(4 << 20)
        wait.until(lambda: s.pressure()["level"] == "hard", what="the level")
        s.v.sh("echo b > $WBSHIM_PREFIX/b")
        expect(stored_files.of(os.path.join(s.v.staging, "store")), {}, "objects on the same disk")


@case("ext4: a writer, names and a mapping on a full disk")
def _():
    with Small(small_disk.Disk("32m", 400, "ext4")) as s:
        s.v.start()
        wait.until(lambda: s.pressure()["reserve_bytes"] > 0, what="the reserve")
        done, error = s.until_full("f")
        expect((done > 0, error), (True, "ENOSPC"), "the writer")
        s.v.sh("rm $WBSHIM_PREFIX/f")
        wait.until(lambda: s.pressure()["reserve_inodes"] == 16, what="the reserve to be back")
        with s.frozen():
            s.disk.fill_inodes()
        s.v.sh("mkdir $WBSHIM_PREFIX/d; echo x > $WBSHIM_PREFIX/d/x")
        s.all_arrives()


# Moves files to long names in another directory, which grows; after half a second somebody makes room.
RENAMES = """
import os, sys, threading
prefix, ballast = sys.argv[1:3]
threading.Timer(0.5, os.unlink, [ballast]).start()
for i in range(30):
    os.rename(f"{prefix}/e/{i}", f"{prefix}/d/{'n' * 200}{i}")
"""


@case("ext4: a rename that needs a block for its directory")
def _():
    with Small(small_disk.Disk("32m", 400, "ext4")) as s:
        s.v.start_redis()  # one that writes no file
        s.v.start()
        for command in (s.v.sh, lambda c: s.v.run(c, env={"LD_PRELOAD": "", "WBSHIM_PREFIX": s.disk.path})):
            command("cd $WBSHIM_PREFIX; mkdir d e; for i in $(seq 0 29); do : > e/$i; done")
        s.without_reserve()
        bare = s.v.run(["/usr/bin/python3", "-c", RENAMES, s.disk.path, "/nothing"], env={"LD_PRELOAD": ""})
        cases.expect_in(b"No space left on device", bare.stderr, "the same beside the prefix")
        done = s.v.run(["/usr/bin/python3", "-c", RENAMES, volume.PREFIX, os.path.join(s.disk.path, "ballast")])
        expect((done.returncode, done.stderr), (0, b""), "the renames")
        expect(s.metric("wbshim_enospc_retries_total") > 0, True, "second tries")
        s.all_arrives()


cases.main()
