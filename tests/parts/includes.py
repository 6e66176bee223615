"""Who may include whom."""
import re

from parts import tree

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)

# folder: the folders of our own that it may include. The longest match of a file's path counts.
MAY = {
    "core/base": ["core/base", "core/scripts"],
    "shim": ["shim", "core/base", "core/scripts"],
    "core/util": ["core/util", "core/base"],
    "core/store": ["core/store", "core/util", "core/base"],
    "core/volume": ["core/volume", "core/util", "core/base", "core/scripts"],
    "tools/uploader": ["tools/uploader", "core"],
    "tools/ctl": ["tools/ctl", "core"],
}
GENERATED = {"scripts.h": "core/scripts/scripts.h"}

# header: the one file (any of these suffixes of it) that may include it
WRAPPERS = {
    r"curl/": ["core/store/http.cc"],
    r"openssl/": ["core/store/crypto.cc"],
    r"nlohmann/": ["core/util/json.cc"],
    r"CLI/": ["tools/ctl/command_line.cc"],
    r"httplib": ["tools/uploader/metrics_http.cc"],
    r"prometheus/": ["tools/uploader/metrics_http.cc"],
    r"hiredis": ["core/base/redis_link.cc"],
}

# Standard C++ headers that need no library at run time.
FREESTANDING = {"atomic", "bit", "climits", "compare", "concepts", "cstdarg", "cstddef", "cstdint", "cstring", "cerrno", "cstdlib",
                "cstdio", "ctime", "initializer_list", "limits", "new", "type_traits", "utility", "version"}


def _of(folders):
    return [f for f in tree.cpp() if f.startswith(folders)]


def _included(name):
    return [(kind, header) for kind, header in INCLUDE.findall(tree.text(name))]


def directions():
    wrong = []
    for name in _of(("core/", "shim/", "tools/")):
        rule = max((f for f in MAY if name.startswith(f + "/")), key=len, default=None)
        for kind, header in _included(name):
            header = GENERATED.get(header, header)
            if kind != '"':
                continue
            if not header.startswith(("core/", "shim/", "tools/", "tests/")):
                wrong.append(f"{name}: \"{header}\" is not written from the root")
            elif rule and not any(header.startswith(f + "/") for f in MAY[rule]):
                wrong.append(f"{name} ({rule}) includes {header}")
    return wrong


def third_party():
    wrong = []
    for name in _of(("core/", "shim/", "tools/")):
        for _, header in _included(name):
            for pattern, allowed in WRAPPERS.items():
                if re.match(pattern, header) and name not in allowed:
                    wrong.append(f"{name} includes <{header}>; only {', '.join(allowed)} may")
    return wrong


def freestanding():
    """Files linked into the preload library: C headers (with .h) are free, C++ headers only from the list."""
    wrong = []
    for name in _of(("core/base/", "shim/")):
        for kind, header in _included(name):
            if kind == "<" and "." not in header and "/" not in header and header not in FREESTANDING:
                wrong.append(f"{name} includes <{header}>")
    return wrong
