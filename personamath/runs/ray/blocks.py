"""Blocks of seed problems: the unit of work, of retry and of checkpoint; and the file of a finished block.

    RUN/blocks/000012-5f0c77a1b2d3/rows.parquet   its rows, and in the file's metadata its counts
    RUN/blocks/000012-5f0c77a1b2d3/used.parquet   digests of the answers that they came from

Its answers are beside it; see personamath.journal.block_files. A block is done when its rows are there, made by the
same recipe, personas and code, with no request failed.
"""

import dataclasses
import hashlib
import importlib.metadata
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

import personamath
from personamath.folder.layout import Layout
from personamath.journal.block_files import ROWS, as_parquet, open_parquet
from personamath.journal.file_format import BLOCKS
from personamath.journal.run_folder import RunFolder
from personamath.methods.method import Outline
from personamath.methods.work import Failure
from personamath.recipe import Recipe
from personamath.records import Persona, Problem, Row
from personamath.runs.funnel import Funnel
from personamath.teachers.prices import Paid

METADATA_KEY = b"personamath"
USED = "used.parquet"
# What a block's rows do not depend on: the problems besides its own, what they are compared with later, and the name of
# the personas' source, which are in the digest themselves.
NOT_OF_A_BLOCK = ("problems", "limit", "benchmark", "personas")
# What grades where the cheap rules leave off; the rest of what decides is in this package's own files.
GRADING_PACKAGES = ("math-verify", "latex2sympy2_extended", "sympy", "mpmath", "antlr4-python3-runtime")

# The funnel's counters that a block fills; the others count what was read.
_COUNTERS = ("rows", "counts", "tokens", "taken_off", "answered_by", "graded")
_USED_SCHEMA = pa.schema([("request", pa.string()), ("sha256", pa.binary(32))])


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """Seed problems that lie side by side in the sources."""

    number: int
    problems: list[Problem]

    @property
    def name(self) -> str:
        """Its folder, e.g. `000012-5f0c77a1b2d3`; the same problems in the same place always have the same."""
        text = json.dumps([dataclasses.astuple(problem) for problem in self.problems])
        return f"{self.number:06}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


class Worked(NamedTuple):
    """The counts in a block's rows file."""

    made_by: str
    """What made it, see `fingerprint`."""
    funnel: Funnel
    """What became of its problems."""
    paid: list[Paid]
    """What the answers in its folder used."""


def split(problems: Iterable[Problem], size: int) -> Iterator[Block]:
    """Blocks of `size` problems in order; the last may be smaller."""
    iterator, number = iter(problems), 0
    while block := list(islice(iterator, size)):
        yield Block(number, block)
        number += 1


def fingerprint(recipe: Recipe, personas: Sequence[Persona]) -> str:
    """What decides the rows of a block, besides its problems and answers: recipe, personas and code, as one digest."""
    fields = {name: value for name, value in recipe.as_dict().items() if name not in NOT_OF_A_BLOCK}
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
    for persona in personas:
        digest.update(json.dumps(dataclasses.astuple(persona)).encode())
    for package in GRADING_PACKAGES:
        digest.update(f"{package} {importlib.metadata.version(package)}\n".encode())
    for file in sorted(Path(personamath.__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def write_rows(
    folder: RunFolder,
    block: str,
    outline: Outline,
    rows: Sequence[Row],
    used: Sequence[tuple[str, bytes]],
    worked: Worked,
) -> None:
    """Write a block's rows and the digests of the answers they came from, and with them that it is done."""
    digests = pa.table([list(column) for column in zip(*used, strict=True)] or [[], []], schema=_USED_SCHEMA)
    folder.write(f"{BLOCKS}/{block}/{USED}", as_parquet(digests))
    metadata = json.dumps({"made_by": worked.made_by, "funnel": _funnel_json(worked.funnel), "paid": worked.paid})
    table = Layout(outline).table(rows).replace_schema_metadata({METADATA_KEY: metadata.encode()})
    folder.write(f"{BLOCKS}/{block}/{ROWS}", as_parquet(table))


def read_worked(folder: RunFolder, block: str) -> Worked | None:
    """The counts of a finished block; None before its rows are there."""
    try:
        metadata = open_parquet(folder, f"{BLOCKS}/{block}/{ROWS}").schema_arrow.metadata or {}
        content = json.loads(metadata[METADATA_KEY])
        return Worked(content["made_by"], _funnel(content["funnel"]), [Paid(*paid) for paid in content["paid"]])
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError):
        return None  # of another version: it is worked again, from its answers


def read_rows(folder: RunFolder, block: str) -> Iterator[Row]:
    """A block's rows in order."""
    table = open_parquet(folder, f"{BLOCKS}/{block}/{ROWS}").read()
    yield from map(Row.of, table.to_pylist())


def read_used(folder: RunFolder, block: str) -> Iterator[tuple[str, bytes]]:
    """Request digest and SHA-256 of every answer that a block's rows came from."""
    for used in open_parquet(folder, f"{BLOCKS}/{block}/{USED}").read().to_pylist():
        yield used["request"], used["sha256"]


def _funnel_json(funnel: Funnel) -> dict[str, Any]:
    counters = {name: [[*key, count] for key, count in getattr(funnel, name).items()] for name in _COUNTERS}
    failures = [list(failure) for failure in funnel.failures]
    return {"done": funnel.done, "failures": failures, "wrong": funnel.wrong, **counters}


def _funnel(content: dict[str, Any]) -> Funnel:
    funnel = Funnel(done=content["done"], failures=[Failure(*failure) for failure in content["failures"]])
    funnel.wrong = {source: (str(pair[0]), str(pair[1])) for source, pair in content.get("wrong", {}).items()}
    for name in _COUNTERS:
        for *key, count in content.get(name, ()):  # a block of an earlier version counts less
            getattr(funnel, name)[tuple(key)] = count
    return funnel
