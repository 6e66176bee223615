"""random_driver.py DIRECTORY SEED STEPS: random operations on few names, so that processes meet. Errors of the file system are part of it."""
import os
import random
import sys

directory, seed, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
dice = random.Random(seed)


def path():
    return os.path.join(directory, *dice.choices("abc", k=dice.randint(1, 3)))


def write(flags):
    fd = os.open(path(), os.O_WRONLY | flags, 0o644)
    os.write(fd, b"x" * dice.randrange(2000))
    if dice.random() < 0.3:
        other = os.dup(fd)
        os.close(fd)
        fd = other
    os.close(fd)


def through_child():
    child = os.fork()
    if not child:
        try:
            write(os.O_CREAT)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


OPERATIONS = [
    lambda: write(os.O_CREAT | os.O_TRUNC), lambda: write(os.O_CREAT | os.O_APPEND), lambda: write(os.O_CREAT | os.O_EXCL),
    lambda: os.rename(path(), path()), lambda: os.replace(path(), path()), lambda: os.unlink(path()), lambda: os.unlink(path()),
    lambda: os.mkdir(path()), lambda: os.mkdir(path()), lambda: os.makedirs(path()), lambda: os.rmdir(path()),
    lambda: os.symlink(dice.choice("abc"), path()), lambda: os.chmod(path(), dice.choice([0o600, 0o755, 0o700])),
    lambda: os.utime(path(), (dice.randrange(10**9), dice.randrange(10**9))), lambda: os.truncate(path(), dice.randrange(3000)), through_child,
]
for _ in range(steps):
    try:
        dice.choice(OPERATIONS)()
    except OSError:
        pass
