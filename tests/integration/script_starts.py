#!/usr/bin/env python3
"""Scripts whose interpreter lies beside them, started in the ways in which libc and the kernel start programs: under the prefix as in a bare
directory, the same arguments, errors and errno."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, process, scratch, volume  # noqa: E402
from lib.cases import expect  # noqa: E402

PROLOGUE = """
import ctypes, os, shutil, sys
B = os.getcwd()
libc = ctypes.CDLL(None, use_errno=True)
shutil.copy("/bin/sh", "sh")
os.mkdir("d"); os.mkdir("d/e")

def script(name, line, body='echo "$0" "$@"'):
    with open(name, "w") as f:
        f.write(line + "\\n" + body + "\\n")
    os.chmod(name, 0o755)

script("s", f"#!{B}/sh")
script("d/s", f"#!{B}/sh -u")
script("d/e/plain", "#!/bin/sh")
os.symlink("s", "d/link")
ENV = {k: v for k, v in os.environ.items()}

def vector(*texts):
    return (ctypes.c_char_p * (len(texts) + 1))(*[os.fsencode(t) for t in texts], None)

def environment():
    return vector(*[f"{k}={v}" for k, v in os.environ.items()])

def say(*what):
    print(*what, flush=True)

def child(call):
    # Says how it failed, or what the program says.
    pid = os.fork()
    if pid == 0:
        try:
            result = call()
            say("returned", result, os.strerror(ctypes.get_errno()))
        except OSError as e:
            say(e.strerror)
        os._exit(9)
    say("ended", os.waitpid(pid, 0)[1])

def spawn(function, path, *actions, argv=("first", "second")):
    list_of = ctypes.create_string_buffer(200)
    libc.posix_spawn_file_actions_init(list_of)
    for name, what in actions:
        getattr(libc, "posix_spawn_file_actions_add" + name)(list_of, os.fsencode(what) if isinstance(what, str) else what)
    pid = ctypes.c_int(0)
    ctypes.set_errno(77)
    sys.stdout.flush()
    result = getattr(libc, function)(ctypes.byref(pid), os.fsencode(path), list_of, None, vector(*argv), environment())
    error = ctypes.get_errno()
    if result == 0: os.waitpid(pid.value, 0)
    say(function, path, actions, result, error)
"""

PROGRAMS = {
    "by descriptor": """
for inheritable in (True, False):
    for name in ("s", "d/s", "d/e/plain", "sh"):
        for flags in (os.O_RDONLY, os.O_PATH):
            fd = os.open(name, flags)
            os.set_inheritable(fd, inheritable)
            child(lambda: os.execve(fd, ["first", "-c", "echo a shell"], os.environ))
            for options in (0, 0x1000, 0x1100, 0x4000):
                child(lambda: libc.execveat(fd, b"", vector("first", "-c", "echo a shell"), environment(), options))
            os.close(fd)
    fd = os.open("d", os.O_RDONLY)
    os.set_inheritable(fd, inheritable)
    for name in ("s", "e/plain", "../s", "missing", "e", "link"):
        for options in (0, 0x1000, 0x100):
            child(lambda: libc.execveat(fd, os.fsencode(name), vector("first", "second"), environment(), options))
    os.close(fd)
""",
    "in another directory": """
fd = os.open("d", os.O_RDONLY)
for function in ("posix_spawn", "posix_spawnp"):
    for place in (("chdir_np", "d"),), (("chdir_np", B + "/d"),), (("fchdir_np", fd),), (("chdir_np", "/"), ("chdir_np", B), ("chdir_np", "d")), (("chdir_np", "d"), ("fchdir_np", fd)):
        spawn(function, "./s", *place)
        spawn(function, "e/plain", *place)
        spawn(function, "./missing", *place)
        spawn(function, "../s", *place)
    spawn(function, B + "/s", ("chdir_np", "d"))
    spawn(function, "./s", ("chdir_np", "missing"))
    spawn(function, "./s")
    spawn(function, "d/s", ("chdir_np", "/"))
    os.chdir("/")
    spawn(function, "./s", ("chdir_np", B + "/d"))
    spawn(function, "./s", ("fchdir_np", fd))
    os.chdir(B)
""",
    "errno of spawns that work": """
for path in ("/usr/bin:/bin", "/no/where:/usr/bin", f"{B}:/usr/bin", f"/etc:/no:{B}/d:/bin"):
    os.environ["PATH"] = path
    for name in ("true", "s", "missing"):
        if path == "/usr/bin:/bin" or "s" == name or name == "missing": spawn("posix_spawnp", name)
    spawn("posix_spawn", "/bin/true")
    spawn("posix_spawn", B + "/s")
""",
    "chains": """
os.chdir(B)
last = B + "/sh"
for n in range(1, 9):
    script(f"c{n}", f"#!{last} -arg{n}" if n % 3 == 0 else f"#!{last}", "")
    last = f"{B}/c{n}"
script("show", "#!/usr/bin/python3 -S", "import sys; print(sys.argv, flush=True)")
last = B + "/show"
for n in range(1, 9):
    script(f"d{n}", f"#!{last} argument {n}", "")
    last = f"{B}/d{n}"
for n in range(1, 9):
    for chain in "cd":
        child(lambda: os.execv(f"{B}/{chain}{n}", ["first", "second"]))
        child(lambda: os.execv(f"{chain}{n}", ["first", "second"]))
        child(lambda: os.execvp(f"{B}/{chain}{n}", ["first", "second"]))
        spawn("posix_spawn", f"{B}/{chain}{n}")
""",
    "first lines": """
def line(name, text):
    script(name, text, "echo unseen")
    child(lambda: os.execv(f"{B}/{name}", ["first", "second"]))
script("show", "#!/usr/bin/python3 -S", "import sys; print(sys.argv, flush=True)")
for size in range(248, 262):
    line("name", "#!" + " " * (size - 2 - len(f"{B}/show")) + f"{B}/show")
    line("argument", f"#!{B}/show " + "x" * (size - len(f"#!{B}/show ")))
    line("blank", f"#!{B}/show" + " " * (size - len(f"#!{B}/show")))
    line("only blanks", "#!" + " " * (size - 2))
    line("long", f"#!{B}/" + "y" * (size - 3 - len(B)))
for text in ("#!", "#! ", "#!\\t" + B + "/show\\ta\\tb  ", "#!" + B + "/show\\0x", "#!missing", "#!d", "#!" + B + "/d", "#!./show", "#!show x", "#!" + B + "/show\\r"):
    line("other", text)
line("very long", "#!" + "z" * 300)
line("very long argument", f"#!{B}/show " + "z" * 5000)
""",
    "what is no program": """
script("text", "echo a text")
open("empty", "w").close(); os.chmod("empty", 0o755)
open("forbidden", "w").write(f"#!{B}/sh\\n")
for name in ("text", "empty", "forbidden", "d", "missing", "s/x"):
    for call in (os.execv, os.execvp):
        child(lambda: call(f"{B}/{name}", ["first", "second"]))
    spawn("posix_spawn", f"{B}/{name}")
    spawn("posix_spawnp", f"{B}/{name}")
    child(lambda: libc.execlp(os.fsencode(f"{B}/{name}"), b"first", b"second", None))
""",
}


def lines(run, directory, name):
    text = f"import os; os.makedirs({directory!r}, exist_ok=True); os.chdir({directory!r})\n" + PROLOGUE + PROGRAMS[name]
    done = run(["/usr/bin/python3", "-B", "-c", text])
    expect((done.returncode, "Traceback" in done.stderr.decode()), (0, False), f"{directory}: {done.stderr.decode()[-500:]}")
    return (done.stdout + done.stderr).decode("utf-8", "replace").replace(directory, "{B}").splitlines()


def compare(name):
    with scratch.directory(scratch.memory()) as base, volume.Volume() as v:
        # As long as the prefix' name: the length of a first line matters.
        directory, env = base + "/wb", {"PATH": "/usr/bin:/bin"}
        inside = volume.PREFIX + "/" + "n" * (len(directory) - len(volume.PREFIX) - 1)
        expect(len(directory), len(inside), "the lengths of the names")
        wanted = lines(lambda argv: process.run(argv, 60, env=env, cwd="/"), directory, name)
        v.start_redis()
        got = lines(lambda argv: v.run(argv, 60, env=dict(v.program_env(), **env), cwd="/"), inside, name)
        expect(len(wanted) > 9, True, f"{len(wanted)} lines")
        expect([f"{w} | {g}" for w, g in zip(wanted, got) if w != g], [], "bare | under the prefix")
        expect(len(got), len(wanted), "lines")
        expect([line for line in got if v.base in line], [], "the staging tree's name")


for name in PROGRAMS:
    cases.add(name, lambda name=name: compare(name))
cases.main()
