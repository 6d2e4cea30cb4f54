r"""Read the reference answer out of a cell: after GSM8K's `####`, in a solution's last box, or bare.

A text without either mark is an answer only if it is as short as answers are. A whole solution, taken for an answer,
would make every attempt wrong.
"""

import re
from collections.abc import Callable

from personamath.answers import grade
from personamath.answers.extraction import Extraction, find_answer

MOST_CHARACTERS = 200
"""Of a bare answer; the longest of MATH's 12,500, a matrix, has 159."""
MOST_WORDS = 5
"""Of a bare answer, beside commands of LaTeX; MATH's have up to 3."""
_WORD = re.compile(r"(?<![\\A-Za-z])[^\W\d_]{2,}")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_MARKER = re.compile("#{4,}")
# Of a text that was escaped twice, or is HTML, too.
_LINE_END = re.compile(r"[\n\r\v\f\x85\u2028\u2029]|\\n(?![a-z])|<br ?/?>")
# What is beside an answer and says nothing: tags, a comment, Markdown's marks, and words in brackets after a number.
_BESIDE = re.compile(
    r"<\|[^|<>]*\|>|<!--.*?-->|</[A-Za-z]\w*>|<(?:b|i|em|strong|p|s|u|br|div|span|eos|bos|end|pad|answer)\b[^<>]*>"
    r"|&nbsp;|(?<!\S)(?:#+|//|<!--|--)(?:\s.*)?\Z|#+\Z"
    r"|(?<=[\d%])\s*(?:\([A-Za-z][A-Za-z .']*\)|\[[A-Za-z][A-Za-z .']*\]|\{[A-Za-z][A-Za-z .']*\})\Z|\s\|\Z"
)
_UNPAIRED_STARS = re.compile(r"(?<!\*)\*+\s*\Z")
# "The answer is 40." But "5 ft. 3 in." has two words.
_SENTENCE_WORDS = 3
_SENTENCE_ENDS = (".", "!", "?")
_NO_BARE = (
    rf"no `####` or `\boxed`, and more than a bare answer (one line of up to {MOST_CHARACTERS} characters and "
    rf"{MOST_WORDS} words, and no sentence)"
)
_BOX_REASONS = {"no box": r"no `\boxed`"}


def read_answer(source: str, text: str) -> Extraction:
    """Read the answer in a text of a source: `gsm8k`, `math` or a name of the user's own."""
    if not text.strip():
        return Extraction(None, "no answer")
    found = _READERS.get(source, _any_answer)(text)
    if found.answer is not None and not grade(found.answer, rf"\boxed{{{found.answer}}}").correct:
        return Extraction(None, "an answer that cannot be graded, such as one with a brace that is not closed,")
    return found


def _after_marker(text: str) -> Extraction:
    """The line after the last `####` that something follows; lines below it say something else."""
    _, *parts = _MARKER.split(text)
    if not parts:
        return Extraction(None, "no `####`")
    lines = (_alone(_LINE_END.split(part.strip(), maxsplit=1)[0]) for part in reversed(parts))
    answer = next(filter(None, lines), None)
    return Extraction(answer, None) if answer else Extraction(None, "nothing after `####`")


def _alone(line: str) -> str:
    """An answer without what is beside it: `72 (answer)`, `72 ###`, `72</s>`."""
    while (shorter := _BESIDE.sub("", line).strip()) != line:
        line = shorter
    if not line.startswith("*"):
        line = _UNPAIRED_STARS.sub("", line).strip()
    return line


def _in_box(text: str) -> Extraction:
    found = find_answer(text)
    return Extraction(found.answer, _BOX_REASONS.get(found.why, found.why) if found.why else None)


def _any_answer(text: str) -> Extraction:
    r"""From a solution with a box or `####`, else the whole text if that is a bare answer."""
    boxed = _in_box(text)
    if boxed.answer is not None:
        return boxed
    if "####" in text:
        return _after_marker(text)
    if r"\boxed" in text:
        return boxed
    return _bare(text.strip())


def _bare(text: str) -> Extraction:
    words = len(_WORD.findall(_COMMAND.sub(" ", text)))
    is_sentence = text.endswith(_SENTENCE_ENDS) and words >= _SENTENCE_WORDS
    lines = len(text.splitlines()) if r"\begin" not in text else 1  # a matrix may have a line for each row
    if lines > 1 or len(text) > MOST_CHARACTERS or words > MOST_WORDS or is_sentence:
        return Extraction(None, _NO_BARE)
    inside = text.strip("$")
    answer = text if "$" in inside else inside.strip()
    return Extraction(answer, None) if answer else Extraction(None, "no answer")


_READERS: dict[str, Callable[[str], Extraction]] = {"gsm8k": _after_marker, "math": _in_box}
