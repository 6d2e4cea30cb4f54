"""The dataset folder: what `load_dataset` opens, in every config, and what it says of itself."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import datasets
import pytest
import yaml
from huggingface_hub import DatasetCard

from personamath.errors import RunDirectoryError
from personamath.funnel import STEPS, Funnel
from personamath.recipe import Recipe
from personamath.records import Row, Step
from personamath_hub.datasets import write_folder
from personamath_hub.layout import COLUMNS, CONFIGS, SCHEMA
from tests.folders import RECIPE, SIZES, row, rows, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "dataset", rows())


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("streaming", [False, True])
def test_every_config_loads_with_its_rows_in_order(folder: Path, config: str, streaming: bool) -> None:
    expected = [row for step in CONFIGS[config] for row in rows() if row.step == step]
    loaded = datasets.load_dataset(str(folder), config, split="train", streaming=streaming)
    assert [Row(**values) for values in loaded] == expected


def test_the_default_config_is_everything_and_the_only_split_is_train(folder: Path) -> None:
    loaded = datasets.load_dataset(str(folder))
    assert {name: len(split) for name, split in loaded.items()} == {"train": sum(SIZES.values())}
    assert datasets.get_dataset_config_names(str(folder)) == list(CONFIGS)


def test_columns_have_the_documented_names_and_types(folder: Path) -> None:
    features = datasets.load_dataset(str(folder), "stage2", split="train").features
    assert list(features) == list(COLUMNS) == SCHEMA.names
    types = {name: feature.dtype for name, feature in features.items()}
    assert {name for name, dtype in types.items() if dtype != "string"} == {"stage", "level"}
    assert types["stage"] == types["level"] == "int32"


def test_no_row_is_stored_twice(folder: Path) -> None:
    assert len(list(folder.rglob("*.parquet"))) == 4
    ids = Counter(row["id"] for row in datasets.load_dataset(str(folder), split="train"))
    assert max(ids.values()) == 1


@pytest.mark.parametrize("empty", STEPS)
def test_a_step_without_rows_breaks_no_other_config(tmp_path: Path, empty: Step) -> None:
    sizes: dict[Step, int] = {step: 0 if step == empty else 5 for step in STEPS}
    folder = write(tmp_path / "dataset", rows(sizes))
    for config, steps in CONFIGS.items():
        if steps != (empty,):
            assert len(datasets.load_dataset(str(folder), config, split="train")) == 5 * len(set(steps) - {empty})
    with pytest.raises(ValueError, match="not found"):
        datasets.load_dataset(str(folder), empty, split="train")
    assert f"| `{empty}` | 0 (no rows, so it cannot be loaded) |" in (folder / "README.md").read_text()


def test_the_card_counts_what_the_files_hold(folder: Path) -> None:
    card = DatasetCard.load(folder / "README.md")
    infos = {info["config_name"]: info for info in card.data.to_dict()["dataset_info"]}
    for config, steps in CONFIGS.items():
        split = infos[config]["splits"][0]
        assert split["num_examples"] == sum(SIZES[step] for step in steps)
        loaded = datasets.load_dataset(str(folder), config, split="train")
        assert abs(split["num_bytes"] - loaded.data.nbytes) < 0.05 * loaded.data.nbytes
        sizes = [(folder / step).glob("*.parquet") for step in steps]
        assert infos[config]["download_size"] == sum(path.stat().st_size for paths in sizes for path in paths)


LICENSES = [
    (Recipe(problems=("math",), teacher="t", personas="proj-persona/PersonaHub"), "cc-by-nc-sa-4.0"),
    (Recipe(problems=("math",), teacher="t"), "apache-2.0"),
    (Recipe(problems=("math",), teacher="t", personas="mine.jsonl"), "unknown"),
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
        write_folder(folder, until_the_disk_is_full(), RECIPE, Funnel())
    assert len(datasets.load_dataset(str(folder), split="train")) == 5
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("dataset")] == ["dataset"]
