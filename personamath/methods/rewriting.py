r"""What of a rewriting completion is the new question, and when there is none (section 3.1).

The paper does not say; its prompt asks to "rephrase the above math problem", and models wrap the result in lead-ins,
headings, bold and quotes. The wrapping goes, the question stays as written. A rewrite is rejected when it

- is empty, or equal to the original but for white space and case (nothing would be learned twice);
- holds `\boxed`, or a heading or opening of a solution (the question would give its answer away);
- loses or changes an `[asy]` figure (the picture is part of the problem).
"""

import re

from personamath.records import Dropped

# What a model calls its rewrite: "problem", "Rephrased Math Word Problem", "Rewritten version", "Rephrased".
_CHANGED = r"(?:re-?(?:phras|word|writ|fram|stat|vis)\w+|adapted|modified|new|persona\w*(?:-\w+)?|updated)"
_THING = r"(?:(?:math\w*|word|original)\s+)*(?:problem|question|version|scenario|statement|rephrasing|rewrite)"
_NAME = rf"(?:the\s+)?(?:{_CHANGED}\s+)*(?:{_THING}|{_CHANGED})"
# "... from the perspective of a beekeeper", "... (for a beekeeper)".
_FOR_WHOM = r"(?:[ \t]+(?:for|from|as|by|with|in|of|using|through)\b[^\n:.?!*]{0,120})?(?:[ \t]*\([^\n)]{0,120}\))?"

# Words to the reader within one sentence.
_TOLD = r"[^\n:.?!\d]{0,240}"

WRAPPINGS: dict[str, re.Pattern[str]] = {
    # A rule above or below the question.
    "rule": re.compile(r"\A\s*(?:[-*_]\s*){3,}\n|\n\s*(?:[-*_]\s*){3,}\Z"),
    # "Sure!", "Certainly." before anything else.
    "agreement": re.compile(r"\A(?:sure|certainly|of course|absolutely|okay)(?: thing)?\s*[!.,]\s+", re.IGNORECASE),
    # A sentence to the reader that ends in a colon: "Here's the problem rephrased for a chef:".
    # Never one with a number or the end of a sentence: a first-person rewrite begins with its facts.
    "lead-in": re.compile(
        rf"\A(?:here(?:['’]s|\s+is|\s+are)\b{_TOLD}\b(?:{_CHANGED}|{_THING})"
        rf"|(?:below\s+is|this\s+is|the\s+following\s+is|i(?:['’]ve|\s+have)?)\b{_TOLD}\b{_CHANGED})"
        rf"\b{_TOLD}:[*_]*(?=\s|\Z)",
        re.IGNORECASE,
    ),
    # A name before the question: "Rephrased Problem:", "**Rephrased Problem:** A baker", "**Rephrased problem**\n".
    "label": re.compile(
        rf"\A[#>\s]*[*_]*{_NAME}{_FOR_WHOM}[*_ \t]*(?::[*_]*|[*_]{{1,3}}[ \t]*(?=\n|\Z))", re.IGNORECASE
    ),
    # A heading line: "### Rephrased Problem".
    "heading": re.compile(rf"\A#+\s*[*_]*{_NAME}{_FOR_WHOM}[*_ \t]*(?=\n|\Z)", re.IGNORECASE),
    # The model's remark on its own work, in the last paragraph: "(Note: the numbers are unchanged.)". One that holds a
    # number or a question is part of the problem.
    "remark": re.compile(
        r"\n\s*[*_(\[]*(?:note\b[^\n?\d]*\b(?:unchanged|changed|persona|rephras\w+)\b"
        r"|i\s+hope\b|let\s+me\s+know\b|feel\s+free\b"
        r"|(?:in\s+)?this\s+(?:re-?(?:phras|word|writ|fram|stat|vis)\w*|version|adaptation)\b"
        r"|the\s+(?:rephrased|rewritten|reworded)\s+(?:problem|question|version)\b)[^\n?\d]*\Z",
        re.IGNORECASE,
    ),
}
"""What comes off, again and again until nothing more does."""

_SOLUTION = re.compile(
    r"""\\fbox
    |^\#{4}[ \t]*[-\d]                                                 # GSM8K's own answer line
    |^[\s>#*_]*(?:(?:final\s+)?(?:solution|answer)|explanation|step[-\ ]by[-\ ]step(?:\ \w+)?|step\ 1)
       [ \t]*[*_]*[ \t]*(?::|\.|$)                                     # a heading of a solution
    |^[\s>*_]*to\ (?:solve|find\ the\ (?:answer|solution))\b[^\n?]*?,\ (?:we|let|i|you)\b   # its first sentence
    |\bthe\ (?:final\ )?answer\ is[\s:]*[-$\\\d]""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_FIGURE = re.compile(r"\[asy\].*?\[/asy\]", re.DOTALL)
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»"}


def new_question(completion: str, original: str) -> str | Dropped:
    """The question a rewriting completion holds, or why it cannot be used."""
    question = _unwrap(completion)
    if not question:
        return Dropped("empty rewrite")
    if _folded(question) == _folded(original):
        return Dropped("equal to the original")
    if "\\boxed" in question or (_SOLUTION.search(question) and not _SOLUTION.search(original)):
        return Dropped("holds a solution")
    if _figures(question) != _figures(original):
        return Dropped("figure lost or changed")
    return question


def _unwrap(completion: str) -> str:
    text, before = completion.strip(), None
    while text != before:
        before = text
        for wrapping in WRAPPINGS.values():
            text = wrapping.sub("", text, count=1).strip()
        text = _without_quotes(_without_bold(text))
    return text


def _without_bold(text: str) -> str:
    """The text without `**` around the whole of it; bold words inside a question stay."""
    if text.startswith("**") and text.endswith("**") and text.count("**") == 2:
        return text[2:-2].strip()
    return text


def _without_quotes(text: str) -> str:
    """The text without one pair of quotes around the whole of it; a quotation inside a question stays."""
    if len(text) < 2 or _QUOTES.get(text[0]) != text[-1]:
        return text
    inner = text[1:-1]
    first = min((place for quote in text[0] + text[-1] if (place := inner.find(quote)) >= 0), default=None)
    if first is not None and (text[0] != inner[first] or not inner[:first].endswith((" ", "(", "\n"))):
        return text  # the first quote closes before the end: "Three crates," says the beekeeper, "of 12."
    return inner.strip()


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _figures(text: str) -> list[str]:
    return ["".join(figure.split()) for figure in _FIGURE.findall(text)]
