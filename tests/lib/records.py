"""What Redis holds of a volume, and whether it agrees with a tree."""
import json
import os
import re


def read(redis, volume):
    """{path: record} of every record, tombstones among them. Defaults are filled in."""
    prefix = f"wbshim:{{{volume}}}:dir:".encode()
    found = {}
    for key in redis.keys(prefix.replace(b"[", b"\\[") + b"*"):
        directory = os.fsdecode(key[len(prefix):])
        for name, text in redis.hash(key).items():
            record = json.loads(text)
            for field, default in (("t", "f"), ("state", "uploaded"), ("mode", 0o644), ("uid", 0), ("gid", 0)):
                record.setdefault(field, default)
            found[os.path.join(directory, os.fsdecode(name))] = record
    return found


def live(found):
    """Without tombstones."""
    return {path: record for path, record in found.items() if record["t"] != "x"}


def shown(kept, tree, prefix):
    """What a program reads of a link of the tree: core/base/link_text.h, the other way round."""
    marked = re.fullmatch(r"(//+)((?:\./)+)(/*)(.*)", kept, re.S)
    if marked and len(marked[1]) > 2:
        return shown(kept[1:], tree, prefix) if tree in kept else kept[1:]
    if not marked:
        inside = re.fullmatch(rf"(/*)({re.escape(tree)})(/.*)?", kept, re.S) if tree else None
        return inside[1] + prefix + (inside[3] or "") if inside else kept
    place = "/" + marked[4]
    if tree and (place + "/").startswith(tree + "/"):
        place = prefix + place[len(tree):]
    names = [name for name in place[1:].split("/", len(marked[3])) if name or "/" in place[1:]]
    rest = names[len(marked[3]):]
    return "/".join([".."] * (len(marked[2]) // 2) + [r for r in rest if r])


def disagreements(found, tree, real_root="", prefix="", links=True):
    """Sentences on every entry in which records and tree (lib.tree.snapshot of the staging tree) differ; none when they agree.
    links=False: of names that share a file only type and existence count (a change through one is not published for the others)."""
    wrong = []
    expected = {path: entry for path, entry in tree.items() if entry.kind in "fdl"}
    for path in sorted(set(expected) - set(found)):
        wrong.append(f"no record of {path!r} ({expected[path].kind})")
    for path in sorted(set(found) - set(expected)):
        wrong.append(f"a record of {path!r}, which is not there: {found[path]}")
    for path in sorted(set(found) & set(expected)):
        record, entry = found[path], expected[path]
        if record["t"] != entry.kind:
            wrong.append(f"{path!r}: type {record['t']}, is {entry.kind}")
        elif entry.links and not links:
            continue
        elif entry.kind == "f" and record.get("size") != entry.size:
            wrong.append(f"{path!r}: size {record.get('size')}, is {entry.size}")
        elif entry.kind == "f" and record.get("mtime_ns") != entry.mtime_ns:
            wrong.append(f"{path!r}: mtime {record.get('mtime_ns')}, is {entry.mtime_ns}")
        elif entry.kind != "l" and record["mode"] & 0o7777 != entry.mode:
            wrong.append(f"{path!r}: mode {record['mode']:o}, is {entry.mode:o}")
        elif entry.kind == "l" and record.get("target") != shown(entry.target, real_root, prefix):
            wrong.append(f"{path!r}: target {record.get('target')!r}, is {entry.target!r}")
    return wrong
