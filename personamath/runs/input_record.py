"""inputs.json: what a run begins with, written before it asks, so that a resumed run notices what has changed.

A new commit that changes nothing that the run uses, such as a README's, counts as no change: digests of what is used
decide, and commits only where an earlier version recorded no digest.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.files import read_json
from personamath.journal.run_folder import RunFolder
from personamath.sources.hub.split import with_revision

FILE_NAME = "inputs.json"
REMEDY = "remove it; then the run takes the problems, personas and test problems as they are now"


@dataclass(frozen=True, slots=True)
class InputRecord:
    """What a run reads."""

    limit: int | None
    """How many problems of each source."""
    used: Mapping[str, str]
    """The digest of all problems, personas and benchmarks that are used, by these names."""
    sources: Mapping[str, Sequence[Mapping[str, Any]]]
    """By the same names, each source as in provenance.json; under `used` the digest of what is used of it."""
    recipe: Mapping[str, Any]
    """The recipe's keys, by which a report finds the rows of a run that has not ended."""
    prices: Mapping[str, Any]
    """The price of each model, as `Prices.as_dict` gives it."""

    def as_dict(self) -> dict[str, Any]:
        """The content of inputs.json."""
        return {
            "limit": self.limit,
            "used": dict(self.used),
            "sources": {**self.sources},
            "recipe": dict(self.recipe),
            "prices": dict(self.prices),
        }

    def write(self, folder: RunFolder) -> None:
        """Write inputs.json; raise `RunDirectoryError` if the disk refuses."""
        content = json.dumps(self.as_dict(), indent=2, ensure_ascii=False) + "\n"
        folder.write(FILE_NAME, content.encode())

    def check_same_as_begun(self, folder: Path) -> None:
        """Raise `BadInput` if the run that began in a folder used other rows of a dataset on the Hub than this one."""
        if not (folder / FILE_NAME).exists():
            return
        before = read_json(folder / FILE_NAME, REMEDY)
        sources = before.get("sources")
        # With another limit, other problems are used of the same source.
        kinds = [kind for kind in self.sources if kind != "problems" or before.get("limit") == self.limit]
        if moved := list(self.moved(sources if isinstance(sources, dict) else {}, kinds)):
            which = "; ".join(dict.fromkeys(map(str, moved)))
            raise BadInput(
                f"{folder}: the Hub has other data than when this run began: {which}; to go on with what the run began "
                f"with, name {pins(moved)}; to use what is there now, give --replace"
            )

    def has_other_personas(self, directory: Path) -> bool:
        """Whether a run directory was begun with personas that differ from these, so that others are drawn now."""
        try:
            before = read_json(directory / FILE_NAME, REMEDY).get("used")
        except BadInput:  # an earlier version wrote none
            return False
        known = before.get("personas") if isinstance(before, dict) else None
        return known is not None and known != self.used.get("personas", known)

    def moved(self, before: Mapping[str, Any], kinds: Sequence[str]) -> Iterator["Moved"]:
        """The datasets whose commits differ from the recorded ones, and the rows that are used, as far as known."""
        for kind in kinds:
            recorded = before.get(kind) or []
            recorded = recorded if isinstance(recorded, list) else [recorded]
            by_name = {one.get("source"): one for one in recorded if isinstance(one, dict)}
            for now in self.sources[kind]:
                old = by_name.get(now["source"], {})
                commits = list(_changed_commits(old, now))
                if commits and (old.get("used") is None or old["used"] != now["used"]):
                    yield Moved(kind, now["source"], *commits[0])


@dataclass(frozen=True, slots=True)
class Moved:
    """A dataset on the Hub that has changed."""

    kind: str
    """`problems`, `personas` or `benchmarks`."""
    source: str
    """As the user wrote it, without a revision."""
    repo: str
    before: str
    """The commit that was read."""
    now: str
    """The commit that its revision is now."""

    def __str__(self) -> str:
        return f"{self.repo} was at commit {self.before}, is at {self.now}"

    @property
    def pinned(self) -> str:
        """What to write to have the dataset as it was."""
        return with_revision(self.source, self.before)


def pins(moved: Iterable[Moved]) -> str:
    """What to write to have these datasets as they were."""
    return " and ".join(dict.fromkeys(one.pinned for one in moved))


def _changed_commits(old: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The repo, the commit before and the commit now of each split at another commit."""
    before = {(one["repo"], one["config"], one["split"]): one["commit"] for one in old.get("hub") or ()}
    for one in now.get("hub") or ():
        commit = before.get((one["repo"], one["config"], one["split"]))
        if commit and commit != one["commit"]:
            yield one["repo"], commit, one["commit"]
