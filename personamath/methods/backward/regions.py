r"""Which characters of a problem are prose, which are math, and which must not change.

Closed are figures (`[asy]`), sub- and superscripts, names of commands, and the arguments of commands that hold no
number of the problem, such as `\hspace{1cm}` and `\begin{array}{c|c}`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

PROSE, MATH, CLOSED = "p", "m", "-"

RECENT = 64
"""Texts whose regions are cached: a problem is asked for its numbers, its sentences and its free letters."""

# Commands whose arguments in braces are part of a formula, by the number of arguments.
_FORMULAS = {"frac": 2, "dfrac": 2, "tfrac": 2, "cfrac": 2, "binom": 2, "dbinom": 2, "tbinom": 2, "sqrt": 1}
_FORMULAS |= {"pmod": 1, "boxed": 1}
_MATH_ENVIRONMENT = re.compile(r"(?:align|alignat|equation|gather|eqnarray|multline|cases|split)(?:ed)?\*?")

_FIGURE = re.compile(r"\[asy\].*?(?:\[/asy\]|\Z)", re.DOTALL)
_ORDINARY = re.compile(r"[^\\$^_\[]*")
_COMMAND = re.compile(r"\\(?:([A-Za-z]+)\*?|[^A-Za-z])", re.DOTALL)
_OPTION = re.compile(r"\[[^\]\n]*\]")
_BARE = re.compile(r"\s*(?:\\[A-Za-z]+|\d|[A-Za-z])")
_SCRIPT = re.compile(r"\s*(?:\\[A-Za-z]+|-?\d+(?:\.\d+)?|[^\s{\\])")
_OPENS, _CLOSES = (r"\(", r"\["), (r"\)", r"\]")
# Without LaTeX commands, `$` may be money. As in Pandoc, a formula touches both of its dollars.
_LATEX = re.compile(r"\\(?:[A-Za-z]+|[$(\[])")
_FORMULA = re.compile(r"\$(?=[^\s$])((?:(?!\n\s*\n)[^$])*?)(?<=\S)\$(?!\d)")
_WORDS = re.compile(
    r"\b(?:[a-z]*[aeiou][a-z]{3,}|[a-z]{2,}[aeiou][a-z]+|and|for|per|the|has|are|was|all|he|she|to|is|in|of|at)\b"
)


class Regions(NamedTuple):
    """A letter for each character of a text."""

    modes: str
    """`PROSE`, `MATH` or `CLOSED`."""
    formulas: str
    """`MATH` or `PROSE`, also for closed characters."""

    @property
    def has_math(self) -> bool:
        """Whether there is a formula."""
        return MATH in self.formulas


@lru_cache(maxsize=RECENT)
def regions(text: str) -> Regions:
    """The regions of a text."""
    scanner = _Scanner(text)
    return Regions("".join(scanner.modes), "".join(scanner.formulas))


class _Scanner:
    """Reads a text from left to right, and marks its characters."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._math = self._display = False
        self.modes = [PROSE] * len(text)
        self.formulas = [PROSE] * len(text)
        self._dollars = _dollars(text)
        self._scan()

    def _scan(self) -> None:
        place = 0
        while place < len(self._text):
            place = self._step(place)

    def _step(self, place: int) -> int:
        """Mark what begins at a place; return where it ends."""
        text = self._text
        if figure := _FIGURE.match(text, place):
            return self._close(place, figure.end())
        if place in self._dollars:
            return self._close(place, self._toggled(place))
        if text[place] in "^_" and not text.startswith("__", place):
            return self._close(place, self._script_end(place + 1))
        if command := _COMMAND.match(text, place):
            return self._command(command)
        plain = _ORDINARY.match(text, place + 1)
        end = plain.end() if plain else place + 1
        self._mark(place, end, MATH if self._math else PROSE)
        return end

    def _toggled(self, place: int) -> int:
        """Begin or end a formula at a dollar; return where the `$` or `$$` ends."""
        is_double = place + 1 in self._dollars and (not self._math or self._display)
        self._math = not self._math
        self._display = self._math and is_double
        return place + 1 + is_double

    def _command(self, command: re.Match[str]) -> int:
        text, name = self._text, command[1]
        if command[0] in _OPENS or command[0] in _CLOSES:
            self._math = command[0] in _OPENS
            return self._close(command.start(), command.end())
        if name in ("begin", "end"):
            return self._environment(command)
        end = command.end()
        if name is None and command[0] != r"\\":  # a space, or a character by itself
            self._mark(command.start(), end, MATH if self._math else PROSE)
            return end
        # What follows `\left` and `\right` is a delimiter.
        if (name or command[0] == r"\\") and name not in ("left", "right") and (option := _OPTION.match(text, end)):
            end = option.end()
        if name in _FORMULAS:
            start = command.end()
            self._mark(command.start(), start, MATH if self._math else PROSE)
            if not text.startswith("{", end):
                for _ in range(_FORMULAS[name]):
                    bare = _BARE.match(text, end)
                    end = bare.end() if bare else end
            return self._close(start, end)
        while name and text.startswith("{", end):
            end = _group_end(text, end)
        return self._close(command.start(), end)

    def _environment(self, command: re.Match[str]) -> int:
        text, end = self._text, command.end()
        if not text.startswith("{", end):
            return self._close(command.start(), end)
        start, end = end, _group_end(text, end)
        if _MATH_ENVIRONMENT.fullmatch(text[start + 1 : end - 1]):
            self._math = command[1] == "begin"
        if command[1] == "begin" and (option := _OPTION.match(text, end)):
            end = option.end()
        if command[1] == "begin" and text[start + 1 : end - 1].rstrip("*") in ("array", "tabular"):
            end = _group_end(text, end) if text.startswith("{", end) else end
        return self._close(command.start(), end)

    def _script_end(self, place: int) -> int:
        """Where a sub- or superscript ends."""
        text = self._text
        group = place + len(text[place:]) - len(text[place:].lstrip(" "))
        if text.startswith("{", group):
            return _group_end(text, group)
        script = _SCRIPT.match(text, place)
        end = script.end() if script else place
        while script and "\\" in script[0] and text.startswith("{", end):
            end = _group_end(text, end)
        return end

    def _close(self, start: int, end: int) -> int:
        self._mark(start, end, CLOSED)
        return end

    def _mark(self, start: int, end: int, mode: str) -> None:
        count = end - start
        self.modes[start:end] = [mode] * count
        self.formulas[start:end] = [MATH if self._math else PROSE] * count


def _group_end(text: str, start: int) -> int:
    """Where the group in braces that begins at `start` ends; the end of the text if it never does."""
    depth, place = 0, start
    while place < len(text):
        if text[place] == "\\":
            place += 1
        elif text[place] == "{":
            depth += 1
        elif text[place] == "}":
            depth -= 1
            if not depth:
                return place + 1
        place += 1
    return len(text)


def _dollars(text: str) -> frozenset[int]:
    """The places of the dollars that begin or end a formula; the others are money."""
    hidden = _FIGURE.sub(lambda figure: " " * len(figure[0]), text)
    places = [found.start() for found in re.finditer(r"(?<!\\)\$", hidden)]
    if len(places) % 2 == 0 and (_LATEX.search(hidden) or _are_formulas(hidden, places)):
        return frozenset(places)
    return frozenset(
        place
        for found in _FORMULA.finditer(hidden)
        if not _WORDS.search(found[1])
        for place in (found.start(), found.end() - 1)
    )


def _are_formulas(text: str, places: Sequence[int]) -> bool:
    """Whether nothing between pairs of dollars reads like prose, and nothing behind a pair like an amount."""
    pairs = zip(places[::2], places[1::2], strict=True)
    return not any(_WORDS.search(text[start:end]) or text[end + 1 : end + 2].isalnum() for start, end in pairs)
