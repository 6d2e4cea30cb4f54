"""Sources of seed problems: GSM8K and MATH, other datasets on the Hub, local copies, and files of the user's own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from personamath.errors import BadInput
from personamath.files import local_path
from personamath.sources.hub import HubSplit, read_hub
from personamath.sources.hub.split import (
    is_file_name,
    is_hub_name,
    parse_hub,
    parse_revision,
    with_revision,
    without_revision,
)
from personamath.sources.rows import TableRow
from personamath.sources.tables import read_file, stem_of

# Repositories of the train splits on the Hub. MATH has one config per subject, in alphabetical order like its files.
GSM8K_REPO, GSM8K_CONFIGS = "openai/gsm8k", ("main",)
MATH_REPO = "EleutherAI/hendrycks_math"
MATH_CONFIGS = (
    "algebra",
    "counting_and_probability",
    "geometry",
    "intermediate_algebra",
    "number_theory",
    "prealgebra",
    "precalculus",
)
SOURCES: dict[str, str] = {"gsm8k": "GSM8K", "math": "MATH"}
"""Display names of the known sources."""
COLUMNS: dict[str, tuple[str, str]] = {"gsm8k": ("question", "answer"), "math": ("problem", "solution")}
_REPOS = {GSM8K_REPO.lower(): "gsm8k", MATH_REPO.lower(): "math"}
_WANTED = ("QUESTION_COLUMN", "ANSWER_COLUMN")

_NAME = re.compile(r"(?!all$)[a-z][a-z0-9-]*")  # `all` is the row of a table that sums its sources up
_DRIVE = re.compile(r"[A-Za-z]:\\|[A-Z]:/")


@dataclass(frozen=True, slots=True)
class ProblemSource:
    """One `--problems` argument."""

    name: str
    """`gsm8k` or `math`, or a name for other problems: the `source` of their rows."""
    path: Path | None
    """A local file; None for a dataset on the Hub."""
    columns: tuple[str, str]
    """Names of two columns: the question, and the answer or a solution that contains it."""
    splits: tuple[HubSplit, ...] = ()
    """Its places on the Hub, in order; empty for a local file."""
    published: str = ""
    """As the user wrote it, with a file's name only."""

    @classmethod
    def parse(cls, text: str) -> "ProblemSource":
        """Read what a user wrote for a source of problems.

        On the Hub: `gsm8k[@REVISION]`, `math[@REVISION]`, or
        `[NAME:]OWNER/NAME[@REVISION][:CONFIG[:SPLIT]]:QUESTION_COLUMN:ANSWER_COLUMN`. Local: `gsm8k:PATH`, `math:PATH`,
        or `NAME:PATH:QUESTION_COLUMN:ANSWER_COLUMN`.
        """
        name, _, rest = text.partition(":")
        if name.partition("@")[0] in COLUMNS:
            return cls._known(text)
        if is_hub_name(text):
            return cls._on_hub(text, "", text)
        if _NAME.fullmatch(name) and not _DRIVE.match(text):
            if is_hub_name(rest):
                return cls._on_hub(text, name, rest)
            place, *columns = rest.rsplit(":", 2)
            if len(columns) == 2 and place and all(columns):
                path = local_path(place)
                return cls(name, path, (columns[0], columns[1]), (), ":".join([name, path.name, *columns]))
        raise BadInput(f"problems {text!r}: {_right_form(text)}")

    @classmethod
    def _known(cls, text: str) -> "ProblemSource":
        """GSM8K or MATH, on the Hub or in a local file with the same columns."""
        head, colon, place = text.partition(":")
        name, at, revision = head.partition("@")
        if at and colon:
            raise BadInput(
                f"problems {text!r}: a local file has no revision: write {name}:{place or 'PATH'} for the file, or "
                f"{head} for the Hub"
            )
        if at and not revision:
            raise BadInput(
                f"problems {text!r}: no revision after the @: write {name}@REVISION, where REVISION is a commit, tag "
                f"or branch, or {name} for main"
            )
        if not colon:
            splits = known_splits(name, "train", parse_revision(revision) if at else None)
            return cls(name, None, COLUMNS[name], splits, text)
        path = local_path(place)
        if place and (":" not in path.name or path.exists()):  # a path may have a colon of its own
            return cls(name, path, COLUMNS[name], (), f"{name}:{path.name}")
        raise BadInput(f"problems {text!r}: {_right_form(text)}")

    @classmethod
    def _on_hub(cls, text: str, name: str, place: str) -> "ProblemSource":
        known = _REPOS.get(re.split("[:@]", place)[0].lower())
        if known and ":" not in place:
            raise BadInput(f"problems {text!r}: write {with_head(text, known)}, whose columns are known")
        prefix = f"{name}:" if name else ""
        split, columns = parse_hub(place, "train", f"problems {text!r}", prefix, _WANTED)
        chosen = name or _slug(split.repo.rpartition("/")[2])
        if not _NAME.fullmatch(chosen) or chosen in COLUMNS:
            raise BadInput(
                f"problems {text!r}: its rows cannot have the source {chosen!r}: write a name of your own first, "
                f"my-{chosen}:{text}"
            )
        return cls(chosen, None, (columns[0], columns[1]), (split,), text)

    @property
    def label(self) -> str:
        """As `published`, without a revision, and of a file without its columns."""
        return f"{self.name}:{self.path.name}" if self.path else without_revision(self.published)

    def at(self, commit: str) -> str:
        """What to write to have this source at a commit."""
        return with_revision(self.published, commit)

    @property
    def id_prefix(self) -> str:
        """`math-train` for the split on the Hub; from the file name otherwise, e.g. `math-demo` for math-demo.jsonl."""
        if self.path is None:
            return f"{self.name}-{_slug(self.splits[0].split)}"
        stem = re.sub(r"-\d{5}-of-\d{5}$", "", stem_of(self.path))  # the Hub's own shard names
        return f"{self.name}-{_slug(stem).removeprefix(f'{self.name}-')}"

    def rows(self) -> Iterator[TableRow]:
        """Yield the source's rows in their original columns."""
        if self.path is not None:
            yield from read_file(self.path)
            return
        for split in self.splits:
            yield from read_hub(split)


def known_splits(name: str, split: str, revision: str | None) -> tuple[HubSplit, ...]:
    """The places on the Hub of a split of GSM8K or MATH, in order."""
    repo, configs = (GSM8K_REPO, GSM8K_CONFIGS) if name == "gsm8k" else (MATH_REPO, MATH_CONFIGS)
    return tuple(HubSplit(repo, config, split, revision) for config in configs)


def source_label(source: str) -> str:
    """Return the display name of a source."""
    return SOURCES.get(source, source)


def with_head(text: str, name: str) -> str:
    """A name on the Hub as `name`, with the same revision."""
    _, at, revision = text.rpartition(":")[2].partition("@")
    return f"{name}{at}{revision}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _right_form(text: str) -> str:
    """The end of an error: what to write instead of a text that names no problems, in its own words where possible."""
    general = (
        "write gsm8k or math; for your own file NAME:PATH:QUESTION_COLUMN:ANSWER_COLUMN, e.g. "
        "shop:mine.jsonl:question:answer; for a dataset on the Hub OWNER/NAME:QUESTION_COLUMN:ANSWER_COLUMN; for a "
        "local copy of the first two gsm8k:PATH or math:PATH"
    )
    name, place = "", text
    columns: list[str] = []
    if ":" in text and not _DRIVE.match(text) and not is_file_name(text.partition(":")[0]):
        name, _, place = text.partition(":")
    while ":" in place and not is_file_name(place) and len(columns) < len(_WANTED):
        place, _, column = place.rpartition(":")
        columns.insert(0, column)
    if not is_file_name(place):
        return general
    if name in COLUMNS or not _NAME.fullmatch(name):
        stem = _slug(PureWindowsPath(place).name.partition(".")[0])
        name = stem if _NAME.fullmatch(stem) and stem not in COLUMNS else f"my-{stem or 'problems'}"
    columns = [column or wanted for column, wanted in zip([*columns, "", ""], _WANTED, strict=False)]
    return f"write {':'.join([name, place, *columns])}: a name of your own, the file, and its two columns"
