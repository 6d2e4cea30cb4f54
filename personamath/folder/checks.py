"""Check a dataset folder before it is published; everything is read the way its users will read it."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import shorten
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from personamath.answers import grade, is_right_output
from personamath.completion import mark_in
from personamath.errors import BadInput
from personamath.files import card_yaml, first_cause, folder_for_libraries
from personamath.folder.counts import by_step, measure_file, measure_trainer_file
from personamath.folder.layout import (
    CARD,
    CHART,
    PROVENANCE,
    ROW_GROUP_ROWS,
    Files,
    Layout,
    Part,
    StepFile,
    TrainerFile,
    part_path,
)
from personamath.folder.leaks import Secrets
from personamath.folder.licenses import Decision, decide
from personamath.folder.provenance import layout_of
from personamath.folder.teachers import models, writers
from personamath.folder.trainer_configs import TrainerConfig
from personamath.folder.trainer_files import examples
from personamath.methods.reflection import WRONG_RESPONSE
from personamath.records import SIMULATED
from personamath.sources.tables import opened_parquet


def check_folder(folder: Path, *, allow_simulated: bool = False) -> list[str]:
    """Check a dataset folder; return one line for the user per passed check.

    Raises `BadInput`, which names the file, the config and the row, at the first failed check. Takes about as long as
    loading every config once and grading every row. Memory holds one batch of rows and all ids.
    """
    files, facts = check_readable(folder, allow_simulated=allow_simulated)
    layout = facts.layout
    _check_card(folder, files, facts)
    _check_counts(folder, files, facts)
    secrets = Secrets()
    rows_check = _RowCheck(folder, secrets, facts)
    for file in files.steps:
        rows_check.check(file.step, file.part)
    for config in layout.trainer_configs:
        _check_examples(folder, layout, config)
    size = _check_bytes(folder, secrets)
    rows = sum(file.rows for file in files.steps)
    return [
        *(_check_config(folder, info, _schema(info["config_name"], layout)) for info in layout.dataset_info(files)),
        f"{rows:,} different ids",
        f"{rows:,} answers, each equal to its response's",
        f"no key and no path of this machine in {size:,} bytes",
    ]


class Claims(NamedTuple):
    """The claims of provenance.json, to compare the rest of the folder with."""

    layout: Layout
    simulated: bool
    rows: dict[str, Any]
    """Rows by step and source."""
    license: Decision
    recipe: dict[str, Any]


def check_readable(folder: Path, *, allow_simulated: bool = False) -> tuple[Files, Claims]:
    """Check that a folder is a readable dataset folder, before checking its rows; raises like `check_folder`."""
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder")
    if not any(folder.rglob("*.parquet")):
        raise BadInput(f"{folder}: contains no rows; is it a dataset folder?")
    claims = _read_provenance(folder)
    steps, trainers = _check_files(folder, claims.layout)
    if claims.simulated and not allow_simulated:
        raise BadInput(f"{folder / PROVENANCE}: the data is simulated; use --allow-simulated to publish it anyway")
    files = Files(
        [_measured(folder, step, part, claims.layout) for step, part in steps],
        [_measured_trainer_file(folder, config) for config in trainers],
    )
    return files, claims


def _check_files(folder: Path, layout: Layout) -> tuple[list[tuple[str, Part]], list[TrainerConfig]]:
    """Return the existing parquet files; raise `BadInput` if the folder has other files or lacks one."""
    files = [(step, part) for step, part in layout.files if (folder / part_path(step, part)).exists()]
    trainers = [config for config in layout.trainer_configs if (folder / config.path).exists()]
    paths = [*(part_path(step, part) for step, part in files), *(config.path for config in trainers)]
    expected = {CARD, PROVENANCE, CHART, *paths}
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}
    for name in sorted(expected - found):
        raise BadInput(f"{folder / name}: missing; write the folder again")
    for name in sorted(found - expected):
        raise BadInput(f"{folder / name}: not part of a dataset folder; remove it")
    for name in sorted(found):
        if not (folder / name).is_file() or (folder / name).is_symlink():
            raise BadInput(f"{folder / name}: not a plain file; write the folder again")
    return files, trainers


def _measured(folder: Path, step: str, part: Part, layout: Layout) -> StepFile:
    """Read a whole parquet file, check its columns, and measure it."""
    _check_columns(folder / part_path(step, part), step, layout.schema)
    return measure_file(folder, step, part, layout)


def _measured_trainer_file(folder: Path, config: TrainerConfig) -> TrainerFile:
    """Read the whole file of a config for trainers, check its columns, and measure it."""
    _check_columns(folder / config.path, config.name, config.schema)
    return measure_trainer_file(folder, config)


def _check_columns(path: Path, config: str, documented: pa.Schema) -> None:
    """Raise `BadInput` if a parquet file has other columns than documented, or no rows."""
    where = f"{path} (config {config})"
    with opened_parquet(path, where) as file:
        schema = file.schema_arrow.remove_metadata()
        if not schema.equals(documented):
            found, expected = ({f"{field.name}: {field.type}" for field in columns} for columns in (schema, documented))
            differing = ", ".join(sorted(found ^ expected)) or "their order"
            raise BadInput(f"{where}: its columns are not the documented ones; they differ in: {differing}")
        if not file.metadata.num_rows:
            raise BadInput(f"{where}: contains no rows; write the folder again")


def _read_provenance(folder: Path) -> Claims:
    path = folder / PROVENANCE
    if not path.is_file():
        raise BadInput(f"{path}: missing; is {folder} a dataset folder? write it again")
    try:
        provenance = json.loads(path.read_text(encoding="utf-8"))
        return Claims(
            layout_of(provenance, path),
            bool(provenance["simulated"]),
            dict(provenance["funnel"]["rows"]),
            decide(provenance),
            _with_models(provenance["recipe"], layout_of(provenance, path)),
        )
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise BadInput(f"{path}: not a provenance file ({_line(error)}); write the folder again") from None


def _with_models(recipe: dict[str, Any], layout: Layout) -> dict[str, Any]:
    """The recipe, checked to name its teachers, if the method asks any."""
    if not all(models(recipe)) or bool(models(recipe)) != bool(layout.outline.kinds):
        raise ValueError("its recipe names no teacher")
    return recipe


def _check_card(folder: Path, files: Files, claims: Claims) -> None:
    """Check that the card's configs and counts match the files, and that its licence contradicts no part's."""
    path = folder / CARD
    try:
        metadata = card_yaml(path.read_text(encoding="utf-8"))
        claimed = {info["config_name"]: info for info in metadata["dataset_info"]}
        configs, license = metadata["configs"], metadata["license"]
    except (LookupError, TypeError, ValueError, yaml.YAMLError) as error:
        raise BadInput(
            f"{path}: no card with configs and dataset_info ({_line(error)}); write the folder again"
        ) from None
    if license != claims.license.license and claims.license.required not in (None, license):
        of, required = claims.license.follows, claims.license.required
        raise BadInput(f"{path}: its licence, {license}, contradicts the {of}' licence, {required}")
    if configs != claims.layout.card_configs(files):
        raise BadInput(f"{path}: its configs do not match the files; write the folder again")
    for info in claims.layout.dataset_info(files):
        config = info["config_name"]
        if (says := claimed.pop(config, None)) != info:
            raise BadInput(
                f"{path}: config {config}: dataset_info says {_counts(says)}, but the files hold {_counts(info)}"
            )
    for config in claimed:
        raise BadInput(f"{path}: config {config}: dataset_info names a config without files")


def _counts(info: dict[str, Any] | None) -> str:
    return str({name: value for name, value in (info or {}).items() if name not in ("config_name", "features")})


def _check_counts(folder: Path, files: Files, claims: Claims) -> None:
    sources = {file.step: dict(file.sources) for file in by_step(files.steps)}
    for step in (step.name for step in claims.layout.steps):
        held, counted = sources.get(step, {}), claims.rows.get(step, {})
        if held != counted:
            raise BadInput(f"{folder / step} (config {step}): holds {held} rows by source, {PROVENANCE} says {counted}")


class _Fault(NamedTuple):
    """A row of a batch and what is wrong with it."""

    row: int
    what: str


class _RowCheck:
    """Checks the rows of one file after another and remembers their ids."""

    def __init__(self, folder: Path, secrets: Secrets, claims: Claims) -> None:
        self._folder = folder
        self._secrets = secrets
        self._simulated = claims.simulated
        self._layout = claims.layout
        outline = claims.layout.outline
        self._writers = {step.name: writers(claims.recipe, outline, step.name) for step in outline.steps}
        self._ids: set[str] = set()

    def check(self, step: str, part: Part) -> None:
        """Check every row of a file; raise `BadInput` with the place of a wrong one."""
        start = 0
        path = self._folder / part_path(step, part)
        with opened_parquet(path) as file:
            for batch in file.iter_batches(ROW_GROUP_ROWS):
                for fault in self._faults(batch, step, part):
                    id = batch["id"].slice(fault.row, 1)
                    shown = "its id is not shown" if self._secrets.in_column(id) else id[0]
                    where = f"{path} (config {step}), row {start + fault.row} ({shown})"
                    raise BadInput(f"{where}: {fault.what}")
                start += batch.num_rows

    def _faults(self, batch: pa.RecordBatch, step: str, part: Part) -> Iterator[_Fault]:
        for name in self._layout.schema.names:
            if name in self._layout.required and batch[name].null_count:
                yield _Fault(pc.index(pc.is_null(batch[name]), True).as_py(), f"{name} is null")
            if pa.types.is_string(batch[name].type) and (leak := self._secrets.in_column(batch[name])):
                yield _Fault(leak.place, f"{name} holds {leak.what}; it must not be published")
        for row, values in enumerate(batch.to_pylist()):
            if what := self._fault(values, step, part):
                yield _Fault(row, what)

    def _fault(self, row: dict[str, Any], step: str, part: Part) -> str | None:
        if row["id"] in self._ids:
            return "another row has the same id"
        self._ids.add(row["id"])
        if row["seed_id"] != row["id"].partition("/")[0]:
            return f"seed_id is {row['seed_id']}, but the id does not begin with it"
        fixed = {"step": step} | dict(self._layout.outline.step(step).fixed)
        if "method" in row:
            fixed["method"] = self._layout.outline.method
        for name, value in fixed.items():
            if row[name] != value:
                return f"its {name} is {_line(row[name])}, not {value}"
        if (row["flag"] is not None, row["overlap"] is not None) != (part.flagged, part.overlap == "overlap"):
            return (
                f"its flag is {_line(row['flag'])} and its overlap {_line(row['overlap'])}, so it is in the wrong file"
            )
        if (row["teacher"] or "").startswith(SIMULATED) and not self._simulated:
            return f"its teacher is simulated, but {PROVENANCE} does not say so"
        if row["teacher"] not in self._writers[step] and (row["teacher"] or self._writers[step]):
            named = " and ".join(sorted(self._writers[step])) or "none"
            return f"its teacher is {_line(row['teacher'])}, but {PROVENANCE} names {named}"
        for name in ("problem", "response", "review", WRONG_RESPONSE):
            if mark := mark_in(row.get(name) or ""):
                return (
                    f"{name} holds {_line(mark)}, a mark of reasoning or of a chat template; the same `personamath "
                    "augment` command takes it off and pays for nothing twice"
                )
        if (column := self._layout.outline.step(step).answer_in) is not None:
            if not is_right_output(row["answer"], row[column] or ""):
                return f"its answer is {_line(row['answer'])}, but its {column} is {_line(row[column])}"
            return None
        verdict = grade(row["answer"], row["response"])
        if not verdict.correct:
            return (
                f"its answer is {_line(row['answer'])}, but its response's is {_line(verdict.answer)} ({verdict.why})"
            )
        if (wrong := row.get(WRONG_RESPONSE)) is not None and grade(row["answer"], wrong).correct:
            return f"its {WRONG_RESPONSE} has the right answer, {_line(row['answer'])}"
        return None


def _check_examples(folder: Path, layout: Layout, config: TrainerConfig) -> None:
    """Check that the file of a config for trainers holds what the checked rows make, row group by row group."""
    path = folder / config.path
    where = f"{path} (config {config.name})"
    made = examples(folder, layout, config)
    if not path.exists():
        if next(made, None) is not None:
            raise BadInput(f"{where}: missing; write the folder again")
        return
    start = 0
    with opened_parquet(path, where) as file:
        for group in range(file.num_row_groups):
            found, expected = file.read_row_group(group), next(made, None)
            if expected is None or not found.equals(expected):
                place = f"{start} to {start + found.num_rows - 1}"
                raise BadInput(f"{where}: rows {place} do not agree with the dataset's rows; write the folder again")
            start += found.num_rows
    if next(made, None) is not None:
        raise BadInput(f"{where}: ends at row {start}, but the dataset's rows give more; write the folder again")


def _check_bytes(folder: Path, secrets: Secrets) -> int:
    """Check that no file contains a secret; return the folder's size in bytes."""
    size = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if leak := secrets.in_file(path):
            raise BadInput(f"{path}: holds {leak.what} at byte {leak.place}; it must not be published")
        size += path.stat().st_size
    return size


def _schema(config: str, layout: Layout) -> pa.Schema:
    """Return the documented columns of a config."""
    return next((one.schema for one in layout.trainer_configs if one.name == config), layout.schema)


def _check_config(folder: Path, info: Mapping[str, Any], schema: pa.Schema) -> str:
    """Load a config the way its users do, and compare it with its `dataset_info`, which was counted from the files."""
    import datasets

    config, expected = info["config_name"], info["splits"][0]["num_examples"]
    datasets.disable_progress_bars()
    # A cache of its own: what was loaded from another folder at this path must not come back.
    with tempfile.TemporaryDirectory(prefix="personamath-check-") as cache, folder_for_libraries(folder) as plain:
        try:
            loaded = datasets.load_dataset(str(plain), config, split="train", cache_dir=cache)
        except Exception as error:  # whatever it is, the readers would meet it too
            raise BadInput(f"{folder}: config {config}: load_dataset fails ({_line(first_cause(error))})") from error
        if (loaded.features, loaded.num_rows) != (datasets.Features.from_arrow_schema(schema), expected):
            raise BadInput(f"{folder}: config {config}: loads as {_line(loaded)} instead of its {expected:,} rows")
        return f"{config}: {loaded.num_rows:,} rows load"


def _line(what: object) -> str:
    """Shorten a foreign text for a one-line message."""
    return shorten(str(what), 120, placeholder=" ...")
