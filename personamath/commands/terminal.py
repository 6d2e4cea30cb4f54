"""What the commands print: errors and warnings in one style, and results as JSON for programs."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from typing import Any, TextIO

RED, YELLOW = "31", "33"


def say_error(text: object) -> None:
    """Print an error of the command line."""
    print(f"{_in_colour('personamath:', RED, sys.stderr)} {text}", file=sys.stderr)


def say_warning(text: object) -> None:
    """Print what the user should look at, and what does not stop the command."""
    print(f"{_in_colour('warning:', YELLOW, sys.stderr)} {text}", file=sys.stderr)


def add_json(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare the option of commands whose result programs use; `what` names the result."""
    parser.add_argument(
        "--json", action="store_true", help=f"print {what} as JSON; the text goes to the standard error instead"
    )


@contextmanager
def json_result(wanted: bool) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Give a function that prints a command's result as one JSON object, which is all that the standard output gets.

    Without --json, that is if it is not `wanted`, the function prints nothing, and the command prints as usual.
    """
    output = sys.stdout

    def show(result: Mapping[str, Any]) -> None:
        if wanted:
            print(json.dumps(result, ensure_ascii=False, indent=1), file=output)

    with redirect_stdout(sys.stderr) if wanted else nullcontext():
        yield show


def _in_colour(word: str, colour: str, stream: TextIO) -> str:
    """Colour a word on a terminal, unless NO_COLOR is set (https://no-color.org) or the terminal knows no colours."""
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return word
    return f"\x1b[1;{colour}m{word}\x1b[0m"
