#!/usr/bin/env python3
"""shim-ctl's commands as a person meets them."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, process, volume  # noqa: E402
from lib.cases import case, expect  # noqa: E402


@case("ls and cat read without the library, before and after the upload")
def _():
    with volume.Volume(UPLOAD_DELAY="1h") as v:
        v.start()
        v.sh("cd $WBSHIM_PREFIX; mkdir -p d/e; echo one > d/a; echo 2 > d/e/b; ln -s a d/l; echo odd > $'d/n\\nl \\xff'")
        for _ in range(2):
            listed = v.ctl_json("ls", "d")
            entries = listed if isinstance(listed, list) else listed.get("entries")
            names = sorted(e["name"] for e in entries)
            expect(names, sorted(["a", "e", "l", "n\nl \udcff"]), "names")
            expect(v.ctl_ok("cat", "d/a"), "one\n", "cat")
            expect(v.ctl_ok("cat", volume.PREFIX + "/d/a"), "one\n", "cat of the full path")
            cases.expect_in("a", v.ctl_ok("ls", "d").split(), "ls for people")
            v.ctl_ok("flush")
        for command in ("ls", "cat"):
            done = v.ctl(command, "nowhere")
            expect(done.returncode, 1, f"exit status of {command} nowhere")
            cases.expect_in("nowhere", done.stderr.decode(), "its message")


@case("env prints exports that a shell can take, for plain LD_PRELOAD")
def _():
    with volume.Volume() as v:
        v.start()
        script = v.ctl_ok("env")
        done = process.run(["/bin/sh", "-c", script + '\nsh -c \'echo via env > "$WBSHIM_PREFIX/f"; cat "$WBSHIM_PREFIX/f"\''], 20,
                           env={"PATH": "/usr/bin:/bin", "HOME": v.home})
        expect((done.returncode, done.stdout), (0, b"via env\n"), f"the shell; {done.stderr!r}")
        expect(sorted(v.records()), ["f"], "records")


@case("config shows every option with its value and origin; secrets are hidden")
def _():
    with volume.Volume(REDIS_URL="redis://u:sesame@127.0.0.1:1/0") as v:
        text = v.ctl_ok("config")
        for name in ("WBSHIM_PREFIX", "WBSHIM_UPLOAD_DELAY", "WBSHIM_META"):
            cases.expect_in(name, text, "config")
        expect("sesame" in text, False, "the password is shown")
        document = json.loads(v.ctl_ok("config", "--json"))
        expect("sesame" in json.dumps(document), False, "the password is shown in the document")


@case("run: the shell can cd into the prefix, LD_PRELOAD of the caller is kept, the environment reaches the command")
def _():
    with volume.Volume() as v:
        done = v.ctl("run", "--", "/bin/bash", "-c", f"cd {volume.PREFIX} && mkdir d && cd d && pwd && echo $LD_PRELOAD && echo x > f")
        expect(done.returncode, 0, f"run; {done.stderr!r}")
        lines = done.stdout.decode().splitlines()
        expect(lines[0], volume.PREFIX + "/d", "pwd")
        cases.expect_in("libwbshim.so", lines[1], "LD_PRELOAD")
        expect(sorted(v.records()), ["d", "d/f"], "records")


@case("--help and --version end with 0 and say what there is")
def _():
    with volume.Volume() as v:
        for command in ("run", "start", "stop", "flush", "status", "ls", "cat", "env", "config", "doctor"):
            cases.expect_in(command, v.ctl_ok("--help"), "help")
            cases.expect_in("--help", v.ctl_ok(command, "--help"), f"help of {command}")
        cases.expect_in(".", v.ctl_ok("--version"), "version")
        expect(process.run([build.UPLOADER, "--version"], 10, env=v.tool_env()).returncode, 0, "the uploader's version")


@case("status without an uploader says so and starts none")
def _():
    with volume.Volume() as v:
        v.sh("echo x > $WBSHIM_PREFIX/f")
        done = v.ctl("status")
        expect(done.returncode in (0, 1), True, f"exit status {done.returncode}")
        expect((v.uploader_pid(), os.path.exists(v.socket)), (None, False), "daemons")


cases.main()
