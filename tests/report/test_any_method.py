"""Reports of datasets that any method made, known or not, of both formats, and with inputs that changed since."""

import asyncio
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.parquet as pq
import pytest

from personamath.commands.cli import main
from personamath.errors import BadInput
from personamath.folder.checks import check_folder
from personamath.methods import Direct, Evol, MetaMath, Original, PersonaMath, ProgramOfThought, Rejection
from personamath.methods.method import Column, Kind, Method, Outline, Step
from personamath.methods.work import Work
from personamath.recipe import Recipe
from personamath.records import Problem, Row, Solution
from personamath.report.analysis.catalogue import analyses
from personamath.report.analysis.composition import composition, keep_rates
from personamath.report.analysis.false_wrong import false_wrong
from personamath.report.analysis.not_kept import MOST_OF_EACH
from personamath.report.analysis.persona_groups import persona_groups
from personamath.report.analysis.result import Analysis, LeftOut
from personamath.report.analysis.rows import RunData, read_run
from personamath.report.browser import _steps
from personamath.report.funnel import funnel
from personamath.report.write import write_report
from personamath.runs.engines import make_dataset
from personamath.runs.setup import Setup
from personamath.sources.problems import ProblemSource
from personamath.teachers.simulated import MODEL, SimulatedTeacher, application, bundled_problems, serve
from tests.support.analysed import run_data
from tests.support.chromium import Page
from tests.support.folders import write


def run_of(method: Method, output: Path, problems: tuple[str, ...], **settings: Any) -> Path:
    """A finished run on the embedded teacher."""
    recipe = Recipe(problems=problems, teacher=MODEL, method=method, **settings)
    teacher = SimulatedTeacher(map(ProblemSource.parse, bundled_problems()))

    async def make() -> None:
        async with serve(application(teacher)) as base_url:
            await make_dataset(recipe, Setup(base_url=(base_url,), output=str(output)))

    asyncio.run(make())
    return output


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The bundled problems in files of one's own."""
    folder = tmp_path_factory.mktemp("problems")
    copies = [
        (source.partition(":")[0], shutil.copy(source.partition(":")[2], folder)) for source in bundled_problems()
    ]
    return tuple(f"{name}:{path}" for name, path in copies)


@pytest.fixture(scope="module")
def persona_run(tmp_path_factory: pytest.TempPathFactory, sources: tuple[str, ...]) -> Path:
    """Of personas in a file of one's own."""
    folder = tmp_path_factory.mktemp("persona")
    personas = folder / "personas.jsonl"
    some = [{"persona": f"A cook number {number}", "occupation": f"group {number % 3}"} for number in range(20)]
    personas.write_text("".join(json.dumps(one) + "\n" for one in some))
    return run_of(PersonaMath(k1=2, k2=3, personas=str(personas)), folder / "run", sources)


@pytest.fixture(scope="module")
def direct_run(tmp_path_factory: pytest.TempPathFactory, sources: tuple[str, ...]) -> Path:
    return run_of(Direct(k1=2, k2=3), tmp_path_factory.mktemp("direct") / "run", sources)


def read(run: Path) -> RunData:
    return read_run(run / "dataset", run.name, run)


@pytest.fixture(scope="module")
def direct_page(direct_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(read(direct_run), tmp_path_factory.mktemp("direct-report"))


def cells(found: Analysis | LeftOut, *columns: str) -> list[tuple[Any, ...]]:
    assert isinstance(found, Analysis), found
    places = [found.table.columns.index(name) for name in columns]
    return [tuple(row[place] for place in places) for row in found.table.rows]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "compared"),
    [
        (Rejection(k=4), False),
        (MetaMath(answers=3, rephrasings=3, fobar=2, self_verification=2), False),
        (Evol(rounds_down=2, rounds_up=2, branches=2, n_solve=3, min_votes=2), True),
    ],
    ids=["rejection", "metamath", "evol"],
)
def test_what_any_method_did_not_keep_is_what_it_counted(
    method: Method, compared: bool, sources: tuple[str, ...], tmp_path: Path
) -> None:
    test_problems = tmp_path / "test.jsonl"
    test_problems.write_text('{"question": "What is two and two?"}\n')
    benchmark = (f"{test_problems}:question",) if compared else ()
    data = read(run_of(method, tmp_path / "run", sources, benchmark=benchmark, limit=12))
    assert data.lost and sum(data.lost.counts.values())
    assert Counter((one.kind, one.reason) for one in data.lost.shown) == {
        each: min(count, MOST_OF_EACH) for each, count in data.lost.counts.items()
    }


def test_a_method_without_personas_has_a_whole_report(direct_run: Path, direct_page: Path) -> None:
    data = read(direct_run)
    assert data.seeds and data.wrong and data.solved and data.personas is None and not data.missing
    found = analyses(data)
    assert {one.name for one in found.left_out} == {
        *("contamination", "second-opinion", "stage-two", "persona-groups"),
        *("first-answers", "question-lengths", "scores"),
    }
    assert "'direct' does not rewrite for personas" in str(persona_groups(data))
    assert cells(composition(data), "step")[-1] == ("all",) and "paper" not in str(composition(data))
    requests = json.loads((direct_run / "run.json").read_text())["requests"]
    tried = {(level, step): count for level, step, count in cells(keep_rates(data), "level", "step", "tried")}
    assert tried["all", "Stage 1: rewrite"] == sum(requests["stage1_rewrite: rewrite"].values())
    html = direct_page.read_text()
    assert "Rewriting without personas" in html and "<b>persona</b>" not in html


def lose_a_line(path: Path) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def change_a_word(path: Path) -> None:
    path.write_text(path.read_text().replace("How many", "How much"))


CHANGES = [
    (lose_a_line, True, "gsm8k-demo.jsonl changed after the data was made"),
    (change_a_word, True, "gsm8k-demo.jsonl changed after the data was made"),
    (Path.unlink, True, "gsm8k-demo.jsonl: No such file or directory"),
    # A folder without digests: the rows tell.
    (change_a_word, False, "is not the problem that the data was made from"),
]


@pytest.mark.parametrize(("change", "recorded", "why"), CHANGES)
def test_a_problems_file_that_changed_after_the_run_is_named_and_not_used(
    sources: tuple[str, ...],
    persona_run: Path,
    tmp_path: Path,
    change: Callable[[Path], None],
    recorded: bool,
    why: str,
) -> None:
    run = shutil.copytree(persona_run, tmp_path / "run")
    changed = moved(run, sources, tmp_path)
    if not recorded:
        edit(run / "dataset/provenance.json", lambda content: [one.pop("sha256") for one in content["problems"]])
    assert read(run).seeds and not read(run).missing
    change(changed)
    data = read(run)
    assert data.seeds is None and data.solved is None and data.wrong is None and data.personas
    assert why in data.missing["seeds"] and data.missing["wrong"] == data.missing["seeds"]


def test_a_report_is_made_although_a_problems_file_changed(
    sources: tuple[str, ...], persona_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = shutil.copytree(persona_run, tmp_path / "run")
    changed = moved(run, sources, tmp_path)
    lose_a_line(changed)
    assert main(["report", str(run), "--output", str(tmp_path / "report")]) == 0
    assert capsys.readouterr().err.count(f"{changed} changed after the data was made") == 1, "one note is enough"
    html = (tmp_path / "report" / "index.html").read_text()
    for title in ("Level of right and wrong first answers", "Share of tries kept, by level"):
        assert f"<strong>{title}.</strong> The seed problems are not available: {changed}" in html


def moved(run: Path, sources: tuple[str, ...], folder: Path) -> Path:
    """Let a run name copies of its problems; gives the first of them."""
    copies = [(source.partition(":")[0], Path(shutil.copy(source.partition(":")[2], folder))) for source in sources]
    edit(run / "run.json", lambda content: content["recipe"].update(problems=[f"{n}:{path}" for n, path in copies]))
    return copies[0][1]


def test_a_personas_file_that_changed_after_the_run_is_named_and_not_used(persona_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(persona_run, tmp_path / "run")
    personas = Path(shutil.copy(persona_run.parent / "personas.jsonl", tmp_path))
    edit(run / "run.json", lambda content: content["recipe"].update(personas=str(personas)))
    assert isinstance(persona_groups(read(run)), Analysis)
    lose_a_line(personas)
    data = read(run)
    assert data.personas is None and data.seeds
    left = persona_groups(data)
    assert isinstance(left, LeftOut) and f"{str(personas)!r} changed after the data was made" in left.why


def edit(path: Path, change: Callable[[Any], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_a_run_of_format_1_has_the_same_report(persona_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(persona_run, tmp_path / "run")
    for path in (run / "dataset").glob("stage*/*.parquet"):
        pq.write_table(pq.read_table(path).drop_columns(["method"]), path)
    for name in ("run.json", "dataset/provenance.json"):
        edit(run / name, lambda content: (content.pop("method", None), content["recipe"].pop("method")))
    edit(run / "dataset/provenance.json", lambda content: content.update(format=1))
    before, now = read(run), read(persona_run)
    assert "method" not in before.layout.columns and before.rows == now.rows
    assert analyses(before) == analyses(now)


@pytest.mark.parametrize(
    ("method", "analysis", "why"),
    [
        (Original(), funnel, "the method 'original' asks no teacher"),
        (Original(), keep_rates, "the method 'original' does not say how many rows it tries to make"),
        (ProgramOfThought(), false_wrong, "the method's solutions have no boxed answer that another grader could read"),
    ],
)
def test_what_a_method_has_no_numbers_for_is_left_out(
    method: Method, analysis: Callable[[RunData], Analysis | LeftOut], why: str
) -> None:
    recipe = Recipe(problems=("gsm8k",), teacher=MODEL if method.outline.kinds else "", method=method)
    found = analysis(replace(run_data((), recipe), seeds=(), wrong={}))
    assert isinstance(found, LeftOut) and found.why == why


@dataclass(frozen=True, kw_only=True)
class Masking(Method):
    """A method that this version does not know; several of its rows may share a problem."""

    prompts: ClassVar = {}
    outline: ClassVar = Outline(
        method="masking",
        title="masked numbers",
        how="Numbers are masked.",
        cite="",
        steps=(
            Step("sampled", "sampled", "solutions of seed problems"),
            Step("masked", "masked", "problems that ask for a number of their seed problem", "derived"),
        ),
        kinds=(
            Kind("sampled", "Solve the problem", "sampled", "solve"),
            Kind("masked: mask", "Mask a number", "masked", "rewrite", after="sampled"),
            Kind("masked: solve", "Solve for the number", "masked", "solve", after="masked: mask"),
        ),
        columns={"hidden": Column("The number that is masked.")},
    )

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        """Nobody calls it."""
        raise NotImplementedError


def masked_row(seed: str, tail: str, hidden: str | None = None) -> Row:
    problem = "Ann has 3 apples and buys 4. How many has she?"
    return Row(
        id=f"{seed}{tail}",
        problem=f"{problem} It is 7. What is X?" if hidden else problem,
        response=f"Truly $\\boxed{{{hidden or 7}}}$, by {tail or 'the first'}.",
        answer=hidden or "7",
        source="olympiads",
        method="masking",
        step="masked" if hidden else "sampled",
        seed_id=seed,
        seed_problem=problem,
        level=None,
        subject=None,
        teacher="teacher-1",
        request="0" * 32,
        columns={"hidden": hidden},
    )


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset folder of an unknown method."""
    tails = [("", None), ("/s0003", None), ("/m0", "3"), ("/m1", "4")]
    rows = [masked_row(f"olympiads-{number}", *tail) for number in range(5) for tail in tails]
    recipe = Recipe(problems=("gsm8k",), teacher="teacher-1", method=Masking())
    return write(tmp_path_factory.mktemp("masked") / "dataset", rows, recipe)


@pytest.fixture(scope="module")
def masked_page(masked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(read_run(masked, "masked"), tmp_path_factory.mktemp("masked-report"))


def test_a_method_that_is_not_known_has_a_report_all_the_same(masked: Path, masked_page: Path) -> None:
    data = read_run(masked, "masked")
    assert data.recipe is None and "does not know the method 'masking'" in data.missing["seeds"]
    assert cells(composition(data), "source", "step", "rows")[:3] == [
        ("olympiads", "sampled", 10),
        ("olympiads", "masked", 10),
        ("olympiads", "all", 20),
    ]
    found = analyses(data)
    assert {"composition", "case-studies", "near-duplicates"} <= {one.name for one in found.made}
    cases = next(one for one in found.made if one.name == "case-studies")
    assert {("masked", "hidden"), ("masked", "problem")} <= set(cells(cases, "step", "part"))
    html = masked_page.read_text()
    assert "Masked numbers" in html and re.search(r"<td[^>]*>Solve for the number</td>", html)


PARTS = "[...document.querySelectorAll('.ancestry h3')].map((h) => h.firstChild.textContent)"
BADGES = "[...document.querySelectorAll('article .badges span')].map((badge) => badge.textContent)"
FAMILY = "[...document.querySelectorAll('.family button')].map((button) => button.textContent)"
ANSWER = "document.querySelector('.ancestry li:last-child h3').textContent"


def test_the_page_shows_where_a_row_of_any_method_comes_from(browser: Page, masked_page: Path) -> None:
    browser.open(f"{masked_page.as_uri()}#rows?row=olympiads-2/s0003")
    browser.until("document.querySelector('.ancestry')")
    assert browser.evaluate(PARTS) == ["Seed problem", "Solution", "Reference answer"]
    assert browser.evaluate(FAMILY) == ["sampled", "s0003", "m0", "m1"]
    assert browser.evaluate(BADGES) == ["sampled"] and "of the seed problem" in browser.evaluate(ANSWER)
    browser.evaluate("document.querySelectorAll('.family button')[3].click()")
    browser.until("document.querySelector('article h2').textContent === 'olympiads-2/m1'")
    assert browser.evaluate(PARTS) == ["Seed problem", "hidden", "Problem", "Solution", "Reference answer"]
    assert browser.evaluate(BADGES) == ["masked"] and "of this problem" in browser.evaluate(ANSWER)
    assert browser.problems == []


def test_the_page_says_which_rows_were_reworded_and_which_corrected(
    browser: Page, direct_run: Path, direct_page: Path
) -> None:
    data = read(direct_run)
    for step, badges, parts in (
        (
            "stage1_rewrite",
            ["Stage 1: rewrite", "reworded"],
            ["Seed problem", "Rewrite", "Solution", "Reference answer"],
        ),
        (
            "stage2_reflection",
            ["Stage 2: reflection", "reviewed"],
            ["Seed problem", "Wrong solution", "Review", "Correction", "Reference answer"],
        ),
    ):
        row = next(row for row in data.rows if row.step == step)
        browser.open(f"{direct_page.as_uri()}#rows?row={row.id}")
        browser.until("document.querySelector('.ancestry')")
        assert browser.evaluate(BADGES) == badges
        assert browser.evaluate(PARTS) == parts
    assert browser.problems == []


def without_the_last_step(content: dict[str, Any]) -> None:
    last = content["method"]["steps"].pop()["name"]
    content["method"]["kinds"] = [kind for kind in content["method"]["kinds"] if kind["step"] != last]


def test_rows_whose_step_the_outline_does_not_have_are_refused(masked: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(masked, tmp_path / "dataset")
    edit(folder / "provenance.json", without_the_last_step)
    data = read_run(folder, "half")
    assert {row.step for row in data.rows} == {"sampled"}, "what is not declared is not read"
    shutil.move(next((folder / "masked").glob("*.parquet")), folder / "sampled" / "train-other.parquet")
    with pytest.raises(BadInput, match="lacks the steps masked of its rows"):
        read_run(folder, "half")


@pytest.mark.slow
def test_evolved_problems_are_checked_published_and_reported_as_what_they_are(
    tmp_path: Path, sources: tuple[str, ...]
) -> None:
    """From the run to the card and the page: nobody says that a reference answer confirmed them."""
    with pytest.raises(BadInput, match="the method evol makes new problems, so every row is compared with test"):
        run_of(Evol(), tmp_path / "run", sources)
    tests = tmp_path / "tests.jsonl"
    tests.write_text(json.dumps({"question": "How many apples are 2 apples and 3 apples?"}))
    run = run_of(Evol(rounds_down=1, rounds_up=2), tmp_path / "run", sources, benchmark=(f"{tests}:question",), limit=6)
    said = check_folder(run / "dataset", allow_simulated=True)
    assert any(line.startswith("evol_up: ") for line in said) and any(line.startswith("clean: ") for line in said)
    card = " ".join((run / "dataset" / "README.md").read_text().split())
    assert "Only rows whose final answer equals the reference answer" not in card
    assert "a row is kept if most of the teacher's solutions agree on its final answer" in card
    assert "The reference answer in `evol_up` is the one that most of the teacher's solutions agree on" in card
    assert "The problems of `evol_down`, `evol_up` were changed on purpose" in card
    assert "{" not in card.partition("## How it was made")[2].partition("### Composition")[0]
    data = read(run)
    assert {(row.columns["direction"], row.columns["round"]) for row in data.rows} == {
        ("down", 1),
        ("up", 1),
        ("up", 2),
    }
    assert all(row.flag is None and row.columns["votes"] == 3 for row in data.rows)
    assert [step["answer"] for step in _steps(data).values()] == ["by majority vote"] * 2
    assert "does not begin by solving the seed problem" in str(data.missing["wrong"])
    html = write_report(data, tmp_path / "report").read_text()
    assert "answered by majority" in html and "Rewriting without personas" not in html
