#!/usr/bin/env python3
"""The power goes: ext4 on a loop device drops what had not been synced. Tiers local and remote: everything acknowledged is in the store
after the next start. Tier none: what is not is named; nothing torn is uploaded, and no good object is lost.

WBSHIM_POWER_SEED: another seed. WBSHIM_POWER_CUTS: cuts a scenario (11)."""
import json
import os
import random
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import cases, powerdisk, process, scratch, volume, wait  # noqa: E402
from lib.cases import expect  # noqa: E402
from power_program import History, content  # noqa: E402

SEED = int(os.environ.get("WBSHIM_POWER_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
CUTS = int(os.environ.get("WBSHIM_POWER_CUTS", "11"))
PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "power_program.py")
totals = {"cuts": 0, "changes": 0, "named": 0, "quarantined": 0}


class PowerVolume(volume.Volume):
    """Its staging directory is on the disk; its Redis and its store are elsewhere, unless it is to have the private Redis."""

    def __init__(self, disk, base, private=False, **options):
        super().__init__(where=base, **options)
        self.disk, self.private = disk, private
        self.excused = set()  # paths that were being changed when the power went
        self.staging = os.path.join(disk.path, "staging")
        self.options["STAGING_DIR"] = self.staging
        self.store = os.path.join(self.base, "store")
        os.mkdir(self.store)
        self.options["STORE_URL"] = f"file://{self.store}"
        if not private:
            self.socket = os.path.join(self.base, "redis.sock")
            self.options["REDIS_URL"] = f"unix://{self.socket}"
            os.mkdir(self.staging, 0o700)
            self.start_redis()

    def object(self, path):
        try:
            with open(os.path.join(self.store, path), "rb") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def objects(self, folder):
        for where, _, names in os.walk(os.path.join(self.store, folder)):
            for name in names:
                yield os.path.relpath(os.path.join(where, name), os.path.join(self.store, folder))

    def cut(self, programs):
        """The power goes, and comes again: nobody sees it coming."""
        pids = [p.pid for p in programs] + [p for p in (self.uploader_pid(), self.redis_pid() if self.private else None) if p]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        self.disk.cut()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for program in programs:
            program.wait()
        for pid in pids:
            process.wait_gone(pid)
        self.disk.power()


def one_cut(v, kinds, rng, number, uploader):
    """Programs at work, the power goes at a random moment. Returns [(folder, History)]."""
    if uploader:
        v.start()
    programs, logs = [], []
    for i in range(2):
        folder = f"round{number}.{i}"
        log = os.path.join(v.base, f"log{number}.{i}")
        logs.append((folder, log))
        root = os.path.join(v.options["PREFIX"], folder)
        argv = ["/usr/bin/python3", PROGRAM, ",".join(kinds), root, log, str(rng.randrange(1 << 31))]
        programs.append(process.start(argv, env=v.program_env(), stderr=process.subprocess.PIPE))
    enough = rng.randrange(3, 40)

    def worked():
        for program in programs:
            if program.poll() is not None:
                raise AssertionError(f"the program ended: {program.stderr.read().decode()}")
        return all(os.path.exists(log) and History(log).done() >= enough for _, log in logs)
    wait.until(worked, 60, f"{enough} changes")
    v.cut(programs)
    totals["cuts"] += 1
    return [(folder, History(log)) for folder, log in logs]


def named(v):
    """Paths that status, or the quarantine, names."""
    status = json.loads(v.ctl("status", "--json").stdout)
    found = {letter["path"] for letter in status["dead"]}
    quarantine = status["uploader"]["status"]["quarantine"]
    totals["quarantined"] += quarantine["files"]
    return found | {name.split("/", 1)[1] for name in quarantine["paths"]}


def check_kept(v, folder, history):
    """Tiers local and remote."""
    for path, version in history.acknowledged.items():
        if history.is_under_way(path):
            continue
        found = v.object(f"{folder}/{path}")
        wanted = None if version is None else content(path, version)
        if found != wanted:
            which = [n for n in history.versions.get(path, []) if found == content(path, n)]
            cases.fail(f"{folder}/{path}: acknowledged version {version}, the store has "
                       f"{'nothing' if found is None else f'{len(found)} bytes, version {which}'}; seed {SEED}")
    for path in v.objects(folder):
        if path not in history.acknowledged and not history.is_under_way(path):
            cases.fail(f"{folder}/{path}: in the store, and nobody made it; seed {SEED}")


def check_flush(v, tier, histories):
    """It stores everything, or names what it cannot: nothing that was acknowledged, but in tier none."""
    done = v.ctl("flush", "--timeout", "60s", "--json")
    answer = json.loads(done.stdout) if done.stdout else {"left": [{"path": done.stderr.decode()}]}
    excused = {f"{folder}/{h.under_way[1]}" for folder, h in histories if h.under_way}
    v.excused |= {path + end for path in excused for end in ("", ".new", ".one")}
    left = {entry["path"] for entry in answer["left"]} - v.excused
    if tier == "none" and done.returncode in (0, 1):
        return
    if left or done.returncode not in (0, 1):
        cases.fail(f"flush: exit {done.returncode}, left {sorted(left)}; {answer.get('error')}; seed {SEED}; log {v.log()}")


def check_honest(v, folder, history, before, recorded):
    """Tier none. before: {path: bytes} of the store when the power went. recorded: Redis had heard of what was acknowledged."""
    told = named(v)
    totals["named"] += len(told)
    for path, version in history.acknowledged.items():
        found = v.object(f"{folder}/{path}")
        if found is not None and not history.is_whole(path, found):
            cases.fail(f"{folder}/{path}: {len(found)} bytes in the store that were never its contents; seed {SEED}")
        good = version is None or (found is not None and found == content(path, version))
        if recorded and not good and not history.is_under_way(path) and f"{folder}/{path}" not in told:
            cases.fail(f"{folder}/{path}: version {version} is not in the store, and nobody says so; seed {SEED}")
        if found is None and before.get(path) is not None and version is not None and not history.is_under_way(path):
            cases.fail(f"{folder}/{path}: its good object is gone; seed {SEED}")


def scenario(name, tier, kinds, private=False, uploader=True, **options):
    def run():
        rng = random.Random(f"{SEED} {name}")
        with scratch.directory(scratch.memory()) as base, powerdisk.PowerDisk(base) as disk:
            with PowerVolume(disk, base, private, DURABILITY=tier, **options) as v:
                for number in range(CUTS):
                    histories = one_cut(v, kinds, rng, number, uploader)
                    totals["changes"] += sum(h.done() for _, h in histories)
                    before = [{p: v.object(f"{folder}/{p}") for p in h.acknowledged} for folder, h in histories]
                    if tier == "remote":
                        for folder, history in histories:
                            check_kept(v, folder, history)
                    v.start()
                    check_flush(v, tier, [(folder, h) for folder, h in histories])
                    for (folder, history), earlier in zip(histories, before):
                        if tier == "none":
                            check_honest(v, folder, history, earlier, "META" not in options)
                        else:
                            check_kept(v, folder, history)
                    if not uploader:
                        v.ctl_ok("stop")
    cases.add(f"{tier}: {name}", run, 600)


FILES = ["create", "replace", "rename", "remove", "subdir"]
SYNCED = ["fsync", "osync", "range", "msync"]
for tier in ("local", "none"):
    scenario("new files", tier, ["create"], UPLOAD_DELAY="1h")
    scenario("new files, uploaded at once", tier, ["create"], UPLOAD_DELAY="0")
    scenario("files written again", tier, ["create", "replace"], UPLOAD_DELAY="100ms")
    scenario("files replaced by rename", tier, ["rename"], UPLOAD_DELAY="100ms")
    scenario("files in new directories", tier, ["subdir"], UPLOAD_DELAY="1h")
    scenario("everything, removals too", tier, FILES + ["chmod", "link"], UPLOAD_DELAY="50ms")
    scenario("no uploader runs", tier, FILES, uploader=False)
    scenario("batch", tier, FILES, META="batch", UPLOAD_DELAY="100ms")
scenario("the private Redis loses its power, too", "local", ["create", "replace", "rename", "subdir"], private=True, UPLOAD_DELAY="1h")
scenario("the program's own syncs", "local", SYNCED, UPLOAD_DELAY="1h")
scenario("new files", "remote", ["create"])
scenario("everything", "remote", ["create", "replace", "subdir", "chmod"])

if __name__ == "__main__":
    powerdisk.enter_namespace()
    print(f"    seed {SEED}")
    cases.at_end(lambda: f"{totals['cuts']} cuts, {totals['changes']} files changed and acknowledged; tier none: {totals['named']} named,"
                         f" {totals['quarantined']} in quarantine")
    cases.main()
