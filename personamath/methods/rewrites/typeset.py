r"""A question that is typeset as a whole: `\[\text{A beekeeper ...}\]`, `\begin{quote}...\end{quote}`."""

import re

from personamath.answers.extraction import braced

_DISPLAYS = (("\\[", "\\]"), ("\\(", "\\)"), ("$$", "$$"), ("$", "$"))
_FACE = re.compile(r"\\(?:text(?:bf|it|rm|sf|normal)?|math(?:rm|bf|it)|emph|boxed|fbox|mbox)\s*(?=\{)")
_ENVIRONMENT = re.compile(
    r"\\begin\{(quote|quotation|center|problem|question|exercise|example|document|flushleft|framed|displayquote)\*?\}"
    r"(?:\[[^\[\]\n]*\])?(.*)\\end\{\1\*?\}",
    re.DOTALL,
)
_SECTION = re.compile(r"\A\\(?:sub)*(?:section|paragraph|title)\*?\{[^{}\n\d?]{0,80}\}\s*(?=\S)")
_WORDS = re.compile(r"(?:[^\W\d_]{2,}[ ,.]+){2}")
"""What is prose inside of a formula: three words or more."""
_BREAK = re.compile(r"(?:\\\\(?:\[[^\[\]]*\])?|\\q?quad(?![A-Za-z])|\\[,;: ]|&)+")


def without_typesetting(text: str) -> str:
    """The question out of the commands that set all of it, or each of its paragraphs, as words in a formula."""
    text = _SECTION.sub("", text)
    if match := _ENVIRONMENT.fullmatch(text):
        return match[2].strip()
    if "\\" not in text:
        return text
    whole = _inside(text)
    if whole is not None:
        return whole
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    found = [_inside(line) for line in lines]
    return "\n".join(filter(None, found)) if len(lines) > 1 and all(found) else text


def _inside(text: str) -> str | None:
    """The prose that a text is made of, if it is one formula or one command around prose."""
    for opening, closing in _DISPLAYS:
        inner = text[len(opening) : -len(closing)]
        if len(text) > 4 and text.startswith(opening) and text.endswith(closing) and opening not in inner:
            if closing in inner or not _FACE.match(inner.strip()) or not _WORDS.search(inner):
                return None
            return _in_face(inner.strip()) or _of_pieces(inner)
    return _in_face(text)


def _in_face(text: str) -> str | None:
    """What one command takes, if that is all of the text."""
    if not (face := _FACE.match(text)):
        return None
    inside = braced(text[face.end() :])
    if inside is None or face.end() + len(inside) + 2 < len(text):
        return None
    inside = inside.strip()
    return _in_face(inside) or (inside if _WORDS.search(inside) else None)


def _of_pieces(text: str) -> str:
    r"""Words and formulas of a formula that is mostly words: `\text{A beekeeper has } 3 \text{ crates.}`."""
    said, at = "", 0
    for face in _FACE.finditer(text):
        if face.start() < at or (inside := braced(text[face.end() :])) is None:
            continue
        said += _formula(text[at : face.start()]) + inside
        at = face.end() + len(inside) + 2
    return " ".join((said + _formula(text[at:])).split())


def _formula(text: str) -> str:
    """What stands between words, as a formula of its own unless it is a number or nothing."""
    formula = _BREAK.sub(" ", text).strip()
    if not formula or re.fullmatch(r"[\d.,%]+", formula):
        return f" {formula} " if formula else " " * bool(text.strip() or text)
    return f" ${formula}$ "
