"""Free TCP ports on the loopback, from the kernel."""
import socket


def free_run(count):
    """The first of `count` ports in a row that were all free a moment ago."""
    for _ in range(200):
        held = []
        try:
            held.append(socket.socket())
            held[0].bind(("127.0.0.1", 0))
            first = held[0].getsockname()[1]
            if first + count > 65000:
                continue
            for port in range(first + 1, first + count):
                held.append(socket.socket())
                held[-1].bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for s in held:
                s.close()
    raise RuntimeError(f"no {count} free ports in a row")


def free():
    return free_run(1)
