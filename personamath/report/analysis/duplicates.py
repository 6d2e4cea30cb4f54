"""Find near duplicates among the problems with MinHash, and confirm them by counting."""

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from personamath.report.analysis.intervals import share
from personamath.report.analysis.result import Analysis, Cell, Table
from personamath.report.analysis.rows import RunData

SHINGLE_WORDS = 3
THRESHOLD = 0.8
"""Two texts are near duplicates if they share at least this much of their shingles (Jaccard)."""
BANDS, BAND_ROWS = 24, 5
"""Shape of the signature: a pair at the threshold is a candidate with probability 0.9999, a pair at 0.5 with 0.53."""
RNG_SEED = 2410
# A bucket with very many candidates holds nearly identical texts, so it is enough to compare each with this many.
COMPARED_IN_BUCKET = 30
EXAMPLES = 5


class Pair(NamedTuple):
    """The positions of two near duplicates, in order, and their similarity."""

    first: int
    second: int
    similarity: float


def near_duplicates(texts: Sequence[str]) -> Iterator[Pair]:
    """Yield pairs of near duplicates. Each text that has one is in a pair; large groups do not give all pairs."""
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
    """Count rows whose problem is nearly another row's problem, from the same seed problem and from others."""
    rows = data.rows
    pairs = list(near_duplicates([row.problem for row in rows]))
    same = {at for pair in pairs if rows[pair.first].seed_id == rows[pair.second].seed_id for at in pair[:2]}
    others = {at for pair in pairs if rows[pair.first].seed_id != rows[pair.second].seed_id for at in pair[:2]}
    table: list[tuple[Cell, ...]] = []
    for step, count in Counter(row.step for row in rows).items():
        here = {at for at, row in enumerate(rows) if row.step == step}
        table.append(
            (
                data.step_label(step),
                count,
                len(here & same),
                share(len(here & same), count)[0],
                len(here & others),
                share(len(here & others), count)[0],
            )
        )
    involved = len(same | others)
    examples = sorted(pairs, key=lambda pair: (-pair.similarity, pair))[:: max(1, len(pairs) // EXAMPLES)][:EXAMPLES]
    shown = "; ".join(f"{rows[a].id} and {rows[b].id} ({similarity:.0%})" for a, b, similarity in examples)
    return Analysis(
        "near-duplicates",
        "Near duplicates",
        f"{involved:,} of {len(rows):,} rows are near duplicates of another row; "
        f"{len(others):,} of them are near duplicates of a row from another seed problem."
        if involved
        else f"None of the {len(rows):,} rows is a near duplicate of another row.",
        Table(
            ("step", "rows", "within a seed problem", "within %", "across seed problems", "across %"),
            tuple(table),
        ),
        None,
        f"Two problems are near duplicates if they share {THRESHOLD:.0%} of their runs of {SHINGLE_WORDS} words "
        f"(Jaccard), in lower case. Candidates come from MinHash signatures of {BANDS * BAND_ROWS} hashes in {BANDS} "
        "bands; each is confirmed by counting. Rewrites of the same problem are naturally similar, so look at the near "
        "duplicates across seed problems." + (f" Examples: {shown}." if shown else ""),
    )


def _shingles(text: str) -> frozenset[int]:
    words = text.lower().split()
    last = max(1, len(words) - SHINGLE_WORDS + 1)
    # crc32 gives the same value in every process; hash() does not.
    return frozenset(zlib.crc32(" ".join(words[at : at + SHINGLE_WORDS]).encode()) for at in range(last))


def _signatures(shingles: Sequence[frozenset[int]]) -> Iterator[list[bytes]]:
    """Yield the MinHash signature of each set, split into bands."""
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
