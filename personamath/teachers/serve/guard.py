"""Run a command until it ends, SIGTERM arrives, or its parent process is gone; then end all that it started.

    python guard.py PARENT GRACE_S COMMAND ...

This is a program of its own because only another process can clean up after a `kill -9`. It leads a process group, and
the command and everything that the command starts, such as vLLM's engine, stay in that group. When PARENT is gone or
SIGTERM arrives, the guard sends SIGTERM to the command, waits for it at most GRACE_S seconds, and kills the group.
It needs only the standard library.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

# How often to check whether the command or the parent has ended.
LOOK_S = 0.2


def main(parent: int, grace_s: float, command: Sequence[str]) -> int:
    """Return the exit status of the command if it ends by itself; like a shell, 128 plus the number for a signal."""
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    child = subprocess.Popen(command)
    while not told and os.getppid() == parent:
        if (status := child.poll()) is not None:
            return status if status >= 0 else 128 - status
        time.sleep(LOOK_S)
    child.terminate()
    with suppress(subprocess.TimeoutExpired):
        child.wait(grace_s)
    os.killpg(0, signal.SIGKILL)  # the rest of the group, and this process
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
