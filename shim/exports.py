#!/usr/bin/env python3
"""Write the linker's version script from entry_points.def: an anonymous node (a named one would switch interposition off)."""
import re
import sys

table, out = sys.argv[1:]
names = re.findall(r"^WB_FN(?:_VARIADIC)?\([^,]+, (\w+),", open(table, encoding="utf-8").read(), re.M)
with open(out, "w", encoding="utf-8") as f:
    f.write("{\n  global:\n" + "".join(f"    {name};\n" for name in names) + "  local: *;\n};\n")
