"""RUN/second_opinion.json: how often the teacher, asked blindly, solved a rewrite to its seed problem's answer."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from personamath.errors import BadInput, RunDirectoryError
from personamath.records import Row

FILE_NAME = "second_opinion.json"


class Opinion(NamedTuple):
    """What blind solves of one rewrite came to."""

    request: str
    """`Row.request` of the row that was asked about: a row made anew under the same id is another one."""
    solves: int
    """Completions that ended by themselves; what was cut short says nothing of the problem."""
    right: int
    """Those that reach the answer of the seed problem."""


class Tally(NamedTuple):
    """Opinions, counted."""

    solved: int
    """Rewrites with at least one solve."""
    majority: int
    """Those of which more than half of the solves are right."""
    none: int
    """Those of which no solve is right."""


def tally(opinions: Iterable[Opinion]) -> Tally:
    """Count opinions."""
    some = [one for one in opinions if one.solves]
    return Tally(len(some), sum(2 * one.right > one.solves for one in some), sum(not one.right for one in some))


def write_opinions(run: Path, opinions: Iterable[tuple[Row, Opinion]]) -> None:
    """Write the file as a whole: a reader never sees half of one; `RunDirectoryError` where it cannot be."""
    content = {row.id: {"flag": row.flag, **opinion._asdict()} for row, opinion in opinions}
    path, partial = run / FILE_NAME, run / f"{FILE_NAME}.partial"
    try:
        partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise RunDirectoryError(f"cannot write {path}: {error.strerror}") from None


def read_opinions(run: Path) -> Mapping[str, Opinion] | None:
    """Opinions by the id of their row; None where nobody asked. Raises `BadInput` for a file that is not ours."""
    path = run / FILE_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {id: Opinion(str(one["request"]), int(one["solves"]), int(one["right"])) for id, one in content.items()}
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except (ValueError, TypeError, LookupError, AttributeError):
        raise BadInput(
            f"{path}: not as PersonaMath writes it; run the same `personamath opinion` command again"
        ) from None
