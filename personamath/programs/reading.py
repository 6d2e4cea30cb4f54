"""The program in a reply, and whether it keeps to what a solution of a math problem needs.

This gate saves time and gives a clear reason; it is not what makes running a program safe. The sandbox is.
"""

import ast
import hashlib
import re
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from personamath.records import Dropped

MODULES = (
    "math",
    "cmath",
    "fractions",
    "decimal",
    "itertools",
    "functools",
    "collections",
    "statistics",
    "datetime",
    "sympy",
    "numpy",
)
"""What a program may import; submodules too."""
NAMES = frozenset({"__import__", "breakpoint", "compile", "eval", "exec", "help", "input", "open"}) | {
    "delattr",
    "getattr",
    "globals",
    "locals",
    "setattr",
    "vars",
}
"""Built-in names that a program may not use: they read files or input, run text as code, or reach what it hides."""
LONGEST = 20_000
"""Characters of a program. Solutions have a few hundred; the parser takes time and memory for more."""

NO_PROGRAM = Dropped("no program")
NOT_ALLOWED = Dropped("program not allowed")

_FENCED = re.compile(r"^[ \t]*(```+|~~~+)[^\n`]*\n(.*?)^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
_DUNDER = re.compile(r"__\w+__")


@dataclass(frozen=True)
class Program:
    """Python source that parses and passed the gate."""

    source: str
    """Without white space around it."""

    @cached_property
    def digest(self) -> str:
        """Key of its result: a digest of the source, 32 hex digits."""
        return hashlib.sha256(self.source.encode()).hexdigest()[:32]

    @cached_property
    def form(self) -> str:
        """The same for programs that differ only in comments and layout."""
        return ast.dump(_parsed(self.source))

    @property
    def fenced(self) -> str:
        """The program as a row's response has it, from which `read_program` finds it again."""
        return f"```python\n{self.source}\n```"


def read_program(reply: str) -> Program | Dropped:
    """The last fenced block of a reply, or the whole reply if it is a program; or why it cannot be run."""
    blocks = [block for _, block in _FENCED.findall(reply)]
    source = textwrap.dedent(blocks[-1] if blocks else reply).strip()
    if not source or len(source) > LONGEST or "```" in source:
        return NO_PROGRAM
    try:
        tree = _parsed(source)
        allowed = not any(_faults(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: nested too deeply for the parser
        return NO_PROGRAM
    if not tree.body:
        return NO_PROGRAM
    return Program(source) if allowed else NOT_ALLOWED


def _parsed(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of backslashes in texts and the like
        return ast.parse(source)


def _faults(tree: ast.Module) -> Iterator[bool]:
    """Whether each part of a program is one that it may not have."""
    for part in ast.walk(tree):
        match part:
            case ast.Import(names=names):
                yield any(not _may_import(one.name) for one in names)
            case ast.ImportFrom(module=module, level=level, names=names):
                yield level > 0 or not _may_import(module or "")
                yield any(_DUNDER.fullmatch(one.name) is not None for one in names)
            case ast.Name(id=name):
                yield name in NAMES or (_DUNDER.fullmatch(name) is not None and name != "__name__")
            case ast.Attribute(attr=name):
                yield _DUNDER.fullmatch(name) is not None
            case _:
                pass


def _may_import(module: str) -> bool:
    return module.partition(".")[0] in MODULES
