"""Checkpoints: which are complete, and which recipe a folder belongs to."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from personamath.errors import BadInput
from personamath.training.checkpoints import RECIPE_FILE, SEAL, check_finished, claim, is_whole, last_whole, seal
from tests.support.model_folders import RECORD


def checkpoint(folder: Path, number: int) -> Path:
    made = folder / f"checkpoint-{number}"
    (made / "global_step").mkdir(parents=True)
    (made / "model.safetensors").write_bytes(b"weights" * number)
    (made / "global_step" / "optimizer.pt").write_bytes(b"moments")
    seal(made)
    return made


@pytest.mark.parametrize(
    "damage",
    [
        lambda made: (made / SEAL).unlink(),
        lambda made: (made / "model.safetensors").unlink(),
        lambda made: (made / "global_step" / "optimizer.pt").write_bytes(b"mom"),
        lambda made: (made / "global_step" / "optimizer.pt").write_bytes(b"momenta"),  # the size is right
        lambda made: (made / SEAL).write_text("{"),
        lambda made: (made / SEAL).write_text("{}"),
        lambda made: (made / SEAL).write_bytes(b"\xff\xfe\x00"),
        lambda made: (made / SEAL).write_text("[" * 100_000),
        lambda made: (made / SEAL).write_text('{"model.safetensors": {"bytes": 700}}'),
        lambda made: (made / SEAL).write_text('["model.safetensors"]'),
        lambda made: shutil.rmtree(made / "global_step"),
    ],
)
def test_a_checkpoint_that_is_not_whole_is_passed_over(damage: Callable[[Path], Any], tmp_path: Path) -> None:
    older, newer = checkpoint(tmp_path, 90), checkpoint(tmp_path, 100)
    assert last_whole(tmp_path) == (newer, [])
    damage(newer)
    assert not is_whole(newer)
    assert last_whole(tmp_path) == (older, [newer])


def test_a_seal_of_an_earlier_version_counts_sizes(tmp_path: Path) -> None:
    made = checkpoint(tmp_path, 100)
    (made / SEAL).write_text(json.dumps({"model.safetensors": 700, "global_step/optimizer.pt": 7}))
    assert is_whole(made)
    (made / "model.safetensors").write_bytes(b"weights")
    assert not is_whole(made)


def test_no_checkpoint_at_all(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-final").mkdir()
    assert last_whole(tmp_path / "nowhere") == (None, [])
    assert last_whole(tmp_path) == (None, [])


MACHINE = {"strategy": "DeepSpeed ZeRO-2", "processes": 4, "precision": "bf16", "examples": "abc", "weights": "def"}
MOVES: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"strategy": "data parallel"}, 'strategy ("DeepSpeed ZeRO-2" there, "data parallel" here)'),
    (
        {"strategy": "one process", "processes": 1},
        'processes (4 there, 1 here), strategy ("DeepSpeed ZeRO-2" there, "one process" here)',
    ),
    ({"processes": 8}, "processes (4 there, 8 here)"),
    ({"precision": "no"}, 'precision ("bf16" there, "no" here)'),  # of accelerate's config or launch
    ({"examples": "abd"}, 'examples ("abc" there, "abd" here)'),  # equal counts of tokens
    ({"weights": "deg"}, 'weights ("def" there, "deg" here)'),  # another base in a folder of the same name
]


@pytest.mark.parametrize(("move", "differences"), MOVES)
def test_a_run_does_not_go_on_on_another_kind_of_machine(
    move: dict[str, Any], differences: str, tmp_path: Path
) -> None:
    claim(tmp_path, RUN | MACHINE)
    assert refusal(lambda: claim(tmp_path, RUN | MACHINE | move)) == differences


def test_a_folder_of_an_earlier_version_does_not_name_its_machine(tmp_path: Path) -> None:
    claim(tmp_path, RUN)
    assert refusal(lambda: claim(tmp_path, RUN | MACHINE)) == ""


RUN = {"learning_rate": 2e-5, "save_steps": 500, "seed": 1, "data": "abc", "lora_target_modules": ["q_proj"]}
CHANGES: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    # How a run is watched and stored may change.
    ({"save_steps": 100, "report_to": ["wandb"], "logging_steps": 1, "dataloader_num_workers": 2}, ""),
    ({"learning_rate": 1e-5}, "learning_rate (2e-05 there, 1e-05 here)"),
    ({"bf16": True}, "bf16 (not set there, true here)"),
    ({"lora_target_modules": ["v_proj"]}, 'lora_target_modules (["q_proj"] there, ["v_proj"] here)'),
    ({"seed": 2, "save_steps": 1, "data": "abd"}, 'data ("abc" there, "abd" here), seed (1 there, 2 here)'),
]


def refusal(check: Callable[[], None]) -> str:
    """What is said to differ; empty where nothing is refused."""
    try:
        check()
    except BadInput as error:
        (line,) = str(error).splitlines()
        assert line.endswith("; choose another output_dir, or undo the change")
        return line.partition("differs in ")[2].rpartition("; ")[0]
    return ""


@pytest.mark.parametrize(("change", "differences"), CHANGES)
def test_another_recipe_is_not_resumed_in_a_folder(change: dict[str, Any], differences: str, tmp_path: Path) -> None:
    claim(tmp_path, RUN)
    assert refusal(lambda: claim(tmp_path, RUN | change)) == differences
    assert not [path for path in tmp_path.iterdir() if path.name != RECIPE_FILE]


@pytest.mark.parametrize(("change", "differences"), CHANGES)
def test_another_recipe_does_not_pass_for_a_finished_run(
    change: dict[str, Any], differences: str, tmp_path: Path
) -> None:
    replace(RECORD, recipe=RUN).write(tmp_path)
    assert refusal(lambda: check_finished(tmp_path, RUN | change)) == differences


def test_a_key_that_the_new_recipe_lacks_is_a_difference(tmp_path: Path) -> None:
    claim(tmp_path, RUN)
    without = {name: value for name, value in RUN.items() if name != "seed"}
    assert refusal(lambda: claim(tmp_path, without)) == "seed (1 there, not set here)"
