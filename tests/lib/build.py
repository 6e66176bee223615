"""Where the things under test are. WBSHIM_BUILD names the build directory, WBSHIM_TOOLS another one for the tools alone."""
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD_ROOT = os.path.abspath(os.environ.get("WBSHIM_BUILD_ROOT", os.path.join(ROOT, "build")))
BUILD = os.path.abspath(os.environ.get("WBSHIM_BUILD", os.path.join(BUILD_ROOT, "ci-gcc")))
TOOLS = os.path.abspath(os.environ.get("WBSHIM_TOOLS", BUILD))

LIBRARY = os.path.join(BUILD, "shim", "libwbshim.so")
SHIM_CTL = os.path.join(TOOLS, "tools", "shim-ctl")
UPLOADER = os.path.join(TOOLS, "tools", "wbshim-uploader")
