"""Python whose Hub is the local one: in a process of its own, or the command line in this one."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.support import programs
from tests.support.local_hub import LocalHub

Run = Callable[..., subprocess.CompletedProcess[str]]


class Ended(NamedTuple):
    """A command that has ended in this process."""

    status: int
    stdout: str
    stderr: str


Command = Callable[..., Ended]


def runner(hub: LocalHub, folder: Path) -> Run:
    """Run Python in a process whose Hub is the local one, as alice."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if name not in ("HF_HUB_OFFLINE", "HF_HOME")}
        own = {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": "hf_alice", "HF_HOME": str(folder / "hf-home")}
        environment = clean | own | environment
        option, program, *words = arguments
        light = option == "-m" and str(program).startswith("personamath") and words[:1] != ["push"]
        kind: programs.Kind = "commands" if light else "training"
        return programs.run(str(program), *words, environment=environment, folder=folder, kind=kind)

    return run
