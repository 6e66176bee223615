"""Child processes that die with the test, and are ended by their number, never by a name."""
import ctypes
import os
import signal
import subprocess

from lib import wait

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def die_with_parent():
    """For preexec_fn: the child is killed when the test that started it ends, however it ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def ordinary_signals():
    """A shell in the background, or nohup, starts us with signals ignored, which every program under test would go on ignoring. A handler
    of ours is none of theirs."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def adopt_orphans():
    """Daemons that our children leave behind become our children, so that we can find and end them."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def start(argv, **options):
    """A child in the background. Its streams go to /dev/null unless the caller says otherwise."""
    for stream in ("stdin", "stdout", "stderr"):
        options.setdefault(stream, subprocess.DEVNULL)
    return subprocess.Popen(argv, preexec_fn=die_with_parent, **options)


def run(argv, timeout=120, **options):
    """A child to its end, with its output as bytes. Kills its whole session when the time is up."""
    options.setdefault("stdin", subprocess.DEVNULL)
    child = subprocess.Popen(argv, stdout=options.pop("stdout", subprocess.PIPE), stderr=options.pop("stderr", subprocess.PIPE),
                             preexec_fn=die_with_parent, start_new_session=True, **options)
    try:
        out, err = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        out, err = child.communicate()
        raise TimeoutError(f"{argv!r} took over {timeout} s; stderr: {(err or b'')[-2000:]!r}") from None
    return subprocess.CompletedProcess(argv, child.returncode, out, err)


def said(argv, timeout, **options):
    """A command's exit status, and all that it said as text; None and why when it did not come to an end."""
    try:
        done = run(argv, timeout, stderr=subprocess.STDOUT, **options)
    except (TimeoutError, OSError) as e:
        return None, str(e)
    return done.returncode, done.stdout.decode(errors="replace")


def stop(child, timeout=10):
    """SIGTERM, a bound, SIGKILL. Returns the exit status."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    return child.returncode


def alive(pid):
    """Whether the process runs; a zombie does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_gone(pid, timeout=10):
    """Wait for the end of a process that may or may not be our child."""
    wait.until(lambda: not alive(pid), timeout, f"the end of process {pid}")


def children():
    """Our direct children: {pid: command line}. Adopted orphans are among them."""
    mine = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as f:
                state, parent = f.read().rsplit(")", 1)[1].split()[:2]
            with open(f"/proc/{entry}/cmdline", "rb") as f:
                command = f.read().replace(b"\0", b" ").decode(errors="replace").strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == os.getpid() and state not in "ZX":
            mine[int(entry)] = command
    return mine


def end_children(keep=()):
    """Kill what is left of our children, and then of theirs; returns what had to be killed."""
    killed = {}
    while True:
        left = {pid: command for pid, command in children().items() if pid not in keep}
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        for pid in left:
            try:
                os.waitpid(pid, 0)
            except ChildProcessError:
                pass
        killed.update(left)
        if not left:
            return killed
