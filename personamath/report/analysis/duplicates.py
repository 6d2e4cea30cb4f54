"""Near duplicates among the problems, found by MinHash and confirmed by counting."""

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from personamath.report.analysis.result import Analysis, Cell, Table
from personamath.report.analysis.rows import RunData

SHINGLE_WORDS = 3
THRESHOLD = 0.8
"""Two texts are near duplicates if they share at least this much of their shingles (Jaccard)."""
BANDS, BAND_ROWS = 24, 5
"""Of the signature: a pair at the threshold is a candidate with probability 0.9999, one at 0.5 with 0.53."""
RNG_SEED = 2410
# A bucket of very many candidates holds texts that are nearly all alike: comparing each with so many is enough.
COMPARED_IN_BUCKET = 30
EXAMPLES = 5


class Pair(NamedTuple):
    """Two near duplicates, by their places, the first before the second."""

    first: int
    second: int
    similarity: float


def near_duplicates(texts: Sequence[str]) -> Iterator[Pair]:
    """Pairs of near duplicates; each text that has one comes in at least one pair, a large group not in all of its."""
    shingles = [_shingles(text) for text in texts]
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    seen: set[tuple[int, int]] = set()
    for place, bands in enumerate(_signatures(shingles)):
        for band in enumerate(bands):
            bucket = buckets[band]
            for other in bucket[:COMPARED_IN_BUCKET]:
                if (other, place) not in seen:
                    seen.add((other, place))
                    similarity = _jaccard(shingles[other], shingles[place])
                    if similarity >= THRESHOLD:
                        yield Pair(other, place, similarity)
            bucket.append(place)


def duplicates(data: RunData) -> Analysis:
    """How many rows ask nearly what another row asks, of the same seed problem and of others."""
    rows = data.rows
    pairs = list(near_duplicates([row.problem for row in rows]))
    same = {at for pair in pairs if rows[pair.first].seed_id == rows[pair.second].seed_id for at in pair[:2]}
    others = {at for pair in pairs if rows[pair.first].seed_id != rows[pair.second].seed_id for at in pair[:2]}
    table: list[tuple[Cell, ...]] = []
    for step, count in Counter(row.step for row in rows).items():
        here = {at for at, row in enumerate(rows) if row.step == step}
        table.append(
            (step, count, len(here & same), len(here & same) / count, len(here & others), len(here & others) / count)
        )
    involved = len(same | others)
    examples = sorted(pairs, key=lambda pair: (-pair.similarity, pair))[:: max(1, len(pairs) // EXAMPLES)][:EXAMPLES]
    shown = "; ".join(f"{rows[a].id} and {rows[b].id} ({similarity:.0%})" for a, b, similarity in examples)
    return Analysis(
        "near-duplicates",
        "Near duplicates",
        f"{involved:,} of {len(rows):,} rows ({involved / len(rows):.1%}) ask nearly what another row asks; "
        f"{len(others):,} of them share it with another seed problem.",
        Table(
            ("step", "rows", "like one of the same seed problem", "of rows %", "like one of another", "of all rows %"),
            tuple(table),
        ),
        None,
        f"Two problems are near duplicates if they share {THRESHOLD:.0%} of their runs of {SHINGLE_WORDS} words "
        f"(Jaccard), in lower case. Candidates come from MinHash signatures of {BANDS * BAND_ROWS} hashes in {BANDS} "
        "bands; each is confirmed by counting. Rewrites of a problem are alike by "
        "nature: those of another seed problem are the ones to look at." + (f" Examples: {shown}." if shown else ""),
    )


def _shingles(text: str) -> frozenset[int]:
    words = text.lower().split()
    last = max(1, len(words) - SHINGLE_WORDS + 1)
    # crc32 and not hash(): the same in every process.
    return frozenset(zlib.crc32(" ".join(words[at : at + SHINGLE_WORDS]).encode()) for at in range(last))


def _signatures(shingles: Sequence[frozenset[int]]) -> Iterator[list[bytes]]:
    """Of each set its MinHash signature, cut into bands."""
    import numpy as np

    rng = np.random.default_rng(RNG_SEED)
    factors = rng.integers(1, 2**63, BANDS * BAND_ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    shifts = rng.integers(0, 2**63, BANDS * BAND_ROWS, dtype=np.uint64)
    for some in shingles:
        values = np.fromiter(some, dtype=np.uint64, count=len(some))
        # The high half of a product with an odd factor mixes well; the low half does not.
        hashed = ((values[:, None] * factors + shifts) >> np.uint64(32)).min(0).astype(np.uint32)
        yield [band.tobytes() for band in hashed.reshape(BANDS, BAND_ROWS)]


def _jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)
