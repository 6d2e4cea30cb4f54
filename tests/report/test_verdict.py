"""The top of the report: its numbers are the run's, and it says what needs attention and what is too few to tell."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from personamath.report.analysis.cases import cases
from personamath.report.analysis.costs import costs
from personamath.report.analysis.intervals import LEAST, share, wilson
from personamath.report.analysis.result import Analysis, Chart, LeftOut, Series, Table
from personamath.report.analysis.rows import RunData
from personamath.report.analysis.steps import step_shares
from personamath.report.funnel import funnel
from personamath.report.numbers import ForPeople, for_people
from personamath.report.verdict import counted, money, verdict
from personamath.report.wording import ended, sentence
from personamath.teachers.prices import Price
from tests.support.analysed import run_data
from tests.support.folders import row, rows

SIZES = {"stage1_inference": 40, "stage1_rewrite": 12, "stage2_reflection": 3, "stage2_rewrite": 0}
ASKED = {
    "stage1_inference": {"kept": 40, "wrong answer": 20},
    "stage1_rewrite: rewrite": {"usable": 30, "holds a solution": 50},
    "stage1_rewrite: solve": {"kept": 12, "wrong answer": 18},
    "stage2_reflection": {"kept": 3, "wrong answer": 17},
}


def data(asked: Mapping[str, Mapping[str, int]] = ASKED, tokens: int = 0) -> RunData:
    """Rows of three steps, with the requests that they took."""
    made = run_data(rows(SIZES))
    kinds = [kind.name for kind in made.outline.kinds]
    counted = {
        **made.provenance["funnel"],
        "requests": {kind: asked.get(kind, {}) for kind in kinds},
        "tokens": {kind: {"prompt": tokens, "completion": tokens} for kind in kinds},
    }
    return replace(made, provenance={**made.provenance, "funnel": counted})


def said(some: RunData) -> str:
    return " ".join(one.text for one in verdict(some).attention)


def test_each_step_is_shown_with_its_one_name_its_tries_and_the_papers_share() -> None:
    found = verdict(data()).steps
    assert [(figure.label, figure.value) for figure in found] == [
        ("Stage 1: inference", "67%"),
        ("Stage 1: rewrite", "15%"),
        ("Stage 2: reflection", "3 of 20"),
    ]
    assert found[0].detail == "40 of 60 tries kept, 95% interval 54% to 77%; the paper: 81% on GSM8K and MATH"
    assert "the paper" not in found[1].detail, "it does not state how many rewrites it asked for"
    assert found[2].detail == "too few tries for a share; the paper: 10% on GSM8K and MATH"


@pytest.mark.parametrize(("source", "paper"), [("gsm8k", "GSM8K"), ("math", "MATH")])
def test_the_papers_share_is_that_of_the_problems_where_they_are_the_papers(source: str, paper: str) -> None:
    some = [row("stage1_inference", number) for number in range(source == "math", 80, 2)]
    found = step_shares(replace(data(), rows=tuple(some), provenance=only(source)))
    assert found[0].paper and found[0].paper.problems == paper


def only(source: str) -> dict[str, object]:
    """The provenance of rows of one source."""
    facts = dict(data().provenance)
    facts["funnel"] = {**facts["funnel"], "rows": {"stage1_inference": {source: 40}}}
    return facts


def test_what_needs_attention_comes_in_order_with_its_remedy() -> None:
    found = verdict(data()).attention
    assert [one.link for one in found] == ["left-out", "funnel", "funnel"]
    assert "--benchmark math" in found[0].text
    assert "Stage 1: inference keeps 67% of its tries (95% interval: 54% to 77%)" in found[1].text
    assert (
        "Stage 1: rewrite (rewrite): 50 of 80 answers were dropped for one reason, `holds a solution`" in found[2].text
    )
    some = list(data().rows)
    some[0] = replace(some[0], overlap="equal")
    rewrite = next(at for at, one in enumerate(some) if one.step == "stage1_rewrite")
    some[rewrite] = replace(some[rewrite], flag="new 3")
    asked = {**ASKED, "stage2_reflection": {"kept": 3, "failed": 2, "truncated": 30}}
    bad = said(replace(data(asked), rows=tuple(some)))
    order = [
        "There is no answer yet to 2 requests",
        "Test problems overlap with 1 row:",
        "keeps 67%",
        "1 of 12 rewrites is flagged",
        "for one reason",
    ]
    assert [bad.index(words) for words in order] == sorted(bad.index(words) for words in order)


def test_answers_that_were_cut_off_are_named_with_the_option() -> None:
    asked = {"stage1_inference": {"kept": 55, "truncated": 5}}
    assert "5 of 60 answers were cut off: raise `--max-tokens`." in said(data(asked))
    assert "cut off" not in said(data({"stage1_inference": {"kept": 59, "truncated": 1}}))


def test_nothing_needs_attention_where_nothing_is_wrong() -> None:
    sound = data({"stage1_inference": {"kept": 55, "wrong answer": 5}})
    compared = replace(sound, provenance={**sound.provenance, "benchmarks": [{"source": "math"}]})
    some = tuple(replace(row("stage1_inference", number), id=f"{number}") for number in range(55))
    assert verdict(replace(compared, rows=some)).attention == ()


@pytest.mark.parametrize(
    ("price", "figures"),
    [
        (None, [("tokens in total", "120K"), ("tokens per kept row", "2,182")]),
        (Price(1.0, 1.0), [("cost in total", "$0.12"), ("cost per kept row", "$0.0022")]),
        (Price(0.0, 0.0), [("cost in total", "$0"), ("cost per kept row", "$0")]),
    ],
)
def test_the_cost_is_money_if_the_price_is_known_and_else_tokens(
    price: Price | None, figures: list[tuple[str, str]]
) -> None:
    found = verdict(replace(data(tokens=10_000), price=price)).figures
    assert [(figure.label, figure.value) for figure in found[-2:]] == figures


def test_numbers_that_are_not_final_say_so() -> None:
    found = verdict(replace(data(tokens=10_000), unfinished="It goes on."))
    assert found.sentence.startswith("So far, 43 seed problems became 55 rows")
    assert found.figures[-2].label == "tokens so far"


def test_a_part_of_a_dataset_has_no_shares_of_the_whole_runs_requests() -> None:
    whole = data(tokens=10_000)
    found = verdict(replace(whole, provenance={**whole.provenance, "marked": {"rows": 400, "good": 55}}))
    assert found.sentence.startswith("55 rows, each a problem with a solution: a part of a dataset of 400.")
    assert found.steps == () and [figure.label for figure in found.figures][-1] == "overlapping rows"
    assert not any("in the paper" in one.text for one in found.attention)


def test_the_funnel_of_a_part_counts_the_rows_of_the_whole_and_a_kept_row_has_no_cost() -> None:
    whole = data(tokens=10_000)
    part = replace(whole, provenance={**whole.provenance, "marked": {"rows": 400, "good": 55}})
    counted, cost = funnel(part), costs(part)
    assert isinstance(counted, Analysis) and isinstance(cost, LeftOut)
    asked = sum(sum(outcomes.values()) for outcomes in ASKED.values())
    assert counted.finding.startswith(f"43 seed problems became 400 rows with {asked} requests")
    assert counted.finding.endswith(" This dataset is a part of these: 55 rows.")
    assert "this is a part of it" in cost.why


def test_few_rows_are_called_few() -> None:
    assert "With 55 rows, most differences" in verdict(data()).sentence
    many = tuple(replace(one, id=f"{one.id}-{copy}") for one in data().rows for copy in range(5))
    assert "chance" not in verdict(replace(data(), rows=many)).sentence


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (9_999, "9,999"),
        (10_000, "10K"),
        (12_345, "12.3K"),
        (108_461, "108K"),
        (999_600, "1M"),
        (2_345_678, "2.35M"),
    ],
)
def test_counts_are_rounded_for_people(number: int, text: str) -> None:
    assert counted(number) == text


@pytest.mark.parametrize(("usd", "text"), [(0.0, "$0"), (12.345, "$12.35"), (0.01, "$0.01"), (0.00123, "$0.0012")])
def test_amounts_keep_two_digits(usd: float, text: str) -> None:
    assert money(usd) == text


def test_the_case_of_a_step_is_its_row_of_ordinary_length() -> None:
    some = [replace(row("stage1_rewrite", number), response="x" * 10 * number) for number in range(9)]
    some[4] = replace(some[4], flag="new 7")
    (case,) = cases(replace(data(), rows=tuple(some)))
    assert case.row == some[5], "of eight rows without a flag, the fifth"
    assert [part.title for part in (*case.facts, *case.before, *case.after, *case.more)] == [
        "persona",
        "seed problem",
        "rewritten problem",
        "response",
    ]


def test_a_correction_is_shown_beside_the_wrong_solution() -> None:
    one = row("stage2_reflection", 1)
    (case,) = cases(replace(data(), rows=(one,), wrong={one.seed_id: "It is $5$."}))
    assert [part.text for part in case.before] == [one.seed_problem, "It is $5$."]
    assert [part.title for part in case.after] == ["review", "corrected explanation"] and not case.more
    (unknown,) = cases(replace(data(), rows=(one,), wrong=None))
    assert unknown.before[1].text is None, "the page says where it is"


CHARTS = {
    "all values are 0": Chart("bars", "x", "y %", (Series("a", ("one", "two"), (0.0, 0.0)),)),
    "there is only one group": Chart("bars", "x", "y", (Series("a", ("one",), (1.0,)), Series("b", ("one",), (2.0,)))),
}


@pytest.mark.parametrize("why", CHARTS)
def test_a_chart_that_shows_nothing_is_left_out_and_the_note_says_why(why: str) -> None:
    analysis = Analysis("a", "A", "It is so.", Table(("x",), ((1,),)), CHARTS[why], "By us.")
    assert analysis.drawable.chart is None
    assert analysis.drawable.note == f"By us. There is no chart, because {why}."
    worth = replace(analysis, chart=Chart("bars", "x", "y", (Series("a", ("one", "two"), (0.0, 1.0)),)))
    assert worth.drawable == worth


def test_shares_of_too_few_are_left_out_with_their_columns() -> None:
    assert share(3, LEAST - 1) == (None, None, None) and share(3, LEAST) == wilson(3, LEAST)
    table = Table(("step", "kept", "kept %"), (("a", 1, None), ("b", 2, None)))
    assert for_people(table) == ForPeople(["step", "kept"], [["a", "1"], ["b", "2"]], [False, True])


def test_an_interval_is_shown_behind_its_value() -> None:
    table = Table(("step", "kept %", "low %", "high %", "n"), (("a", 0.5, 0.25, 0.75, 9), ("b", 1.0, None, None, 1)))
    rows = [["a", "50.0 (25.0 to 75.0)", "9"], ["b", "100.0", "1"]]
    assert for_people(table) == ForPeople(["step", "kept %", "n"], rows, [False, True, True])


@pytest.mark.parametrize(
    ("text", "whole"),
    [("is it so?", "Is it so?"), ("it is so", "It is so."), ("It is so.", "It is so."), ("so!", "So!")],
)
def test_a_sentence_has_one_beginning_and_one_end(text: str, whole: str) -> None:
    assert ended(sentence(text)) == whole
