"""Resuming a run: which recipe an output folder belongs to, and which of its checkpoints are complete.

A checkpoint is sealed once every file of it is on disk, with the size and checksum of each. A run resumes from sealed
checkpoints only, and only from one whose files still have these sizes and checksums.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.files import file_sha256, in_one_line, read_json, written_whole
from personamath.training.record import TrainingRecord
from personamath.training.saved_files import HASHING_THREADS

RECIPE_FILE = "recipe.json"
# Keys that may change while a run is resumed: they decide how it is watched and stored, not what it trains.
FREE_KEYS = ("logging_", "save_", "report_to", "run_name", "disable_tqdm", "dataloader_", "resume_from_checkpoint")
# Facts about the machine that folders of earlier versions do not record; there they are not compared.
LATER_FACTS = ("strategy", "processes", "precision", "examples", "weights")
SEAL = "whole.json"
# Enough to recognize the value of a recipe key, short enough for several in one line.
SHOWN_CHARACTERS = 60
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")


def seal(checkpoint: Path) -> None:
    """Mark a checkpoint as complete: write every file's size and checksum, after all of them have reached the disk."""
    paths = sorted(path for path in checkpoint.rglob("*") if path.is_file() and path.name != SEAL)
    with ThreadPoolExecutor(HASHING_THREADS) as threads:
        digests = threads.map(_synced_digest, paths)
        files = {
            path.relative_to(checkpoint).as_posix(): {"bytes": path.stat().st_size, "sha256": digest}
            for path, digest in zip(paths, digests, strict=True)
        }
    with written_whole(checkpoint / SEAL) as path:
        path.write_text(json.dumps(files, indent=1), encoding="utf-8")


def unseal(checkpoint: Path) -> None:
    """Remove the seal before a checkpoint is overwritten."""
    (checkpoint / SEAL).unlink(missing_ok=True)


def is_whole(checkpoint: Path) -> bool:
    """Whether a checkpoint was sealed and every file still has its size and its checksum; this reads all of it."""
    try:
        files = list(_sealed_files(checkpoint))
        if not files or any(path.stat().st_size != size for path, size, _ in files):
            return False
        with ThreadPoolExecutor(HASHING_THREADS) as threads:
            same = threads.map(lambda file: file[2] is None or file_sha256(file[0]) == file[2], files)
            return all(same)
    # No seal, a torn one, a file that is gone.
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False


def _sealed_files(checkpoint: Path) -> Iterator[tuple[Path, int, str | None]]:
    """Yield path, size and SHA-256 of each sealed file; seals of earlier versions have no checksum."""
    for name, file in json.loads((checkpoint / SEAL).read_text(encoding="utf-8")).items():
        size, digest = (file, None) if isinstance(file, int) else (file["bytes"], file["sha256"])
        yield checkpoint / name, size, digest


def _synced_digest(path: Path) -> str:
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return file_sha256(path)


def last_whole(output_dir: Path) -> tuple[Path | None, list[Path]]:
    """Return the checkpoint to resume from, None for a new run, and the later ones that are incomplete or damaged."""
    numbered = []
    for path in output_dir.glob("checkpoint-*"):
        if (match := _CHECKPOINT.fullmatch(path.name)) and path.is_dir():
            numbered.append((int(match[1]), path))
    damaged: list[Path] = []
    for _, path in sorted(numbered, reverse=True):
        if is_whole(path):
            return path, damaged
        damaged.append(path)
    return None, damaged


def check_finished(output_dir: Path, recipe: Mapping[str, Any]) -> None:
    """Raise BadInput if the finished run in a folder had another recipe."""
    _refuse_other(f"{output_dir} holds a finished run", TrainingRecord.read(output_dir).recipe, recipe)


def claim(output_dir: Path, run: Mapping[str, Any]) -> None:
    """Record which run a folder belongs to, or check that it is this one; raises BadInput if it is another.

    `run` maps names of facts to JSON values: recipe keys, the data's commit, a digest of the examples, the base model's
    commit or a digest of its files, and the machine's strategy, precision and number of processes.
    """
    path = output_dir / RECIPE_FILE
    if path.is_file():
        there = read_json(path, "remove it, or choose another output_dir")
        unknown = {name: run[name] for name in LATER_FACTS if name in run and name not in there}
        _refuse_other(f"{output_dir} holds a run", there | unknown, run)
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
