#!/usr/bin/env python3
"""`shim-ctl run --mount`: what no library can interpose finds the prefix, as root and as an ordinary user.

Where the machine allows no mount namespace (a chroot, most containers), the documented refusal is asserted instead. Which of the
two holds is decided by util-linux' `unshare`, not by ourselves, and printed.
"""
import os
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import build, cases, process, stored_files, volume  # noqa: E402
from lib.cases import expect, expect_in, expect_one_line  # noqa: E402

STATIC = r"""
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static int fail(const char* what) { perror(what); return 1; }
int main(int n, char** v) {
  if (n == 4 && !strcmp(v[1], "write")) {
    FILE* f = fopen(v[2], "w");
    return !f || fputs(v[3], f) < 0 || fclose(f) ? fail(v[2]) : 0;
  }
  if (n == 4 && !strcmp(v[1], "rename")) return rename(v[2], v[3]) ? fail(v[3]) : 0;
  if (n == 3 && !strcmp(v[1], "read")) {
    char text[256];
    FILE* f = fopen(v[2], "r");
    return !f || !fgets(text, sizeof text, f) || puts(text) < 0 ? fail(v[2]) : 0;
  }
  if (n == 2 && !strcmp(v[1], "wait")) return puts("ready"), fflush(stdout), pause();
  if (n == 2 && !strcmp(v[1], "id")) return printf("%d %d\n", (int)getuid(), (int)getgid()) < 0;
  char* none[] = {NULL};
  if (n >= 3 && !strcmp(v[1], "exec")) return execve(v[2], v + 2, none), fail(v[2]);
  return 64;
}
"""
PROGRAM = "#include <dlfcn.h>\n#include <stdio.h>\nint answer(void);\nint main(int n, char** v) {\n" \
          "  return n > 1 ? (dlopen(v[1], RTLD_NOW) ? puts(\"opened\"), 0 : 1) : printf(\"%d\\n\", answer()) < 0; }\n"
NOBODY = 65534
AS_NOBODY = ["/usr/bin/setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
MISSING = f"/wb-mount-{os.getpid()}"  # below /, where nobody makes it


def compile_c(text, to, *flags):
    subprocess.run(["gcc", "-x", "c", "-", "-o", to, *flags], input=text.encode(), check=True)


class Side(volume.Volume):
    """A volume of root's, or of an ordinary user's, with programs of its own: those of the build may not be everybody's to read."""

    def __init__(self, user, prefix=MISSING):
        super().__init__(PREFIX=prefix, UPLOAD_DELAY="1h")
        self.words = AS_NOBODY if user == "nobody" else []
        os.chmod(self.base, 0o755)
        for folder, path in (("tools", build.SHIM_CTL), ("tools", build.UPLOADER), ("shim", build.LIBRARY)):
            os.makedirs(os.path.join(self.base, folder), exist_ok=True)
            shutil.copy(path, os.path.join(self.base, folder))
        self.mine = os.path.join(self.base, "mine")
        self.static = os.path.join(self.base, "static")
        compile_c(STATIC, self.static, "-static")
        os.mkdir(self.mine)
        self.staging = os.path.join(self.mine, "staging")
        self.socket = os.path.join(self.staging, "run", "redis.sock")
        self.options["STAGING_DIR"] = self.staging
        if self.words:
            for path in (self.home, self.mine):
                os.chown(path, NOBODY, NOBODY)

    def command(self, *args):
        return [*self.words, os.path.join(self.base, "tools", "shim-ctl"), *args]

    def ctl(self, *args, timeout=120, env=None):
        return process.run(self.command(*args), timeout, env=dict(self.tool_env(), **(env or {})), cwd="/")

    def mounted(self, *words):
        """A command under `run --mount` that must succeed. Returns its output."""
        return self.ctl_ok("run", "--mount", "--", *words)

    def objects(self):
        return stored_files.of(os.path.join(self.staging, "store"))


def possible(user):
    """Whether a mount namespace can be had, asked of another program."""
    tries = [[*AS_NOBODY, "unshare", "-Urm", "true"]] if user == "nobody" else [["unshare", "-m", "true"], ["unshare", "-Urm", "true"]]
    return any(subprocess.run(t, stderr=subprocess.DEVNULL, check=False, cwd="/").returncode == 0 for t in tries)


def mounts():
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as f:
        return sorted(re.sub(r"^\d+ \d+ ", "", line) for line in f)


def static_programs(user):
    with Side(user) as v:
        p = v.options["PREFIX"]
        before = mounts()
        v.mounted(v.static, "write", p + "/a", "from a static program")
        v.mounted(v.static, "rename", p + "/a", p + "/b")
        expect(v.mounted(v.static, "read", p + "/b"), "from a static program\n", "what another one reads")
        expect(v.mounted("/bin/sh", "-c", f"cat {p}/b; echo x > {p}/c; {v.static} read {p}/c"), "from a static programx\n\n", "together with sh")
        expect(sorted(set(v.records()) & {"c"}), ["c"], "recorded at close, by the library")
        expect((mounts(), os.path.exists(p)), (before, False), "the host's mounts, and the prefix, afterwards")
        v.ctl_ok("flush")
        expect(v.objects(), {"b": b"from a static program", "c": b"x\n"}, "objects")
        expect(v.disagreements(), [], "records")


def loader_and_scripts(user):
    with Side(user) as v:
        p = v.options["PREFIX"]
        compile_c("int answer(void) { return 42; }", v.base + "/libanswer.so", "-shared", "-fPIC")
        compile_c(PROGRAM, v.base + "/program", f"-Wl,-rpath,{p}/lib", f"-L{v.base}", "-lanswer", "-ldl")
        v.mounted("/bin/sh", "-c", f"mkdir {p}/bin {p}/lib; cp {v.base}/program {v.static} {p}/bin; cp {v.base}/libanswer.so {p}/lib; "
                                   f"printf '#!{p}/bin/static read\\n' > {p}/bin/tool; chmod +x {p}/bin/tool")
        # A static program execs with an empty environment: the kernel and ld.so alone find their way.
        expect(v.mounted(v.static, "exec", p + "/bin/program"), "42\n", "RUNPATH")
        expect(v.mounted(v.static, "exec", p + "/bin/program", p + "/lib/libanswer.so"), "opened\n", "dlopen")
        expect(v.mounted(v.static, "exec", p + "/bin/tool"), f"#!{p}/bin/static read\n\n", "#!")
        expect(v.mounted(p + "/bin/program"), "42\n", "as the command itself")
        done = v.ctl("run", "--mount", "program", env={"PATH": p + "/bin:/usr/bin:/bin"})
        expect((done.returncode, done.stdout), (0, b"42\n"), f"found by PATH; {done.stderr!r}")
        with open(v.base + "/program", "rb") as f:
            expect(v.ctl("run", "--mount", "--flush", "--", "true").returncode, 0, "run --flush")
            expect(v.objects()["bin/program"], f.read(), "the stored program")


def prefixes(user):
    with Side(user) as v:
        places = [v.mine + "/there", v.mine + "/made/by/us"] + (["/usr/wb-mount/x"] if user == "nobody" else [])
        os.mkdir(places[0], mode=0o755)
        if v.words:
            os.chown(places[0], NOBODY, NOBODY)
        for place in places:
            v.options["PREFIX"] = place
            v.mounted(v.static, "write", place + "/f", "x")
            expect(v.mounted(v.static, "read", place + "/f"), "x\n", f"under {place}")
            v.ctl_ok("stop", "--flush")
        expect(os.listdir(places[0]), [], "what was there is empty afterwards")
        expect(os.path.exists("/usr/wb-mount"), False, "a directory made in /usr")
        v.options["PREFIX"] = "/proc/wb"
        expect_one_line(v.ctl("run", "--mount", "true"), 2, "run --mount", "/proc/wb", "WBSHIM_PREFIX")


def behaves_like_run(user):
    with Side(user) as v:
        p = v.options["PREFIX"]
        expect(v.mounted(v.static, "id"), f"{NOBODY} {NOBODY}\n" if v.words else f"{os.getuid()} {os.getgid()}\n", "user and group")
        for script, status in (("exit 0", 0), ("exit 200", 200), ("kill -TERM $$", 143)):
            expect(v.ctl("run", "--mount", "--", "/bin/sh", "-c", script).returncode, status, script)
        expect_one_line(v.ctl("run", "--mount", "/nowhere/tool"), 127, "/nowhere/tool")
        expect(v.mounted("/bin/pwd"), "/\n", "the working directory")
        v.mounted("/bin/sh", "-c", f"mkdir {p}/d; echo x > {p}/d/f")
        done = process.run([*v.command("run", "--mount", "--", v.static, "read", "f")], 60, env=v.tool_env(), cwd=os.path.join(v.tree, "d"))
        expect((done.returncode, done.stdout), (0, b"x\n\n"), f"from a directory under the prefix; {done.stderr!r}")
        before = mounts()
        child = subprocess.Popen(v.command("run", "--mount", v.static, "wait"), env=v.tool_env(), stdout=subprocess.PIPE, start_new_session=True, cwd="/")
        expect(child.stdout.readline(), b"ready\n", "the command")
        expect((mounts(), os.path.exists(p)), (before, False), "the host's mounts, and the prefix, meanwhile")
        os.killpg(child.pid, signal.SIGINT)
        expect((child.stdout.read(), child.wait(30)), (b"", 130), "after Ctrl-C")
        child.stdout.close()


def nested(user):
    with Side(user) as v:
        p = v.options["PREFIX"]
        tool = os.path.join(v.base, "tools", "shim-ctl")
        expect(v.mounted(tool, "run", "--mount", "--", v.static, "write", p + "/f", "x"), "", "run --mount in run --mount")
        expect(v.mounted(v.static, "read", p + "/f"), "x\n", "what it wrote")
        done = v.ctl("run", "--", "/bin/sh", "-c", f"mkdir {p}/d && cd {p}/d && {tool} run --mount -- /bin/sh -c 'pwd; {v.static} read ../f; cat ../f'")
        expect((done.returncode, done.stdout), (0, f"{p}/d\nx\nx".encode()), f"run --mount in a shell with the library; {done.stderr!r}")


def refused(user):
    with Side(user) as v:
        done = v.ctl("run", "--mount", "--", v.static, "id")
        expect_one_line(done, 2, "run --mount", v.options["PREFIX"], "cannot be made a real directory", "without --mount")
        expect(done.stdout, b"", "the command did not run")


for who in (["root", "nobody"] if os.geteuid() == 0 else ["this user"]):
    if possible(who):
        print(f"     {who}: unshare(1) makes a mount namespace: run --mount must work", flush=True)
        for title, function in (("static programs write, rename and read; nothing leaks", static_programs),
                                ("RUNPATH, dlopen and #! under the prefix", loader_and_scripts),
                                ("existing, missing and impossible prefixes", prefixes),
                                ("user, exit status, signals and working directory as with run", behaves_like_run),
                                ("inside another one, and in a shell with the library", nested)):
            cases.add(f"{who}: {title}", lambda f=function, u=who: f(u))
    else:
        print(f"     {who}: unshare(1) makes no mount namespace here: run --mount must say so", flush=True)
        cases.add(f"{who}: refused with one line", lambda u=who: refused(u))
cases.main()
