"""The tutorial's commands and Python, run as they are, with a scripted teacher and a tiny model."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPO, ScriptedTeacher
from tests.support import programs
from tests.support.task_files import write_files
from tests.support.tiny_models import make_tokenizer, write_model

pytestmark = pytest.mark.slow

PAGE = (REPO / "docs" / "tutorial.md").read_text(encoding="utf-8")
BASE, TEACHER, OLLAMA = "Qwen/Qwen2.5-Coder-0.5B-Instruct", "qwen2.5-coder:1.5b", "http://127.0.0.1:11434/v1"
NEEDS_THE_NETWORK = re.compile("^(git|pip|ollama) ", re.MULTILINE)
IN_SMALL = {
    "--num_train_epochs 2": "--max_steps 2",
    "--limit 8 ": "--limit 1 ",
    "max_gen_toks=400": "max_gen_toks=4",
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_tutorial_runs_from_its_data_to_its_scores(
    start_teacher: Callable[..., ScriptedTeacher], tmp_path: Path
) -> None:
    (tmp_path / "examples").symlink_to(REPO / "examples")
    source = f"exercises:{REPO / 'examples' / 'exercises.csv'}:question:answer"
    teacher = start_teacher("--problems", source, "--model", TEACHER)
    write_model(tmp_path / BASE, make_tokenizer("byte-level BPE", [PAGE]))
    metadata = json.dumps({"files": write_files(tmp_path / "data")})  # in place of the test set on the Hub
    replaced = IN_SMALL | {OLLAMA: teacher.base_url, "--log_samples": f"--log_samples --metadata '{metadata}'"}
    commands = [block for block in blocks("bash") if not NEEDS_THE_NETWORK.search(block)]
    script = "set -e\n" + "\n".join(commands)
    for large, small in replaced.items():
        assert large in script
        script = script.replace(large, small)
    environment = os.environ | {"PATH": f"{programs.commands()}:{os.environ['PATH']}"}
    ran = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert (tmp_path / "runs/first/report/index.html").is_file()
    assert re.search(r"^personamath_gsm8k .*\n(.*\n)+  against the other run", ran.stdout, re.MULTILINE), ran.stdout

    (python,) = blocks("python")
    shown = programs.run(python, folder=tmp_path)
    assert shown.returncode == 0 and "boxed" in shown.stdout, shown.stderr


def test_the_tutorial_shows_the_exercises_as_they_are() -> None:
    (shown,) = (block for block in blocks("text") if block.startswith("question,answer"))
    assert (REPO / "examples" / "exercises.csv").read_text(encoding="utf-8").startswith(shown)
