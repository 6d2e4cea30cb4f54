"""What the analyses compute with: intervals, adjusted means, vocabularies, densities, near duplicates."""

import random
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personamath.report.analysis.comparison import Comparison
from personamath.report.analysis.duplicates import THRESHOLD, duplicates, near_duplicates
from personamath.report.analysis.intervals import LEAST, Z, adjusted_means, wilson
from personamath.report.analysis.result import Analysis, Chart, LeftOut, Series, Table
from personamath.report.analysis.texts import lengths_by_step, question_lengths, vocabulary
from tests.support.analysed import run_data
from tests.support.folders import STEPS, row, rows


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_ends_are_the_shares_from_which_the_found_one_is_as_far_as_chance_goes(case: tuple[int, int]) -> None:
    successes, trials = case
    share, low, high = wilson(successes, trials)
    assert share == successes / trials and 0 <= low <= share <= high <= 1
    for end in {low, high} - {0.0, 1.0}:
        assert abs(share - end) == pytest.approx(Z * (end * (1 - end) / trials) ** 0.5, rel=1e-6)


def test_of_no_trials_nothing_is_known() -> None:
    assert wilson(0, 0) == (0, 0, 1)


def test_a_group_that_met_hard_blocks_is_not_blamed_for_them() -> None:
    # Group 0 meets easy blocks more often; in every block group 1 is better by 0.1.
    groups, blocks, values = [], [], []
    for block in range(40):
        hard = block % 2
        for group, times in ((0, 1 if hard else 5), (1, 5 if hard else 1)):
            groups += [group] * times
            blocks += [block] * times
            values += [0.8 - 0.6 * hard + 0.1 * group] * times
    raw = [sum(v for g, v in zip(groups, values, strict=True) if g == group) / groups.count(group) for group in (0, 1)]
    assert raw[0] > raw[1]
    found = adjusted_means(groups, blocks, values)
    assert found[1].value - found[0].value == pytest.approx(0.1)
    mean = sum(values) / len(values)
    assert sum(found[group].value * groups.count(group) for group in (0, 1)) / len(groups) == pytest.approx(mean)
    assert all(one.low <= one.value <= one.high for one in found)


def test_where_all_groups_met_all_blocks_the_means_are_their_own() -> None:
    rng = random.Random(0)
    cases = [(group, block, rng.random()) for block in range(30) for group in range(3)]
    found = adjusted_means(*map(list, zip(*cases, strict=True)))
    for group in range(3):
        own = [value for one, _, value in cases if one == group]
        assert found[group].value == pytest.approx(sum(own) / len(own))


@pytest.mark.slow
def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = random.Random(1)
    covered = 0
    for _ in range(40):
        cases = [(group, block, float(rng.random() < 0.4 + 0.2 * group)) for block in range(80) for group in (0, 1)]
        low, high = adjusted_means(*map(list, zip(*cases, strict=True)))[1][1:]
        covered += low <= 0.6 <= high
    assert covered >= 34


def test_ragged_results_are_refused() -> None:
    with pytest.raises(ValueError, match="under 2 columns"):
        Table(("a", "b"), (("x",),))
    with pytest.raises(ValueError, match="different lengths"):
        Series("s", ("a", "b"), (1.0,))
    with pytest.raises(ValueError, match="half an interval"):
        Series("s", ("a",), (1.0,), low=(0.5,))


WORDS = [f"{a}{b}" for a in "bcdfghjklmnp" for b in ("ane", "ipo", "uru", "elle", "oss")]


def sentences(count: int, words: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS[:words], k=12)) for _ in range(count)]


def test_vocabulary_counts_words_and_compares_at_equal_tokens() -> None:
    made = [
        replace(row("stage1_inference", n), problem=text, seed_problem=text)
        for n, text in enumerate(sentences(40, 60, 0))
    ]
    same, poorer = sentences(400, 60, 1), sentences(400, 20, 2)
    found = vocabulary(run_data(made), [Comparison("same", tuple(same)), Comparison("poorer", tuple(poorer))])
    assert isinstance(found, Analysis)
    by_name = {cells[0]: cells[1:] for cells in found.table.rows}
    assert by_name["ours"][:3] == (40, 480, len({word for one in made for word in one.problem.split()}))
    raw, equal = 3, 4
    # Ten times the text from the same words: the raw ratio is a tenth, the one at equal tokens is not.
    assert by_name["same"][raw] < 0.2 * by_name["ours"][raw]  # type: ignore[operator]
    assert by_name["same"][equal] == pytest.approx(by_name["ours"][equal], rel=0.05)
    assert by_name["poorer"][equal] < 0.5 * by_name["ours"][equal]  # type: ignore[operator]
    assert by_name["same"][5] <= by_name["same"][equal] <= by_name["same"][6]  # type: ignore[operator]
    assert found.chart and {series.name for series in found.chart.series} == {"original", "ours", "same", "poorer"}
    for series in found.chart.series:
        assert list(series.y) == sorted(series.y)


def test_questions_without_words_have_no_vocabulary() -> None:
    found = vocabulary(run_data(rows(dict.fromkeys(STEPS, 30))), [Comparison("sums", ("1 + 1 = ?",) * 30)])
    assert isinstance(found, LeftOut) and found.why == "a set of questions has no words in Latin letters"


def test_too_few_questions_have_no_vocabulary_and_no_density() -> None:
    few = vocabulary(run_data(), [Comparison("other", ("One word?",))])
    assert isinstance(few, LeftOut) and few.why.startswith("it needs 30 questions or more of each, and there are ")
    assert few.why.endswith(" and 16 of ours and 1 of other")
    assert isinstance(question_lengths(run_data(), []), LeftOut)


def test_the_area_under_every_density_is_one() -> None:
    other = Comparison("other", tuple("word " * n for n in [*(1, 3, 7, 30, 31, 33) * 20, 250]))
    found = question_lengths(run_data(rows(dict.fromkeys(STEPS, 100))), [other])
    assert isinstance(found, Analysis)
    widths = [int(str(end)) - int(str(start)) + 1 for start, end, *_ in found.table.rows]
    for place, name in enumerate(("original", "ours", "other"), start=2):
        area = sum(width * float(str(cells[place])) for width, cells in zip(widths, found.table.rows, strict=True))
        assert area == pytest.approx(1), name
    # From the first bin to the last, without a gap.
    assert [cells[0] for cells in found.table.rows][1:] == [int(str(c[1])) + 1 for c in found.table.rows][:-1]
    assert found.table.rows[-1][1] == 250
    assert isinstance(found.chart, Chart) and found.chart.kind == "lines"


def test_lengths_are_those_of_the_texts() -> None:
    data = run_data(rows(dict.fromkeys(STEPS, LEAST)))
    cells = {one[0]: one for one in lengths_by_step(data).table.rows}
    words = sorted(len(one.response.split()) for one in data.rows if one.step == "stage2_rewrite")
    _, number, mean, low, _, high = cells["response, Stage 2: rewrite"]
    assert (number, low, high) == (LEAST, words[1], words[-2]) and mean == pytest.approx(sum(words) / LEAST)
    few = {one[0]: one for one in lengths_by_step(run_data()).table.rows}
    assert few["response, Stage 2: rewrite"][3:] == (None, None, None)


def shingles(text: str) -> set[tuple[str, ...]]:
    words = text.lower().split()
    return {tuple(words[at : at + 3]) for at in range(max(1, len(words) - 2))}


def test_near_duplicates_are_those_that_counting_finds() -> None:
    rng = random.Random(3)
    texts = sentences(120, 60, 4)
    for text in texts[:60]:
        words = text.split()
        for place in rng.sample(range(12), rng.randint(0, 3)):
            words[place] = rng.choice(WORDS)
        texts.append(" ".join(words).upper() if rng.random() < 0.5 else " ".join(words))
    expected = {
        (first, second)
        for first, second in combinations(range(len(texts)), 2)
        if len(shingles(texts[first]) & shingles(texts[second]))
        >= THRESHOLD * len(shingles(texts[first]) | shingles(texts[second]))
    }
    found = {(pair.first, pair.second) for pair in near_duplicates(texts)}
    assert found == expected and len(expected) > 10


def test_a_large_group_of_equal_texts_is_found_whole() -> None:
    texts = ["the same words once more"] * 500
    assert {place for pair in near_duplicates(texts) for place in pair[:2]} == set(range(500))


def test_near_duplicates_of_another_seed_problem_are_told_apart() -> None:
    question = "How many apples does Ann have after she gave three of her nine apples to Bob?"
    one, two, three = (replace(row("stage1_rewrite", n), problem=question) for n in (2, 4, 6))
    three = replace(three, seed_id=one.seed_id)
    found = duplicates(run_data([one, two, three, row("stage1_rewrite", 8)]))
    ((step, rows, same, _, others, _),) = found.table.rows
    assert (step, rows, same, others) == ("Stage 1: rewrite", 4, 2, 3)
    assert "3 of 4 rows are near duplicates" in found.finding
