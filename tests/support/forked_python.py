"""`python`, for programs that start others: it has a server of tests/support/fork_server.py run them.

    forked_python.py SOCKET PYTHON [-u] (SCRIPT | -m MODULE) ARGUMENTS

It ends as what it started ends, passes signals on, and takes it along if it is killed. Anything else than a script or
a module is run by PYTHON itself.
"""

import contextlib
import json
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Start, wait, end alike."""
    address, python, *words = sys.argv[1:]
    program = words[1:] if words[:1] == ["-u"] else words
    if program[:1] == ["-m"]:
        named = {"module": program[1], "arguments": program[2:]}
    elif program and program[0].endswith(".py"):
        named = {"script": program[0], "arguments": program[1:]}
    else:
        os.execv(python, [python, *words])
    status, theirs = os.pipe()
    # The server ends what it started here once this is closed.
    held = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    held.connect(address)
    request = named | {"environment": dict(os.environ), "folder": str(Path.cwd())}
    socket.send_fds(held, [json.dumps(request).encode()], [0, 1, 2, theirs])
    os.close(theirs)
    with os.fdopen(status, "rb") as lines:
        pid = int(lines.readline())

        def pass_on(number: int, _: FrameType | None) -> None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

        for number in PASSED_ON:
            signal.signal(number, pass_on)
        code = int(lines.readline())
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main())
