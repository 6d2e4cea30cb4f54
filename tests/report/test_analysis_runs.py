"""The analyses of whole datasets: a run of the demo, the same as a published folder, and rows made by hand."""

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from personamath.errors import BadInput
from personamath.evaluation.scores import DataSource, Item, ScoredModel, ScoredRun, TaskRun
from personamath.methods import PersonaMath
from personamath.records import Problem
from personamath.report.analysis.cases import case_studies
from personamath.report.analysis.catalogue import analyses
from personamath.report.analysis.comparison import read_comparison
from personamath.report.analysis.composition import before_and_after, composition, first_answers, keep_rates
from personamath.report.analysis.costs import costs
from personamath.report.analysis.false_wrong import false_wrong, verdicts
from personamath.report.analysis.intervals import LEAST
from personamath.report.analysis.models import published_scores, stage_two
from personamath.report.analysis.not_kept import read_lost
from personamath.report.analysis.persona_groups import _attempts, persona_groups
from personamath.report.analysis.quality import contamination, fidelity
from personamath.report.analysis.result import Analysis, Cell, LeftOut
from personamath.report.analysis.rows import RunData, read_run
from personamath.report.browser import pack
from personamath.teachers.prices import Price
from personamath.teachers.rates import Rates
from tests.support.analysed import RECIPE, run_data
from tests.support.folders import STEPS, row, rows, write


@pytest.fixture(scope="module")
def run(demo_run: Path) -> Path:
    """A whole run on the embedded teacher."""
    return demo_run


@pytest.fixture(scope="module")
def data(run: Path) -> RunData:
    return read_run(run / "dataset", "the demo", run)


def made(found: Analysis | LeftOut) -> Analysis:
    assert isinstance(found, Analysis), found
    return found


def column(found: Analysis | LeftOut, heading: str, where: dict[str, Cell] | None = None) -> list[Any]:
    """The cells under a heading, of the rows that hold these cells."""
    table = made(found).table
    place = {name: at for at, name in reversed(list(enumerate(table.columns)))}
    kept = [cells for cells in table.rows if all(cells[place[name]] == cell for name, cell in (where or {}).items())]
    return [cells[place[heading]] for cells in kept]


def test_a_run_is_read_with_what_its_journal_and_its_sources_tell(run: Path, data: RunData) -> None:
    funnel = json.loads((run / "run.json").read_text())
    assert len(data.rows) == sum(sum(counts.values()) for counts in funnel["rows"].values())
    assert data.seeds and len(data.seeds) == sum(funnel["problems"]["seed_problems"].values())
    outcomes = funnel["requests"]["stage1_inference"]
    # what was cut off is no wrong answer
    assert data.wrong and len(data.wrong) == outcomes.get("wrong answer", 0) + outcomes.get("no final answer", 0)
    assert data.personas and len(data.personas) == 231
    assert not data.missing and data.simulated


def test_what_was_not_kept_is_what_the_run_counted_with_all_that_it_came_from(run: Path, data: RunData) -> None:
    requests = json.loads((run / "run.json").read_text())["requests"]
    counted = {
        (kind, reason): count
        for kind, outcomes in requests.items()
        for reason, count in outcomes.items()
        if reason not in ("kept", "usable")
    }
    assert data.lost and data.lost.counts == counted
    assert Counter((one.kind, one.reason) for one in data.lost.shown) == counted
    with closing(sqlite3.connect(run / "journal.sqlite")) as journal:
        for one in data.lost.shown:
            [(text, request)] = journal.execute("select text, request from answers where digest = ?", (one.request,))
            assert one.text in text and json.loads(request)["messages"][0]["content"] == one.prompt
            assert one.seed.question in one.prompt or (one.problem and one.problem in one.prompt)
            assert (one.persona is not None) == ("/p" in one.id)
            assert one.persona is None or ": solve" in one.kind or ": reflect" in one.kind or one.persona in one.prompt
    assert {one.problem is not None for one in data.lost.shown if one.reason == "wrong answer"} == {True}


def test_of_each_reason_the_same_few_are_shown(run: Path, data: RunData) -> None:
    assert data.recipe and data.seeds and data.lost
    given = (run, data.recipe, data.seeds, data.personas or (), data.rows, data.provenance["funnel"]["requests"])
    few, again = (read_lost(*given, most=2) for _ in range(2))
    assert few == again and few.counts == data.lost.counts and set(few.shown) <= set(data.lost.shown)
    assert Counter((one.kind, one.reason) for one in few.shown) == {
        each: min(count, 2) for each, count in few.counts.items()
    }


def test_only_a_run_knows_what_was_not_kept(run: Path) -> None:
    published = read_run(run / "dataset", "me/demo@v1.0.0")
    assert published.lost is None and "give the run directory" in published.missing["lost"]
    assert "give the run directory" in pack(published).note


def test_the_price_is_the_runs(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    content = json.loads((copy / "run.json").read_text())
    content["paid"]["price"] = Price(1.5, 6.0, date="2026-01-01").as_dict()
    for priced_for in ("direct", "batch", None):
        content["paid"]["priced_for"] = priced_for
        if priced_for is None:  # as runs of earlier versions have it
            del content["paid"]["priced_for"]
        (copy / "run.json").write_text(json.dumps(content))
        price = Price(1.5, 6.0, date="2026-01-01", priced_for=priced_for)
        assert read_run(copy / "dataset", "the demo", copy).price == price
    assert read_run(copy / "dataset", "the demo").price is None


def test_answers_that_the_ray_engine_keeps_beside_the_journal_are_read_too(
    run: Path, data: RunData, tmp_path: Path
) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    with closing(sqlite3.connect(copy / "journal.sqlite")) as journal, journal:
        journal.row_factory = sqlite3.Row
        beside = [dict(one) for one in journal.execute("select * from answers where purpose = 'stage1_inference'")]
        journal.execute("delete from answers where purpose = 'stage1_inference'")
    (copy / "blocks" / "0001").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(beside), copy / "blocks" / "0001" / "answers-1.parquet")
    assert read_run(copy / "dataset", "the demo", copy).wrong == data.wrong


def test_every_analysis_is_made_of_a_run_and_again_the_same(data: RunData) -> None:
    found = analyses(data)
    few = {"first-answers", "question-lengths"}
    assert {one.name for one in found.left_out} == {"contamination", "second-opinion", "scores", "stage-two"} | few
    assert len({one.name for one in found.made}) == len(found.made) == 11
    assert all(one.title and one.finding.endswith(".") and one.note and one.table.rows for one in found.made)
    assert all(one.warning and "simulated teacher" in one.warning for one in found.made)
    assert analyses(data) == found


def test_of_a_published_folder_what_it_does_not_hold_is_left_out_with_the_reason(run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run / "dataset", tmp_path / "published")
    published = read_run(folder, "me/data@v1.0.0")
    assert published.seeds is None and published.wrong is None and published.personas
    left = {one.name: one.why for one in analyses(published).left_out}
    missing = {"first-answers", "keep-rates", "false-wrong", "contamination", "second-opinion", "scores", "stage-two"}
    assert set(left) == missing | {"question-lengths"} and "it needs 100 questions or more" in left["question-lengths"]
    assert "a run's journal" in left["first-answers"] and "give the run directory" in left["keep-rates"]
    assert "--benchmark" in left["contamination"]


def test_rows_of_seed_problems_all_count_in_the_keep_rates(run: Path, data: RunData) -> None:
    found = keep_rates(data)
    requests = json.loads((run / "run.json").read_text())["requests"]
    for name, step in (("Stage 1: inference", "stage1_inference"), ("Stage 2: reflection", "stage2_reflection")):
        kept = column(found, "kept", {"step": name})
        assert sum(kept[1:]) == kept[0] == sum(one.step == step for one in data.rows)
        assert column(found, "level", {"step": name})[0] == "all"
    for name, purpose in (("Stage 1: rewrite", "stage1_rewrite: rewrite"), ("Stage 1: inference", "stage1_inference")):
        assert column(found, "tried", {"step": name, "level": "all"}) == [sum(requests[purpose].values())]
    solved = sum(one.step == "stage1_inference" for one in data.rows)
    tried = column(found, "tried", {"step": "Stage 2: reflection", "level": "all"})
    assert tried == [len(data.seeds or ()) - solved]
    for tried, kept, share in zip(*(column(found, name) for name in ("tried", "kept", "kept %")), strict=True):
        assert share is None if tried < LEAST else share == kept / tried


def test_personas_are_drawn_again_as_the_run_drew_them(run: Path, data: RunData) -> None:
    requests = json.loads((run / "run.json").read_text())["requests"]
    asked = sum(sum(requests[kind.name].values()) for kind in data.outline.kinds if kind.role == "rewrite")
    assert data.recipe and isinstance(data.recipe.method, PersonaMath)
    attempts = list(_attempts(data, data.recipe, data.recipe.method))
    assert len(attempts) == asked and len({attempt.occupation for attempt in attempts}) == 11
    assert sum(attempt.row is not None for attempt in attempts) == sum(
        one.step.endswith("rewrite") for one in data.rows
    )
    groups = Counter(attempt.occupation for attempt in attempts)
    found = persona_groups(data)
    large = sorted(name for name, size in groups.items() if size >= LEAST)
    assert column(found, "occupation") == large and column(found, "asked for") == [groups[name] for name in large]


def test_personas_without_occupations_are_no_groups(data: RunData) -> None:
    personas = tuple(replace(persona, occupation=None) for persona in data.personas or ())
    left = persona_groups(replace(data, personas=personas))
    assert isinstance(left, LeftOut) and "occupation" in left.why


def test_the_composition_stands_beside_the_papers() -> None:
    few = run_data()
    counts = Counter((one.source, one.step) for one in few.rows)
    found = composition(few)
    assert column(found, "rows", {"source": "MATH", "step": "Stage 1: rewrite"}) == [counts["math", "stage1_rewrite"]]
    assert column(found, "the paper's rows", {"source": "MATH", "step": "Stage 2: rewrite"}) == [1_900]
    assert column(found, "the paper's rows", {"source": "all", "step": "all"}) == [70_300]
    assert column(found, "rows", {"source": "all", "step": "all"}) == [len(few.rows)]


SEEDS = tuple(
    Problem(f"math-train-{number:05}", "math", f"What is {number}?", str(number), level=number % 5 + 1)
    for number in range(1, 140, 2)
)


def known(wrong: dict[str, str], some: Any = None, solved: Iterable[str] = ()) -> RunData:
    """Data whose seed problems, and first solutions, are known."""
    return replace(run_data(some), seeds=SEEDS, solved=frozenset(solved), wrong=wrong)


def test_first_answers_are_right_where_there_is_a_row_and_wrong_where_the_journal_says() -> None:
    solved = [row("stage1_inference", number) for number in range(1, 2 * LEAST, 2)]
    wrong = {seed.id: "no" for seed in SEEDS[LEAST:]}
    found = first_answers(known(wrong, solved, solved=(one.seed_id for one in solved)))
    assert column(found, "problems") == [LEAST, len(SEEDS) - LEAST]
    levels = [[seed.level or 0 for seed in some] for some in (SEEDS[:LEAST], SEEDS[LEAST:])]
    assert column(found, "mean level") == pytest.approx([sum(some) / len(some) for some in levels])
    few = first_answers(known({SEEDS[-1].id: "no"}, solved, solved=(one.seed_id for one in solved)))
    assert isinstance(few, LeftOut) and few.why.endswith("fewer than 30 problems with a level were answered wrong")
    assert column(found, "the paper's mean level") == [3.22, 4.28]
    assert isinstance(first_answers(run_data()), LeftOut)


def test_before_is_every_seed_problem_and_after_are_the_rows() -> None:
    some = [row(step, number) for number in (1, 3) for step in ("stage1_inference", *["stage1_rewrite"] * number * 10)]
    found = before_and_after(known({}, some))
    assert isinstance(before_and_after(known({}, some[:5])), LeftOut)
    assert column(found, "seed problems %", {"value": "MATH, level 2"}) == [
        sum(s.level == 2 for s in SEEDS) / len(SEEDS)
    ]
    assert column(found, "Stage 1 %", {"value": "MATH, level 2"}) == pytest.approx([11 / 42])
    assert "Stage 2 %" not in made(found).table.columns
    shares = zip(*(cells[2:] for cells in made(found).table.rows if cells[0] == "level"), strict=True)
    assert [sum(map(float, map(str, some))) for some in shares] == pytest.approx([1, 1])


VERDICTS = [
    ("gsm8k", "3", r"\boxed{3.4}", (False, False, True)),  # the released grader rounds
    ("math", "(3,5)", r"\boxed{\{3,5\}}", (False, True, False)),  # math-verify takes a set for a tuple
    ("math", "12", r"\boxed{12}", (True, True, True)),
    ("math", "12", r"\boxed{13}", (False, False, False)),
    ("math", "12", "It is 12.", (False, False, False)),
    ("math", "2", r"\boxed{9^{9^{9^9}}}", (False, False, False)),  # math-verify is not asked
]


@pytest.mark.parametrize(("source", "reference", "solution", "expected"), VERDICTS)
def test_each_grader_says_what_it_says(
    source: str, reference: str, solution: str, expected: tuple[bool, bool, bool]
) -> None:
    assert verdicts(reference, solution, source)[1:] == expected


def test_false_wrong_counts_what_another_grader_accepts_and_what_of_it_was_recovered() -> None:
    seed = replace(SEEDS[0], answer="(3,5)")
    few = known({seed.id: r"\boxed{\{3,5\}}", SEEDS[1].id: r"\boxed{77}", SEEDS[2].id: "none"}, None)
    recovered = replace(row("stage2_reflection", 1), seed_id=seed.id)
    few = replace(few, seeds=(seed, *SEEDS[1:]), rows=(recovered, row("stage1_inference", 1)))
    found = false_wrong(few)
    numbers = dict(zip(column(found, "first answers that were not kept"), column(found, "number"), strict=True))
    assert numbers["all"] == 3 and numbers["without a final answer"] == 1
    assert numbers["right by math-verify"] == numbers["right by any of the three"] == 1
    assert column(found, "recovered")[-1] == 1
    assert isinstance(false_wrong(known({})), LeftOut)


def priced(price: Price | None) -> RunData:
    few = run_data()
    tokens = {
        kind.name: {"prompt": 1_000 * place, "completion": 10 * place} for place, kind in enumerate(few.outline.kinds)
    }
    facts = dict(few.provenance) | {"funnel": {**few.provenance["funnel"], "tokens": tokens}}
    return replace(few, provenance=facts, price=price)


def test_a_step_pays_for_all_of_its_requests() -> None:
    found = costs(priced(Price(2.0, 100.0)))
    # Stage 1's rewrite makes the second and the third kind of request.
    assert column(found, "prompt tokens", {"step": "Stage 1: rewrite"}) == [3_000]
    assert column(found, "tokens per kept row", {"step": "Stage 1: rewrite"}) == [3_030 / 4]
    assert column(found, "USD", {"step": "Stage 1: rewrite"}) == pytest.approx([(3_000 * 2 + 30 * 100) / 1e6])
    assert column(found, "USD per 1,000 kept rows", {"step": "all"}) == pytest.approx(
        [(15_000 * 2 + 150 * 100) / 1e3 / 16]
    )
    for price, says in (
        (Price(2.0, 100.0), "the prices of direct requests; batches may cost less."),
        (
            Price(4.0, 200.0, tiers={"batch": Rates(2.0, 100.0)}).sent_as("batch"),
            "the prices of batches, for every request of the run",
        ),
        (Price(2.0, 100.0, priced_for=None), "did not record whether these are the prices of direct requests or of"),
    ):
        assert "Prices: 2 and 100 USD" in made(costs(priced(price))).note
        assert says in made(costs(priced(price))).note
    unknown = costs(priced(None))
    assert column(unknown, "USD") == [None] * 5 and "No price is known" in made(unknown).note
    assert isinstance(costs(run_data()), LeftOut)


def test_prompt_tokens_from_the_providers_cache_cost_what_they_cost_there() -> None:
    price = Price(2.0, 100.0, cached=0.5)
    rewriting = priced(price).outline.kinds[1].name
    found = costs(replace(priced(price), cached_shares={rewriting: 0.5}))
    whole, cached = 3_000 * 2 + 30 * 100, 500 * 1.5
    assert column(found, "USD", {"step": "Stage 1: rewrite"}) == pytest.approx([(whole - cached) / 1e6])
    assert "Prices: 2 and 100 USD per million prompt and completion tokens, 0.5 for cached" in made(found).note
    assert column(costs(priced(price)), "USD", {"step": "Stage 1: rewrite"}) == pytest.approx([whole / 1e6])


def test_a_case_comes_with_its_whole_ancestry() -> None:
    few = run_data()
    wrong = {one.seed_id: f"wrong about {one.seed_id}" for one in few.rows if one.columns["stage"] == 2}
    found = case_studies(replace(few, wrong=wrong))
    labels = [step.label for step in few.outline.steps]
    assert list(dict.fromkeys(column(found, "step"))) == [*labels[1:], labels[0]], "what only solves comes last"
    (id,) = column(found, "text", {"step": "Stage 2: rewrite", "part": "id"})
    (chosen,) = (one for one in few.rows if one.id == id and one.step == "stage2_rewrite")
    parts = dict(
        zip(
            column(found, "part", {"step": "Stage 2: rewrite"}),
            column(found, "text", {"step": "Stage 2: rewrite"}),
            strict=True,
        )
    )
    assert parts == {
        "id": chosen.id,
        "seed problem": chosen.seed_problem,
        "persona": chosen.columns["persona"],
        "rewritten problem": chosen.problem,
        "wrong solution of the seed problem": f"wrong about {chosen.seed_id}",
        "review": chosen.columns["review"],
        "corrected explanation": chosen.response,
        "reference answer": chosen.answer,
    }


def test_flags_and_overlaps_are_counted() -> None:
    some = rows({"stage1_inference": 2, "stage1_rewrite": 40, "stage2_reflection": 0, "stage2_rewrite": 0})
    rewritten = [one for one in some if one.step == "stage1_rewrite"]
    flagged = {rewritten[0].id: "missing 3; new 4", rewritten[1].id: "changed x = 3"}
    first = some[0].seed_id
    some = [replace(one, flag=flagged.get(one.id), overlap="masked" if one.seed_id == first else None) for one in some]
    data = run_data(some)
    found = fidelity(data)
    assert column(found, "flagged %", {"rewrites": "all"}) == [2 / 40]
    assert [column(found, f"{kind} %", {"rewrites": "all"}) for kind in ("missing", "new", "changed")] == [[1 / 40]] * 3
    assert isinstance(contamination(data), LeftOut)
    compared = replace(data, provenance={**data.provenance, "benchmarks": [{"source": "math"}]})
    assert column(contamination(compared), "rows") == [0, 2, 0]
    assert "2 of 42 rows, from 1 seed problems" in made(contamination(compared)).finding


def scored(model: str, right: list[float], question: str = "q", task: str = "personamath_gsm8k") -> ScoredRun:
    items = tuple(Item(n, f"{question}{n}", None, None, {"exact_match": value}) for n, value in enumerate(right))
    source = DataSource("openai/gsm8k", "main", "test", None, False, "f")
    n = len(right)
    one = TaskRun(
        task=task,
        model=ScoredModel(model, None, None, local=False),
        version="1",
        n=n,
        n_original=n,
        n_published=n,
        prompt="",
        generation={},
        limits=None,
        samples=1,
        data=source,
        date=None,
        items=items,
        faults=(),
    )
    return ScoredRun(tasks=(one,), sha=None, backend="hf", harness="0.4.13", faults=())


def test_scores_stand_beside_those_of_others_with_their_sources() -> None:
    found = published_scores([scored("mine", [1.0] * 30 + [0.0] * 10)])
    assert column(found, "solved %", {"model": "mine"}) == [0.75]
    ((low, high),) = zip(*(column(found, end, {"model": "mine"}) for end in ("low %", "high %")), strict=True)
    assert 0.55 < low < 0.75 < high < 0.95
    assert column(found, "solved %", {"model": "PersonaMath", "base model": "Qwen2.5-7B", "test": "MATH"}) == [0.566]
    assert all(column(found, "source")) and "mine solves 75.0% of GSM8K" in found.finding


def test_a_score_that_must_not_be_published_is_shown_with_the_reason() -> None:
    run = replace(scored("mine", [1.0]), faults=("it was a run of 1 problem",))
    assert published_scores([run]).warning == "mine: it was a run of 1 problem"


def test_stage_two_is_told_from_the_same_problems_only() -> None:
    without = [1.0, 0.0] * 50
    with_it = [1.0 if place % 10 == 1 else value for place, value in enumerate(without)]
    found = stage_two(scored("both", with_it), scored("one", without))
    assert column(found, "gain %") == pytest.approx([0.1])
    (p,) = column(found, "McNemar's p")
    assert p == pytest.approx(2 / 2**10)  # ten problems fall to one side
    other = stage_two(scored("both", with_it), scored("one", without, question="another"))
    assert isinstance(other, LeftOut) and "same problems" in other.why


def test_what_is_no_data_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"provenance.json: no such file; give a run directory, a dataset folder or own"):
        read_run(tmp_path, "x")
    folder = write(tmp_path / "dataset", rows(dict.fromkeys(STEPS, 2)), RECIPE)
    path = next(folder.glob("stage*/*.parquet"))
    pq.write_table(pq.read_table(path).rename_columns({"flag": "flags"}), path)
    with pytest.raises(BadInput, match=r"parquet: its columns do not match this version's .*flags"):
        read_run(folder, "x")
    path.write_bytes(b"none")
    with pytest.raises(BadInput, match="not a readable parquet file"):
        read_run(folder, "x")
    for content, message in (
        ("{}", "not a provenance file"),
        ('{"format": 2, "method": {"steps": 3}}', "method: "),
        ('{"format": 1, "recipe": {"problem": 1}}', "unknown key 'problem'; the nearest known one is 'problems'"),
    ):
        (folder / "provenance.json").write_text(content)
        with pytest.raises(BadInput, match=f"provenance.json: {message}"):
            read_run(folder, "x")


def test_another_data_set_is_read_from_a_column_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text('{"query": "One?"}\n{"query": " "}\n{"query": "Two?"}\n')
    other = read_comparison(f"{path}:query")
    assert (other.name, other.questions) == ("other.jsonl:query", ("One?", "Two?"))
    path.write_text('{"query": " "}\n')
    with pytest.raises(BadInput, match="contains no questions"):
        read_comparison(f"{path}:query")
