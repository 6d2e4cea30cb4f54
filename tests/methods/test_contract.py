"""What a method of a user's own must keep to, before anything is asked and for each seed problem."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest

from personamath.errors import BadInput
from personamath.methods.contract import checked
from personamath.methods.method import Column, Kind, Method, Outline, Step
from personamath.methods.prompts import INFERENCE, Prompt
from personamath.methods.work import Outcome, Work
from personamath.recipe import Recipe
from personamath.records import Dropped, Problem, Solution

OUTLINE = Outline(
    method="mine",
    title="mine",
    how="It solves.",
    cite="",
    steps=(Step("solved", "solved", "solved problems"),),
    kinds=(Kind("solved", "Solve it", "solved", "solve"),),
    columns={"note": Column("A note."), "count": Column("A count.", "number")},
)


@dataclass(frozen=True, kw_only=True)
class Mine(Method):
    """Solves."""

    tags: Any = ()
    prompts: ClassVar[Mapping[str, Prompt]] = {"inference": INFERENCE}
    outline: ClassVar[Outline] = OUTLINE

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        return work.correct([await work.solve(seed, "solved")])


class NoDataclass(Mine):
    def __repr__(self) -> str:
        return "NoDataclass()"


@dataclass(frozen=True, kw_only=True)
class Persona(Mine):
    outline: ClassVar[Outline] = replace(OUTLINE, method="persona")


def named(name: str) -> Method:
    """The method under another name."""

    @dataclass(frozen=True, kw_only=True)
    class Named(Mine):
        outline: ClassVar[Outline] = replace(OUTLINE, method=name)

    return Named()


def described(how: str) -> Method:
    """The method with another description."""

    @dataclass(frozen=True, kw_only=True)
    class Described(Mine):
        k1: int = 5
        outline: ClassVar[Outline] = replace(OUTLINE, how=how)

    return Described()


@dataclass(frozen=True, kw_only=True)
class Text(Mine):
    prompts: ClassVar[Mapping[str, Any]] = {"inference": "Solve: {problem}"}


@dataclass(frozen=True, kw_only=True)
class Limited(Mine):
    limit: int = 3


@dataclass(frozen=True, kw_only=True)
class NoOutline:
    """Lacks all."""


@dataclass(frozen=True)
class NoAugment:
    prompts: Mapping[str, Prompt] = field(default_factory=dict, repr=False)
    outline: Outline = field(default=OUTLINE, repr=False)


CANNOT_SERVE: list[tuple[object, str]] = [
    (Mine, "method is the class Mine: give an instance, Mine()"),
    (7, "method is 7: it must be the name of a method, or an instance of a dataclass"),
    (None, "method is None: it must be the name of a method"),
    (NoOutline(), "it must have `outline`, a Outline"),
    (NoAugment(), r"method is NoAugment\(\): it must have `async def augment"),
    (Mine(tags={1}), r"method: its setting tags is \{1\}: run.json holds the settings"),
    (Persona(), "method: 'persona' is a method of this package; give yours another name"),
    (named("PERSONA"), "method: 'PERSONA' is a method of this package; give yours another name"),
    (named("my method"), "method 'my method': its name may only have letters, digits, '_', '-' and '.'"),
    (named("a/b"), "method 'a/b': its name may only have letters"),
    (named("../up"), "method '../up': its name may only have letters"),
    (named(""), "method '': its name may only have letters"),
    (
        described("It solves {k9} times."),
        "`how` in its outline has {k9}, which is not one of its settings; known are tags, k1$",
    ),
    (Text(), "method 'mine': its prompt 'inference' must be a Prompt"),
    (Limited(), "method 'mine': its setting limit is a key of every recipe; rename it"),
]


@pytest.mark.parametrize(("method", "message"), CANNOT_SERVE)
def test_what_cannot_serve_as_a_method_is_refused_before_anything_is_asked(method: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message) as raised:
        Recipe.of({"problems": ["gsm8k"], "teacher": "t", "method": method}, "here")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "method",
    [named("MathFusion-2.1"), described(r"It solves {k1} times at {temperature}, and boxes $\boxed{x_{n}}$ or {}.")],
)
def test_what_can_serve_is_taken(method: Any) -> None:
    recipe = Recipe.of({"problems": ["gsm8k"], "teacher": "t", "method": method}, "here")
    assert recipe.method is method


SEED = Problem("mine-train-00001", "mine", "1 + 1?", "2")
KEPT = Solution(SEED, "solved", r"\boxed{2}", True, "d" * 32, {"note": "easy", "count": 2})


def test_solutions_in_any_iterable_are_taken() -> None:
    other = replace(KEPT, problem=replace(SEED, id=f"{SEED.id}/x1"), columns={"note": None})
    outcome = Outcome(counts=Counter({("solved", "kept"): 2}))
    assert checked((KEPT, other), SEED, OUTLINE, outcome) == [KEPT, other]
    assert checked(iter([KEPT]), SEED, OUTLINE, outcome) == [KEPT]


CANNOT_BECOME_ROWS: list[tuple[Any, str]] = [
    (None, "returned None; it must return a list of solutions"),
    (["row"], "returned 'row', not a solution"),
    ([Dropped("truncated")], "not a solution; `work.correct` leaves the others out"),
    ([replace(KEPT, correct=False)], "returned a wrong solution of mine-train-00001"),
    ([KEPT, KEPT], "returned two solutions with the id mine-train-00001; give each"),
    ([replace(KEPT, problem=replace(SEED, id="x"))], "the id x; it must be mine-train-00001, or begin with"),
    ([replace(KEPT, step="solve")], "the step 'solve', which its outline lacks; the nearest known one is 'solved'"),
    ([replace(KEPT, columns={"nota": "x"})], "set the column 'nota' of mine-train-00001, which its outline lacks"),
    ([replace(KEPT, columns={"note": 3})], "set the column 'note' of mine-train-00001 to 3; it must be text"),
    ([replace(KEPT, columns={"count": "3"})], "'count' of mine-train-00001 to '3'; it must be a whole number"),
    ([replace(KEPT, columns={"count": 2**31})], "to 2147483648; it must be a whole number"),
    ([replace(KEPT, columns={"count": True})], "to True; it must be a whole number"),
    ([replace(KEPT, response="\ud800")], "with half of a surrogate pair, which no file can hold"),
]


@pytest.mark.parametrize(("returned", "message"), CANNOT_BECOME_ROWS)
def test_solutions_that_cannot_become_rows_are_refused_by_method_seed_and_reason(returned: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message) as raised:
        checked(returned, SEED, OUTLINE, Outcome())
    assert str(raised.value).startswith("method 'mine': augment, for the seed problem mine-train-00001, ")


def test_a_request_of_a_kind_that_the_outline_lacks_is_refused() -> None:
    outcome = Outcome(counts=Counter({("solve", "kept"): 1}))
    with pytest.raises(BadInput, match="asked a request of the kind 'solve', which its outline lacks; the nearest"):
        checked([KEPT], SEED, OUTLINE, outcome)
