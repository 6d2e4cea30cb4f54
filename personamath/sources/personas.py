"""Read personas from the package, a file or the Hub."""

from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

from personamath.errors import BadInput, warn
from personamath.files import TEXT, is_unicode, local_path
from personamath.records import Persona
from personamath.sources.hub import HubSplit, read_hub
from personamath.sources.tables import HALF_A_PAIR, TableRow, read_file

BUNDLED = "bundled"
# Persona Hub has several configs and keeps its personas in this one.
HUB_CONFIGS = {"proj-persona/PersonaHub": "persona"}


def read_personas(source: str) -> list[Persona]:
    """Read the personas of a source: `bundled`, a Hub dataset `owner/name[:config]`, or a local file.

    A file is JSONL, JSON or parquet with a `persona` column (and `occupation`, where there is one), or text with one
    persona a line. Repeated descriptions are left out, so that drawing without replacement gives different personas.
    Personas with half a surrogate pair are left out too, with a warning: no request and no file can hold one.
    """
    personas: dict[str, Persona] = {}
    halves: list[str] = []
    for index, row in enumerate(_rows(source)):
        description = row.values.get("persona")
        if not isinstance(description, str):
            found = ", ".join(row.values) or "none"
            raise BadInput(f"{row.place}: personas need a text column `persona`; found {found}")
        occupation = row.values.get("occupation")
        occupation = occupation if isinstance(occupation, str) else None
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
    is_file = source != BUNDLED and (path.exists() or path.suffix in {".jsonl", ".json", ".parquet", ".txt"})
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
    elif path.suffix == ".txt":
        yield from _read_lines(path)
    else:
        yield from read_file(path)


def _read_lines(path: Path) -> Iterator[TableRow]:
    try:
        with path.open(encoding=TEXT) as lines:
            yield from (TableRow(f"{path}:{number}", {"persona": line}) for number, line in enumerate(lines, start=1))
    except UnicodeDecodeError:
        raise BadInput(f"{path}: not UTF-8; save it as UTF-8, or give JSONL or parquet") from None
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from None
