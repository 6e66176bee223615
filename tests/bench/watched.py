"""What a process takes: time, CPU, memory, connections; read from /proc, so the same for every tool."""
import dataclasses
import os
import resource
import select
import time

from lib import process

STEP = 0.05  # seconds between two looks
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Taken:
    seconds: float = 0
    cpu: float = 0         # seconds of the child
    peak: int = 0          # KiB resident, of the watched process
    connections: int = 0   # of the watched process to the port: the most that were seen at once


def run(argv, env, port, pid=None):
    """A command to its end, which must be a good one. Watched is it, or the process of that number, which works for it."""
    taken, before, start = Taken(), _children_cpu(), time.perf_counter()
    child = process.start(argv, env=env, stderr=process.subprocess.PIPE)
    end = os.pidfd_open(child.pid)
    try:
        while not select.select([end], [], [], STEP)[0]:
            taken.peak = max(taken.peak, memory(pid or child.pid, "VmHWM"))
            taken.connections = max(taken.connections, connections(pid or child.pid, port))
        taken.seconds = time.perf_counter() - start
        errors = child.communicate()[1].decode(errors="replace")
    finally:
        os.close(end)
        process.stop(child)
    if child.returncode:
        raise RuntimeError(f"{argv}: exit {child.returncode}: {errors[-2000:]}")
    taken.cpu = _children_cpu() - before
    return taken


def _children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cpu(pid):
    """Seconds of a running process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid, which):
    """VmRSS, or VmHWM, its peak, in KiB; 0 when the process is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
            return next((int(line.split()[1]) for line in f if line.startswith(which + ":")), 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0


def connections(pid, port):
    """Established ones to that port of an IPv4 address."""
    own, wanted, found = set(), f"{port:04X}", 0
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                own.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
            except FileNotFoundError:
                continue
        with open(f"/proc/{pid}/net/tcp", encoding="ascii") as f:
            for line in f.readlines()[1:]:
                fields = line.split()
                found += fields[2].endswith(":" + wanted) and fields[3] == "01" and f"socket:[{fields[9]}]" in own
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return found
