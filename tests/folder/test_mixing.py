"""`personamath mix`: datasets cut to equal size or matching coverage are whole datasets of their own."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personamath.commands.cli import main
from personamath.folder.card import FolderFacts, dataset_card
from personamath.folder.checks import check_folder
from personamath.folder.mixing import Parent, equal_coverage, equal_rows
from personamath.folder.reading import read_rows
from personamath.records import Row
from tests.support.folders import changed, row, write

SIZES = {"a": range(12), "b": range(4, 20)}


def rewrites(seeds: range, each: int) -> list[Row]:
    """Rows of these seed problems, `each` rewrites of each."""
    made = [row("stage1_rewrite", seed) for seed in seeds]
    return [changed(one, id=f"{one.seed_id}/p{number:04}") for one in made for number in range(each)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    for each, (name, seeds) in enumerate(SIZES.items(), 2):
        (folder / name).mkdir()
        write(folder / name / "dataset", rewrites(seeds, each))
    return [folder / name for name in SIZES]


def mixed(runs: list[Path], by: str, output: Path, *flags: str) -> dict[str, tuple[Row, ...]]:
    assert main(["mix", *map(str, runs), "--by", by, "--output", str(output), *flags]) == 0
    return {run.name: read_rows(output / run.name / "dataset") for run in runs}


def test_by_rows_every_dataset_has_the_size_of_the_smallest(runs: list[Path], tmp_path: Path) -> None:
    cut = mixed(runs, "rows", tmp_path / "cut")
    assert {name: len(rows) for name, rows in cut.items()} == {"a": 24, "b": 24}
    assert cut["a"] == read_rows(runs[0] / "dataset")
    whole = read_rows(runs[1] / "dataset")
    assert [one for one in whole if one in cut["b"]] == list(cut["b"])  # equal rows, in their order


def test_by_coverage_the_seed_problems_and_their_rows_are_equally_many(runs: list[Path], tmp_path: Path) -> None:
    cut = mixed(runs, "coverage", tmp_path / "cut")
    counts = [Counter(one.seed_id for one in rows) for rows in cut.values()]
    assert counts[0] == counts[1] and len(counts[0]) == 8 and set(counts[0].values()) == {2}


@pytest.mark.parametrize("by", ["rows", "coverage"])
def test_what_is_cut_passes_the_checks_and_says_where_it_is_from(runs: list[Path], tmp_path: Path, by: str) -> None:
    mixed(runs, by, tmp_path / "cut")
    for run in runs:
        folder = tmp_path / "cut" / run.name / "dataset"
        assert check_folder(folder)
        facts = json.loads((folder / "provenance.json").read_text())["mixed"]
        assert facts["by"] == by and facts["parent"]["name"] == run.name
        assert facts["parent"]["provenance_sha256"] == Parent.read(run).sha256
        assert [other["name"] for other in facts["beside"]] == [other.name for other in runs if other != run]
        card = (folder / "README.md").read_text()
        assert card == dataset_card(FolderFacts.read(folder)) and facts["parent"]["provenance_sha256"] in card


def test_the_same_seed_gives_the_same_bytes_and_another_other_rows(runs: list[Path], tmp_path: Path) -> None:
    first = mixed(runs, "rows", tmp_path / "cut")
    names = [path.relative_to(tmp_path / "cut") for path in (tmp_path / "cut").rglob("*") if path.is_file()]
    mixed(runs, "rows", tmp_path / "again")
    assert all((tmp_path / "cut" / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in names)
    assert mixed(runs, "rows", tmp_path / "cut", "--rng-seed", "1")["b"] != first["b"]


def test_what_cannot_be_compared_is_refused_before_anything_is_written(
    runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "a").mkdir(parents=True)
    write(elsewhere / "a" / "dataset", rewrites(range(100, 102), 1))
    (tmp_path / "taken" / "a").mkdir(parents=True)
    table = [
        (runs[:1], "rows", "cut", "at least two"),
        ([runs[0], elsewhere / "a"], "rows", "cut", "named 'a'"),
        ([runs[1], elsewhere / "a"], "coverage", "cut", "no seed problem has rows in all"),
        ([runs[0], tmp_path / "nothing"], "rows", "cut", "nothing"),
        (runs, "rows", "taken", "not from `mix`"),
    ]
    for given_runs, by, output, says in table:
        command = ["mix", *map(str, given_runs), "--by", by, "--output", str(tmp_path / output)]
        assert main(command) == 1
        assert says in capsys.readouterr().err
    assert not (tmp_path / "cut").exists() and not (tmp_path / "taken" / "b").exists()


def parent(name: str, counts: list[int]) -> Parent:
    made = [changed(one, id=f"{one.seed_id}/{n}") for seed, each in enumerate(counts) for n in range(each)
            for one in [row("stage1_rewrite", seed)]]  # fmt: skip
    return Parent(name, {}, "", made)


few = st.lists(st.integers(0, 4), min_size=6, max_size=6).filter(any)


@given(few, few, st.integers())
def test_both_cuts_are_equal_and_contained(one: list[int], other: list[int], rng_seed: int) -> None:
    parents = [parent("one", one), parent("other", other)]
    sizes = [len(cut) for cut in equal_rows(parents, rng_seed)]
    assert sizes == [min(sum(one), sum(other))] * 2
    if any(map(min, one, other)):
        cuts = equal_coverage(parents, rng_seed)
        assert sum(map(min, one, other)) == len(cuts[0]) == len(cuts[1])
        for cut, of in zip(cuts, parents, strict=True):
            kept = {each.id for each in cut}
            assert cut == [each for each in of.rows if each.id in kept]
