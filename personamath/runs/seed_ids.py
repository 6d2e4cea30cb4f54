"""The ids that seed problems had in a run directory, so that a run says before it asks that they have moved.

An id is the name of a problem's file and the number of its row. It decides which personas are drawn, or which
numbers are hidden, so a renamed file, or a row that is removed, changes the requests of every problem whose id moves.
"""

import hashlib
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from personamath.errors import RunDirectoryError
from personamath.records import Problem

FILE_NAME = "seed_ids.sqlite"
# Of SHA-256: two of a million questions share it with a chance of one in 10^26.
DIGEST_BYTES = 16


def warn_of_moved(directory: Path, seeds: Iterable[tuple[Problem, bool]]) -> str | None:
    """Record the ids of these seed problems; return a warning where problems that are begun had other ids before.

    Each comes with whether it is begun, that is, whether the run directory has an answer to its first request.

    Raises `RunDirectoryError` if the disk refuses.
    """
    path = directory / FILE_NAME
    begun, moved, example = 0, 0, ""
    try:
        with closing(sqlite3.connect(path.absolute())) as known, known:
            known.execute(
                "create table if not exists ids (question blob, id text, primary key (question, id)) without rowid"
            )
            for seed, is_begun in seeds:
                question = hashlib.sha256(seed.question.encode()).digest()[:DIGEST_BYTES]
                before = [row[0] for row in known.execute("select id from ids where question = ?", (question,))]
                if is_begun:
                    begun += 1
                    if before and seed.id not in before:
                        moved += 1
                        example = example or f"{seed.id} was {before[-1]}"
                known.execute("insert or ignore into ids values (?, ?)", (question, seed.id))
    except sqlite3.Error as error:
        raise RunDirectoryError(f"cannot write {path} ({error}); make room, then run the same command") from None
    if not moved:
        return None
    return (
        f"{moved:,} of {begun:,} problems that this run has asked about have another id now ({example}): other "
        "personas, or other numbers to hide, are drawn for them, and their requests are asked, and paid for, anew; to "
        "keep the answers, stop, give the problems file its earlier name and rows, and add new rows at its end"
    )
