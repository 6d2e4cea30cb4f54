"""Digests of the problems and personas that a run used, so that a later run notices changed files.

A digest covers what rows depend on, not the bytes of a file: rewriting a file with the same content does not change it.
The way it is computed must never change: run.json and provenance.json of earlier runs hold digests.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence

from personamath.records import Persona, Problem
from personamath.sources.seed_problems import Skipped


class ProblemsDigest:
    """A digest of seed problems, taken while they pass."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._by_source: dict[str, hashlib._Hash] = {}

    def over(self, items: Iterable[Problem | Skipped]) -> Iterator[Problem | Skipped]:
        """Pass on problems, and those that are skipped, which do not count."""
        for item in items:
            if isinstance(item, Problem):
                solution = () if item.solution is None else (item.solution,)
                line = _line(item.id, item.question, item.answer, item.level, item.subject, *solution)
                self._sha256.update(line)
                self._by_source.setdefault(item.source, hashlib.sha256()).update(line)
            yield item

    @property
    def sha256(self) -> str:
        """The digest of what has passed so far."""
        return self._sha256.hexdigest()

    def of_source(self, source: str) -> str:
        """The digest of what has passed so far of the problems with this `source`."""
        return self._by_source.get(source, hashlib.sha256()).hexdigest()


def personas_digest(personas: Sequence[Persona]) -> str:
    """The digest of personas in their order."""
    sha256 = hashlib.sha256()
    for persona in personas:
        sha256.update(_line(persona.description, persona.occupation))
    return sha256.hexdigest()


def _line(*values: str | int | None) -> bytes:
    return json.dumps(values).encode() + b"\n"
