"""Find what must never be published: keys, and paths of the machine that made a folder."""

import os
import re
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from huggingface_hub import get_token

from personamath.teachers.keys import HUB_TOKEN, OPENAI_KEY, SHORTEST_KEY

KEY_VARIABLES = (OPENAI_KEY, HUB_TOKEN, "HUGGING_FACE_HUB_TOKEN")
# In the syntax that Python's `re` and Arrow's RE2 share.
KEY_SHAPES = {
    "a key (sk-...)": r"\bsk-[A-Za-z0-9_-]{20,}",
    "a Hub token (hf_...)": r"\bhf_[A-Za-z0-9]{30,}",
    "a key (gsk_...)": r"\bgsk_[A-Za-z0-9]{30,}",
    "a key (AIza...)": r"\bAIza[A-Za-z0-9_-]{35}",
    "a key (AKIA...)": r"\bAKIA[A-Z0-9]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{30,}",
    "a path in a home folder": r"(?:/home|/Users|[A-Z]:\\Users)[/\\][A-Za-z0-9._-]+[/\\]",
    "a private key": "-----BEGIN [A-Z ]*PRIVATE KEY-----",
}
# Files are read in pieces of this size, each with the end of the previous piece, which is longer than any secret.
PIECE_BYTES, OVERLAP_BYTES = 16 * 2**20, 4_096


class Leak(NamedTuple):
    """The place of a secret in a file or a column."""

    place: int
    """Byte offset in the file, or row of the column."""
    what: str
    """E.g. `the value of HF_TOKEN`; never the secret itself."""


class Secrets:
    """Searches texts for the keys and paths of this user and machine, and for anything that looks like a key."""

    def __init__(self, *folders: Path) -> None:
        """Also search for the paths of these folders."""
        self._patterns = dict(KEY_SHAPES)
        names = [*KEY_VARIABLES, *sorted(name for name in os.environ if name.endswith("_API_KEY"))]
        values = {f"the value of {name}": os.environ.get(name, "").strip() for name in names}
        for what, value in (values | {"the stored Hub token": get_token() or ""}).items():
            if len(value) >= SHORTEST_KEY:
                self._patterns[what] = re.escape(value)
        own = [("the path of the home folder", Path.home()), ("the current path", Path.cwd())]
        for what, folder in (*own, *((f"the path of {folder.name}", folder.absolute()) for folder in folders)):
            if paths := sorted({str(folder), str(folder.resolve())} - {"/"}):
                # Match whole paths only: `a square/root` does not contain the path `/root`.
                self._patterns[what] = rf"(?:^|\W)(?:{'|'.join(map(re.escape, paths))})(?:\W|$)"
        self._any = "|".join(f"(?:{pattern})" for pattern in self._patterns.values())

    def in_file(self, path: Path) -> Leak | None:
        """Return the first leak in a file."""
        with path.open("rb") as file:
            start, window = 0, b""
            while piece := file.read(PIECE_BYTES):
                start += len(window) - len(window[-OVERLAP_BYTES:])
                window = window[-OVERLAP_BYTES:] + piece
                if leak := self.in_bytes(window):
                    return Leak(start + leak.place, leak.what)
        return None

    def in_bytes(self, content: bytes) -> Leak | None:
        """Return the first leak in some bytes."""
        # Arrow finds the place about fifty times as fast as `re`, but does not give the text.
        place = pc.find_substring_regex(pa.scalar(content), self._any).as_py()
        if place < 0:
            return None
        found = re.compile(self._any.encode()).match(content, place)
        assert found
        return Leak(place, self._name(found[0].decode(errors="replace")))

    def in_column(self, texts: pa.Array) -> Leak | None:
        """Return the first leak in a column of texts."""
        row = pc.index(pc.match_substring_regex(texts, self._any), True).as_py()
        return Leak(row, self._name(texts[row].as_py())) if row >= 0 else None

    def _name(self, text: str) -> str:
        return next(what for what, pattern in self._patterns.items() if re.search(pattern, text))
