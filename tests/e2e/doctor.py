#!/usr/bin/env python3
"""`shim-ctl doctor`: every check met when all is well, and when the thing it looks at is really broken."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, ports, process, s3, stored, stored_files, volume  # noqa: E402
from lib.cases import case, expect, expect_in, expect_one_line  # noqa: E402

MAIN = "int main(void) { return 0; }\n"


def doctor(v, *args, status=None, env=None, ctl=None):
    """The checks: {what: [(level, found; mend)]}, and the exit status says whether there is an error."""
    done = process.run([ctl or build.SHIM_CTL, "doctor", *args, "--json"], 120, env=dict(v.tool_env(), **(env or {})))
    document = json.loads(done.stdout)
    found = {}
    for check in document["checks"]:
        found.setdefault(check["what"], []).append((check["level"], check["found"] + "; " + check["mend"]))
    errors = any(check["level"] == "error" for check in document["checks"])
    expect((done.returncode, document["ok"]), (1 if errors else 0, not errors), f"exit status, ok; {document}")
    if status is not None:
        expect(done.returncode, status, f"exit status; {document}")
    return found


def only(found, what, level, *parts):
    """That check came out once, at that level, and says these words."""
    expect([row[0] for row in found.get(what, [])], [level], f"{what}: {found}")
    for part in parts:
        expect_in(part, found[what][0][1], what)


def compiled(v, name, *flags, text=MAIN):
    path = os.path.join(v.base, name)
    subprocess.run(["gcc", "-x", "c", "-", "-o", path, *flags], input=text.encode(), check=True)
    return path


@case("all is well: no error, one line a check, the same in the document, nothing left in the store")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        found = doctor(v, status=0)
        for what in ("library", "library version", "redis", "redis memory", "redis persistence", "clock", "store", "uploader", "journal",
                     "dead letters"):
            only(found, what, "ok")
        expect({"staging disk", "staging room", "limits", "run --mount"} <= set(found), True, f"checks: {sorted(found)}")
        expect_in(str(v.uploader_pid()), found["uploader"][0][1], "its process")
        lines = v.ctl_ok("doctor").splitlines()
        expect(len(lines), sum(map(len, found.values())), "lines")
        expect({line.split()[0] for line in lines} <= {"ok", "warning"}, True, f"levels: {lines}")
        expect(stored_files.of(os.path.join(v.staging, "store")), {}, "objects")
        expect((v.records(), v.snapshot()), ({}, {}), "records and tree")


@case("before anything was started: warnings, and nothing is made")
def _():
    with volume.Volume() as v:
        found = doctor(v, status=0)
        only(found, "redis", "warning", "shim-ctl start")
        only(found, "uploader", "warning", "shim-ctl start")
        expect(os.path.exists(v.staging), False, "a staging directory")
        expect(os.listdir(v.base), ["home"], "files")


@case("Redis: away, of a policy that drops records, without an append-only file")
def _():
    with volume.Volume(REDIS_URL=f"redis://u:sesame@127.0.0.1:{ports.free()}/0") as v:
        found = doctor(v, status=1)
        only(found, "redis", "error", "WBSHIM_REDIS_URL")
        expect("sesame" in json.dumps(found), False, "the password is shown")
    with volume.Volume() as v:
        v.start_redis()
        found = doctor(v, status=0)
        only(found, "redis persistence", "warning", "appendonly")
        with v.redis() as redis:
            redis("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        found = doctor(v, status=1)
        only(found, "redis", "error", "noeviction")
        only(found, "redis memory", "error", "allkeys-lru")
        with v.redis() as redis:
            redis("CONFIG", "SET", "maxmemory-policy", "noeviction")
            redis("CONFIG", "SET", "maxmemory", "1200000")
        only(doctor(v), "redis memory", "warning", "raise maxmemory")


@case("the store: a directory that cannot be written, an endpoint that does not answer")
def _():
    with volume.Volume() as v:
        blocker = os.path.join(v.base, "file")
        with open(blocker, "w", encoding="ascii"):
            pass
        v.options["STORE_URL"] = f"file://{blocker}/store"
        only(doctor(v, status=1), "store", "error", "file://")
        v.options["STORE_URL"] = "s3://bucket/p"
        v.extra = {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{ports.free()}", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "hush"}
        found = doctor(v, status=1)
        only(found, "store", "error")
        expect("hush" in json.dumps(found), False, "a secret is shown")


@case("an S3 server: an object goes there and back, the clocks are compared, refused credentials are an error")
def _():
    with s3.Server("radosgw") as server:
        with stored.StoredVolume(server) as v:
            found = doctor(v, status=0)
            only(found, "store", "ok", v.options["STORE_URL"])
            only(found, "clock", "ok", "the store's")
            expect(v.bucket.keys("p/"), [], "keys left behind")
            only(doctor(v, status=1, env={"AWS_SECRET_ACCESS_KEY": "another"}), "store", "error")
            v.options["STORE_URL"] = "s3://no-such-bucket-of-ours/p"
            only(doctor(v, status=1), "store", "error", "no-such-bucket-of-ours")


@case("the library: missing, damaged, of another version, and switched off")
def _():
    with volume.Volume() as v:
        for folder, path in (("tools", build.SHIM_CTL), ("tools", build.UPLOADER), ("shim", build.LIBRARY)):
            os.makedirs(os.path.join(v.base, "copy", folder), exist_ok=True)
            shutil.copy(path, os.path.join(v.base, "copy", folder))
        ctl, library = os.path.join(v.base, "copy/tools/shim-ctl"), os.path.join(v.base, "copy/shim/libwbshim.so")
        only(doctor(v, status=0, ctl=ctl), "library", "ok", library)
        with open(library, "rb") as f:
            whole = f.read()
        os.unlink(library)
        only(doctor(v, status=1, ctl=ctl), "library", "error", "libwbshim.so was not found")
        with open(library, "wb") as f:
            f.write(whole[:4096])
        found = doctor(v, status=1, ctl=ctl)
        only(found, "library", "error", "not loaded by ld.so")
        only(found, "library version", "error")
        if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            script = f"mount -t tmpfs -o noexec none {v.base}/copy/shim && cp {build.LIBRARY} {library} && exec {ctl} doctor --json"
            done = process.run(["unshare", "-m", "/bin/sh", "-c", script], 60, env=v.tool_env())
            check = json.loads(done.stdout)["checks"][0]
            expect((check["level"], "cannot be preloaded" in check["found"], "noexec" in check["mend"]), ("error", True, True), f"noexec: {check}")
        compiled(v, "copy/shim/libwbshim.so", "-shared", "-fPIC", text="int nothing;\n")
        found = doctor(v, status=1, ctl=ctl)
        only(found, "library", "error", "does not map the prefix")
        only(found, "library version", "error", "together")
        only(doctor(v, status=1, env={"WBSHIM_DISABLE": "1"}), "library", "error", "WBSHIM_DISABLE")


@case("what waits: journal lines without an uploader, dead letters; a staging directory that cannot be made; few descriptors")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.sh("echo x > $WBSHIM_PREFIX/f; mkdir $WBSHIM_PREFIX/d")
        found = doctor(v, status=0)
        only(found, "journal", "warning", "shim-ctl start")
        expect(found["limits"][-1][1].count("2 directories"), 1, f"directories of the tree: {found['limits']}")
        v.start()
        with open(os.path.join(v.staging, "client"), encoding="ascii") as f:
            client = f.read().strip()
        with v.redis() as redis:
            redis("HSET", v.key("dead:" + client), "bad", json.dumps({"class": "AccessDenied", "message": "no", "attempts": 3, "time": 1}))
        only(doctor(v, status=1), "dead letters", "error", "1 file", "shim-ctl status")
        done = process.run(["/bin/sh", "-c", f"ulimit -n 200; exec {build.SHIM_CTL} doctor --json"], 60, env=v.tool_env())
        expect_in("200 open files", done.stdout.decode(), "limits")
    for place in ("/proc/nowhere/staging", "/etc/passwd/staging"):
        with volume.Volume(STAGING_DIR=place) as v:
            only(doctor(v, status=1), "staging disk", "error", "WBSHIM_STAGING_DIR")


@case("programs: ordinary, static, setuid, for another machine, damaged, no program")
def _():
    with volume.Volume() as v:
        only(doctor(v, "sh", status=0), "program", "ok", "/sh")
        only(doctor(v, compiled(v, "plain"), status=0), "program", "ok")
        static = compiled(v, "static", "-static")
        only(doctor(v, static, status=1), "program", "error", "statically linked", "run --mount")
        only(doctor(v, compiled(v, "static-pie", "-static-pie"), status=1), "program", "error", "statically linked")
        stripped = compiled(v, "stripped", "-s")
        with open(stripped, "r+b") as f:
            f.seek(18)
            f.write(b"\xf3\x00" if os.uname().machine != "riscv64" else b"\x3e\x00")
        only(doctor(v, stripped, status=1), "program", "error", "no library")
        with open(compiled(v, "cut"), "r+b") as f:
            f.truncate(100)
        only(doctor(v, os.path.join(v.base, "cut"), status=1), "program", "error", "damaged")
        only(doctor(v, "/etc/passwd", status=1), "program", "error", "is no program")
        only(doctor(v, "no-such-program", status=1), "program", "error", "not found in PATH")
        expect_one_line(v.ctl("doctor", "a", "b"), 2, "'b'")
        sanitized = compiled(v, "sanitized", "-fsanitize=address")
        only(doctor(v, sanitized, status=1), "program", "error", "verify_asan_link_order=0")
        only(doctor(v, sanitized, status=0, env={"ASAN_OPTIONS": "verify_asan_link_order=0"}), "program", "ok")
        if os.geteuid() == 0:
            setuid = compiled(v, "setuid")
            os.chown(setuid, 65534, 65534)
            os.chmod(setuid, 0o4755)
            only(doctor(v, setuid, status=1), "program", "error", "setuid")


@case("programs: RUNPATH and #! under the prefix, a program that lies there, and what it says holds")
def _():
    with volume.Volume() as v:
        compiled(v, "libanswer.so", "-shared", "-fPIC", text="int answer(void) { return 0; }\n")
        program = compiled(v, "program", f"-Wl,-rpath,{volume.PREFIX}/lib", f"-L{v.base}", "-lanswer", text="int answer(void);\nint main(void) { return answer(); }\n")
        v.sh(f"mkdir $WBSHIM_PREFIX/lib $WBSHIM_PREFIX/bin; cp {v.base}/libanswer.so $WBSHIM_PREFIX/lib; cp {program} $WBSHIM_PREFIX/bin")
        only(doctor(v, program, status=1), "program", "error", "RUNPATH", f"LD_LIBRARY_PATH={v.tree}/lib")
        expect(v.run([program]).returncode, 127, "that program, under the library")
        expect(v.run([program], env={"LD_LIBRARY_PATH": v.tree + "/lib"}).returncode, 0, "with the mend")
        only(doctor(v, volume.PREFIX + "/bin/program", status=0), "program", "ok")
        only(doctor(v, "program", status=0, env={"PATH": volume.PREFIX + "/bin:/usr/bin:/bin"}), "program", "ok", volume.PREFIX + "/bin/program")
        expect(v.sh("$WBSHIM_PREFIX/bin/program; echo $?"), "0\n", "the copy under the prefix")
        script = os.path.join(v.base, "script")
        with open(script, "w", encoding="ascii") as f:
            f.write(f"#! {volume.PREFIX}/bin/program\n")
        os.chmod(script, 0o755)
        found = doctor(v, script, status=0)
        expect([level for level, _ in found["program"]], ["warning", "ok"], f"the script, then its interpreter: {found}")
        expect(v.sh(f"{script}; echo $?"), "0\n", "the script")


cases.main()
