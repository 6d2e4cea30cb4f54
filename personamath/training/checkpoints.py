"""Resuming a run: which recipe an output folder belongs to, and which of its checkpoints are complete.

A checkpoint is sealed once every file of it is on disk, and a run resumes from sealed checkpoints only.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.files import in_one_line, read_json, written_whole
from personamath.training.record import TrainingRecord

RECIPE_FILE = "recipe.json"
# Keys that may change while a run is resumed: they decide how it is watched and stored, not what it trains.
FREE_KEYS = ("logging_", "save_", "report_to", "run_name", "disable_tqdm", "dataloader_", "resume_from_checkpoint")
SEAL = "whole.json"
# Enough to recognize the value of a recipe key, short enough for several in one line.
SHOWN_CHARACTERS = 60
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")


def seal(checkpoint: Path) -> None:
    """Mark a checkpoint as complete: write every file's size, after all of them have reached the disk."""
    sizes = {}
    for path in sorted(checkpoint.rglob("*")):
        if path.is_file() and path.name != SEAL:
            with path.open("rb") as file:
                os.fsync(file.fileno())
            sizes[str(path.relative_to(checkpoint))] = path.stat().st_size
    with written_whole(checkpoint / SEAL) as path:
        path.write_text(json.dumps(sizes, indent=1), encoding="utf-8")


def unseal(checkpoint: Path) -> None:
    """Remove the seal before a checkpoint is overwritten."""
    (checkpoint / SEAL).unlink(missing_ok=True)


def is_whole(checkpoint: Path) -> bool:
    """Whether a checkpoint was sealed and every file still has its size."""
    try:
        sizes = json.loads((checkpoint / SEAL).read_text(encoding="utf-8"))
        return all((checkpoint / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def last_whole(output_dir: Path) -> tuple[Path | None, list[Path]]:
    """Return the checkpoint to resume from, None for a new run, and the later checkpoints that are incomplete."""
    numbered = []
    for path in output_dir.glob("checkpoint-*"):
        if (match := _CHECKPOINT.fullmatch(path.name)) and path.is_dir():
            numbered.append((int(match[1]), path))
    incomplete: list[Path] = []
    for _, path in sorted(numbered, reverse=True):
        if is_whole(path):
            return path, incomplete
        incomplete.append(path)
    return None, incomplete


def check_finished(output_dir: Path, recipe: Mapping[str, Any]) -> None:
    """Raise BadInput where the finished run in a folder had another recipe."""
    _refuse_other(f"{output_dir} holds a finished run", TrainingRecord.read(output_dir).recipe, recipe)


def claim(output_dir: Path, run: Mapping[str, Any]) -> None:
    """Record which run a folder belongs to, or check that it is this one; raises BadInput where it is another.

    `run` maps names of facts (recipe keys, the data's commit and counts, the base model's commit) to JSON values.
    """
    path = output_dir / RECIPE_FILE
    if path.is_file():
        _refuse_other(f"{output_dir} holds a run", read_json(path, "remove it, or choose another output_dir"), run)
        return
    output_dir.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as partial:
        partial.write_text(json.dumps(_bound(run), indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _bound(run: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that may not change while a run is resumed."""
    return {name: value for name, value in run.items() if not name.startswith(FREE_KEYS)}


def _refuse_other(holder: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    old, new = _bound(there), _bound(here)
    changed = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    if changed:
        differences = ", ".join(f"{name} ({_shown(old, name)} there, {_shown(new, name)} here)" for name in changed)
        raise BadInput(f"{holder} that differs in {differences}; choose another output_dir, or undo the change")


def _shown(values: Mapping[str, Any], name: str) -> str:
    return in_one_line(json.dumps(values[name]), SHOWN_CHARACTERS) if name in values else "not set"
