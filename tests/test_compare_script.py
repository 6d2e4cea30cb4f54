"""`recipes/compare.sh`: its help, and what it refuses."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPO

SCRIPT = REPO / "recipes" / "compare.sh"


def bash(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(SCRIPT), *options], env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_the_help_names_every_variable() -> None:
    done = bash("--help")
    assert done.returncode == 0 and "set -e" not in done.stdout
    for name in ("METHODS", "TEACHER", "BUDGET", "MIX", "RECIPE", "STEPS", "SEEDS", "OUT", "AUGMENT", "LM_EVAL"):
        assert f"  {name} " in done.stdout


@pytest.mark.parametrize(("option", "status"), [("--small", 2), ("--scaling", 1)])
def test_an_unknown_option_and_another_grid_in_the_folder_are_refused(option: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "settings").write_text("others\n")
    done = bash(option, OUT=str(tmp_path))
    assert done.returncode == status and done.stderr.count("\n") == 1 and done.stderr.startswith("compare.sh: ")
    assert [path.name for path in tmp_path.iterdir()] == ["settings"]
