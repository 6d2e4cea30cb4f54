"""The rows as the page carries them: whole families in packed chunks, and an index of what filters and lists need."""

import base64
import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from personamath.records import Row
from personamath.report.analysis.rows import RunData
from personamath.runs.funnel import SOURCES, STEPS

# What a page can hold: a browser lays out about 17 million pixels of height, 68 px a row, and 200,000 rows are about
# 100 MB of page.
MOST_ROWS = 200_000
# Unpacked in a few milliseconds, and large enough to compress well: about a megabyte of text.
CHUNK_ROWS = 500
NOT_KNOWN, NONE = "not known", "none"
STEP_LABELS = {
    "stage1_inference": "Stage 1: solved",
    "stage1_rewrite": "Stage 1: rewritten",
    "stage2_reflection": "Stage 2: corrected",
    "stage2_rewrite": "Stage 2: rewritten",
}


@dataclass(frozen=True, slots=True)
class Packed:
    """The rows of a dataset, for a page: gzipped JSON in base64, which no text in them can break out of."""

    index: str
    """Of all rows: ids, filters, the number of the first row of each chunk."""
    chunks: tuple[str, ...]
    rows: int
    left_out: int
    """Rows of the dataset that a page cannot hold."""


def pack(data: RunData, most: int = MOST_ROWS) -> Packed:
    """Every row with its family, or those of as many whole families as `most` allows, spread over all of them."""
    families = _spread(_families(data.rows), len(data.rows), most)
    occupation_of = {p.description: p.occupation for p in data.personas or () if p.occupation}
    rows = [row for family in families for row in family]
    chunks, starts = [], []
    at = 0
    for members in _chunked(families):
        starts.append(at)
        at += sum(map(len, members))
        chunks.append(_packed([_family(family, data.wrong or {}, occupation_of) for family in members]))
    index = {"ids": [row.id for row in rows], "starts": starts, "facets": _facets(rows, occupation_of)}
    return Packed(_packed(index), tuple(chunks), len(rows), len(data.rows) - len(rows))


def _families(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each seed problem, in the order of its steps; families in the order of their sources' numbers."""
    families: dict[str, list[Row]] = {}
    for row in rows:
        families.setdefault(row.seed_id, []).append(row)
    return [families[seed] for seed in sorted(families)]


def _spread(families: list[list[Row]], rows: int, most: int) -> list[list[Row]]:
    """All families, or every n-th."""
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


def _family(rows: Sequence[Row], wrong: Mapping[str, str], occupation_of: Mapping[str, str]) -> dict[str, Any]:
    """What a row's ancestry is shown from; what all its rows share stands there once."""
    seed = rows[0]
    return {
        "problem": seed.seed_problem,
        "answer": seed.answer,
        "source": SOURCES.get(seed.source, seed.source),
        "level": seed.level,
        "subject": seed.subject,
        "wrong": wrong.get(seed.seed_id),
        "rows": [
            {
                "id": row.id,
                "step": row.step,
                "problem": row.problem,
                "response": row.response,
                "persona": row.persona,
                "occupation": occupation_of.get(row.persona or ""),
                "review": row.review,
                "teacher": row.teacher,
                "request": row.request,
                "flag": row.flag,
                "overlap": row.overlap,
            }
            for row in rows
        ],
    }


def _facets(rows: Sequence[Row], occupation_of: Mapping[str, str]) -> list[dict[str, Any]]:
    """The filters: each with its values, how many rows have each, and the place of every row's value."""
    step_order = {STEP_LABELS[step]: at for at, step in enumerate(STEPS)}
    facets: dict[str, tuple[str, list[str]]] = {
        "step": ("Step", [STEP_LABELS[row.step] for row in rows]),
        "source": ("Source", [SOURCES.get(row.source, row.source) for row in rows]),
        "level": ("Level", [str(row.level) if row.level else NONE for row in rows]),
    }
    if occupation_of:
        facets["group"] = ("Persona group", [_group(row, occupation_of) for row in rows])
    facets["flag"] = ("Flag", [_flag(row) for row in rows])
    facets["overlap"] = ("Overlap", [row.overlap or NONE for row in rows])
    made = []
    for name, (label, values) in facets.items():
        counts = Counter(values)
        order = {value: at for at, value in enumerate(sorted(counts, key=lambda v: (step_order.get(v, 0), v)))}
        made.append(
            {
                "name": name,
                "label": label,
                "values": [{"value": value, "label": value, "rows": counts[value]} for value in order],
                "codes": [order[value] for value in values],
            }
        )
    return made


def _group(row: Row, occupation_of: Mapping[str, str]) -> str:
    return "no persona" if row.persona is None else occupation_of.get(row.persona, NOT_KNOWN)


def _flag(row: Row) -> str:
    """What a flag tells of, without the numbers: `missing 12; new 15` is `missing, new`."""
    return ", ".join(part.partition(" ")[0] for part in row.flag.split("; ")) if row.flag else NONE


def _packed(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(gzip.compress(text, compresslevel=6, mtime=0)).decode()
