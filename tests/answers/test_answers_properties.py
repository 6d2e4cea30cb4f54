"""Properties of the grader that hold for all answers: reflexive, symmetric, blind to formatting, sharp to the digit."""

import re
from collections.abc import Callable
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from personamath.answers import equivalent, extract, grade
from personamath.answers.equivalence import compare

Formatting = Callable[[str], str]

integers = st.integers(-(10**12), 10**12)
fractions = st.fractions(max_denominator=10**6)

atoms = st.one_of(
    st.integers(0, 999).map(str),
    st.decimals(0, 999, places=2).map(str),
    st.sampled_from(["x", "y", "n", "i", r"\pi", r"\sqrt{2}", r"\theta", "a_1"]),
)
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: rf"\frac{{{pair[0]}}}{{{pair[1]}}}"),
        st.tuples(inner, st.sampled_from([" + ", " - ", r" \cdot "]), inner).map(lambda parts: f"({''.join(parts)})"),
        inner.map(lambda text: rf"\sqrt{{{text}}}"),
        st.tuples(inner, st.integers(2, 4)).map(lambda pair: f"({pair[0]})^{{{pair[1]}}}"),
    ),
    max_leaves=6,
)
answers = st.one_of(
    expressions,
    st.lists(expressions, min_size=2, max_size=4).map(", ".join),
    st.lists(expressions, min_size=2, max_size=3).map(lambda items: f"({', '.join(items)})"),
    st.lists(expressions, min_size=1, max_size=3).map(lambda items: rf"\{{{', '.join(items)}\}}"),
    st.tuples(st.sampled_from("(["), expressions, expressions, st.sampled_from(")]")).map(
        lambda parts: f"{parts[0]}{parts[1]}, {parts[2]}{parts[3]}"
    ),
    expressions.map(lambda text: f"x = {text}"),
    st.tuples(expressions, st.sampled_from([r"\text{ cm}", r"^\circ", r"\%", ""])).map("".join),
    st.sampled_from([r"\text{Monday}", r"\text{(B)}", r"\emptyset", r"\infty", r"\text{even}"]),
)
formattings = st.sampled_from([
    lambda text: f"${text}$",
    lambda text: rf"\({text}\)",
    lambda text: rf"\displaystyle {text}",
    lambda text: f"  {text} ",
    lambda text: f"{text}.",
    lambda text: text.replace(r"\frac", r"\dfrac"),
    lambda text: re.sub(r"(?<!\\)\(", r"\\left(", re.sub(r"(?<!\\)\)", r"\\right)", text)),
    lambda text: text.replace(r"\cdot", r"\times"),
    lambda text: text.replace("-", "−").replace(r"\pi", "π"),
    lambda text: text.replace(r"\text", r"\mathrm"),
    lambda text: text.replace(" + ", "+").replace(" - ", "-"),
    lambda text: rf"\boxed{{{text}}}",
])  # fmt: skip


@given(st.one_of(answers, st.text(max_size=60)))
def test_every_answer_equals_itself(answer: str) -> None:
    assert equivalent(answer, answer)


@given(answers, answers)
def test_equality_has_no_direction(one: str, other: str) -> None:
    assert compare(one, other).equal == compare(other, one).equal


@given(
    st.text(alphabet=r"\{}()[]^_$,.=+-/!%x19 afrctexl" + "π²½", max_size=40),
    st.text(alphabet=r"\{}()^_,.=+-/!x12 fractsq", max_size=40),
)
def test_no_text_makes_the_grader_raise_or_lose_symmetry(one: str, other: str) -> None:
    assert compare(one, other).equal == compare(other, one).equal
    assert grade(one, other).correct is False or extract(other) is not None


@given(answers, formattings, formattings)
def test_formatting_never_changes_the_verdict(answer: str, first: Formatting, second: Formatting) -> None:
    assert equivalent(answer, second(first(answer)))


@given(answers, answers, formattings)
def test_formatting_makes_no_two_answers_equal(one: str, other: str, formatting: Formatting) -> None:
    assert compare(one, formatting(other)).equal == compare(one, other).equal


@given(
    integers,
    st.sampled_from(
        [
            "{}",
            r"\frac{{{}}}{{7}}",
            r"{}\sqrt{{2}}",
            "({}, 1)",
            r"\{{{}, 1/2\}}",
            "x = {}",
            "[{}, \\infty)",
            "{}x + y",
            r"\begin{{pmatrix}} {} \\ 1 \end{{pmatrix}}",
        ]
    ),
    st.data(),
)
def test_a_changed_digit_is_another_answer(number: int, form: str, data: st.DataObject) -> None:
    digits = str(abs(number))
    place = data.draw(st.integers(0, len(digits) - 1))
    digit = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != digits[place]]))
    changed = digits[:place] + digit + digits[place + 1 :]
    assert not equivalent(form.format(digits), form.format(changed))


@given(fractions)
def test_a_fraction_equals_its_other_spellings(value: Fraction) -> None:
    numerator, denominator = value.numerator, value.denominator
    spellings = [
        rf"\frac{{{numerator}}}{{{denominator}}}",
        f"{numerator}/{denominator}",
        rf"\dfrac{{{2 * numerator}}}{{{2 * denominator}}}",
    ]
    assert all(equivalent(str(value), spelling) for spelling in spellings)


@given(integers, st.integers(1, 10**6))
def test_the_boxed_answer_of_a_completion_is_graded(number: int, year: int) -> None:
    completion = rf"In {year} we have \boxed{{{year + 1}}}, but then \[\boxed{{{number}}}.\] Check {year}."
    assert extract(completion) == str(number)
    assert grade(str(number), completion).correct
    assert not grade(str(number + 1), completion).correct
