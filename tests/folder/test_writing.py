"""The dataset folder: what `load_dataset` opens, in every config, and what it says of itself."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
import yaml
from huggingface_hub import DatasetCard

from personamath.errors import RunDirectoryError
from personamath.folder.checks import check_folder
from personamath.folder.overlap import TestProblems
from personamath.folder.provenance import Origins
from personamath.folder.writing import write_folder
from personamath.methods import PersonaMath
from personamath.recipe import Recipe
from personamath.records import Row
from tests.support.folders import (
    LAYOUT,
    RECIPE,
    SIZES,
    STEPS,
    TRAINERS,
    UNCHECKED_CONFIGS,
    funnel_of,
    row,
    rows,
    write,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "dataset", rows())


@pytest.mark.parametrize("config", UNCHECKED_CONFIGS)
@pytest.mark.parametrize("streaming", [False, True])
def test_every_config_loads_with_its_rows_in_order(folder: Path, config: str, streaming: bool) -> None:
    expected = [row for step in UNCHECKED_CONFIGS[config] for row in rows() if row.step == step]
    loaded = datasets.load_dataset(str(folder), config, split="train", streaming=streaming)
    assert [Row.of(values) for values in loaded] == expected


def test_the_default_config_is_everything_and_the_only_split_is_train(folder: Path) -> None:
    loaded = datasets.load_dataset(str(folder))
    assert {name: len(split) for name, split in loaded.items()} == {"train": sum(SIZES.values())}
    assert datasets.get_dataset_config_names(str(folder)) == [*UNCHECKED_CONFIGS, *TRAINERS]


def test_columns_have_the_documented_names_and_types(folder: Path) -> None:
    features = datasets.load_dataset(str(folder), "stage2", split="train").features
    assert list(features) == list(LAYOUT.columns) == LAYOUT.schema.names
    types = {name: feature.dtype for name, feature in features.items()}
    assert {name for name, dtype in types.items() if dtype != "string"} == {"stage", "level"}
    assert types["stage"] == types["level"] == "int32"


def test_no_row_is_stored_twice(folder: Path) -> None:
    assert sum(len(list((folder / step).glob("*.parquet"))) for step in STEPS) == 4
    ids = Counter(row["id"] for row in datasets.load_dataset(str(folder), split="train"))
    assert max(ids.values()) == 1


@pytest.mark.parametrize("empty", STEPS)
def test_a_step_without_rows_breaks_no_other_config(tmp_path: Path, empty: str) -> None:
    sizes = {step: 0 if step == empty else 5 for step in STEPS}
    folder = write(tmp_path / "dataset", rows(sizes))
    for config, steps in UNCHECKED_CONFIGS.items():
        if steps != (empty,):
            assert len(datasets.load_dataset(str(folder), config, split="train")) == 5 * len(set(steps) - {empty})
    with pytest.raises(ValueError, match="not found"):
        datasets.load_dataset(str(folder), empty, split="train")
    assert f"| `{empty}` | 0 (no rows, so it cannot be loaded) |" in (folder / "README.md").read_text()


def test_the_card_counts_what_the_files_hold(folder: Path) -> None:
    card = DatasetCard.load(folder / "README.md")
    infos = {info["config_name"]: info for info in card.data.to_dict()["dataset_info"]}
    for config, steps in UNCHECKED_CONFIGS.items():
        split = infos[config]["splits"][0]
        assert split["num_examples"] == sum(SIZES[step] for step in steps)
        loaded = datasets.load_dataset(str(folder), config, split="train")
        assert abs(split["num_bytes"] - loaded.data.nbytes) < 0.05 * loaded.data.nbytes
        sizes = [(folder / step).glob("*.parquet") for step in steps]
        assert infos[config]["download_size"] == sum(path.stat().st_size for paths in sizes for path in paths)


LICENSES = [
    (
        Recipe(problems=("math",), teacher="t", method=PersonaMath(personas="proj-persona/PersonaHub")),
        "cc-by-nc-sa-4.0",
    ),
    (Recipe(problems=("math",), teacher="t"), "apache-2.0"),
    (Recipe(problems=("math",), teacher="t", method=PersonaMath(personas="mine.jsonl")), "unknown"),
]


@pytest.mark.parametrize(("recipe", "license"), LICENSES)
def test_the_personas_licence_is_the_datasets(tmp_path: Path, recipe: Recipe, license: str) -> None:
    card = DatasetCard.load(write(tmp_path / "dataset", rows({"stage1_inference": 1}), recipe) / "README.md")
    assert card.data.license == license


def test_simulated_data_says_so_in_name_tags_and_first_line(tmp_path: Path) -> None:
    simulated = Recipe(problems=("math",), teacher="simulated-teacher")
    text = (write(tmp_path / "dataset", rows({"stage1_inference": 1}), simulated) / "README.md").read_text()
    metadata = yaml.safe_load(text.split("---")[1])
    assert "simulated" in metadata["tags"] and "simulated" in metadata["pretty_name"]
    assert "do not train on this" in text
    real = (write(tmp_path / "real", rows({"stage1_inference": 1})) / "README.md").read_text()
    assert "imulated" not in real


def test_the_same_rows_are_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = write(tmp_path / "dataset", rows())
    for path in folder.rglob("*"):
        if path.is_file():
            assert (again / path.relative_to(folder)).read_bytes() == path.read_bytes()


def test_a_folder_that_cannot_be_written_leaves_the_old_one_whole(tmp_path: Path) -> None:
    folder = write(tmp_path / "dataset", rows({"stage1_inference": 5}))

    def until_the_disk_is_full() -> Iterator[Row]:
        yield row("stage1_inference", 0)
        raise OSError(28, "No space left on device")

    with pytest.raises(RunDirectoryError, match="No space left on device"):
        write_folder(folder, until_the_disk_is_full(), RECIPE, funnel_of([]).as_dict(LAYOUT.outline))
    assert len(datasets.load_dataset(str(folder), split="train")) == 5
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("dataset")] == ["dataset"]


LETTERS = str.maketrans("0123456789", "abcdefghij")


def worded(row: Row) -> Row:
    """The row with a question that no other seed problem has, whatever its numbers."""
    question = f"What is the {row.seed_id.translate(LETTERS)} sum of 3 and 4?"
    rewritten = row.step.endswith("rewrite")
    return replace(row, seed_problem=question, problem=f"A cook asks: {question}" if rewritten else question)


def write_compared(folder: Path, some: list[Row], tests: list[str]) -> Path:
    origins = Origins.named(RECIPE)
    origins = replace(origins, benchmarks=[{"source": "math:test.jsonl"}], test_problems=TestProblems(tests))
    return write(folder, some, origins=origins)


@pytest.mark.slow
def test_strict_leaves_flagged_rows_out_and_clean_those_that_overlap(tmp_path: Path) -> None:
    few = list(map(worded, rows({"stage1_inference": 9, "stage1_rewrite": 9, "stage2_reflection": 4})))
    astray = {row.id for row in few if row.step == "stage1_rewrite" and row.id.endswith(("3/p0001", "4/p0001"))}
    some = [replace(row, problem=f"{row.problem} Add 77.") if row.id in astray else row for row in few]
    equal, masked = few[0].seed_problem, few[9].seed_problem
    rewritten = next(row for row in some if row.step == "stage1_rewrite" and row.seed_problem not in (equal, masked))
    tests = [f"  {equal}\n", masked.replace("3", "55"), rewritten.problem]
    folder = write_compared(tmp_path / "dataset", some, tests)

    def load(config: str) -> list[dict[str, Any]]:
        return list(datasets.load_dataset(str(folder), config, split="train"))

    everything = load("default")
    assert Counter(row["id"] for row in everything) == Counter(row.id for row in some)
    assert {row["id"]: row["flag"] for row in everything if row["flag"]} == dict.fromkeys(astray, "new 77")
    # A row overlaps by its seed problem, or by its own.
    expected = {equal: "equal", masked: "masked", rewritten.problem: "equal"}
    assert [row["overlap"] for row in everything] == [
        expected.get(row["seed_problem"]) or expected.get(row["problem"]) for row in everything
    ]
    assert load("strict") == [row for row in everything if not row["flag"]] != everything
    assert load("clean") == [row for row in everything if not row["overlap"]] != everything
    assert f"clean: {len(load('clean'))} rows load" in check_folder(folder)
    assert [row["id"] for row in load("sft")] == [row["id"] for row in load("clean")]
    parts = [path.name for path in sorted((folder / "stage1_rewrite").iterdir())]
    assert parts == ["train-clean-flagged.parquet", "train-clean-sound.parquet", "train-overlap-sound.parquet"]
    order = [row.id for row in some]
    for path in (path for step in STEPS for path in (folder / step).glob("*.parquet")):
        ids = pq.read_table(path)["id"].to_pylist()
        assert ids == sorted(ids, key=order.index)


def test_where_nothing_was_compared_nothing_is_called_clean(folder: Path, tmp_path: Path) -> None:
    assert "clean" not in datasets.get_dataset_config_names(str(folder))
    compared = write_compared(tmp_path / "dataset", rows({"stage1_inference": 3}), ["Something else."])
    assert len(datasets.load_dataset(str(compared), "clean", split="train")) == 3
