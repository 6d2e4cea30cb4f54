r"""Running text with its mathematics in one plain spelling: a table of rules that undoes LaTeX, Markdown and words.

`\(5 \times \$4 = \$20\)`, `5 × $4 = **$20**` and `5 times 4 = 20` become `5 * 4 = 20`. Products are `*`, quotients `/`
or `\frac{a}{b}`, powers `^`; a semicolon ends a clause; `\unknown` replaces what is no number although it holds digits.
The rules are applied in order, and each takes linear time: no rule repeats without a bound what it can begin anywhere
in.
"""

import re
from typing import NamedTuple

from personamath.answers.characters import ascii_characters
from personamath.answers.normal_form import command


class Rule(NamedTuple):
    """One rewriting, and why it does not change which equalities a text states."""

    pattern: re.Pattern[str]
    replacement: str
    reason: str


UNKNOWN = r" \\unknown "

_FACES = ("text(?:bf|it|rm|sf|tt|normal|up)?", "[mh]box", "math(?:rm|bf|it|sf)", "operatorname", "emph", "boldsymbol")
_SIZES = ("boxed", "fbox", "left", "right", "middle", "[bB]igg?[lrm]?", "(?:display|text)style", "limits")
_ARROWS = ("implies", "(?:Long)?[Rr]ightarrow", "to", "therefore", "because", "iff", "(?:Long)?[Ll]eftrightarrow")
_RELATIONS = ("leq?", "geq?", "neq?", "lt", "gt", "equiv", "cong", "mid", "leqslant", "geqslant", "in")

_ROW = r"\\\\(?:\[[^\[\]]{0,20}\])?"
_NUMBERED = "day|week|month|year|step|part|case|grade|page|number|round|chapter|problem"

TABLE = [
    # How it is set
    (r"(?m)^[>#]+ ?", "", "a heading's or a quotation's sign"),
    (r"(?m)^(?:[-*•] |\d{1,3}[.)] )", "", "a list item's sign is no minus, and its number is no number"),
    (r"(?<=[\d)]) ?\*\* ?(?=[\d(])", "^", "Python's power"),
    (r"\*\*|__+|`", " ", "Markdown's bold and code"),
    (command("[hv]?phantom", "[hv]space", "tag", "label") + r"\*? ?\{[^{}]*\}", " ", "prints nothing, or beside"),
    (command(*_FACES) + r"\*? ?\{([^{}]*)\}", r" \1 ", "words are words in any face"),
    (command(*_SIZES) + r"\.?", " ", "a size, or a frame around what is in braces"),
    (rf"{_ROW}(?: ?\n)? ?&? ?(?:\\q?quad ?){{0,3}}(?=[-+*/=])", " ", "the row of a display that goes on"),
    (rf"{_ROW}\n?", "\n", "the next row of a display"),
    (r"!(?=\s|\Z)(?! ?[-=+*/)}])", UNKNOWN + ";", "a factorial or an exclamation"),
    (r"\\[\[\]]|\$\$|\\(?:begin|end)\{[^{}]*\}|\\q?quad(?![A-Za-z])", " ; ", "a display, or a gap, ends a clause"),
    (r"\\([$%])", r"\1", "an escaped character"),
    (r"\\[(),:; ]|\\?[$€£¥~&]|\bUSD\b", " ", "formulas begin and end; a currency is a unit"),
    # One name for each symbol
    (command("[dtc]frac"), r"\\frac", "one fraction in four sizes"),
    (command("times", "cdot"), " * ", "a product"),
    (command("div"), " / ", "a quotient"),
    (command("approx", "doteq", "simeq", "sim"), " ≈ ", "about"),
    (command(*_ARROWS) + "|[→⇒∴⟹]|[-=]{1,3}>", " ; ", "what follows is another clause"),
    (command(*_RELATIONS) + r"|[<>]=|(?<!\d)!=|==|[≡<>]", " ; ", "the sides of another relation are no equality"),
    (command("ldots", "[cl]?dots", "dots[cb]") + r"|\.\.\.", UNKNOWN, "what is left out is not known"),
    (r"\^ ?\{ ?\\(?:circ|degree) ?\}|\^? ?\\(?:circ|degree)(?![A-Za-z])", " ", "degrees are a unit"),
    (r"\^ ?\{ ?(\w) ?\}", r"^\1", "braces around one character"),
    (r"_ ?(?:\{[^{}]{0,40}\}|\w)", UNKNOWN, "what has an index is a variable, or a number to another base"),
    (r"(?<=\^\d) (?=\d)", " * ", "powers side by side"),
    (r"\\frac ?(\d) (\d)(?!\d)", r"\\frac{\1}{\2}", "`\\frac 1 2` takes one character for each part"),
    (r"\n ?(?=[=+*/≈])|(?<=[-=+*/≈]) ?\n", " ", "the line of an equation that goes on"),
    # Digits
    (r"(?<=\d)(?:\{,\}|,\\!|\\!|,)(?=\d{3}(?!\d))", "", "a thousands separator"),
    (r"\\!", " ", "negative space"),
    (r"(?<!\d)\d{1,3}(?: \d{3}){1,9}(?!\d)", UNKNOWN, "one number or several, the text does not say"),
    (r"(?<!\d)\d{1,9}(?:(?::| : )\d{1,9}){1,9}", UNKNOWN, "a time or a ratio"),
    (r"(?i)(?<!\d)\d{1,9}(?:st|nd|rd|th)\b", " ; ", "an ordinal is not computed with"),
    (rf"(?i)(?<!per )(?<!each )(?<!a )\b(?:{_NUMBERED})s? \d{{1,9}}(?![.\d])", " ; ",
     "the number of a day or a step is a name"),
    (r"(?<![\d./])(\d{1,9}) {1,3}(?:and {1,3})?\(?([1-9]\d?) ?/ ?([1-9]\d?)\)?(?![\d./])", r"\1\\frac{\2}{\3}",
     "a mixed number"),
    (r"(?<=/ )(\d{1,9})/(\d{1,9})(?!\d)", r"(\1/\2)", "`2 / 1/5` is divided by a fifth"),
    # Words
    (r"(?i)(?<=[\d}]) {0,3}percent\b", "%", "percent"),
    (r"\([A-Za-z][A-Za-z '/-]{2,60}\)", " ", "a remark on a number, as in `5 (apples)`"),
    (r"(?<=[\w)%]) {1,3}[xX] {1,3}(?=[\d(.]|\\frac)|(?<=\d)[xX](?=\d)", " * ", "a product"),
    (r"(?i)\b(?:times|multiplied by)(?= {1,3}[\d(.])", " * ", "a product"),
    (r"(?i)\bplus\b", " + ", "a sum"),
    (r"(?i)\bminus\b", " - ", "a difference"),
    (r"(?i)\bdivided by\b", " / ", "a quotient"),
    (r"(?i)\bequals\b|\bis equal to\b", " = ", "an equality"),
    (r"(?i)(%|/ ?\d{1,9}|\}) {1,3}of {1,3}(?:the {1,3})?(?=\d)", r"\1 * ", "a share of a number"),
]  # fmt: skip

RULES = [Rule(re.compile(pattern), replacement, reason) for pattern, replacement, reason in TABLE]


def plain_math(text: str) -> str:
    """The text in the plain spelling; lines stay lines, unless an equation goes on in the next."""
    # An em dash is punctuation in running text, and a minus in an answer.
    text = ascii_characters(text.replace("—", " ; ").replace("…", "..."))
    text = "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())
    for pattern, replacement, _ in RULES:
        text = pattern.sub(replacement, text)
    return text
