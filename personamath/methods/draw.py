"""Draw at random for a question: the personas that it is rewritten for, or an order of its parts."""

import hashlib
import random
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Literal, TypeVar

from personamath.errors import BadInput
from personamath.records import Persona

T = TypeVar("T")

PersonaDraw = Literal["uniform", "by-occupation"]


def draw(personas: Sequence[Persona], question_id: str, k: int, rng_seed: int, by: PersonaDraw) -> list[Persona]:
    """Draw `k` different personas for a question, a function of the arguments alone.

    A larger `k` keeps the earlier draws, so raising K1 or K2 asks only for what is new. `by-occupation` draws in
    rounds of one persona a class: with eleven classes, eleven draws are one of each (v2's K1, *assumed*).
    """
    if k > len(personas):
        raise BadInput(f"{k} rewrites need {k} personas, but there are only {len(personas)}: give more, or lower K")
    rng = _generator(question_id, rng_seed)
    if by == "uniform":
        return list(islice(_shuffled(personas, rng), k))
    classes: dict[str, list[Persona]] = {}
    for persona in personas:
        if persona.occupation is None:
            raise BadInput("persona_draw by-occupation needs an `occupation` column; the bundled personas have one")
        classes.setdefault(persona.occupation, []).append(persona)
    return list(islice(_rounds(list(classes.values()), rng), k))


def rank(id: str, rng_seed: int) -> bytes:
    """A key to sort rows or problems by: an order drawn by the seed, in which no other id has a say."""
    return hashlib.sha256(f"{rng_seed}:{id}".encode()).digest()


def order(count: int, question_id: str, rng_seed: int) -> list[int]:
    """The numbers below `count` in an order that is drawn for a question, a function of the arguments alone."""
    return list(_shuffled(range(count), _generator(question_id, rng_seed)))


def _generator(question_id: str, rng_seed: int) -> random.Random:
    # Not hash(): it differs from process to process.
    return random.Random(hashlib.sha256(f"{rng_seed}\n{question_id}".encode()).digest())


def _rounds(classes: Sequence[Sequence[Persona]], rng: random.Random) -> Iterator[Persona]:
    """One persona of each class, classes in shuffled order, until the classes are empty."""
    streams = [_shuffled(members, random.Random(rng.random())) for members in _shuffled(classes, rng)]
    while streams:
        left = []
        for stream in streams:
            if (persona := next(stream, None)) is not None:
                yield persona
                left.append(stream)
        streams = left


def _shuffled(items: Sequence[T], rng: random.Random) -> Iterator[T]:
    """Items in random order, lazily (Fisher-Yates over a sparse permutation): k draws cost k steps, not len(items)."""
    moved: dict[int, int] = {}
    for first in range(len(items)):
        other = rng.randrange(first, len(items))
        yield items[moved.get(other, other)]
        moved[other] = moved.get(first, first)
