#!/usr/bin/env python3
"""Turn the Lua scripts into a header: their texts, and the SHA-1 by which EVALSHA names them.

usage: embed.py [--settle-ms N] OUTPUT SCRIPT.lua …
--settle-ms: for tests that cannot wait for the check of an unanswered request, 16 minutes later.
Comments and indentation are left out of the text that Redis gets; the files keep them.
"""
import hashlib
import os
import re
import sys


def strip(text):
    lines = (re.sub(r"^\s+", "", line) for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("--")) + "\n"


SETTLE_MS = "960000"  # a server takes no request that is dated over 15 minutes ago


def main():
    arguments = sys.argv[1:]
    settle_ms = SETTLE_MS
    if arguments[0] == "--settle-ms":
        settle_ms = arguments[1]
        arguments = arguments[2:]
    out, scripts = arguments[0], arguments[1:]
    rows = ["// Generated from core/scripts/*.lua by embed.py.", "#pragma once", "",
            '#include "core/base/script.h"', "", "namespace wbshim::scripts {", ""]
    for path in scripts:
        name = os.path.splitext(os.path.basename(path))[0]
        with open(path, encoding="utf-8") as f:
            text = strip(f.read()).replace(SETTLE_MS, settle_ms)
        sha = hashlib.sha1(text.encode()).hexdigest()
        rows.append(f'inline constexpr Script {name}{{"{name}", "{sha}", R"lua({text})lua"}};')
        rows.append("")
    names = (os.path.splitext(os.path.basename(path))[0] for path in scripts)
    rows += [f"inline constexpr const Script* kAll[] = {{{', '.join('&' + name for name in names)}}};", ""]
    rows.append("}  // namespace wbshim::scripts")
    with open(out, "w", encoding="utf-8") as f:
        f.write("\n".join(rows) + "\n")


main()
