"""Small files: write them whole or not at all; read and validate them with one style of error message."""

import dataclasses
import errno
import hashlib
import json
import os
import shutil
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit
from urllib.request import url2pathname

from personamath.errors import BadInput

if TYPE_CHECKING:
    from pydantic import ValidationError

T = TypeVar("T")

# Enough of another program's message to show the cause in one line.
SHOWN_CHARACTERS = 300
FILE_URL = "file://"
# Marks of fsspec's chains and of glob's patterns.
READ_AS_MORE = ("::", "[", "*", "?")
# A disk, or a user's share of it, is full.
_FULL = (errno.ENOSPC, errno.EDQUOT)
# Bytes left on a disk that has just refused some: less than is written at once.
_NEXT_TO_NOTHING = 2**20
TEXT = "utf-8-sig"
"""How text files of users are read: as UTF-8, without the byte order mark that some editors put first."""
# Other programs' words may hold control characters, which a terminal would obey.
_CONTROL = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], "\ufffd")
# What pydantic calls a wrong value, in our words.
_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "tuple": "a list",
    "list": "a list",
    "dict": "keys and values",
    "dataclass": "keys and values",
    "finite": "a number",
}


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def written_whole(path: Path, beside: str = "partial") -> Iterator[Path]:
    """Yield a temporary path to write to; when the block ends, sync the file to disk and rename it to `path`.

    A reader never sees a half-written file. If the block raises, the temporary file is removed. Its name is
    `NAME.beside`: writers that may run at the same time, e.g. on several machines, must use different values of
    `beside`.
    """
    partial = path.with_name(f"{path.name}.{beside}")
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:  # a full disk refuses bytes, and names no file
            error.filename = str(path)
        raise


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """Give a temporary folder, removed at the end; raises `BadInput` where the disk of temporary files is full."""
    with tempfile.TemporaryDirectory(prefix=f"personamath-{name}-") as scratch:
        try:
            yield Path(scratch)
        except OSError as error:
            if not _fills(error, Path(scratch)):
                raise
            place = Path(scratch).parent
            raise BadInput(
                f"{place}: no space left for temporary files: make room, or name another folder in TMPDIR"
            ) from None


def _fills(error: OSError, folder: Path) -> bool:
    """Whether an error says that the disk of this folder is full, rather than another one."""
    # `shutil.copytree` has one error of many, which it keeps as texts.
    if not any(error.errno == full or f"[Errno {full}]" in str(error) for full in _FULL):
        return False
    if error.filename is None and not isinstance(error, shutil.Error):  # bytes were refused, of whatever file
        return shutil.disk_usage(folder).free < _NEXT_TO_NOTHING
    return error.filename is None or Path(error.filename).is_relative_to(folder)


def first_cause(error: BaseException) -> BaseException:
    """Return the error that the others wrap: `datasets` only says that it could not generate a dataset."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def plain_path(text: str) -> str:
    """Return a path as the operating system reads it: a leading `~` is expanded, and `file://` is removed.

    Anything else stays as it is, including names on the Hub and URLs of other stores.
    """
    if text[: len(FILE_URL)].lower() == FILE_URL:
        return url2pathname(urlsplit(text).path)
    if not text.startswith("~"):
        return text
    try:
        return str(Path(text).expanduser())
    except RuntimeError:  # no such user: then it is the name of a folder
        return text


def local_path(text: str) -> Path:
    """The path of a file or folder on this machine, as an option or a recipe names it."""
    return Path(plain_path(text))


@contextmanager
def folder_for_libraries(folder: Path) -> Iterator[Path]:
    """Give a path of a folder that fsspec, `datasets` and pyarrow cannot mistake for a URL or a pattern.

    They read `run-15:30/x` as a URL, `a::b` as a chain of them, and `a[1]` as a pattern. An absolute path rules out the
    first. For the others, this gives a folder with a plain name and links to the files, and removes it at the end. A
    link to the folder would not work, because `datasets` follows it.
    """
    absolute = folder.absolute()
    if not any(mark in str(absolute) for mark in READ_AS_MORE):
        yield absolute
        return
    with scratch_folder("links") as scratch:
        links = scratch / "folder"
        shutil.copytree(absolute, links, copy_function=os.symlink)
        yield links


def is_visible(text: str) -> bool:
    """Whether a text has a character to see: not only white space, control characters, joiners and byte order marks."""
    return any(unicodedata.category(character)[0] not in "CZ" for character in text)


def is_unicode(text: str) -> bool:
    """Whether a text is free of half surrogate pairs: JSON may escape one, but no file or request can hold it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def in_one_line(what: object, characters: int = SHOWN_CHARACTERS) -> str:
    """Return another program's message in one shortened line; an exception without a message gives its type's name."""
    text = " ".join(str(what).split()).translate(_CONTROL) or type(what).__name__
    return text if len(text) <= characters else text[: characters - 4] + " ..."


def validated(cls: type[T], values: Mapping[str, Any], place: str, **given: Any) -> T:
    """Build a dataclass from a mapping; errors name `place`, the file or the command line; `given` is not checked.

    Values are converted as on a command line: `"5"` becomes 5, 3 may become text, and a single value may become a
    list. Raises `BadInput` for an unknown key, with the nearest known one, and for a missing or wrong value.
    """
    hints = _hints(cls)
    # A key without a value keeps the default, unless None is a valid value of the field.
    values = {key: value for key, value in values.items() if value is not None or _admits_none(hints.get(key))}
    for key in values:
        if key not in hints or key in given:
            raise BadInput(f"{place}: unknown key {key!r}; {nearest(str(key), hints)}")
    for field in dataclasses.fields(cast(Any, cls)):
        if field.default is field.default_factory is dataclasses.MISSING and field.name not in {*values, *given}:
            raise BadInput(f"{place}: {field.name} is missing")
    checked = {name: _checked(name, hints[name], value, place) for name, value in values.items()}
    return cls(**checked, **given)


def _checked(name: str, hint: Any, value: Any, place: str) -> Any:
    """Convert and check one value by its type hint."""
    from pydantic import TypeAdapter, ValidationError

    kinds = _kinds(hint)
    if isinstance(value, str) and value.lower() in ("none", "null") and NoneType in kinds and str not in kinds:
        return None
    many = any(get_origin(kind) in (tuple, list) for kind in kinds)
    texts = str in kinds or any(str in get_args(kind) for kind in kinds)
    values = list(value) if many and isinstance(value, (list, tuple)) else [value]
    if any(isinstance(one, str) and not is_unicode(one) for one in values):
        raise BadInput(f"{place}: {name} is {_shown(value)}, which is not valid Unicode: write it in UTF-8")
    if any(isinstance(one, bool) for one in values) and bool not in kinds:
        raise BadInput(f"{place}: {name} is {_shown(value)}; it must be {_wanted(kinds, many)}")
    if texts:  # YAML reads `teacher: 7` as a number
        values = [str(one) if isinstance(one, (int, float)) and not isinstance(one, bool) else one for one in values]
    try:
        return TypeAdapter(hint).validate_python(values if many and value is not None else values[0])
    except ValidationError as error:
        raise BadInput(f"{place}: {_wrong(error, name)}") from None


def from_json(cls: type[T], content: Mapping[str, Any], place: str, remedy: str) -> T:
    """Build a dataclass, including nested ones, from a JSON object that a program wrote.

    Files of older and newer versions can be read: a field with a default may be absent, and an unknown field is
    ignored. Values are not converted. Raises `BadInput` for a missing or wrong field; the error names `place`, the
    field and the remedy.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        # Only for JSON text does pydantic's strict mode accept a mapping for a dataclass and a list for a tuple.
        return TypeAdapter(cls).validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        raise BadInput(f"{place}: {_wrong(error)}; {remedy}") from None


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of a message: the known name nearest to an unknown one, or all known names."""
    known = list(known)
    near = get_close_matches(name, known, n=1)
    return f"the nearest known one is {near[0]!r}" if near else f"known are {', '.join(known)}"


def read_yaml(path: Path, *, example: str) -> dict[Any, Any]:
    """Read keys and values from a YAML file; raise `BadInput`, which shows `example`, for anything else."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding=TEXT))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: not valid YAML ({in_one_line(error)})") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path}: expected keys and values, e.g. `{example}`")
    return content


def card_yaml(card: str) -> Any:
    """Return what the YAML of a card holds; raises `IndexError` where it has none, and `yaml.YAMLError`."""
    import yaml

    # libyaml takes a tenth of the time; PyYAML may have been built without it.
    return yaml.load(card.split("---\n")[1], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def read_json(path: Path, remedy: str) -> dict[str, Any]:
    """Read the object in a JSON file; raise `BadInput` with the remedy if the file or the object is missing."""
    try:
        content = json.loads(path.read_text(encoding=TEXT))
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file; {remedy}") from None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise BadInput(f"{path}: not valid JSON ({in_one_line(error)}); {remedy}") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path}: not a JSON object; {remedy}")
    return content


def _hints(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls) if field.init}


def _admits_none(hint: Any) -> bool:
    return hint is None or NoneType in _kinds(hint)


def _kinds(hint: Any) -> set[Any]:
    """Return the types that a hint allows; unions are split into their parts."""
    if get_origin(hint) not in (Union, UnionType):
        return {hint}
    return {kind for part in get_args(hint) for kind in _kinds(part)}


def _wanted(kinds: set[Any], many: bool) -> str:
    names = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    return "a list" if many else " or ".join(names[kind] for kind in names if kind in kinds) or "another value"


def _wrong(errors: "ValidationError", *outer: str) -> str:
    """Describe the first wrong value as `name is value; it must be ...`; `outer` names the object that holds it."""
    error = errors.errors(include_url=False)[0]
    name = ".".join([*outer, *(str(part) for part in error["loc"])])
    if error["type"] in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return f"{name} is missing"
    if error["type"] == "literal_error":
        wanted = str(error["ctx"]["expected"]).replace("'", "")
    else:
        wanted = _WANTED.get(error["type"].partition("_")[0]) or error["msg"].removeprefix("Input should be ")
    return f"{name} is {_shown(error['input'])}; it must be {wanted}"


def _shown(value: Any) -> str:
    return in_one_line(repr(value), 80)
