"""Read personas from the package, a file or the Hub."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from personamath.errors import BadInput, warn
from personamath.files import in_one_line, is_unicode, local_path
from personamath.records import Persona
from personamath.sources.hub import HubSplit, read_hub
from personamath.sources.hub.split import is_file_name, is_hub_name, parse_hub, with_revision, without_revision
from personamath.sources.rows import HALF_A_PAIR, TableRow
from personamath.sources.tables import form_of, read_file
from personamath.sources.texts import lines_of, opened_text

BUNDLED = "bundled"
COLUMN = "persona"
# Persona Hub has several configs and keeps its personas in this one.
HUB_CONFIGS = {"proj-persona/PersonaHub": "persona"}


@dataclass(frozen=True, slots=True)
class PersonaSource:
    """Where personas come from."""

    path: Path | None
    """A local file; None for the bundled set and for a dataset on the Hub."""
    splits: tuple[HubSplit, ...]
    """Its place on the Hub, if it is there."""
    published: str
    """As the user wrote it, with a file's name only."""

    @classmethod
    def parse(cls, text: str) -> "PersonaSource":
        """Read `bundled`, a local file, or `OWNER/NAME[@REVISION][:CONFIG[:SPLIT]]` on the Hub."""
        if text == BUNDLED:
            return cls(None, (), text)
        if is_hub_name(text):
            split, _ = parse_hub(text, "train", f"personas {text!r}")
            return cls(None, (split._replace(config=split.config or HUB_CONFIGS.get(split.repo)),), text)
        path = local_path(text)
        if path.exists() or is_file_name(text):
            return cls(path, (), path.name)
        raise BadInput(
            f"personas {text!r}: no such file; write {BUNDLED}, the path of a file, or for a dataset on the Hub "
            "OWNER/NAME[@REVISION][:CONFIG]"
        )

    @property
    def name(self) -> str:
        """`bundled`, the name of the file, or of the dataset."""
        return self.splits[0].repo if self.splits else self.published

    @property
    def label(self) -> str:
        """As `published`, without a revision."""
        return without_revision(self.published) if self.splits else self.published

    def at(self, commit: str) -> str:
        """What to write to have this source at a commit."""
        return with_revision(self.published, commit)

    def read(self) -> list[Persona]:
        """Read the personas.

        A file is a table with a `persona` column (and `occupation`, where there is one), or text with one persona a
        line. Repeated descriptions are left out, so that drawing without replacement gives different
        personas. Personas with half a surrogate pair are left out too, with a warning: no request and no file can hold
        one.
        """
        personas: dict[str, Persona] = {}
        halves: list[str] = []
        for index, row in enumerate(self._rows()):
            description = row.cell(COLUMN)
            if not isinstance(description, str):
                raise BadInput(f"{row.place}: {COLUMN} is {in_one_line(repr(description), 80)}; it must be text")
            occupation = row.values.get("occupation")
            occupation = occupation if isinstance(occupation, str) and occupation.strip() else None
            if not is_unicode(description + (occupation or "")):
                halves.append(row.place)
            elif text := description.strip():
                personas.setdefault(text, Persona(index, text, occupation))
        if halves:
            warn(f"{len(halves):,} personas left out: {HALF_A_PAIR} ({', '.join(halves[:3])})")
        if not personas:
            raise BadInput(f"{self.path or self.label}: contains no personas")
        return list(personas.values())

    def _rows(self) -> Iterator[TableRow]:
        if self.splits:
            yield from read_hub(self.splits[0])
        elif self.path is None:
            with as_file(files("personamath.sources.bundled") / "personas.jsonl") as bundled:
                yield from read_file(bundled)
        elif form_of(self.path) == ".txt":
            yield from _read_lines(self.path)
        else:
            yield from read_file(self.path)


def read_personas(source: str) -> list[Persona]:
    """Read the personas of what a user wrote."""
    return PersonaSource.parse(source).read()


def _read_lines(path: Path) -> Iterator[TableRow]:
    with opened_text(path) as text:
        lines = enumerate(lines_of(text), start=1)
        yield from (TableRow(f"{path}:{number}", {"persona": line}) for number, line in lines)
