"""Pack the rows for the page: whole families of a seed problem in chunks, and an index for the filters and the list."""

import base64
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from personamath.folder.marks import FINGERPRINT_DIGITS, dataset_key, fingerprint
from personamath.methods.method import AnswerFrom, Outline
from personamath.records import Row
from personamath.report.analysis.not_kept import MOST_OF_EACH, NotKept
from personamath.report.analysis.rows import PERSONA, REVIEW, RunData, other_columns, text_of
from personamath.report.facets import Item, facets
from personamath.report.wording import ended, sentence

# Limit of a page: a browser can lay out a height of about 17 million pixels, at 68 px per row; 200,000 rows make a page
# of about 100 MB.
MOST_ROWS = 200_000
# About a megabyte of text: it unpacks in a few milliseconds and is large enough to compress well.
CHUNK_ROWS = 500
# Enough of a digest to tell the requests for one problem apart.
SHOWN_OF_DIGEST = 8
NO_FINGERPRINT = "-" * FINGERPRINT_DIGITS
ANSWERS: dict[AnswerFrom, str] = {
    "seed": "of the seed problem",
    "derived": "of this problem",
    "majority": "by majority vote",
}
"""The page's description of a reference answer, by its origin."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The rows of a dataset for a page, as gzipped JSON in base64, so that no text in them can break the HTML."""

    index: str
    """What the filters, the list and the marks need of every item, the number of each chunk's first item, and a
    description of each step and column."""
    chunks: tuple[str, ...]
    rows: int
    left_out: int
    """Rows of the dataset that do not fit on the page."""
    note: str
    """A sentence on what was not kept: where it is on the page, or why it is not there."""


@dataclass(slots=True)
class _Family:
    """What the run made of one seed problem."""

    rows: list[Row] = field(default_factory=list)
    """In the order of the steps."""
    lost: list[NotKept] = field(default_factory=list)
    """In the order in which they were asked."""

    @property
    def items(self) -> list[Item]:
        """Everything, as the browser lists it."""
        return [*self.rows, *self.lost]


def pack(data: RunData, most: int = MOST_ROWS) -> Packed:
    """Pack all rows, or evenly spaced whole families with at most `most` rows, and what is shown of the rest."""
    families = _families(data, most)
    occupation_of = {p.description: p.occupation for p in data.personas or () if p.occupation}
    items = [item for family in families for item in family.items]
    rows = [item for item in items if isinstance(item, Row)]
    chunks, starts = [], []
    at = 0
    for members in _chunked(families):
        starts.append(at)
        at += sum(len(family.items) for family in members)
        chunks.append(_packed([_packed_family(family, data, occupation_of) for family in members]))
    index = {
        "ids": [item.id if isinstance(item, Row) else _lost_id(item) for item in items],
        "rows": len(rows),
        "starts": starts,
        "steps": _steps(data),
        "facets": facets(items, data, occupation_of),
        "lengths": [len(item.response if isinstance(item, Row) else item.text) for item in items],
        "columns": _columns(data),
        "method": data.outline.method,
        "dataset": dataset_key(data.provenance),
        "fingerprints": "".join(fingerprint(item) if isinstance(item, Row) else NO_FINGERPRINT for item in items),
    }
    return Packed(_packed(index), tuple(chunks), len(rows), len(data.rows) - len(rows), _note(data))


def _note(data: RunData) -> str:
    if data.lost is None:
        return f"What was not kept is not on this page: {data.why_missing('lost')}."
    return (
        "The filter Outcome also finds what was not kept: rejected rewrites, wrong solutions and reflections that did "
        f"not help, each with its reason; up to {MOST_OF_EACH} of each kind of request and reason."
    )


def _families(data: RunData, most: int) -> list[_Family]:
    """Group by seed problem and sort by its id; of more than `most` rows, take every n-th group with rows."""
    kept: dict[str, _Family] = {}
    for row in data.rows:
        kept.setdefault(row.seed_id, _Family()).rows.append(row)
    chosen = sorted(kept)[:: -(-len(data.rows) // most)] if len(data.rows) > most else kept
    families = {seed: kept[seed] for seed in chosen}
    for one in data.lost.shown if data.lost else ():
        families.setdefault(one.seed.id, _Family()).lost.append(one)
    return [families[seed] for seed in sorted(families)]


def _lost_id(item: NotKept) -> str:
    """Return an id for the page's address: several requests may be for one problem."""
    return f"{item.id}~{item.request[:SHOWN_OF_DIGEST]}"


def _chunked(families: Iterable[_Family]) -> Iterator[list[_Family]]:
    chunk: list[_Family] = []
    size = 0
    for family in families:
        chunk.append(family)
        size += len(family.items)
        if size >= CHUNK_ROWS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _steps(data: RunData) -> dict[str, dict[str, Any]]:
    """Return what the page needs to know about each step, by name."""
    return {
        step.name: {
            "label": step.label,
            "says": step.says,
            "rewrites": step.name in data.rewriting,
            "corrects": step.name in data.correcting,
            "answer": ANSWERS.get(step.answer_from, ""),
            "fixed": dict(step.fixed),
            "no_wrong": sentence(ended(data.why_missing("wrong"))),
        }
        for step in data.outline.steps
    }


def _columns(data: RunData) -> list[dict[str, Any]]:
    """Return the dataset's columns in their order, and which of the method's own are numbers."""
    own = data.outline.columns
    return [{"name": name, "number": name in own and own[name].type == "number"} for name in data.layout.columns]


def _packed_family(family: _Family, data: RunData, occupation_of: Mapping[str, str]) -> dict[str, Any]:
    """Return the data for the ancestry of what a seed problem became; values that it shares are stored once."""
    if family.rows:
        row = family.rows[0]
        seed, facts = row.seed_id, {"problem": row.seed_problem, "level": row.level, "subject": row.subject}
        source = row.source
    else:
        of = family.lost[0].seed
        seed, facts, source = of.id, {"problem": of.question, "level": of.level, "subject": of.subject}, of.source
    return {
        **facts,
        "seed": seed,
        "source": source,
        "label": data.label(source),
        "wrong": (data.wrong or {}).get(seed),
        "rows": [
            *(_member(row, data.outline, occupation_of) for row in family.rows),
            *(_lost_member(one, data.outline, occupation_of) for one in family.lost),
        ],
    }


def _member(row: Row, outline: Outline, occupation_of: Mapping[str, str]) -> dict[str, Any]:
    persona = text_of(row, PERSONA)
    return {
        "id": row.id,
        "step": row.step,
        "problem": row.problem,
        "response": row.response,
        "answer": row.answer,
        "persona": persona,
        "occupation": occupation_of.get(persona or ""),
        "review": text_of(row, REVIEW),
        "columns": other_columns(row, outline),
        "teacher": row.teacher,
        "request": row.request,
        "flag": row.flag,
        "overlap": row.overlap,
    }


def _lost_member(one: NotKept, outline: Outline, occupation_of: Mapping[str, str]) -> dict[str, Any]:
    kind = outline.kind(one.kind)
    return {
        "id": one.id,
        "step": kind.step,
        "kind": one.kind,
        "asked": outline.label(kind),
        "says": kind.says,
        "reason": one.reason,
        "problem": one.problem,
        "response": one.text,
        "answer": one.answer,
        "persona": one.persona,
        "occupation": occupation_of.get(one.persona or ""),
        "columns": {},
        "prompt": one.prompt,
        "teacher": one.teacher,
        "request": one.request,
    }


def _packed(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(gzip.compress(text, compresslevel=6, mtime=0)).decode()
