"""The process that a program runs in: it gives up what the program must not have, then runs the program.

Run as a script, by path, so that starting one imports neither the package nor the caller's `__main__`. One JSON object
comes in on stdin; the walls that the kernel gave go out on the status pipe, before the program starts; the program's
output goes to stdout. Each wall is tried; the caller decides what to make of one that the kernel refuses.
"""

import ctypes
import json
import os
import signal
import struct
import sys
from pathlib import Path
from typing import Any, NoReturn

# <linux/sched.h>: users, the network, processes, and what processes share.
CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWIPC = 0x10000000, 0x40000000, 0x20000000, 0x08000000
# <linux/prctl.h>
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 1, 4, 22, 38, 2
# The same numbers on every processor.
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
# <linux/landlock.h>: rights by the version that added them.
FILE_RIGHTS = {1: 0x1FFF, 2: 0x2000, 3: 0x4000, 5: 0x8000}
READ, READ_FOLDER, EXECUTE = 0x4, 0x8, 0x1
NETWORK_RIGHTS, SCOPES = 0x3, 0x3
NETWORK_VERSION, SCOPE_VERSION = 4, 6

DIED_BY_SIGNAL = 128
"""Added to the number of the signal that ended the program, as shells do."""


def main() -> None:
    """Build the walls, run the program that stdin holds, and end as it ends."""
    status = int(sys.argv[1])
    given = json.loads(sys.stdin.buffer.read())
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 2)  # tracebacks are of no use to anybody
    if null > 2:
        os.close(null)
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    walls = []
    if libc:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        flags = CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC
        if libc.unshare(flags) == 0:
            walls.append("namespaces")
            if child := os.fork():
                os.close(status)
                end_like(child)
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    limit(given["limits"])
    if libc:
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        walls += [name for name, build in (("landlock", landlock), ("seccomp", seccomp)) if build(libc, given)]
    os.write(status, json.dumps(walls).encode())
    os.close(status)
    run(given["source"])


def end_like(child: int) -> NoReturn:
    """Wait for the process that runs the program, number 1 among its own, and end as it does."""
    _, ended = os.waitpid(child, 0)
    os._exit(DIED_BY_SIGNAL + os.WTERMSIG(ended) if os.WIFSIGNALED(ended) else os.WEXITSTATUS(ended))


def limit(limits: dict[str, int]) -> None:
    """Set the limits of this process, by the names of `resource`; what a platform lacks or refuses is left."""
    import resource

    for name, value in limits.items():
        if (which := getattr(resource, name, None)) is not None:
            try:
                resource.setrlimit(which, (value, value))
            except (ValueError, OSError):  # macOS refuses RLIMIT_AS
                continue


def landlock(libc: Any, given: dict[str, Any]) -> bool:
    """Close all files but the given folders, which can be read, and the network; whether the kernel could."""
    version = libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    files = sum(rights for since, rights in FILE_RIGHTS.items() if since <= version)
    network = NETWORK_RIGHTS if version >= NETWORK_VERSION else 0
    scopes = SCOPES if version >= SCOPE_VERSION else 0
    attributes = struct.pack("=QQQ", files, network, scopes)[: 8 if not network else 16 if not scopes else 24]
    ruleset = libc.syscall(LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    for path in given["readable"]:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        rights = READ | EXECUTE | (READ_FOLDER if Path(path).is_dir() else 0)
        libc.syscall(LANDLOCK_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights, place), 0)
        os.close(place)
    closed = libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return bool(closed)


def seccomp(libc: Any, given: dict[str, Any]) -> bool:
    """Refuse the calls of the system that the filter names; whether the kernel could."""
    code = bytes.fromhex(given["filter"])
    if not code:
        return False
    size_of_a_step = 8
    steps = ctypes.create_string_buffer(code, len(code))
    given_as = struct.pack("@HP", len(code) // size_of_a_step, ctypes.addressof(steps))  # a `sock_fprog`
    return bool(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, given_as, 0, 0) == 0)


def run(source: str) -> None:
    """Run the program as `__main__`; its error ends this process with status 1."""
    sys.argv = [""]
    exec(compile(source, "program", "exec"), {"__name__": "__main__"})
    sys.stdout.flush()


if __name__ == "__main__":
    main()
