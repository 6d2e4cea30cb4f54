"""Personas, and which of them a question is rewritten for."""

import hashlib
import random
from collections.abc import Iterator, Sequence
from importlib.resources import as_file, files
from itertools import islice
from pathlib import Path
from typing import TypeVar

from personamath.errors import BadInput
from personamath.recipe import PersonaDraw
from personamath.records import Persona
from personamath.sources.tables import HubSplit, TableRow, read_file, read_hub

T = TypeVar("T")

BUNDLED = "bundled"
# Persona Hub keeps its personas in a config of this name; a dataset of one config has no need of it.
HUB_CONFIGS = {"proj-persona/PersonaHub": "persona"}


def read_personas(source: str) -> list[Persona]:
    """Personas of a source: `bundled`, a Hub dataset `owner/name[:config]`, or a local file.

    A file is JSONL, JSON or parquet with a `persona` column (and `occupation`, where there is one), or text with one
    persona a line. Repeated descriptions are left out, so that drawing without replacement gives different personas.
    """
    personas: dict[str, Persona] = {}
    for index, row in enumerate(_rows(source)):
        description = row.values.get("persona")
        if not isinstance(description, str):
            found = ", ".join(row.values) or "none"
            raise BadInput(f"{row.place}: personas need a text column `persona`; found {found}")
        occupation = row.values.get("occupation")
        if text := description.strip():
            personas.setdefault(text, Persona(index, text, occupation if isinstance(occupation, str) else None))
    if not personas:
        raise BadInput(f"{source}: no personas in it")
    return list(personas.values())


def local_file(source: str) -> Path | None:
    """The file that a source names; None for the bundled set and for a Hub dataset."""
    path = Path(source)
    is_file = source != BUNDLED and (path.exists() or path.suffix in {".jsonl", ".json", ".parquet", ".txt"})
    return path if is_file else None


def hub_dataset(source: str) -> HubSplit:
    """The Hub dataset that a source names, if it is neither the bundled set nor a file."""
    if source.count("/") != 1:
        raise BadInput(f"personas {source!r}: no such file; a Hub dataset is written owner/name")
    repo, _, config = source.partition(":")
    return HubSplit(repo, config or HUB_CONFIGS.get(repo), "train")


def _rows(source: str) -> Iterator[TableRow]:
    if source == BUNDLED:
        with as_file(files("personamath.sources.bundled") / "personas.jsonl") as bundled:
            yield from read_file(bundled)
    elif (path := local_file(source)) is None:
        yield from read_hub(hub_dataset(source))
    elif path.suffix == ".txt":
        yield from _read_lines(path)
    else:
        yield from read_file(path)


def _read_lines(path: Path) -> Iterator[TableRow]:
    try:
        with path.open(encoding="utf-8") as lines:
            yield from (TableRow(f"{path}:{number}", {"persona": line}) for number, line in enumerate(lines, start=1))
    except UnicodeDecodeError:
        raise BadInput(f"{path}: not UTF-8; save it as UTF-8, or give JSONL or parquet") from None
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from None


def draw(personas: Sequence[Persona], question_id: str, k: int, rng_seed: int, by: PersonaDraw) -> list[Persona]:
    """Draw `k` different personas for a question, a function of the arguments alone.

    A larger `k` keeps the earlier draws, so raising K1 or K2 asks only for what is new. `by-occupation` draws in
    rounds of one persona a class: with eleven classes, eleven draws are one of each (v2's K1, *assumed*).
    """
    if k > len(personas):
        raise BadInput(f"{k} rewrites need as many personas, there are {len(personas)}: give more, or lower K")
    # Not hash(): it differs from process to process.
    rng = random.Random(hashlib.sha256(f"{rng_seed}\n{question_id}".encode()).digest())
    if by == "uniform":
        return list(islice(_shuffled(personas, rng), k))
    classes: dict[str, list[Persona]] = {}
    for persona in personas:
        if persona.occupation is None:
            raise BadInput("persona_draw by-occupation needs an `occupation` column; the bundled personas have one")
        classes.setdefault(persona.occupation, []).append(persona)
    return list(islice(_rounds(list(classes.values()), rng), k))


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
