"""meson install with DESTDIR, and a run from there."""
import os

from lib import build, process, scratch
from parts import builds


def run(report):
    path = builds.gcc(report)
    if not path:
        return report.bad("install: no build")
    with scratch.directory() as root:
        if not report.command("meson install with DESTDIR", ["meson", "install", "--no-rebuild", "-C", path], env=dict(os.environ, DESTDIR=root)):
            return None
        found = [os.path.relpath(os.path.join(d, f), root) for d, _, files in os.walk(root) for f in files]
        for name in ("libwbshim.so", "wbshim-uploader", "shim-ctl"):
            report.check(f"{name} is installed", [] if any(os.path.basename(f) == name for f in found) else sorted(found))
        ctl = next((f for f in found if os.path.basename(f) == "shim-ctl"), None)
        if ctl:
            _try_out(report, os.path.join(root, ctl))
    return None


def _try_out(report, ctl):
    """The installed tools find each other, wherever the tree was put."""
    with scratch.directory(scratch.memory()) as base:
        env = {"PATH": "/usr/bin:/bin", "HOME": base, "WBSHIM_PREFIX": "/proc/wb", "WBSHIM_STAGING_DIR": base + "/staging", "WBSHIM_METRICS": ""}
        try:
            report.command("run --flush from the installed tree", [ctl, "run", "--flush", "--", "/bin/sh", "-c", "echo installed > /proc/wb/f"],
                           timeout=60, env=env)
            stored = os.path.join(base, "staging", "store", "f")
            text = open(stored, encoding="ascii").read() if os.path.exists(stored) else None
            report.check("the installed uploader stored the file", [] if text == "installed\n" else [f"{stored}: {text!r}"])
        finally:
            process.run([ctl, "stop"], 60, env=env)
