"""The parser of every subcommand: help at the terminal's width, and usage errors of two lines that name the remedy."""

import argparse
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import NoReturn

from personamath.commands.terminal import say_error

USAGE = 2
"""Exit status of a command line that cannot be read, as in other programs."""


class Help(argparse.RawDescriptionHelpFormatter):
    """Wrap sentences at the terminal's width, and leave indented blocks as they are: commands to copy, tables."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        blocks = re.split(r"(\n\s*\n)", text)
        filled = (block if _fixed(block) else textwrap.fill(block, width - len(indent)) for block in blocks)
        return textwrap.indent("".join(filled), indent)

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        """Show what is required, and `[options]` for the rest: the list of all options follows anyway."""
        named = [action for action in actions if action.option_strings]
        values = [action for action in actions if not action.option_strings]
        required = [f"{action.option_strings[0]} {_value_of(action)}" for action in named if action.required]
        places = ["%(prog)s", *required, "[options]", *(str(action.metavar) for action in values)]
        super().add_usage(usage or " ".join(places), actions, groups, prefix)


def _value_of(action: argparse.Action) -> str:
    """Name the value of an option, as argparse does in the list of options."""
    choices = "|".join(map(str, action.choices or ()))
    return str(action.metavar or choices or action.dest.upper())


def _fixed(block: str) -> bool:
    """Whether a block keeps its lines: one with indented lines, or the space between two blocks."""
    return not block.strip() or any(line.startswith("  ") or "   " in line for line in block.splitlines())


class Parser(argparse.ArgumentParser):
    """Parse the options of one subcommand."""

    def __init__(self, program: str, description: str) -> None:
        # An abbreviation would change its meaning with the next option that begins like it.
        super().__init__(prog=program, description=description, formatter_class=Help, allow_abbrev=False)

    def refuse(self, unknown: Sequence[str]) -> None:
        """End the program if there are arguments that it does not know; name the known option nearest to the first."""
        for argument in unknown:
            self.error(self._unknown(argument))

    def _unknown(self, argument: str) -> str:
        if not argument.startswith("-"):
            return f"unexpected argument {argument!r}"
        option = argument.partition("=")[0]
        known = [name for name in self._option_string_actions if name.startswith("--")]
        begin = [name for name in known if name.startswith(option) and len(option) > len("--")]
        near = begin if len(begin) == 1 else get_close_matches(option, known, n=1)
        return f"unknown option {option}" + (f"; the nearest known one is {near[0]}" if near else "")

    def error(self, message: str) -> NoReturn:
        """Print the error and where the options are explained; end with exit status 2."""
        say_error(f"{message}\nSee `{self.prog} --help`.")
        sys.exit(USAGE)
