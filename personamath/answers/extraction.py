r"""The final answer of a completion: the content of its last `\boxed{…}` or `\fbox{…}`.

Models repeat and correct themselves, so the last box counts. Nothing but a box counts: the last number of a
completion is as often an intermediate value, a year or a step's index as the answer.
"""

import re
from typing import NamedTuple

from personamath.answers.given import text

BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])")

CONTENT = re.compile(r"\s*(?:\Z|\{|[-+]?\.?\d|\\[A-Za-z{]|[A-Za-z](?=\s*(?:\Z|[.,;:!?$]|\\[)\]])))")
r"""Begins what is boxed; other words after `\boxed` only speak of it, as in `where \boxed marks the answer`."""
BRACE = re.compile(r"\\[^A-Za-z]|[{}]", re.DOTALL)
BRACES = {"{": 1, "}": -1}
SPACES = re.compile(r"\s*")
UNBRACED_END = re.compile(r"\s|\$|\\[)\]]")
r"""Ends `\boxed 5`: a space, or the end of its formula."""


class Extraction(NamedTuple):
    """The answer, or why there is none; exactly one of the two is None."""

    answer: str | None
    why: str | None


def extract(completion: str) -> str | None:
    r"""Contents of the last box of a completion, or None.

    Reads `\boxed{…}` and `\fbox{…}` with nested and escaped braces, and `\boxed 5` up to the next space or the end of
    its formula, if a number, a command or a single letter follows. None if there is no box, or if the last one is
    empty or cut off (its braces never close, as in a completion that ran into the token limit). An
    earlier box never replaces the last. Raises `BadInput` unless it is given a text.
    """
    return find_answer(text("the completion", completion)).answer


def find_answer(completion: str) -> Extraction:
    """`extract`, with the reason where there is no answer."""
    content = from_last_box(completion)
    if content is None:
        return Extraction(None, "no box")
    inside = inside_box(content)
    if inside is None or not content:
        return Extraction(None, "the last box is cut off")
    if not inside.strip():
        return Extraction(None, "the last box is empty")
    return Extraction(inside.strip(), None)


def after_answer(completion: str) -> str | None:
    """Return the text after the box with the answer; None if there is no answer."""
    if find_answer(completion).answer is None:
        return None
    content = from_last_box(completion) or ""
    inside = inside_box(content) or ""
    return content[len(inside) + (2 if content.startswith("{") else 0) :]


def from_last_box(completion: str) -> str | None:
    """The completion from what its last box holds on; None without a box."""
    ends = [box.end() for box in BOX.finditer(completion) if CONTENT.match(completion, box.end())]
    return completion[outermost(completion, ends) :].lstrip() if ends else None


def inside_box(content: str) -> str | None:
    """What a box holds that a text begins with; None if it is cut off."""
    return braced(content) if content.startswith("{") else unbraced(content)


def outermost(completion: str, ends: list[int]) -> int:
    """Return where the content of the last box that is not inside another begins; a cut-off box contains no other."""
    if all(ends_before(completion, end, ends[-1]) for end in ends[:-1]):
        return ends[-1]
    starts = {found.end(): end for end in ends if (found := SPACES.match(completion, end))}
    open_braces: list[int] = []
    around: int | None = None
    for token in BRACE.finditer(completion, ends[0]):
        place = token.start()
        if token[0] == "{":
            open_braces.append(place)
        elif token[0] == "}" and open_braces:
            opened = open_braces.pop()
            if opened in starts and starts[opened] <= ends[-1] < place:
                around = starts[opened]  # the inner ones close first
    return ends[-1] if around is None else around


def ends_before(completion: str, start: int, place: int) -> bool:
    """Whether the braces that open at one place close before another."""
    depth = 0
    for token in BRACE.finditer(completion, start, place):
        depth += BRACES.get(token[0], 0)
        if depth <= 0:
            return True
    return depth <= 0


def braced(text: str) -> str | None:
    """Return the text between the brace that a text begins with and the one that closes it; None if no brace does."""
    depth = 0
    for token in re.finditer(r"\\.|[{}]", text, re.DOTALL):
        if token[0] == "{":
            depth += 1
        elif token[0] == "}":
            depth -= 1
            if depth == 0:
                return text[1 : token.start()]
    return None


def unbraced(text: str) -> str | None:
    r"""What `\boxed` takes without braces: all up to a space or the end of the formula; None if a brace stays open."""
    depth = 0
    for token in re.finditer(r"\\[^)\]]|[{}]|\s|\$|\\[)\]]", text, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if depth < 0 or (depth == 0 and UNBRACED_END.fullmatch(token[0])):
            return text[: token.start()]
    return None if depth else text
