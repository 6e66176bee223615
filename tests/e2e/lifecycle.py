#!/usr/bin/env python3
"""close → record → object, with all that may happen on the way, on two servers that do not know each other's code."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, s3, stored, wait  # noqa: E402
from lib.cases import expect  # noqa: E402


def agree(v):
    """Queue empty, Redis agrees with the tree, every object with its file."""
    v.wait_drained()
    expect(v.disagreements(), [], "records against the tree")
    expect(v.wrong_objects(), [], "objects against the tree")


def close_to_object(server):
    with stored.StoredVolume(server, UPLOAD_DELAY="1500ms") as v:
        v.start()
        v.sh("umask 022; printf hello > $WBSHIM_PREFIX/f; chmod 640 $WBSHIM_PREFIX/f; touch -d @1000000000.123456789 $WBSHIM_PREFIX/f")
        record = v.records()["f"]
        expect((record["state"], record["size"], record["mode"]), ("staged", 5, 0o640), "the record when the program has ended")
        expect(v.object("f"), None, "the object before its delay has passed")
        agree(v)
        body, headers = v.object("f")
        expect(body, b"hello", "the object")
        expect((headers["mode"], headers["mtime"]), (str(0o100640), "1000000000.123456789"), "its metadata")
        record = v.records()["f"]
        expect((record["state"], record["etag"]), ("uploaded", headers["etag"]), "the record afterwards")
        expect(v.puts("f"), 1, "PUTs")


def many_kinds(server):
    with stored.StoredVolume(server) as v:
        v.start()
        v.sh(r"""cd $WBSHIM_PREFIX; : > empty; printf 1 > one; head -c 3000000 /dev/zero | tr '\0' 'z' > big; mkdir -p a/b/c a/void; echo x > a/b/c/f
                 ln -s a/b link; ln -s "$WBSHIM_PREFIX/one" absolute; ln -s nowhere dangling; chmod 755 one; chmod 700 a/void
                 echo n > 'sp ace'; echo n > 'plus+and&'; echo n > 'per%20cent'; echo n > 'ümläut'; echo n > "quote'\"" ; echo n > 'a/=?#[]@!$,;:'; echo n > '~t.x-y_z'""")
        agree(v)
        expect(v.object("link")[0], b"a/b", "the link's target")
        expect(v.object("absolute")[0], b"/proc/wb/one", "an absolute target, as the program sees it")
        expect(v.object("a/void/")[1]["type"], "application/x-directory", "the empty directory")
        expect(v.object("a/b/"), None, "an object of a directory that is not empty")


def deleted_in_time(server):
    with stored.StoredVolume(server, UPLOAD_DELAY="1s") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; echo gone > gone; mkdir d; echo x > d/x; echo stays > stays; rm gone; rm -r d")
        agree(v)
        expect(v.stored_paths(), ["stays"], "objects")
        expect((v.puts("gone"), v.puts("d/x"), v.puts("d/")), (0, 0, 0), "PUTs of what was deleted in time")
        status = v.sh("cat $WBSHIM_PREFIX/.stats")
        cases.expect_in('wbshim_uploads_skipped_total{reason="deleted"} 2', status, "the counter")


def rewritten(server):
    with stored.StoredVolume(server, UPLOAD_DELAY="1500ms") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; for i in 1 2 3 4 5 6 7 8; do echo version $i > f; done; echo more >> f; truncate -s 12 f; mv f g; chmod 600 g")
        agree(v)
        expect((v.puts("f"), v.puts("g"), v.object("g")[0]), (0, 1, b"version 8\nmo"), "PUTs of f, of g, and what g holds")
        v.sh("cd $WBSHIM_PREFIX; echo second > g")
        agree(v)
        expect((v.puts("g"), v.object("g")[0]), (2, b"second\n"), "after a change of the uploaded file")


def deleted_later(server):
    with stored.StoredVolume(server) as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; echo x > f; mkdir -p d/e; echo y > d/e/g; mkdir void; ln -s f l")
        agree(v)
        v.sh("cd $WBSHIM_PREFIX; rm f l; rm -r d; rmdir void")
        agree(v)
        expect(v.stored_paths(), [], "objects")
        expect((v.deletes("f"), v.deletes("d/e/g")), (1, 1), "DELETEs")


def directory_emptied_and_filled(server):
    with stored.StoredVolume(server) as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; mkdir d; echo x > d/f")
        agree(v)
        v.sh("rm $WBSHIM_PREFIX/d/f")
        agree(v)
        expect(v.stored_paths(), ["d/"], "objects of a directory that became empty")
        v.sh("rmdir $WBSHIM_PREFIX/d; echo file > $WBSHIM_PREFIX/d")
        agree(v)
        expect(v.stored_paths(), ["d"], "objects after a file took its place")


def renamed(server):
    with stored.StoredVolume(server) as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; echo 1 > a; echo 2 > b; mkdir -p d/e; echo 3 > d/e/f; ln -s a l; mkdir d/void")
        agree(v)
        v.sh("cd $WBSHIM_PREFIX; mv a c; mv b c2; mv c2 b; mv d moved; mv l l2")
        agree(v)
        expect(sorted(v.stored_paths()), ["b", "c", "l2", "moved/e/f", "moved/void/"], "objects")
        v.sh("cd $WBSHIM_PREFIX; mv c b")
        agree(v)
        expect(v.object("b")[0], b"1\n", "what was renamed over another")


def attributes(server):
    with stored.StoredVolume(server) as v:
        v.start()
        v.sh("echo x > $WBSHIM_PREFIX/f; mkdir $WBSHIM_PREFIX/d")
        agree(v)
        v.sh("cd $WBSHIM_PREFIX; chmod 600 f; touch -d @5 f; chmod 711 d")
        agree(v)
        expect((v.object("f")[1]["mode"], v.object("f")[1]["mtime"]), (str(0o100600), "5.000000000"), "metadata")


def flushed(server):
    with stored.StoredVolume(server, UPLOAD_DELAY="1h") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; for i in $(seq 300); do echo $i > f$i; done; rm f7")
        expect(v.stored_paths(), [], "objects before the flush")
        v.ctl_ok("flush")
        agree(v)
        expect(len(v.stored_paths()), 299, "objects when flush has returned")
        status = v.ctl_json("flush")
        expect(isinstance(status, dict), True, "flush --json prints a document")


def open_for_writing(server):
    with stored.StoredVolume(server) as v:
        v.start()
        import subprocess
        env = v.program_env()
        writer = subprocess.Popen(["/bin/bash", "-c", "exec 3> $WBSHIM_PREFIX/f; echo part >&3; read x; echo rest >&3; exec 3>&-; read x"],
                                  env=env, stdin=subprocess.PIPE)
        try:
            v.sh("echo other > $WBSHIM_PREFIX/other")
            wait.until(lambda: v.object("other"), 60, "the other file's object")
            v.sh("touch $WBSHIM_PREFIX/f")  # queued by somebody else, still being written
            v.sh("echo third > $WBSHIM_PREFIX/third")
            wait.until(lambda: v.object("third"), 60, "the third file's object")
            expect(v.object("f"), None, "an object of a file that is open for writing")
            writer.stdin.write(b"\n")
            writer.stdin.flush()
            wait.until(lambda: v.object("f"), 60, "the object after the close")
            expect(v.object("f")[0], b"part\nrest\n", "the whole file")
        finally:
            writer.kill()
            writer.wait()
            writer.stdin.close()


def with_server(kind, function):
    def run():
        function(servers[kind])
    return run


servers = {}
for kind in s3.KINDS:
    def open_server(kind=kind):
        servers[kind] = s3.Server(kind).__enter__()
    cases.add(f"{kind}: starts", open_server)
    for function in (close_to_object, many_kinds, deleted_in_time, rewritten, deleted_later, directory_emptied_and_filled, renamed,
                     attributes, flushed, open_for_writing):
        cases.add(f"{kind}: {function.__name__.replace('_', ' ')}", with_server(kind, function))
    cases.add(f"{kind}: stops", lambda kind=kind: servers[kind].__exit__())
cases.main()
