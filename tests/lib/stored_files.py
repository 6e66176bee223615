"""A file:// store on disk, as the objects it holds."""
import os


def walk(store):
    """The keys of all objects that are files or links, without the store's own marker and notes."""
    for directory, below, files in os.walk(store):
        below[:] = [b for b in below if b != ".wbshim"]
        for name in set(files) - {".wbshim-volume"}:
            yield os.path.relpath(os.path.join(directory, name), store)


def of(store):
    """{key: bytes} of these."""
    found = {}
    for key in walk(store):
        with open(os.path.join(store, key), "rb") as f:
            found[key] = f.read()
    return found
