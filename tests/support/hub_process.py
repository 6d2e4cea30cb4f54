"""Python in a process of its own whose Hub is the local one."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.support import programs
from tests.support.local_hub import LocalHub

Run = Callable[..., subprocess.CompletedProcess[str]]


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
