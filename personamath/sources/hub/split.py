"""How a user names a dataset on the Hub: `OWNER/NAME[@REVISION][:CONFIG[:SPLIT]]`, alone or with columns behind it."""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

from personamath.errors import BadInput
from personamath.files import local_path

# What the Hub allows in a name.
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
# A name of the user's own may come first; GSM8K and MATH are one word.
_WITH_REVISION = re.compile(r"((?:[a-z][a-z0-9-]*:)?[A-Za-z0-9][\w.-]*/[\w.-]+|[a-z0-9]+)(?:@([^:]+))?(?=:|$)")
# A name with one of these endings is meant as a file, also where there is no such file.
FILE_ENDINGS = (
    *(".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".txt", ".md", ".xml", ".yaml", ".yml"),
    *(".xls", ".xlsx", ".gz", ".zst", ".zip", ".bz2", ".xz"),
)


class HubSplit(NamedTuple):
    """A split of a dataset on the Hub."""

    repo: str
    config: str | None
    """None if the dataset has only one config."""
    split: str
    revision: str | None = None
    """The commit, tag or branch that the user named; None is main."""
    commit: str | None = None
    """The commit that it was resolved to; None before that."""

    @property
    def shown(self) -> str:
        """The dataset and its revision, as the user named them."""
        return f"{self.repo}@{self.revision}" if self.revision else self.repo


def is_file_name(text: str) -> bool:
    """Whether a text ends as the name of a file does."""
    return text.lower().endswith(FILE_ENDINGS)


def is_hub_name(text: str) -> bool:
    """Whether a text, without the columns behind it, begins with a name on the Hub, and names no file or folder."""
    name = re.split("[@:]", text, maxsplit=1)[0]
    if not _REPO.fullmatch(name) or is_file_name(name):
        return False
    # A path may have colons of its own, as `runs/12:30/x.jsonl`; `meta.json` behind a colon is a column.
    places = [text[:end] for end in (*(found.start() for found in re.finditer(":", text)), len(text))]
    return not any(
        local_path(place).exists() or (is_file_name(place) and "/" in place.rpartition(":")[2]) for place in places
    )


def parse_hub(
    text: str, split: str, whole: str, prefix: str = "", columns: Sequence[str] = ()
) -> tuple[HubSplit, list[str]]:
    """Read `OWNER/NAME[@REVISION][:CONFIG[:SPLIT]]` with as many columns behind it as `columns` names.

    `split` is the one without SPLIT. Raises `BadInput`, which begins with `whole` and says what to write instead;
    `prefix` is what the user wrote before `text`.
    """
    place, *parts = text.split(":")
    repo, at, revision = place.partition("@")
    form = ":".join([f"{prefix}{place}[:CONFIG[:SPLIT]]", *columns])
    if at and not revision:
        rest = ":".join(["", *parts])
        raise BadInput(
            f"{whole}: no revision after the @: write {prefix}{repo}@REVISION{rest}, where REVISION is a commit, tag "
            f"or branch, or {prefix}{repo}{rest} for main"
        )
    if not all(parts):
        raise BadInput(f"{whole}: nothing between or after two colons: write {form}")
    if len(parts) < len(columns):
        missing = columns[len(parts) :]
        right = ":".join([f"{prefix}{text}", *missing])
        raise BadInput(f"{whole}: {' and '.join(missing)} missing: write {right}")
    config, after = parts[: len(parts) - len(columns)], parts[len(parts) - len(columns) :]
    if len(config) > 2:
        raise BadInput(f"{whole}: too many colons: write {form}")
    named = HubSplit(
        repo,
        config[0] if config else None,
        config[1] if len(config) > 1 else split,
        parse_revision(revision) if at else None,
    )
    return named, after


def parse_revision(text: str) -> str:
    """A commit, tag or branch; in addresses of the Hub the slashes of `refs/pr/3` are `%2F`."""
    return unquote(text)


def without_revision(text: str) -> str:
    """The name of a source without the revision in it; the name of a file stays as it is."""
    return _with(text, None)


def with_revision(text: str, revision: str) -> str:
    """The name of a source on the Hub with this revision in place of its own, if any."""
    return _with(text, revision)


def _with(text: str, revision: str | None) -> str:
    found = _WITH_REVISION.match(text)
    if not found or is_file_name(found[0]):
        return text
    return found[1] + (f"@{revision}" if revision else "") + text[found.end() :]
