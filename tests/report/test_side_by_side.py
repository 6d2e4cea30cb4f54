"""Runs side by side: seed problems are the sampling unit, and words say what the data cannot show."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from personamath.commands.cli import main
from personamath.errors import BadInput, RunDirectoryError
from personamath.methods import Direct, PersonaMath, Rejection, Resample
from personamath.methods.method import Method
from personamath.recipe import Recipe
from personamath.records import Problem, Row
from personamath.report.analysis.rows import RunData
from personamath.report.side_by_side.comparison import SideBySide, compared, short_names
from personamath.report.side_by_side.page import page, write_page
from personamath.report.side_by_side.wording import EMPTY, sentences, table, terminal
from tests.support.analysed import run_data
from tests.support.folders import row

SEEDS = tuple(Problem(f"gsm8k-train-{n:05}", "gsm8k", f"How many are {n} apples?", str(n)) for n in range(60))


def of_seed(seed: Problem, step: str, sample: int = 0, question: str | None = None) -> Row:
    """One kept row of a seed problem."""
    return replace(
        row("stage1_inference", 0),
        id=f"{seed.id}/s{sample:04}" if sample else seed.id,
        step=step,
        seed_id=seed.id,
        seed_problem=seed.question,
        problem=question or seed.question,
        source="gsm8k",
    )


def run(name: str, rows: Sequence[Row], method: Method, seeds: Sequence[Problem] = SEEDS, **recipe: str) -> RunData:
    """A run whose seed problems are all known."""
    made = Recipe(problems=("gsm8k",), teacher=recipe.get("teacher", "teacher-1"), method=method)
    return replace(run_data(rows, made), name=name, seeds=tuple(seeds), missing={})


def solved(count: int, samples: int = 1) -> list[Row]:
    """Rows of the first seed problems, each solved so often."""
    return [of_seed(seed, "rejection", sample) for seed in SEEDS[:count] for sample in range(samples)]


def rejections(one: int, two: int, samples: int = 1) -> SideBySide:
    """Two runs of one sample that keep these numbers of seed problems."""
    runs = (run(name, solved(count, samples), Rejection(k=samples)) for name, count in (("one", one), ("two", two)))
    return compared(list(runs))


def test_rows_of_one_seed_problem_do_not_make_an_interval_shorter() -> None:
    once, often = rejections(36, 34), rejections(36, 34, samples=8)
    for measure in ("keep_rate", "seeds_with_rows"):
        widths = [found.intervals["one"][measure].high - found.intervals["one"][measure].low for found in (once, often)]
        assert widths[0] == pytest.approx(widths[1])
    assert once.intervals["one"]["keep_rate"].value == often.intervals["one"]["keep_rate"].value == 0.6


def test_differences_are_paired_over_the_seed_problems_that_runs_share() -> None:
    differences = {each.measure.name: each.difference for each in rejections(36, 34).differences}
    of_one = rejections(36, 34).intervals["one"]["keep_rate"]
    keep = differences["keep_rate"]
    assert keep.value == pytest.approx(2 / 60)
    assert keep.high - keep.low < (of_one.high - of_one.low) / 2


def test_words_say_which_differences_the_data_cannot_show() -> None:
    near, far = " ".join(sentences(rejections(36, 35))), " ".join(sentences(rejections(50, 20)))
    assert "tries kept 60 % and 58 %" in near and "60 seed problems cannot tell them apart" in near
    assert "one and two differ: rows per seed problem 0.83 and 0.33" in far
    assert "about one in twenty looks like a difference" in near


def test_a_table_has_a_column_for_each_run_and_no_row_that_applies_to_none() -> None:
    cells = table(rejections(36, 34, samples=2))
    shown = {str(first): rest for first, *rest in cells.rows}
    assert cells.columns == ("", "one", "two")
    assert shown["kept rows"] == ["72", "68"]
    assert shown["ceiling: problems without a row"] == ["24", "26"]
    assert str(shown["unique questions"][0]).startswith("50 %")
    assert not {"mean level", "flagged rewrites", "overlap with test problems", "USD per 1,000 rows"} & shown.keys()


def test_every_line_of_the_terminals_table_has_its_columns_in_one_place() -> None:
    lines = list(terminal(rejections(36, 34)))
    lines = lines[: lines.index("")]
    assert len({len(line) for line in lines}) == 1


INCOMPARABLE = [
    (run("two", solved(30), Rejection(k=1), teacher="teacher-2"), "`teacher` is teacher-1 (one), teacher-2 (two)"),
    (run("two", solved(30), Rejection(k=1), SEEDS[:40]), "one and two share 40 of 60 and 40 seed problems"),
    (run("two", solved(30), Rejection(k=1)), ""),
]


@pytest.mark.parametrize(("other", "warning"), INCOMPARABLE, ids=["teacher", "problems", "nothing"])
def test_runs_that_differ_in_more_than_the_method_are_warned_of(other: RunData, warning: str) -> None:
    found = compared([run("one", solved(30), Rejection(k=1)), other])
    about_more = [each for each in found.caveats if "are few" not in each]
    assert len(about_more) == bool(warning) and all(warning in each for each in about_more)


def test_another_grader_is_warned_of() -> None:
    one, two = (run(name, solved(30), Rejection(k=1)) for name in ("one", "two"))
    packages = {**two.provenance["packages"], "math-verify": "0.0.1"}
    other = replace(two, provenance={**two.provenance, "packages": packages})
    assert any("math-verify, which grades" in each for each in compared([one, other]).caveats)


def test_other_test_problems_and_requests_without_an_answer_are_warned_of() -> None:
    one, two = (run(name, solved(30), Rejection(k=1)) for name in ("one", "two"))
    funnel = {**two.provenance["funnel"], "requests": {"rejection": {"kept": 30, "failed": 1_200}}}
    other = replace(two, provenance={**two.provenance, "funnel": funnel, "benchmarks": [{"source": "gsm8k"}]})
    said = " ".join(compared([one, other]).caveats)
    assert "compared with different test problems, so their overlaps are not comparable" in said
    assert "two has 1,200 requests without an answer: run its command again" in said and "one has" not in said


def test_a_run_that_kept_nothing_is_compared() -> None:
    found = rejections(36, 0)
    cells = {str(first): rest for first, *rest in table(found).rows}
    assert found.vocabulary is None and not any("word types" in label for label in cells)
    assert cells["kept rows"] == ["36", "0"] and cells["ceiling: problems without a row"] == ["24", "60"]
    assert [cell == EMPTY for cell in cells["requests per row"]] == [False, True]


def test_reflection_and_new_tries_are_compared_on_the_problems_that_both_got_wrong() -> None:
    right = [of_seed(seed, "stage1_inference") for seed in SEEDS[:20]]
    wrong = {seed.id: "No." for seed in SEEDS[20:]}
    reflected = right + [of_seed(seed, "stage2_reflection") for seed in SEEDS[20:26]]
    resampled = right + [of_seed(seed, "stage2_resample") for seed in SEEDS[20:40]]
    runs = [
        replace(run("persona", reflected, PersonaMath()), wrong=wrong),
        replace(run("resample", resampled, Resample(tries_again=2)), wrong=wrong),
    ]
    (chance,) = compared(runs).second_chances
    assert chance.wrong == 40 and chance.recovered and chance.recovered.shown
    assert (chance.recovered.better, chance.recovered.worse) == (0, 14)
    said = chance.words()
    assert "(persona) recovers 6 and new tries (resample) recover 20" in said
    assert "make them equal" in said


def test_without_a_problem_that_both_got_wrong_reflection_and_new_tries_are_not_compared() -> None:
    right = [of_seed(seed, "stage1_inference") for seed in SEEDS]
    runs = [replace(run(name, right, method), wrong={}) for name, method in (("a", PersonaMath()), ("b", Resample()))]
    (chance,) = compared(runs).second_chances
    assert chance.words() == "a and b tried no wrong problem again that both have."


def test_a_page_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("of somebody else")
    with pytest.raises(RunDirectoryError, match=r"cannot write .*file \(.*\); choose another --output"):
        write_page(rejections(36, 34), tmp_path / "file", "{}")


def test_the_page_escapes_names_and_loads_nothing(tmp_path: Path) -> None:
    runs = [run(name, solved(30), Direct()) for name in ("<script>alert(1)</script>", "b")]
    found = compared([replace(each, name=each.name) for each in runs])
    html = page(found)
    assert "<script" not in html and "http://" not in html.replace("http://www.w3.org", "")
    assert "What the data can show" in html
    assert write_page(found, tmp_path / "page", "{}").read_text() == html


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["runs/a", "runs/b"], ["a", "b"]),
        (["x/dataset", "y/dataset"], ["x/dataset", "y/dataset"]),
        (["me/Data@v1", "runs/b"], ["Data@v1", "b"]),
    ],
)
def test_names_are_as_short_as_they_can_be(names: list[str], short: list[str]) -> None:
    assert short_names(names) == short


def test_what_cannot_be_compared_is_refused() -> None:
    one = run("one", solved(30), Rejection(k=1))
    for runs, why in (
        ([one], "at least two runs"),
        ([one, one], "one is given twice"),
        ([one, replace(one, name="two", seeds=None, missing={"seeds": "they moved"})], "two: a comparison needs all"),
    ):
        with pytest.raises(BadInput, match=why):
            compared(runs)


@pytest.mark.slow
def test_the_command_compares_two_runs(demo_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        shutil.copytree(demo_run, tmp_path / name)
    assert (
        main(["compare", str(tmp_path / "one"), str(tmp_path / "two"), "--json", "--output", str(tmp_path / "out")])
        == 0
    )
    said = capsys.readouterr()
    content = json.loads(said.out)
    assert [run["name"] for run in content["runs"]] == ["one", "two"]
    assert not any(each["shown"] for each in content["differences"])
    assert "The simulated teacher wrote one and two" in said.err
    assert json.loads((tmp_path / "out" / "compare.json").read_text()) == content
    assert (tmp_path / "out" / "index.html").is_file()


@pytest.mark.parametrize("moved", [False, True])
def test_runs_that_name_relative_files_are_compared_from_any_folder(
    moved: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mine.jsonl").write_text('{"question": "What is 1 + 1?", "answer": "It is 2.\\n#### 2"}\n')
    monkeypatch.chdir(folder)
    for name in ("one", "two"):
        made = ["augment", "--method", "original", "--problems", "shop:mine.jsonl:question:answer"]
        assert main([*made, "--output", f"runs/{name}"]) == 0
    if moved:
        folder = folder.rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main(["compare", *(str(folder / "runs" / name) for name in ("one", "two")), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["seed_problems"] for run in found["runs"]] == [1, 1]
