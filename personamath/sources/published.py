"""Whether a local file is the published train split of GSM8K or MATH, judged by its contents and not by its name."""

import hashlib
import json
from functools import lru_cache
from importlib.resources import files

from personamath.errors import BadInput
from personamath.sources.problems import SOURCES, ProblemSource
from personamath.sources.tables import stored_files

# The digests cover the question and the solution of every row in order, with runs of white space as one space, so that
# neither the form of a file nor its line ends matter. MATH is published in seven subjects, and a copy may hold one.
PUBLISHED = {
    "bba53c04ce83b532f1685d8c925ff24f8085827b33ca65c8392b3061a3fa15dc": "gsm8k",
    "4bd88471b1fc996087f32c5aa21e90213e780d2237ddc8c5708a33f877b95c05": "math",
    "1214bc280dea6efb442b356e4fa8ce8c0bca5a3e826f01b90d4fd9df17f0faf6": "math",  # algebra
    "a8178f94f208af2a38dc28aa14771939c2c6d4889cf864e785fad541159f5da4": "math",  # counting_and_probability
    "0836eb2227b47a7a2a5382bb93e9809e5dad5393cab11d80aa1332ed7d759780": "math",  # geometry
    "7d517c331b0976eae257337d8e3bc9caf933260eeb8787237a7ead1043bd2a1b": "math",  # intermediate_algebra
    "03cca54fb028a30b3479c3de247ee8d488cc2411f49b268760f653b8a63fad51": "math",  # number_theory
    "bdd1845d758940b6ff6a45ddae2ea58897cde3fcc106e799215df59367d85020": "math",  # prealgebra
    "6ee3e6cdb55633e65ccff8fcf32488218809785398562c45566ecfccdf57026d": "math",  # precalculus
}
"""Names of the published train splits by the digest of their contents."""
MOST_ROWS = 7_500
"""Rows of the largest published split, MATH: a longer file is none of them, and is not read to its end."""
REMEMBERED = 16
"""Files whose verdicts are kept: more than a run names."""


def published_as(source: ProblemSource) -> str | None:
    """Return `gsm8k` or `math` if a local file has the contents of that published train split, else None."""
    if source.path is None:
        return None
    try:
        stats = [file.stat() for file in stored_files(source.path)]
    except OSError:
        return None
    return _published_as(source, tuple((stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats))


@lru_cache(REMEMBERED)
def _published_as(source: ProblemSource, state: tuple[tuple[int, int, int], ...]) -> str | None:
    """`published_as` of files in this state, by inode, size and time: a run asks twice, and reading takes long."""
    digest = hashlib.sha256()
    try:
        for number, row in enumerate(source.rows()):
            texts = [row.cell(column) for column in source.columns]
            if number == MOST_ROWS or not all(isinstance(text, str) for text in texts):
                return None
            digest.update(json.dumps([" ".join(str(text).split()) for text in texts]).encode() + b"\n")
    except BadInput:
        return None  # a file that cannot be read to its end is no copy; a run that needs its rows says what is wrong
    return PUBLISHED.get(digest.hexdigest())


def misnaming(source: ProblemSource) -> str | None:
    """Warn of a file whose rows will say `gsm8k` or `math` although it is not that split; None if there is none."""
    if source.path is None or source.name not in SOURCES or published_as(source) == source.name:
        return None
    bundled = files("personamath.sources.bundled") / source.path.name
    if bundled.is_file() and bundled.read_bytes() == source.path.read_bytes():
        return None
    return (
        f"{source.path} is not {SOURCES[source.name]}'s published train split, but the source of its rows will be "
        f"{source.name}: give problems of your own a name of their own, NAME:PATH:QUESTION_COLUMN:ANSWER_COLUMN, e.g. "
        f"shop:{source.path}:{':'.join(source.columns)}"
    )
