"""The rules for methods, checked before anything is asked, and again for the solutions to each seed problem.

The methods of this package follow them. The checks are for a user's own methods, whose mistakes should show before
the user pays for answers and the folder is written.
"""

import dataclasses
import inspect
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from personamath.errors import BadInput
from personamath.files import in_one_line, is_unicode, nearest
from personamath.methods.method import PLAIN_NAME, Outline
from personamath.methods.prompts import Prompt
from personamath.methods.work import Outcome
from personamath.records import Problem, Solution

EXAMPLE = "examples/own_method.py shows one"
# Columns of type number are 32-bit integers on disk.
NUMBERS = range(-(2**31), 2**31)


def check_method(method: object, recipe_keys: Collection[str]) -> None:
    """Raise `BadInput` for an object that cannot be a method; `recipe_keys` are the keys that every recipe has."""
    if isinstance(method, type):
        raise BadInput(f"method is the class {method.__name__}: give an instance, {method.__name__}()")
    shown = in_one_line(repr(method), 80)
    if not dataclasses.is_dataclass(method):
        raise BadInput(f"method is {shown}: it must be the name of a method, or an instance of a dataclass; {EXAMPLE}")
    for name, cls in {"outline": Outline, "prompts": Mapping}.items():
        if not isinstance(getattr(method, name, None), cls):
            raise BadInput(f"method is {shown}: it must have `{name}`, a {cls.__name__}; {EXAMPLE}")
    if not inspect.iscoroutinefunction(getattr(method, "augment", None)):
        raise BadInput(f"method is {shown}: it must have `async def augment(self, seed, work)`; {EXAMPLE}")
    for field in dataclasses.fields(method):
        value = getattr(method, field.name)
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            raise BadInput(
                f"method: its setting {field.name} is {in_one_line(repr(value), 80)}: run.json holds the settings, so "
                "each must be text, a number, true or false, none, or a list or mapping of these"
            ) from None
    for fault in _faults_of_method(method, recipe_keys):
        raise BadInput(fault)


def _faults_of_method(method: Any, recipe_keys: Collection[str]) -> Iterator[str]:
    """What is wrong with the name, the prompts and the description of an object that has the parts of a method."""
    outline: Outline = method.outline
    place = f"method {outline.method!r}:"
    if not PLAIN_NAME.fullmatch(outline.method):
        yield f"{place} its name may only have letters, digits, '_', '-' and '.', and begins with a letter or a digit"
    for name, prompt in method.prompts.items():
        if not isinstance(prompt, Prompt):
            yield f"{place} its prompt {name!r} must be a Prompt; {EXAMPLE}"
    mine = [field.name for field in dataclasses.fields(method)]
    for name in Prompt(outline.how).placeholders:
        if name not in mine and name not in recipe_keys:
            known = nearest(name, mine) if mine else "it has none"
            yield f"{place} `how` in its outline has {{{name}}}, which is not one of its settings; {known}"


def checked(solutions: Iterable[Solution] | None, seed: Problem, outline: Outline, outcome: Outcome) -> list[Solution]:
    """The solutions that a method returned for a seed problem; raises `BadInput` if they cannot become rows."""
    place = f"method {outline.method!r}: augment, for the seed problem {seed.id},"
    if not isinstance(solutions, Iterable):
        raise BadInput(f"{place} returned {in_one_line(repr(solutions), 80)}; it must return a list of solutions")
    kept = list(solutions)
    for fault in _faults(kept, seed, outline, outcome):
        raise BadInput(f"{place} {fault}")
    return kept


def _faults(kept: Sequence[Any], seed: Problem, outline: Outline, outcome: Outcome) -> Iterator[str]:
    kinds = {kind.name for kind in outline.kinds}
    for purpose, _ in outcome.counts:
        if purpose not in kinds:
            yield f"asked a request of the kind {purpose!r}, which its outline lacks; {nearest(purpose, kinds)}"
    ids: set[str] = set()
    for solution in kept:
        if not isinstance(solution, Solution):
            yield f"returned {in_one_line(repr(solution), 80)}, not a solution; `work.correct` leaves the others out"
        elif not solution.correct:
            yield f"returned a wrong solution of {solution.problem.id}; `work.correct` leaves those out"
        else:
            yield from _faults_of(solution, seed, outline)
            if solution.problem.id in ids:
                yield f"returned two solutions with the id {solution.problem.id}; give each problem an id of its own"
            ids.add(solution.problem.id)


def _faults_of(solution: Solution, seed: Problem, outline: Outline) -> Iterator[str]:
    id = solution.problem.id
    if id.partition("/")[0] != seed.id:
        yield f"returned a solution with the id {id}; it must be {seed.id}, or begin with {seed.id}/"
    steps = [step.name for step in outline.steps]
    if solution.step not in steps:
        known = nearest(solution.step, steps)
        yield f"returned a solution of the step {solution.step!r}, which its outline lacks; {known}"
    for name, value in solution.columns.items():
        if name not in outline.columns:
            yield f"set the column {name!r} of {id}, which its outline lacks"
        elif value is not None and outline.columns[name].type == "text" and not isinstance(value, str):
            yield f"set the column {name!r} of {id} to {in_one_line(repr(value), 80)}; it must be text"
        elif value is not None and outline.columns[name].type == "number" and not _is_number(value):
            yield f"set the column {name!r} of {id} to {in_one_line(repr(value), 80)}; it must be a whole number"
    texts = [solution.problem.question, solution.response, *solution.columns.values()]
    if any(isinstance(text, str) and not is_unicode(text) for text in texts):
        yield f"returned a solution of {id} with half of a surrogate pair, which no file can hold"


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in NUMBERS
