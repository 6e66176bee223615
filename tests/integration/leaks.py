#!/usr/bin/env python3
"""Wherever a path comes out of libc or the kernel, a program under the prefix sees the prefix' name and never the staging tree's."""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import beside, cases, volume  # noqa: E402
from lib.cases import case, expect  # noqa: E402

PYTHON = "/usr/bin/python3 - <<'END'\nimport ctypes, errno, os, socket, subprocess, sys\nB = os.environ['B']\nlibc = ctypes.CDLL(None, use_errno=True)\n"


def python(text):
    """A script whose Python part knows B and libc."""
    return PYTHON + text + "END\n"


@case("readlink of every link in /proc by every spelling")
def proc_links():
    beside.compare(python(r"""
os.mkdir(B + '/k'); open(B + '/k/f', 'w').close()
fd = os.open(B + '/k/f', os.O_RDONLY); d = os.open(B + '/k', os.O_RDONLY)
os.chdir(B + '/k')
proc, fds = os.open('/proc/self', os.O_RDONLY), os.open('/proc/self/fd', os.O_RDONLY)
for top in ('/proc/self', f'/proc/{os.getpid()}', '/proc/thread-self', '//proc/self', '/proc/self/../self', '/proc/./self'):
    print([os.readlink(f'{top}/{l}') for l in (f'fd/{fd}', f'fd/{d}', 'cwd')])
print(os.readlink(f'/dev/fd/{fd}'), os.readlink(f'/proc/self/task/{os.getpid()}/fd/{d}'))
print(os.readlink(f'fd/{fd}', dir_fd=proc), os.readlink('cwd', dir_fd=proc), os.readlink(str(fd), dir_fd=fds))
os.chdir('/proc/self'); print(os.readlink(f'fd/{fd}'), os.readlink(f'./fd/{d}'))
os.chdir('fd'); print(os.readlink(str(fd)))
os.chdir('/dev/fd/'); print(os.readlink(str(fd)))
os.unlink(B + '/k/f'); print(os.readlink(f'/proc/self/fd/{fd}'), os.readlink(f'/dev/fd/{fd}'))
link = os.open(f'/proc/self/fd/{fd}', os.O_PATH | os.O_NOFOLLOW)
print(os.readlink('', dir_fd=link))
for size in (1, 2, len(B), len(B) + 3):
    to = ctypes.create_string_buffer(b'#' * 600)
    n = libc.readlink(f'/dev/fd/{fd}'.encode(), to, size)
    print(to.raw[:n] == f'{B}/k/f (deleted)'.encode()[:size], set(to.raw[n:-1]) == {35})
print(libc.readlink(b'/proc/self/cwd', to, ctypes.c_size_t(-1)), errno.errorcode[ctypes.get_errno()])
"""))


@case("find -lname, ls -l and stat of /proc/self/fd")
def proc_links_of_programs():
    beside.compare('mkdir k; exec 7<k; find /proc/self/fd -lname "*/k" -printf "%l\\n"; cd k; readlink /proc/self/cwd; '
                   "ls -l /proc/self/fd/7 | sed 's/.*->//'; stat -c %N /dev/fd/7; realpath /dev/fd/7 /proc/self/cwd")


@case("a link of the prefix, opened itself; one of outside keeps its text")
def links():
    beside.compare('ln -s "$B/k" l\n' + python(r"""
fd = os.open(B + '/l', os.O_PATH | os.O_NOFOLLOW)
print(os.readlink('', dir_fd=fd), os.readlink(B + '/l'))
"""))
    with beside.started_volume() as v:
        where = os.path.join(v.base, "made-outside")
        os.symlink(v.tree + "/k", where)
        expect(v.sh(f"readlink {where}").strip(), v.tree + "/k", "a link that was made without the library")


@case("realpath: how far it came when it fails")
def realpath():
    beside.compare(python(r"""
os.mkdir(B + '/d'); open(B + '/d/f', 'w').close()
for path in ('/missing/x', '/d/f/x', '/d/../d/no/y', '/d/f', '/d'):
    to = ctypes.create_string_buffer(b'#' * 4096, 4097)
    libc.realpath.restype = ctypes.c_char_p
    result = libc.realpath((B + path).encode(), to)
    print(path, result, errno.errorcode.get(ctypes.get_errno()), to.value if to.raw[0] != 35 else None)
"""))


@case("getcwd of a directory longer than PATH_MAX")
def long_directory():
    beside.compare(python(r"""
for _ in range(20):
    os.mkdir('d' * 250); os.chdir('d' * 250)
print(os.getcwd() == B + ('/' + 'd' * 250) * 20)
libc.getcwd.restype = ctypes.c_char_p
for size in (10, 5000, len(B) + 5020, len(B) + 5021, 9000):
    to = ctypes.create_string_buffer(9000)
    print(libc.getcwd(to, size) == (B + ('/' + 'd' * 250) * 20).encode(), b'staging' in to.raw)
os.chdir(B)
for size in (1, len(B), len(B) + 1, 4096):
    to = ctypes.create_string_buffer(9000)
    print(libc.getcwd(to, size), ctypes.get_errno() if not to.value else 0, b'staging' in to.raw)
"""), records=False)


@case("dlerror")
def dlerror():
    beside.compare("printf nothing > bad.so; echo 'int f;' > f.c; cc -shared -o good.so f.c; ln -s good.so 'lib with space.so'\n" + python(r"""
for name in ('missing.so', 'bad.so', 'd/none.so', './/x.so'):
    try:
        ctypes.CDLL(B + '/' + name)
    except OSError as e:
        print(e)
for name in ('good.so', 'lib with space.so'):
    try:
        ctypes.CDLL(B + '/' + name).no_such
    except AttributeError as e:
        print(e)
sys.path.insert(0, B)
try:
    import bad
except ImportError as e:
    print(e)
"""))
    with beside.started_volume(PREFIX="/proc/" + "w" * 200) as v:
        done = v.run(["/usr/bin/python3", "-c", "import ctypes; ctypes.CDLL('/proc/' + 'w' * 200 + '/no.so')"])
        expect(done.stderr.decode().splitlines()[-1], f"OSError: /proc/{'w' * 200}/no.so: cannot open shared object file: "
               "No such file or directory", "with a prefix longer than the tree's name")




@case("out of the tree by a descriptor that was inherited, or by /proc")
def out_of_the_tree():
    with beside.started_volume() as v:
        script = r"""
import os, sys
def names(of):
    return 'client' in of or 'journal' in of or 'tree' in of
def show(what, *where, **how):
    try:
        fd = os.open(what, os.O_RDONLY, **how)
        print(what, names(os.listdir(fd)), 'self' in os.listdir(fd), 'k' in os.listdir(fd))
        os.close(fd)
    except OSError as e:
        print(what, e.strerror)
if len(sys.argv) > 1:
    fd = int(sys.argv[1])
    for path in ('..', '../..', '../k/../..', '.', '../wb'):
        show(path, dir_fd=fd)
    sys.exit(0)
os.mkdir('/proc/wb/k')
fd = os.open('/proc/wb/k', os.O_RDONLY)
os.set_inheritable(fd, True)
if os.fork() == 0:
    os.execv('/usr/bin/python3', ['python3', sys.argv[0], str(fd)])
os.wait()
os.chdir('/proc/wb/k')
pid = os.getpid()
for path in ('/proc/self/cwd/..', '/proc/self/cwd/../..', f'/proc/{pid}/cwd/../../', f'/proc/self/fd/{fd}/../..', f'/dev/fd/{fd}/../..',
             '/proc/self/cwd/../wb', '/proc/self/cwd/../k/..', '/proc/self/task/../cwd/../..', '/proc/self/cwd'):
    show(path)
os.chdir('/proc/self')
for path in ('cwd/..', f'fd/{fd}/..', f'fd/{fd}/../..', './fd/../fd/' + str(fd) + '/../..'):
    show(path)
os.chdir('/proc/self/fd')
show(f'{fd}/../..')
os.chdir('/')
show(f'proc/self/fd/{fd}/../..')
"""
        path = os.path.join(v.base, "script.py")
        with open(path, "w", encoding="ascii") as f:
            f.write(script)
        done = v.run(["/usr/bin/python3", path], cwd="/")
        expect(done.stderr, b"", "stderr")
        for line in done.stdout.decode().splitlines():
            expect(line.split(" ")[1] in ("False", "No"), True, f"not the staging directory is seen by {line}")
        lines = dict(line.split(" ", 1) for line in done.stdout.decode().splitlines())
        expect({k: v for k, v in lines.items() if "/proc/self/cwd/../" in k or k in ("..", "../..", "../wb")},
               {"..": "False False True", "../..": "False True False", "../wb": "No such file or directory",
                "/proc/self/cwd/../..": "False True False", "/proc/self/cwd/../wb": "No such file or directory",
                "/proc/self/cwd/../k/..": "False False True"}, "what is seen")


LIBRARY = """echo 'int f(void) { return 7; }' > f.c; mkdir -p lib; cc -shared -fPIC -o lib/libf.so f.c
cat > main.c <<'END'
#include <stdio.h>
#include <stdlib.h>
int f(void);
int main(void) {
  const char* path = getenv("LD_LIBRARY_PATH");
  printf("%d %s\\n", f(), path ? path : "unset");
  fflush(stdout);
  return system("echo ${LD_LIBRARY_PATH-unset}; grep -zc ^LD_L /proc/self/environ");
}
END
"""


@case("LD_LIBRARY_PATH: the loader follows it, the program reads it as it was set")
def library_path():
    beside.compare(LIBRARY + r"""cc -o main main.c -Llib -lf
export LD_LIBRARY_PATH="$B/lib"; ./main; sh -c 'echo $LD_LIBRARY_PATH'; python3 -c 'import os; print(os.environ["LD_LIBRARY_PATH"])'
LD_LIBRARY_PATH="/nowhere:$B/lib;/x" bash -c 'echo $LD_LIBRARY_PATH; ./main; LD_LIBRARY_PATH=/y:$LD_LIBRARY_PATH; ./main; unset LD_LIBRARY_PATH; ./main || echo $?' 2>&1
env -i "LD_LIBRARY_PATH=$B/lib" ./main; ./main | cat; env LD_LIBRARY_PATH= ./main 2>/dev/null || echo $?
find lib -name '*.so' -exec ./main \; ; xargs -n 1 ./main < /dev/null
python3 -c 'import os, subprocess; subprocess.run(["./main"]); os.posix_spawn("./main", ["main"], os.environ); os.wait(); os.execv("./main", ["main"])'
""")


@case("RUNPATH in the prefix: no LD_LIBRARY_PATH that was not there")
def runpath():
    beside.compare(LIBRARY + r"""cc -o main main.c -Llib -lf -Wl,-rpath,"$B/lib"
./main; LD_LIBRARY_PATH=/x ./main; LD_LIBRARY_PATH= ./main; env -i ./main; env -i LD_LIBRARY_PATH=/x:/y "$B/main"
bash -c './main; exec ./main'
""")


@case("LD_PRELOAD and LD_AUDIT of libraries in the prefix")
def preload():
    beside.compare(r"""cat > p.c <<'END'
#include <unistd.h>
__attribute__((constructor)) static void start(void) { write(1, "here\n", 5); }
END
cat > a.c <<'END'
#include <unistd.h>
unsigned la_version(unsigned v) { write(1, "audit\n", 6); return v; }
END
mkdir lib; cc -shared -fPIC -o lib/p.so p.c; cc -shared -fPIC -o lib/q.so p.c; cc -shared -fPIC -o lib/a.so a.c
own() { sed 's/[^: =]*libwbshim[^: ]*[: ]*//; s/:$//'; }
LD_PRELOAD="$B/lib/p.so" /bin/true; LD_PRELOAD="$B/lib/p.so $B/lib/q.so" /bin/true; LD_PRELOAD="$B/lib/q.so:$B/lib/p.so" sh -c 'echo x; /bin/true'
LD_PRELOAD="$B/lib/p.so" env | grep ^LD_PRELOAD | own
LD_PRELOAD="$B/lib/p.so" env -i /bin/true; env -i LD_PRELOAD="$B/lib/p.so" /bin/true; env -i LD_PRELOAD="$B/lib/p.so" sh -c 'unset LD_PRELOAD; /bin/true'
LD_AUDIT="$B/lib/a.so" sh -c 'echo $LD_AUDIT; /bin/true'
python3 -c 'import os; os.execve("/bin/true", ["true"], {"LD_PRELOAD": os.environ["B"] + "/lib/p.so"})'
export LD_PRELOAD="$B/lib/p.so${LD_PRELOAD:+:$LD_PRELOAD}"; /bin/true; exec /bin/true
""")


@case("the block of the environment in /proc")
def environment_block():
    with beside.started_volume(PREFIX="/proc/" + "w" * 200) as v:
        prefix = v.options["PREFIX"]
        for value in (prefix + "/lib", f"/a:{prefix}:/b", "/usr/lib"):
            out = v.run(["/usr/bin/env", f"LD_LIBRARY_PATH={value}", "LD_AUDIT=", "/bin/cat", "/proc/self/environ"]).stdout
            entries = out.decode().split("\0")
            expect([e for e in entries if e.startswith("LD_L")], [f"LD_LIBRARY_PATH={value}"], "with a long prefix")
            expect([e for e in entries if v.tree in e], [], "what names the tree")
            expect(entries.index(""), len(entries) - 1, "no empty entry but the last")


@case("AT_EXECFN and the names of scripts in a chain")
def programs():
    beside.compare(r"""cat > e.c <<'END'
#include <stdio.h>
#include <sys/auxv.h>
int main(int c, char** v) { puts((char*)getauxval(AT_EXECFN)); for (int i = 0; i < c; i++) puts(v[i]); }
END
cc -o e e.c; "$B/e"; ./e one; PATH="$B" e; exec "$B/./e" 
""")
    beside.compare(r"""cat > e.c <<'END'
#include <stdio.h>
int main(int c, char** v) { for (int i = 0; i < c; i++) puts(v[i]); }
END
cc -o s0 e.c
for i in 1 2 3 4 5 6 7; do echo "#!$B/s$((i - 1)) arg$i" > s$i; chmod +x s$i; done
for i in 0 1 2 3 4 5; do "$B/s$i" last; ./s$i; done
for i in 6 7; do python3 -c 'import os, sys; os.execv(sys.argv[1], ["x"])' "$B/s$i" 2>&1 | tail -1; done
printf '#!%0300d
' 0 > long; printf '#!/bin/echo %0300d
' 0 > words; printf '#!/bin/echo' > short; chmod +x long words short
for i in long words short; do python3 -c 'import os, sys; os.execv(sys.argv[1], ["x"])' "$B/$i" 2>&1 | tail -1; done
""")


LOADER = r"""cat > e.c <<'END'
#include <stdio.h>
int main(int c, char** v) { for (int i = 0; i < c; i++) printf("<%s>\n", v[i]); return 3; }
END
cc -o e e.c
L=$(echo /lib64/ld-linux-*.so.* /lib/ld-linux-*.so.* | tr ' ' '\n' | grep -v '\*' | head -1)
"""


@case("the loader as a program, and ldd")
def loader():
    beside.compare(LOADER + r"""set +e
$L "$B/e" one "$B/two"; echo $?; $L ./e; $L --verify "$B/e"; echo $?; $L --verify "$B/e.c"; echo $?; $L --argv0 named "$B/e" "$B"; $L "$B/missing"; echo $?
$L --inhibit-cache --library-path "/x:$B" --preload '' "$B/./e" --argv0 x; bash -c 'exec $0 "$B/e"' $L
ldd "$B/e" e | sed 's/(0x[0-9a-f]*)//; s/.*libwbshim.*/-/; /^-$/d'; ldd "$B/e.c"; echo $?
python3 -c 'import os, sys; os.posix_spawn(sys.argv[1], ["ld", os.environ["B"] + "/e"], os.environ); os.wait()' $L
""")
    beside.compare(LOADER + LIBRARY + r"""cc -o main main.c -Llib -lf; cc -o run main.c -Llib -lf -Wl,-rpath,"$B/lib"
$L --library-path "$B/lib" "$B/main"; $L "$B/run"; ldd run > /dev/null
""")


@case("addresses of sockets as long as an address can be, by every call and from other processes")
def sockets():
    beside.compare(python(r"""
d = B + '/' + 'd' * 20; os.mkdir(d)
def name(i, size):
    return d + '/' + f'{i:02d}'.ljust(size - len(d) - 1, 'n')
kept = []
for i, size in enumerate([107] * 12 + [60, 70, 80, 90, 100, 106]):
    s = socket.socket(socket.AF_UNIX); s.bind(name(i, size)); s.listen(); kept.append(s)
    c = socket.socket(socket.AF_UNIX); c.bind(name(i + 40, size)); c.connect(name(i, size)); kept.append(c)
    a, peer = s.accept()
    print(i, [p in (name(i, size), name(i + 40, size)) for p in (s.getsockname(), c.getpeername(), c.getsockname(), a.getpeername(), a.getsockname(), peer)],
          oct(os.stat(name(i, size)).st_mode))
print(kept[0].getsockname() == name(0, 107), kept[1].getpeername() == name(0, 107), len(os.listdir(d)))
child = "import os, socket, sys; s = socket.socket(fileno=int(sys.argv[1])); print(s.getsockname() == sys.argv[2])"
os.set_inheritable(kept[0].fileno(), True)
for env in (dict(os.environ), {}):
    subprocess.run([sys.executable, '-c', child, str(kept[0].fileno()), name(0, 107)], close_fds=False, env=env)
one, two = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
one.bind(name(90, 107)); two.bind(name(91, 107)); one.sendto(b'x', name(91, 107))
print(two.recvfrom(9)[1] == name(90, 107)); one.sendto(b'x', name(91, 107)); print(two.recvmsg(9)[3] == name(90, 107))
def tell(what):
    try:
        print(what())
    except OSError as e:
        print(e.strerror)
new = lambda: socket.socket(socket.AF_UNIX)
open(name(92, 107), 'w').close(); os.symlink('nowhere', name(93, 107)); os.mkdir(name(94, 106))
for path in (name(0, 107), name(92, 107), name(93, 107), name(94, 106) + '/', d + '/no' + 'x' * (100 - len(d)) + '/a', name(95, 105) + '/.'):
    tell(lambda: new().bind(path)); tell(lambda: new().connect(path))
tell(lambda: kept[0].bind(name(96, 107)))
kept[0].close(); tell(lambda: new().connect(name(0, 107)))
print(sorted(len(f) for f in os.listdir(d)) == sorted(len(os.path.basename(f)) for f in [os.path.join(d, g) for g in os.listdir(d)]), [f for f in os.listdir(d) if f[0] == '.'])
for size in (10, 30, 107, 110, 200):
    to, n = ctypes.create_string_buffer(300), ctypes.c_uint(size)
    print(libc.getsockname(kept[1].fileno(), to, ctypes.byref(n)), n.value, to.raw[2:size].rstrip(b'\0') == name(40, 107).encode()[:max(0, size - 2)])
os.unlink(name(40, 107)); print(kept[1].getsockname() == name(40, 107))
"""))


@case("limits: what is named by the tree, or not seen, as README says")
def limits():
    with beside.started_volume() as v:
        zone = os.path.join(v.base, "zone")
        with open(zone, "wb") as f:  # nine hours east, always
            f.write(b"TZif" + bytes(16) + struct.pack(">6L", 0, 0, 0, 0, 1, 4) + struct.pack(">lBB", 9 * 3600, 0, 0) + b"JST\0")
        out = v.sh(f"mkdir {volume.PREFIX}/d; cp {zone} {volume.PREFIX}/zone; ls -a /proc; TZ=:{volume.PREFIX}/zone date -d @0 +%H; TZ=:{zone} date -d @0 +%H; "
                   f"cp /bin/cat {volume.PREFIX}/d; {volume.PREFIX}/d/cat /proc/self/maps | grep -c {v.tree}/d/cat")
        lines = out.splitlines()
        expect("wb" in lines, False, "the prefix is listed in its parent")
        expect("uptime" in lines, True, "what else is there is listed")
        expect(lines[-3:-1], ["00", "09"], "hours in a zone of the prefix, and in the same outside")
        expect(int(lines[-1]) > 0, True, "maps name the tree")


cases.main()
