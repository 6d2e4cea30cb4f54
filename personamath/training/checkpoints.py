"""Going on after a stop: which run an output folder belongs to, and which of its checkpoints are whole.

A checkpoint is sealed once every file of it is on disk, and only sealed ones are resumed from.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from personamath.errors import BadInput

RECIPE_FILE = "recipe.json"
# What a run may change on its way: how it is watched and kept, not what comes out of it.
FREE_KEYS = ("logging_", "save_", "report_to", "run_name", "disable_tqdm", "dataloader_", "resume_from_checkpoint")
SEAL = "whole.json"
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")


def seal(checkpoint: Path) -> None:
    """Say that a checkpoint is whole: every file's size, written last, after all of them have reached the disk."""
    sizes = {}
    for path in sorted(checkpoint.rglob("*")):
        if path.is_file() and path.name != SEAL:
            with path.open("rb") as file:
                os.fsync(file.fileno())
            sizes[str(path.relative_to(checkpoint))] = path.stat().st_size
    partial = checkpoint / (SEAL + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(sizes, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(checkpoint / SEAL)


def unseal(checkpoint: Path) -> None:
    """Take the seal off before a checkpoint is written over."""
    (checkpoint / SEAL).unlink(missing_ok=True)


def is_whole(checkpoint: Path) -> bool:
    """Whether it was sealed and every file still has its size."""
    try:
        sizes = json.loads((checkpoint / SEAL).read_text(encoding="utf-8"))
        return all((checkpoint / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def last_whole(output_dir: Path) -> tuple[Path | None, list[Path]]:
    """The checkpoint to resume from, None for a new run, and the later ones that are passed over as not whole."""
    numbered = []
    for path in output_dir.glob("checkpoint-*"):
        if (match := _CHECKPOINT.fullmatch(path.name)) and path.is_dir():
            numbered.append((int(match[1]), path))
    passed_over: list[Path] = []
    for _, path in sorted(numbered, reverse=True):
        if is_whole(path):
            return path, passed_over
        passed_over.append(path)
    return None, passed_over


def claim(output_dir: Path, run: Mapping[str, Any]) -> None:
    """Write down which run a folder is of, or check that it is this one; raises BadInput where it is another's.

    `run` maps names of facts (recipe keys, the data's commit and counts, the base model's commit) to JSON values.
    """
    facts = {name: value for name, value in run.items() if not name.startswith(FREE_KEYS)}
    path = output_dir / RECIPE_FILE
    if path.is_file():
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            raise BadInput(f"{path}: not JSON; remove it, or take another output_dir") from None
        if changed := sorted(name for name in facts.keys() | known.keys() if facts.get(name) != known.get(name)):
            raise BadInput(
                f"{output_dir} holds a run that differs in {', '.join(changed)}; take another output_dir, or undo that"
            )
        return
    output_dir.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(path)
