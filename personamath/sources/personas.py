"""Read personas from the package, a file or the Hub."""

from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

from personamath.errors import BadInput, warn
from personamath.files import in_one_line, is_unicode, local_path
from personamath.records import Persona
from personamath.sources.hub import HubSplit, read_hub
from personamath.sources.rows import HALF_A_PAIR, TableRow
from personamath.sources.tables import form_of, is_table, read_file
from personamath.sources.texts import opened_text

BUNDLED = "bundled"
# Persona Hub has several configs and keeps its personas in this one.
HUB_CONFIGS = {"proj-persona/PersonaHub": "persona"}


def read_personas(source: str) -> list[Persona]:
    """Read the personas of a source: `bundled`, a Hub dataset `owner/name[:config]`, or a local file.

    A file is a table with a `persona` column (and `occupation`, where there is one), or text with one persona a line.
    Repeated descriptions are left out, so that drawing without replacement gives different personas.
    Personas with half a surrogate pair are left out too, with a warning: no request and no file can hold one.
    """
    personas: dict[str, Persona] = {}
    halves: list[str] = []
    for index, row in enumerate(_rows(source)):
        description = row.cell("persona")
        if not isinstance(description, str):
            raise BadInput(f"{row.place}: persona is {in_one_line(repr(description), 80)}; it must be text")
        occupation = row.values.get("occupation")
        occupation = occupation if isinstance(occupation, str) and occupation.strip() else None
        if not is_unicode(description + (occupation or "")):
            halves.append(row.place)
        elif text := description.strip():
            personas.setdefault(text, Persona(index, text, occupation))
    if halves:
        warn(f"{len(halves):,} personas left out: {HALF_A_PAIR} ({', '.join(halves[:3])})")
    if not personas:
        raise BadInput(f"{source}: contains no personas")
    return list(personas.values())


def local_file(source: str) -> Path | None:
    """The file that a source names; None for the bundled set and for a Hub dataset."""
    path = local_path(source)
    is_file = source != BUNDLED and (path.exists() or is_table(path) or form_of(path) == ".txt")
    return path if is_file else None


def hub_dataset(source: str) -> HubSplit:
    """Return the Hub dataset that a source names; the source must be neither the bundled set nor a file."""
    if source.count("/") != 1:
        raise BadInput(f"personas {source!r}: no such file; write a Hub dataset as owner/name")
    repo, _, config = source.partition(":")
    return HubSplit(repo, config or HUB_CONFIGS.get(repo), "train")


def _rows(source: str) -> Iterator[TableRow]:
    if source == BUNDLED:
        with as_file(files("personamath.sources.bundled") / "personas.jsonl") as bundled:
            yield from read_file(bundled)
    elif (path := local_file(source)) is None:
        yield from read_hub(hub_dataset(source))
    elif form_of(path) == ".txt":
        yield from _read_lines(path)
    else:
        yield from read_file(path)


def _read_lines(path: Path) -> Iterator[TableRow]:
    with opened_text(path) as lines:
        yield from (TableRow(f"{path}:{number}", {"persona": line}) for number, line in enumerate(lines, start=1))
