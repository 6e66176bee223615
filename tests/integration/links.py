#!/usr/bin/env python3
"""Symbolic links across the border of the prefix: from outside into it, and relative ones inside that climb out of it."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import beside, cases  # noqa: E402
from lib.cases import case  # noqa: E402

PLACES = 'mkdir -p k/deep; echo text > k/f; chmod +x k/f; cp /bin/true k/true; ln -s "$B/k" "$O/l"; ln -s "$B/k/f" "$O/lf"; ln -s l/deep "$O/two"\n' \
         'ln -s "$B/new" "$O/made"; ln -s "$B/k/none/x" "$O/lost"; ln -s nowhere "$O/dangling"; ln -s "$B" "$O/root"; ln -s "$O/l" k/round\n'


@case("looking through links into the prefix")
def looks():
    beside.compare(PLACES + r"""cd "$O"; set +e
cat l/f lf root/k/f l/round/f l//f ./l/deep/../f; ls l l/ two root/k; ls -ld l lf two made | sed 's/.* \([^ ]* ->\)/\1/'
stat -c '%N %F' l lf l/f l/ two/ l/. made dangling; stat -L -c %F l lf made; echo $?; test -e lost; echo $?; test -e made; echo $?; test -d l; echo $?; test -L l; echo $?
readlink l lf two made l/round; readlink -f l/f two lf made; realpath l/f two; readlink l/missing; cat l/missing lost dangling lf/x made/
find l/ -name f; find -L . -name f | sort; ls root/.. > /dev/null; echo $?; cd l; pwd; pwd -P; cat f; cd ..; pwd -P; cd "$O/l/deep" && pwd -P; cd -P "$O/two/.."; pwd -P
cd "$O"; python3 -c 'import os, sys
for p in ("l", "l/f", "lf", "two/..", "lost", "made", "dangling", "l/missing/x"):
    for f in (os.stat, os.lstat, os.listdir, os.path.realpath, lambda p: os.access(p, os.X_OK), os.statvfs, os.getxattr if 0 else os.listxattr, os.scandir):
        try:
            r = f(p); print(p, r if isinstance(r, (str, bool)) else type(r).__name__)
        except OSError as e:
            print(p, e)
d = os.open(".", os.O_RDONLY)
print(os.stat("l/f", dir_fd=d).st_size, os.open("l/deep", os.O_DIRECTORY, dir_fd=d) > 0, os.readlink("l/round", dir_fd=d))
for flags in (os.O_NOFOLLOW, os.O_PATH | os.O_NOFOLLOW, os.O_CREAT | os.O_EXCL | os.O_WRONLY, os.O_DIRECTORY):
    try:
        print(os.path.basename(os.readlink(f"/proc/self/fd/{os.open(chr(108) + chr(102), flags)}")))
    except OSError as e:
        print(e)
'; l/true; echo $?; ./l/f 2>&1 | sed 's/line.*//'; "$O/two/../true"; echo $?""")


@case("changing through links into the prefix, and the links themselves")
def changes():
    beside.compare(PLACES + r"""cd "$O"; set +e
echo one > made; echo two > l/created; echo three >> lf; mkdir l/d two/e; mkdir l made; rmdir l; touch -d @1000000000 lf l/created; chmod 600 l/created; truncate -s 3 lf
ln -s x l/link; ln -s "$B/k" l/link2; ln -s ../f l/deep/up; ln l/f l/hard; mv l/f l/deep/moved; mv l/created l/c2; mv l/hard .; echo $?; mv l/d two/d; cp -r l copy; rm l/c2; rmdir two/d
python3 -c 'import os, sys
def tell(f, *a, **k):
    try:
        print(f(*a, **k))
    except OSError as e:
        print(e)
tell(os.rename, "l/hard" , "gone"); tell(os.rename, "l/none", "l/x"); tell(os.rename, "l/none/", "gone"); tell(os.link, "l/deep/moved", "l/again");
tell(os.open, "made", os.O_CREAT | os.O_EXCL); tell(os.mkdir, "made"); tell(os.mknod, "made"); tell(os.symlink, "a", "made"); tell(os.open, "lost", os.O_CREAT | os.O_WRONLY)
open("l/python", "w").write("p"); tell(os.chmod, "l/python", 0o640); tell(os.utime, "l/python", (1, 2)); tell(os.setxattr, "l/none", "user.x", b"1"); tell(os.unlink, "l/none")
tell(os.replace, "l/python", "l/deep/python"); tell(os.rmdir, "l/deep"); tell(os.mkfifo, "l/fifo"); tell(os.lchown, "l/fifo", os.getuid(), os.getgid())
import tempfile, shutil; d = tempfile.mkdtemp(dir="l"); print(os.path.dirname(d)); open(d + "/x", "w").close(); shutil.rmtree(d)
'; mktemp -p l > /dev/null; rm l/tmp.*; sed -i s/t/T/ l/deep/moved
tar cf a.tar l/ 2>&1; tar tf a.tar | sort; rm lf made; ls -A; rm -r l/deep/e; cd "$B"; find . | sort; cat new k/deep/moved""")


# $B lies two deep on one side, three on the other: $U leads from $B to what is above it, $X from there to $O.
@case("relative links that climb out of the prefix")
def climbing():
    beside.compare(r"""mkdir -p k/deep; echo out > "$O/f"; mkdir "$O/d"; echo in > k/f; set +e
for where in . k/deep; do
  for to in "$O/f" "$O" "$O/d" "$O/none" "$B/k/f" "$B/new" /etc/debian_version /; do
    t=$(python3 -c 'import os, sys; print(os.path.relpath(sys.argv[1], sys.argv[2]))' "$to" "$B/$where")
    up=$(python3 -c 'import os, sys; n = len(os.path.normpath(sys.argv[2])[1:].split("/")); print(("../" * n + sys.argv[1][1:]).rstrip("/"))' "$to" "$B/$where")
    for text in "$t" "$up" "./$up"; do
      rm -f $where/l; ln -s "$text" $where/l
      [ "$(readlink $where/l)" = "$text" ] && echo same || { [ "${text#./}" != "$text" ] && [ "./$(readlink $where/l)" = "$text" ] && echo same; }
      [ "$(stat -c %s $where/l)" = ${#text} ] && echo size || { [ "${text#./}" != "$text" ] && echo size; }
      readlink -f $where/l | sed 's,/$,,'; cat $where/l 2>&1; ls -d $where/l; test -d $where/l/.; echo $?; (cd $where/l 2> /dev/null && ls -A | sort | grep -x -e f -e d -e k)
    done
  done
done
rm -f k/l; ln -s "$(python3 -c 'import os, sys; print(os.path.relpath(*sys.argv[1:]))' "$O/made" "$B/k")" k/l; echo made > k/l; cat "$O/made"; mv k/l k/l2; cat k/l2
ln -s .. up; ls -d up/. > /dev/null; echo $?; readlink up; ln -s ../client c; ln -s ../journal/current k/../j; ln -s ../../tree k/t; cat c j; ls k/t; cp -a k/l2 k/l3; basename $(readlink k/l3)
tar cf t.tar k; mkdir x; tar xf t.tar -C x; ls -l k/deep/l x/k/deep/l | sed 's/.*-> //' | uniq | wc -l""")


@case("absolute links with slashes before them, and texts that look like the library's own")
def spelled():
    beside.compare(r"""mkdir k; echo in > k/f; set +e
for text in "//$B/k/f" "///$B/k" "/.$B/k/f" "/../$B/k/f" "//./$B/k/f" "//./etc/passwd" "//././/etc/passwd" "///./etc" "//." "//.." "//./" "/" "//" "..." "..x" "./..x/y" "k/../../none"; do
  rm -f l; ln -s "$text" l; readlink l; stat -c %s l | { read n; [ $n = ${#text} ] && echo size; }; [ "$text" = "k/../../none" ] || cat l 2>&1; done; true""")


for size in (90, 250):
    cases.add(f"a chain of links, {size} bytes each", lambda size=size: beside.compare(f"""mkdir k; echo text > k/f; cd "$O"
n() {{ printf "%s%0{size}d" "$1" 0; }}
ln -s "$B/k" $(n 0); for i in 1 2 3 4 5 6 7 8 9 10; do ln -s $(n $((i - 1))) $(n $i); done
for i in 0 1 5 10; do cat $(n $i)/f; done; mkdir -p $(n a)/$(n a); ln -s "$O/$(n 10)" $(n a)/$(n a)/$(n b); cat $(n a)/$(n a)/$(n b)/f; cat "$O/$(n a)/$(n a)/$(n b)/f"
ln -s loop loop; cat loop/x 2>&1 || :; ln -s "$B/../$(basename "$B")/./k//" odd; cat odd/f; ln -s "/..$B/k" top; cat top/f
"""))
cases.main()
