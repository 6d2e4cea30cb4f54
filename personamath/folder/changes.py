"""Compare two dataset folders: rows added, removed and changed in each config, and rows by source and step."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from personamath.errors import BadInput
from personamath.files import card_yaml
from personamath.folder.layout import CARD
from personamath.folder.markdown import code, table
from personamath.folder.trainer_configs import TRAINER_CONFIGS
from personamath.records import METHOD_OF_FORMAT_1
from personamath.sources.tables import opened_parquet

ROWS_AT_ONCE = 2_000
_TRAINER_CONFIGS = frozenset(config.name for config in TRAINER_CONFIGS)


@dataclass(slots=True)
class ConfigChange:
    """Counts of changed rows in one config; rows with the same id are the same row, also in configs for trainers."""

    before: int = 0
    after: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    """Rows in both versions with a difference in any column."""


@dataclass(slots=True)
class Changes:
    """The difference between two folders."""

    configs: dict[str, ConfigChange] = field(default_factory=dict)
    """By config. If only one folder has a config, all its rows count as added or removed."""
    before: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows of the old folder by source and step."""
    after: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows of the new folder by source and step."""


class _Version(NamedTuple):
    """One of the folders, as its card describes it."""

    files: list[Path]
    configs: dict[str, set[int]]
    """The files of each config, as positions in `files`."""


class _Fate(NamedTuple):
    """The positions of a row's old and new file, None if the row is in no file, and whether a column differs."""

    before: int | None
    after: int | None
    changed: bool


def compare_folders(before: Path, after: Path) -> Changes:
    """Find the changes from one folder to the other, for each config on their cards.

    Memory holds about 200 bytes per row of the files of `before`, and one batch of rows. Raises `BadInput` if a folder
    has no card with configs, or if a file lacks the columns `id`, `source` and `step`; the files of configs for
    trainers only need `id`.
    """
    changes = Changes()
    old, new = _read_version(before), _read_version(after)
    seals: dict[str, bytes] = {}
    for row in _rows(old):
        changes.before.update([row.composition] if row.composition else [])
        seals[row.id] = row.seal
    fates: Counter[_Fate] = Counter()
    for row in _rows(new):
        changes.after.update([row.composition] if row.composition else [])
        seal = seals.pop(row.id, None)
        fates[_Fate(seal[0] if seal else None, row.seal[0], seal is not None and seal[1:] != row.seal[1:])] += 1
    fates.update(_Fate(seal[0], None, False) for seal in seals.values())
    for config in dict.fromkeys([*new.configs, *old.configs]):
        changes.configs[config] = _config_change(fates, old.configs.get(config, set()), new.configs.get(config, set()))
    return changes


def describe(changes: Changes, before: str, after: str) -> str:
    """Describe the changes in Markdown that also reads well as text, for the screen and the card's changelog.

    `before` and `after` name the folders, e.g. `v1.0.0` and `v1.1.0`.
    """
    rows = [
        [f"`{name}`", *(f"{count:,}" for count in (one.before, one.after, one.added, one.removed, one.changed))]
        for name, one in changes.configs.items()
    ]
    parts = [
        f"{code(after)} against {code(before)}:",
        table(["config", "rows before", "rows", "added", "removed", "changed"], rows),
        "The composition is the same."
        if changes.before == changes.after
        else table(["composition", "rows before", "rows", "change"], list(_composition(changes))),
    ]
    return "\n\n".join(parts)


def _composition(changes: Changes) -> Iterator[list[str]]:
    for source, step in sorted({*changes.before, *changes.after}):
        before, after = changes.before[source, step], changes.after[source, step]
        yield [f"{source}, {step}", f"{before:,}", f"{after:,}", f"{after - before:+,}" if after != before else "0"]


def _config_change(fates: Mapping[_Fate, int], old: set[int], new: set[int]) -> ConfigChange:
    """Count the changes of one config, given its files in each folder."""
    change = ConfigChange()
    for fate, count in fates.items():
        was, is_now = fate.before in old, fate.after in new
        change.before += count * was
        change.after += count * is_now
        change.added += count * (is_now and not was)
        change.removed += count * (was and not is_now)
        change.changed += count * (was and is_now and fate.changed)
    return change


def _read_version(folder: Path) -> _Version:
    path = folder / CARD
    try:
        metadata = card_yaml(path.read_text(encoding="utf-8"))
        paths = {config["config_name"]: config["data_files"][0]["path"] for config in metadata["configs"]}
        names = {name: [listed] if isinstance(listed, str) else list(listed) for name, listed in paths.items()}
        # A card may come from anyone, so accept only files inside its own folder.
        inside = [(folder / file).resolve().is_relative_to(folder.resolve()) for one in names.values() for file in one]
        if not all(inside):
            raise ValueError
    except (OSError, LookupError, TypeError, ValueError, yaml.YAMLError):
        raise BadInput(
            f"{path}: no dataset card whose configs name their files, so it cannot be compared; give a dataset folder"
        ) from None
    files = list(dict.fromkeys(file for listed in names.values() for file in listed))
    places = {name: {files.index(file) for file in listed} for name, listed in names.items()}
    return _Version([folder / file for file in files], places)


class _Row(NamedTuple):
    id: str
    """Unique in the folder: before the id of an example for trainers is the name of its config."""
    composition: tuple[str, str] | None
    """Source and step; None for an example for trainers, which repeats another row."""
    seal: bytes
    """The position of its file, in one byte, and a digest of all its columns."""


def _rows(version: _Version) -> Iterator[_Row]:
    trainers = {place: name for name in _TRAINER_CONFIGS for place in version.configs.get(name, ())}
    for place, path in enumerate(version.files):
        trainer = trainers.get(place)
        try:
            with opened_parquet(path) as file:
                for batch in file.iter_batches(ROWS_AT_ONCE):
                    for values in batch.to_pylist():
                        seal = bytes([place]) + _digest(values)
                        if trainer:
                            yield _Row(f"{trainer} {values['id']}", None, seal)
                        else:
                            yield _Row(values["id"], (values["source"], values["step"]), seal)
        except KeyError as column:
            raise BadInput(
                f"{path}: has no column {column}, so its rows cannot be compared; give a dataset of PersonaMath"
            ) from None


def _digest(values: Mapping[str, Any]) -> bytes:
    # 128 bits, so that no two of 10^9 rows share a digest by chance; sorted keys, because column order is not content.
    # A row of format 1 does not name its method; it equals a row that names the same method.
    named = {"method": METHOD_OF_FORMAT_1, **values}
    return hashlib.blake2b(json.dumps(named, sort_keys=True).encode(), digest_size=16).digest()
