"""Datasets of methods other than the paper's: with other steps, without personas, from other problems."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import datasets
import pytest
import yaml

from personamath.folder.checks import check_folder
from personamath.folder.layout import CARD, CHART
from personamath.folder.provenance import Origins
from personamath.folder.reading import read_provenance, read_rows
from personamath.methods import METHODS, Direct
from personamath.methods.method import Config, Kind, Method, Outline, Step
from personamath.methods.prompts import Prompt
from personamath.methods.work import Work
from personamath.recipe import Recipe
from personamath.records import Problem, Row, Solution
from tests.support.folders import RECIPE, changed, row, rows, write

DIRECT = Recipe(problems=("gsm8k", "math"), teacher="teacher-1", method=Direct(k1=2, k2=4))
SOME = {"stage1_inference": 6, "stage1_rewrite": 9, "stage2_reflection": 3, "stage2_rewrite": 7}


def direct(one: Row) -> Row:
    """The row as `direct` would have made it."""
    columns = {name: value for name, value in one.columns.items() if name != "persona"}
    return replace(one, id=one.id.replace("/p", "/d"), method="direct", columns=columns)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "dataset", list(map(direct, rows(SOME))), DIRECT)


def card(folder: Path) -> str:
    return (folder / CARD).read_text()


def test_a_dataset_without_personas_loads_without_their_column(folder: Path) -> None:
    assert "default: 25 rows load" in check_folder(folder)
    loaded = datasets.load_dataset(str(folder), "stage2", split="train")
    assert "persona" not in loaded.column_names and set(loaded["method"]) == {"direct"}
    assert loaded["review"] == ["It adds."] * 10
    assert read_provenance(folder)["personas"] is None
    assert sorted(read_rows(folder), key=str) == sorted(map(direct, rows(SOME)), key=str)


def test_its_card_says_nothing_of_personas(folder: Path) -> None:
    text = card(folder)
    # But for the project's own name, and for what the method says that it leaves out.
    said = re.sub("personamath", "", text.partition("## Citation")[0], flags=re.IGNORECASE)
    for left_out in (Direct.outline.title, "with no persona", Direct.outline.how.splitlines()[-1]):
        said = said.replace(left_out, "")
    assert "persona" not in said.lower()
    metadata = yaml.safe_load(text.split("---\n")[1])
    assert metadata["pretty_name"] == "PersonaMath-direct"
    assert metadata["license"] == "mit" and "under **mit**. The licence of the problems decides" in text
    assert "persona" not in metadata["tags"]
    assert "the paper" not in text and "rewrites each solved problem 2 times" in text


def test_prompts_come_in_the_methods_order(folder: Path) -> None:
    names = re.findall(r"^The prompt of \*(\w+)\*:$", card(folder), re.MULTILINE)
    assert names == list(Direct.prompts) == ["inference", "rewriting", "reflection"]


def test_a_dataset_of_ones_own_problems_does_not_pass_for_gsm8k_or_math(tmp_path: Path) -> None:
    problems = tmp_path / "mine.jsonl"
    problems.write_text('{"question": "What is 2 + 2?", "answer": "4"}\n')
    recipe = replace(RECIPE, problems=(f"shop:{problems}:question:answer",))
    some = [
        changed(one, source="shop", id=f"shop-mine-{one.id.partition('-train-')[2]}", level=None, subject=None)
        for one in rows(SOME)
    ]
    some = [replace(one, seed_id=one.id.partition("/")[0]) for one in some]
    folder = write(tmp_path / "dataset", some, recipe, Origins.found(recipe.sources, []))
    text = card(folder)
    assert "default: 25 rows load" in check_folder(folder)
    assert "made from problems of `shop`" in text
    assert "GSM8K and MATH" not in text and "the paper" not in text and "249" not in text
    assert yaml.safe_load(text.split("---\n")[1])["source_datasets"] == ["original"]
    assert re.search(r"^\| `shop` +\| +6 \| +9 \| +3 \| +7 \| +25 \|$", text, re.MULTILINE)
    assert "| problems `shop:mine.jsonl` | unknown |" in text


@pytest.mark.parametrize(
    ("problems", "compared"),
    [
        (("gsm8k", "math"), ["GSM8K", "MATH", "all"]),
        (("gsm8k",), ["GSM8K"]),
        (("gsm8k", "shop:mine.jsonl:question:answer"), ["GSM8K"]),
    ],
)
def test_the_papers_rows_stand_beside_those_of_its_own_sources_only(
    tmp_path: Path, problems: tuple[str, ...], compared: list[str]
) -> None:
    sources = [problem.partition(":")[0] for problem in problems]
    some = [replace(row("stage1_inference", number), source=source) for number, source in enumerate(sources)]
    text = card(write(tmp_path / "dataset", some, replace(RECIPE, problems=problems)))
    assert re.findall(r"^\| (\w+), the paper", text, re.MULTILINE) == compared
    assert ("| all, this version" in text) == (len(sources) > 1)


@dataclass(frozen=True, kw_only=True)
class Voting(Method):
    """Several solutions of each seed problem, and what most of them say; this version knows no such method."""

    k: int = 5
    prompts: ClassVar = {"solve": Prompt("Solve: {problem}"), "check": Prompt("Check: {problem}")}
    outline: ClassVar = Outline(
        method="voting",
        title="several solutions of each problem",
        how="The teacher solves each problem {k} times.",
        cite="arXiv 0000.00000",
        steps=(Step("voted", "voted", "solutions that most agree with", answer_from="majority"),),
        kinds=(Kind("voted", "Solve the problem", "voted", "solve"),),
        configs={"all-voted": Config("all of them", ("voted",))},
    )

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        return []


def test_a_folder_explains_a_method_that_this_version_does_not_know(tmp_path: Path) -> None:
    assert Voting.outline.method not in METHODS
    some = [replace(row("stage1_inference", number), step="voted", method="voting", columns={}) for number in range(5)]
    folder = write(tmp_path / "dataset", some, replace(RECIPE, method=Voting()))
    facts = check_folder(folder)
    assert facts[:4] == [f"{config}: 5 rows load" for config in ("default", "strict", "all-voted", "voted")]
    assert sorted(read_rows(folder), key=str) == sorted(some, key=str)
    text = card(folder)
    assert "The method is `voting`: several solutions of each problem (arXiv 0000.00000)." in text
    assert "The reference answer in `voted` is the one that most of the teacher's solutions agree on" in text
    assert "No problem in this dataset was reworded" in text and "A rewrite" not in text
    assert "the teacher solves each problem 5 times" in text.lower()
    assert re.findall(r"^The prompt of \*(\w+)\*:$", text, re.MULTILINE) == ["solve", "check"]
    assert (folder / CHART).read_bytes()[:4] == b"\x89PNG"
