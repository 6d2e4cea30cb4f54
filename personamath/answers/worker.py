"""The process that runs math-verify: pairs come in on stdin, verdicts go out on stdout, one JSON line each.

Run as a script, by path, so that starting one imports neither the package nor the caller's `__main__`. It ends when
its stdin closes, which the system does when the parent ends, however it ends.
"""

import faulthandler
import json
import logging
import os
import signal
import sys
import warnings

MEMORY_LIMIT = 400 * 2**20
"""Bytes of data one worker may hold; beyond them a pair fails with MemoryError instead of taking the machine."""


def limit_memory() -> None:
    """Bound this process's data where the platform can."""
    try:
        import resource
    except ImportError:
        return  # Windows
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT, MEMORY_LIMIT))


def main() -> None:
    """Answer pairs until stdin closes; the arguments are what is compared, and the seconds after which to end."""
    task, lifetime = sys.argv[1], float(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it then closes our stdin
    limit_memory()
    # What the libraries print must not mix with the verdicts.
    verdicts = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    from math_verify import parse, verify

    print("ready", file=verdicts, flush=True)
    for line in sys.stdin:
        faulthandler.dump_traceback_later(lifetime, exit=True)
        try:
            # Its own timeouts miss what runs inside one call of C code; the parent keeps the time.
            reference, text = json.loads(line)
            texts = (rf"\boxed{{{reference}}}", text if task == "completion" else rf"\boxed{{{text}}}")
            gold, answer = (parse(text, parsing_timeout=None) for text in texts)
            equal = bool(gold and answer and verify(gold, answer, timeout_seconds=None))
        except (Exception, RecursionError, MemoryError):
            equal = False
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps(equal), file=verdicts, flush=True)


if __name__ == "__main__":
    main()
