"""The end of a training process: handlers run, output is written, and Python does not take itself apart."""

import subprocess
import sys

import pytest

PROCESS = """
import atexit, sys
from personamath.training.ending import Ending
ending = Ending()
atexit.register(print, "a library's handler")
class TakenApart:
    def __del__(self):
        print("taken apart")
kept = TakenApart()
print("trained")
status = {status}
if status is not None:
    ending.with_status(status)
"""


@pytest.mark.parametrize("status", [0, 1, 130])
def test_a_process_ends_after_its_handlers_and_before_python_takes_itself_apart(status: int) -> None:
    ended = subprocess.run([sys.executable, "-c", PROCESS.format(status=status)], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (status, "trained\na library's handler\n")


def test_an_unexpected_error_ends_as_usual() -> None:
    ended = subprocess.run([sys.executable, "-c", PROCESS.format(status="1 / 0")], capture_output=True, text=True)
    assert ended.returncode == 1 and "ZeroDivisionError" in ended.stderr
