"""Pack the rows for the page: whole families of a seed problem in chunks, and an index for the filters and the list."""

import base64
import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from personamath.folder.counts import in_order
from personamath.methods.method import AnswerFrom, Outline
from personamath.records import Row
from personamath.report.analysis.rows import PERSONA, REVIEW, RunData, other_columns, text_of

# Limit of a page: a browser can lay out a height of about 17 million pixels, at 68 px per row; 200,000 rows make a page
# of about 100 MB.
MOST_ROWS = 200_000
# About a megabyte of text: it unpacks in a few milliseconds and is large enough to compress well.
CHUNK_ROWS = 500
NOT_KNOWN, NONE = "not known", "none"
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
    """The ids and filter values of all rows, the number of each chunk's first row, and a description of each step."""
    chunks: tuple[str, ...]
    rows: int
    left_out: int
    """Rows of the dataset that do not fit on the page."""


def pack(data: RunData, most: int = MOST_ROWS) -> Packed:
    """Pack all rows, or evenly spaced whole families with at most `most` rows."""
    families = _spread(_families(data.rows), len(data.rows), most)
    occupation_of = {p.description: p.occupation for p in data.personas or () if p.occupation}
    rows = [row for family in families for row in family]
    chunks, starts = [], []
    at = 0
    for members in _chunked(families):
        starts.append(at)
        at += sum(map(len, members))
        chunks.append(_packed([_family(family, data, occupation_of) for family in members]))
    index = {
        "ids": [row.id for row in rows],
        "starts": starts,
        "steps": _steps(data),
        "facets": _facets(rows, data, occupation_of),
    }
    return Packed(_packed(index), tuple(chunks), len(rows), len(data.rows) - len(rows))


def _families(rows: Iterable[Row]) -> list[list[Row]]:
    """Group the rows by seed problem, in the order of the steps; sort the groups by seed id."""
    families: dict[str, list[Row]] = {}
    for row in rows:
        families.setdefault(row.seed_id, []).append(row)
    return [families[seed] for seed in sorted(families)]


def _spread(families: list[list[Row]], rows: int, most: int) -> list[list[Row]]:
    """Return all families, or every n-th one."""
    return families[:: -(-rows // most)] if rows > most else families


def _chunked(families: Iterable[list[Row]]) -> Iterator[list[list[Row]]]:
    chunk: list[list[Row]] = []
    size = 0
    for family in families:
        chunk.append(family)
        size += len(family)
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
        }
        for step in data.outline.steps
    }


def _family(rows: Sequence[Row], data: RunData, occupation_of: Mapping[str, str]) -> dict[str, Any]:
    """Return the data for the ancestry of a seed problem's rows; values that they share are stored once."""
    seed = rows[0]
    return {
        "problem": seed.seed_problem,
        "source": data.label(seed.source),
        "level": seed.level,
        "subject": seed.subject,
        "wrong": (data.wrong or {}).get(seed.seed_id),
        "rows": [_member(row, data.outline, occupation_of) for row in rows],
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


def _facets(rows: Sequence[Row], data: RunData, occupation_of: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the filters: each has its values, their row counts, and the value of every row as a position."""
    labels = {step.name: step.label for step in data.outline.steps}
    facets: dict[str, tuple[str, list[str]]] = {
        "step": ("Step", [row.step for row in rows]),
        "source": ("Source", [data.label(row.source) for row in rows]),
        "level": ("Level", [str(row.level) if row.level else NONE for row in rows]),
    }
    if occupation_of:
        facets["group"] = ("Persona group", [_group(row, occupation_of) for row in rows])
    facets["flag"] = ("Flag", [_flag(row) for row in rows])
    facets["overlap"] = ("Overlap", [row.overlap or NONE for row in rows])
    made = []
    for name, (label, values) in facets.items():
        counts = Counter(values)
        texts = labels if name == "step" else {value: value for value in sorted(counts, key=in_order)}
        order = {value: at for at, value in enumerate(value for value in texts if counts[value])}
        made.append(
            {
                "name": name,
                "label": label,
                "values": [{"value": value, "label": texts[value], "rows": counts[value]} for value in order],
                "codes": [order[value] for value in values],
            }
        )
    return made


def _group(row: Row, occupation_of: Mapping[str, str]) -> str:
    persona = text_of(row, PERSONA)
    return "no persona" if persona is None else occupation_of.get(persona, NOT_KNOWN)


def _flag(row: Row) -> str:
    """Return the kinds of differences in a flag: `missing 12; new 15` becomes `missing, new`."""
    return ", ".join(part.partition(" ")[0] for part in row.flag.split("; ")) if row.flag else NONE


def _packed(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(gzip.compress(text, compresslevel=6, mtime=0)).decode()
