"""Blocks of seed problems: the unit of work, of retry and of checkpoint; and what the run directory holds of each.

    RUN/blocks/000012-5f0c77a1b2d3/answers-*.parquet   every answer, untouched: the journal's columns, and a hash
    RUN/blocks/000012-5f0c77a1b2d3/rows.parquet        the rows, and in the file's metadata what the block came to

A block is done when its rows are there, made by the same recipe, personas and code, with no request failed.
"""

import dataclasses
import hashlib
import importlib.metadata
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

import personamath
from personamath.errors import RunDirectoryError
from personamath.runs.funnel import Funnel
from personamath.journal.file_format import BLOCKS, answer_sha256
from personamath.teachers.prices import Bill
from personamath.runs.ray.folder import RunFolder
from personamath.recipe import Recipe
from personamath.records import Completion, Persona, Problem, Row
from personamath.journal.salvage import Answer
from personamath.methods.work import Failure

ROWS = "rows.parquet"
ANSWERS = "answers-"
METADATA_KEY = b"personamath"
# What a block's rows do not depend on: the problems besides its own, and what they are compared with later.
NOT_OF_A_BLOCK = ("problems", "limit", "benchmark")
# What grades where the cheap rules leave off; the rest of what decides is in this package's own files.
GRADING_PACKAGES = ("math-verify", "latex2sympy2_extended", "sympy", "mpmath", "antlr4-python3-runtime")

_ANSWER_TYPES = {str: pa.string(), int: pa.int64(), int | None: pa.int64(), float: pa.float64()}
# And the SHA-256 of the answer (docs/data.md), so that the digest of a run needs no texts.
ANSWER_SCHEMA = pa.schema(
    [*((name, _ANSWER_TYPES[hint]) for name, hint in get_type_hints(Answer).items()), ("sha256", pa.binary(32))]
)
# The funnel's counters that a block fills; the others count what was read.
_COUNTERS = ("rows", "counts", "tokens")
_OF_A_BILL = ("answers", "prompt_tokens", "completion_tokens")
_ROW_SCHEMA = pa.schema(
    [(name, pa.int32() if hint in (int, int | None) else pa.string()) for name, hint in get_type_hints(Row).items()]
)


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
    """A block's rows file, as far as it was asked for."""

    made_by: str
    """Of what made it, see `fingerprint`."""
    funnel: Funnel
    """What became of its problems."""
    bill: Bill
    """What the answers in its folder came to, at no price."""


def split(problems: Iterable[Problem], size: int) -> Iterator[Block]:
    """Blocks of `size` problems in order; the last may be smaller."""
    iterator, number = iter(problems), 0
    while block := list(islice(iterator, size)):
        yield Block(number, block)
        number += 1


def fingerprint(recipe: Recipe, personas: Sequence[Persona]) -> str:
    """What decides the rows of a block, besides its problems and answers: recipe, personas and code, as one digest."""
    fields = {name: value for name, value in dataclasses.asdict(recipe).items() if name not in NOT_OF_A_BLOCK}
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
    for persona in personas:
        digest.update(json.dumps(dataclasses.astuple(persona)).encode())
    for package in GRADING_PACKAGES:
        digest.update(f"{package} {importlib.metadata.version(package)}\n".encode())
    for file in sorted(Path(personamath.__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def write_answers(folder: RunFolder, block: str, answers: Sequence[Answer]) -> None:
    """Put one more file of answers into a block's folder, under a name that no other file ever has."""
    name = f"{BLOCKS}/{block}/{ANSWERS}{uuid.uuid4().hex}.parquet"
    hashes = [answer_sha256(answer.digest, answer.finish_reason, answer.text) for answer in answers]
    folder.write(name, _parquet(pa.table([*map(list, zip(*answers, strict=True)), hashes], schema=ANSWER_SCHEMA)))


def answer_files(folder: RunFolder, block: str) -> list[str]:
    """A block's files of answers; an answer may be in several, and then the first counts."""
    names = folder.names(f"{BLOCKS}/{block}")
    return [f"{BLOCKS}/{block}/{name}" for name in names if name.startswith(ANSWERS) and name.endswith(".parquet")]


def all_answer_files(folder: RunFolder) -> Iterator[str]:
    """The files of answers of all blocks."""
    for block in folder.names(BLOCKS):
        yield from answer_files(folder, block)


def read_answers(folder: RunFolder, file: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Answers of one file, as tuples of these columns."""
    table = _read(folder, file).read(columns=list(columns))
    yield from zip(*(table[name].to_pylist() for name in columns), strict=True)


def bill_of(folder: RunFolder, block: str) -> Bill:
    """What the answers in a block's folder came to, at no price, before its rows are there."""
    bill = Bill(None)
    for file in answer_files(folder, block):
        for purpose, *tokens in read_answers(folder, file, ("purpose", "prompt_tokens", "completion_tokens")):
            bill.add(purpose, Completion("", "stop", *tokens))
    return bill


def write_rows(folder: RunFolder, block: str, made_by: str, rows: Sequence[Row], funnel: Funnel, bill: Bill) -> None:
    """Put a block's rows, and with them the word that it is done."""
    columns = [[getattr(row, name) for row in rows] for name in _ROW_SCHEMA.names]
    metadata = json.dumps({"made_by": made_by, "funnel": _funnel_json(funnel), "bill": _bill_json(bill)})
    table = pa.table(columns, schema=_ROW_SCHEMA.with_metadata({METADATA_KEY: metadata.encode()}))
    folder.write(f"{BLOCKS}/{block}/{ROWS}", _parquet(table))


def read_worked(folder: RunFolder, block: str) -> Worked | None:
    """What a block came to; None before its rows are there."""
    try:
        metadata = _read(folder, f"{BLOCKS}/{block}/{ROWS}").schema_arrow.metadata or {}
        content = json.loads(metadata[METADATA_KEY])
        return Worked(content["made_by"], _funnel(content["funnel"]), _bill(content["bill"]))
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError):
        return None  # of another version: it is worked again, from its answers


def read_rows(folder: RunFolder, block: str) -> Iterator[Row]:
    """A block's rows in order."""
    table = _read(folder, f"{BLOCKS}/{block}/{ROWS}").read()
    yield from (Row(**values) for values in table.to_pylist())


def _read(folder: RunFolder, file: str) -> pq.ParquetFile:
    content = folder.read(file)
    try:
        return pq.ParquetFile(BytesIO(content))
    except pa.ArrowInvalid as error:
        raise RunDirectoryError(
            f"{folder.name}: {file} is damaged ({error}); remove it and run the same command"
        ) from None


def _parquet(table: pa.Table) -> bytes:
    buffer = BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _funnel_json(funnel: Funnel) -> dict[str, Any]:
    counters = {name: [[*key, count] for key, count in getattr(funnel, name).items()] for name in _COUNTERS}
    return {"done": funnel.done, "failures": [list(failure) for failure in funnel.failures], **counters}


def _funnel(content: dict[str, Any]) -> Funnel:
    funnel = Funnel(done=content["done"], failures=[Failure(*failure) for failure in content["failures"]])
    for name in _COUNTERS:
        for *key, count in content[name]:
            getattr(funnel, name)[tuple(key)] = count
    return funnel


def _bill_json(bill: Bill) -> dict[str, Any]:
    return {name: dict(getattr(bill, name)) for name in _OF_A_BILL} | {"uncounted": bill.uncounted}


def _bill(content: dict[str, Any]) -> Bill:
    bill = Bill(None, uncounted=content["uncounted"])
    for name in _OF_A_BILL:
        getattr(bill, name).update(content[name])
    return bill
