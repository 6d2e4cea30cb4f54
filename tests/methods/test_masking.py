"""Which numbers of a problem a backward question hides, by hand and on every problem of the real train splits."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from personamath.methods.backward.ceilings import SHARES, expected_questions
from personamath.methods.backward.masking import Masked, masked_questions
from personamath.methods.backward.numbers import Number, numbers
from personamath.methods.backward.regions import regions
from personamath.methods.backward.sentences import question_of, sentences
from personamath.sources.problems import COLUMNS

HIDDEN: list[tuple[str, list[tuple[str, str]]]] = [
    # The text, and each number that can be hidden with its value as an answer.
    ("He has 3 dogs and 1,200 cats.", [("3", "3"), ("1,200", "1200")]),
    ("She pays $2.50, or .5 of $5, that is 50%.", [("2.50", "2.50"), (".5", "0.5"), ("5", "5"), ("50", "50")]),
    ("It takes 3/4 of 2 1/2 hours.", [("3/4", r"\frac{3}{4}"), ("2 1/2", r"\frac{5}{2}")]),
    (r"He ate $\frac{3}{4}$ of 6.", [(r"\frac{3}{4}", r"\frac{3}{4}"), ("6", "6")]),
    (
        r"It is $2\frac12$ and $1{,}000$ or $2,\!500$.",
        [(r"2\frac12", r"\frac{5}{2}"), *[("1{,}000", "1000")], (r"2,\!500", "2500")],
    ),
    ("Twenty-five boys and two hundred girls came.", [("Twenty-five", "25"), ("two hundred", "200")]),
    ("There are five-legged cats, 3-year-old dogs and 12cm fish.", [("five", "5"), ("3", "3"), ("12", "12")]),
    ("The ratio is 2:3.", [("2", "2"), ("3", "3")]),
    ("$(1,2)$ and $3x^2-5$", [("1", "1"), ("2", "2"), ("3", "3"), ("5", "5")]),
    (
        r"Solve \begin{align*} 3x &= 9 \end{align*} for 2 boys.",
        [("3", "3"), ("9", "9"), ("2", "2")],
    ),
    (r"$x^{a{3}c} + 4$", [("4", "4")]),
    (r"$x^\frac{1}{2} + 3$ and $x_\text{a}{5} + 4$", [("3", "3"), ("4", "4")]),
    (r"\begin{tabular}[t]{cc} 3 & 4 \end{tabular}, \begin 5", [("3", "3"), ("4", "4"), ("5", "5")]),
    (r"the point $(1,200)$ and $(1{,}200)$", [("1{,}200", "1200")]),
    (r"$2-\frac{1}{2}$ of 6/3", [("2", "2"), (r"\frac{1}{2}", r"\frac{1}{2}"), ("6/3", "2")]),
    (r"$\left[2, 3\right]$ and $a \\\frac{1}{2}$", [("2", "2"), ("3", "3"), (r"\frac{1}{2}", r"\frac{1}{2}")]),
    # Left alone.
    (r"$5-3/4$ and 1/0 or $\frac{1}{0}$, open 24/7", []),
    (r"$x_{\{5\}}$, $\text{3 and $", []),
    ("One of them has one dog, and no one has zero.", []),
    ("The two brothers and all three of them, one third, two thirds.", []),
    ("two of them, three is more", []),
    ("On the 3rd day, the 21st of May 5, 2004, in 1999.", []),
    ("From 7:30 to 8 a.m., in Room 5, 10 o'clock, problem 7, grade 4.", []),
    (r"$x_1 + a_{12} + 2_8$", []),
    (r"$y^{10} + z^3 + a_ {83} + \sqrt[3]{y}$", []),
    (r"\hspace{2cm} $\begin{array}{c|c}a\end{array}$ \\[2ex]", []),
    (r"$0.\overline{3}$ and $0.123\ldots$", []),
    ("A[asy]\ndraw((0,0)--(3,4));\n[/asy]", []),
    ("R2D2 has COVID-19 and 52A6", []),
]


@pytest.mark.parametrize(("text", "found"), HIDDEN)
def test_numbers_are_read_whole_and_those_that_count_nothing_are_left_alone(
    text: str, found: list[tuple[str, str]]
) -> None:
    assert [(one.text, one.answer) for one in numbers(text)] == found


MASKED: list[tuple[str, list[str]]] = [
    ("She pays $12 for 3 pens.", ["She pays $x for 3 pens.", "She pays $12 for x pens."]),
    ("If x is 5, what is y?", ["If x is n, what is y?"]),
    (
        r"Solve $3x=9$ for 2 boys.",
        [r"Solve $yx=9$ for 2 boys.", r"Solve $3x=y$ for 2 boys.", r"Solve $3x=9$ for $y$ boys."],
    ),
    (r"It costs \$5, or $\$6$.", [r"It costs \$$x$, or $\$6$.", r"It costs \$5, or $\$x$."]),
    ("A rope is 12cm long.", ["A rope is x cm long."]),
    ("What is x, y, n and k plus 2?", []),
    # Instructions for the answer, choices, and what a figure shows stay.
    ("What is 7 times pi? Round it to 2 decimals.", ["What is x times pi? Round it to 2 decimals."]),
    (
        r"What is 2 + 2? $\textbf{(A) } 3 \textbf{(B) } 4$",
        [r"What is $x$ + 2? $\textbf{(A) } 3 \textbf{(B) } 4$", r"What is 2 + $x$? $\textbf{(A) } 3 \textbf{(B) } 4$"],
    ),
    ('Its sides are 3 and 4. [asy]label("3",(0,0));[/asy]', ['Its sides are 3 and x. [asy]label("3",(0,0));[/asy]']),
]


@pytest.mark.parametrize(("question", "masked"), MASKED)
def test_the_unknown_is_the_first_free_letter_written_as_its_place_needs(question: str, masked: list[str]) -> None:
    found = masked_questions(question)
    assert [one.question for one in found] == masked
    assert all(one.original == question for one in found)


SPLIT = [
    ("Mr. Li has $2.50. He is 3.5 ft. tall. How old is he?", 3),
    (r"Let $f(x)=3. G(x)$ be. Find it.", 2),
    (r"Let $x=3.$ Find $f(x)$. Express your answer as 1.5.", 3),
    ("He sold 5 apples.How many are left?", 2),
    ("At 5 p.m. He sleeps.", 1),
    ('The U.S. has 50 states. He said, "Stop." What now?', 3),
]


@pytest.mark.parametrize(("text", "count"), SPLIT)
def test_sentences_do_not_end_inside_numbers_formulas_and_abbreviations(text: str, count: int) -> None:
    found = sentences(text)
    assert len(found) == count
    assert "".join(one.of(text) for one in found).replace(" ", "") == text.replace(" ", "")


ASKING = [
    ("He has 3. How many are left? Express your answer as a fraction.", "How many are left?"),
    ("Let a be 3. Find its square. Assume that it is real.", "Find its square."),
    ("Simplify $3+4$.", "Simplify $3+4$."),
    ("It rained.", None),
]


@pytest.mark.parametrize(("text", "asking"), ASKING)
def test_the_sentence_that_asks(text: str, asking: str | None) -> None:
    found = question_of(text)
    assert (found and found.of(text)) == asking


def real(data: Path, source: str) -> Iterator[str]:
    with (data / source / "train.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)[COLUMNS[source][0]].strip()


# Written without the code under test: what may not stand before a hidden number.
SCRIPT = re.compile(r"[_^]\s*(?:\{[^{}]*)?\Z")
OPTION = re.compile(r"\\(?!left|right|[bB]ig)[A-Za-z]+\[[^\]]*\Z")
PRONOUN = re.compile(r"one\b", re.IGNORECASE)


def faults(question: str, masked: Masked) -> Iterator[str]:
    start, end = masked.number.start, masked.number.end
    before = question[:start]
    if masked.original != question or question[start:end] != masked.number.text:
        yield "does not restore"
    if before.count("[asy]") > before.count("[/asy]"):
        yield "in a figure"
    if SCRIPT.search(before) or OPTION.search(before):
        yield "in a script"
    if PRONOUN.fullmatch(masked.number.text):
        yield "a pronoun"
    for opens, closes in ("{}", "()", "[]"):
        if masked.number.text.count(opens) != masked.number.text.count(closes):
            yield "cuts brackets"
    if re.match(r"\.?\d", question[end:]) or re.search(r"\d[.]?\Z", before):
        yield "cuts a number"
    # Formulas begin and end where they did.
    outside = regions(question).formulas, regions(masked.question).formulas
    if outside[0][:start] != outside[1][:start] or outside[0][end:] != outside[1][start + len(masked.written) :]:
        yield "moves formulas"


def parses(masked: Masked, known: Sequence[Number]) -> bool:
    """Whether the other numbers are still those of the original."""
    others = [one.text for one in known if one != masked.number]
    return others == [one.text for one in numbers(masked.question)]


PARSED = 10
"""One problem in ten has its masked questions parsed, which takes most of the time: a fault that one in 250 problems
shows is found nineteen times in twenty."""


@pytest.mark.parametrize(("source", "problems", "questions"), [("gsm8k", 7_455, 26_000), ("math", 6_700, 24_000)])
def test_masked_questions_of_the_train_splits_parse_and_restore_and_are_as_many_as_planned(
    data: Path, source: str, problems: int, questions: int
) -> None:
    counts, found = [], []
    for place, question in enumerate(real(data, source)):
        masked = masked_questions(question)
        counts.append(len(masked))
        found += [(what, one.question) for one in masked for what in faults(question, one)]
        if place % PARSED == 0:
            known = numbers(question)
            found += [("does not parse", one.question) for one in masked if not parses(one, known)]
    assert found == []
    assert sum(map(bool, counts)) >= problems
    assert sum(counts) >= questions
    # What a plan assumes is what was counted.
    for most in range(1, len(SHARES[source]) + 1):
        mean = sum(min(count, most) for count in counts) / len(counts)
        assert expected_questions(source, most) == pytest.approx(mean, abs=0.02)
