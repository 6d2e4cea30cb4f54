"""Which program a reply holds, and which the gate refuses."""

import pytest

from personamath.programs.reading import LONGEST, NO_PROGRAM, NOT_ALLOWED, Program, read_program
from personamath.records import Dropped

FOUND = [
    ("```python\nprint(1)\n```", "print(1)"),
    ("Here it is:\n\n```python\nprint(1)\n```\nIt prints 1.", "print(1)"),
    ("```\nprint(1)\n```", "print(1)"),
    ("```py\nprint(1)\n```\nBetter:\n```python\nprint(2)\n```", "print(2)"),
    ("1. So:\n   ```python\n   x = 1\n   print(x)\n   ```", "x = 1\nprint(x)"),
    ("~~~python\nprint(1)\n~~~", "print(1)"),
    ("print(1)\n", "print(1)"),
    ("from math import *\nprint(sqrt(2))", "from math import *\nprint(sqrt(2))"),
    ("if __name__ == '__main__':\n    print(1)", "if __name__ == '__main__':\n    print(1)"),
    ("import sympy.ntheory\nfrom collections import Counter\nprint(1)", None),
    ("print('\\d')", "print('\\d')"),
]


@pytest.mark.parametrize(("reply", "source"), FOUND)
def test_the_last_block_of_code_is_the_program_or_the_whole_reply(reply: str, source: str | None) -> None:
    program = read_program(reply)
    assert isinstance(program, Program)
    assert program.source == (source or reply)
    assert read_program(program.fenced) == program


NONE = [
    "The answer is 5, because 2 and 3 are 5.",
    "",
    "# only a comment",
    "```python\nprint(1\n```",
    "```python\nprint(1)",  # cut off
    "```python\n```",
    "print(1)\0",
    "(" * 5_000 + ")" * 5_000,
    "print(1)\n" + "#" * LONGEST,
    f"print({'9' * 6_000})",
]


@pytest.mark.parametrize("reply", NONE, ids=range(len(NONE)))
def test_what_does_not_parse_is_no_program(reply: str) -> None:
    assert read_program(reply) == NO_PROGRAM


REFUSED = [
    "import os",
    "import os.path",
    "import math, sys",
    "from subprocess import run",
    "from . import x",
    "from .math import x",
    "from math import __loader__",
    "def f():\n    import socket",
    "eval('1')",
    "run = exec",
    "open('x')",
    "input()",
    "getattr(1, 'real')",
    "globals()",
    "__import__('os')",
    "().__class__.__base__.__subclasses__()",
    "print(__builtins__)",
    "breakpoint()",
    "import importlib",
    "import random",  # prints something else every time
]


@pytest.mark.parametrize("source", REFUSED)
def test_what_no_solution_needs_is_refused(source: str) -> None:
    assert read_program(source) == NOT_ALLOWED == Dropped("program not allowed")


def test_layout_and_comments_do_not_make_another_program() -> None:
    one, same, other = map(read_program, ("print(1+2)", "# so\nprint( 1 + 2 )", "print(2+1)"))
    assert isinstance(one, Program) and isinstance(same, Program) and isinstance(other, Program)
    assert one.form == same.form != other.form and one.digest != same.digest
