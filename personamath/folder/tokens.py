r"""Split a problem's text into tokens independent of typesetting: `\dfrac12`, `\frac{1}{2}` and `½` are equal."""

import re
from functools import lru_cache
from typing import Literal, NamedTuple

Kind = Literal["number", "word", "symbol", "mark"]


class Token(NamedTuple):
    """One token."""

    kind: Kind
    """A `number` is written in digits; a `symbol` is an operator, a LaTeX command or a letter of a formula; a `mark`
    is punctuation."""
    text: str
    """Words in lower case, numbers without separators."""


class Reading(NamedTuple):
    """The tokens, formulas and drawings of a text."""

    tokens: list[Token]
    """Tokens of the whole text, including its formulas."""
    formulas: list[list[Token]]
    """Tokens of each formula, without marks."""
    drawings: list[str]
    """Asymptote code without white space and formula delimiters; not part of `tokens`."""


DRAWING = re.compile(r"\[asy\](.*?)\[/asy\]", re.DOTALL)
# `$` opens a formula only if another one closes it; otherwise it means money.
FORMULA = re.compile(
    r"\$\$(?P<display>.+?)\$\$|\\\[(?P<bracket>.+?)\\\]|\\\((?P<paren>.+?)\\\)|\$(?P<inline>[^$]+)\$(?!\d)", re.DOTALL
)
PLAIN_WORDS = re.compile(r"(?<![\\A-Za-z])(?:[a-z]{4,}|[A-Z][a-z]{3,}|[a-z]{2,}\s+[a-z]{2,})|^\s+[a-z]{2,}\s+$")
TEXT_COMMANDS = "text|textbf|textit|textrm|textnormal|emph|mbox"
LOOKS = (
    f"{TEXT_COMMANDS}|mathrm|mathbf|mathcal|mathbb|operatorname|mathop|bold|left|right|[bB]ig+[lrm]?|displaystyle"
    "|limits|overrightarrow|overleftrightarrow|underline|vec|hat|quad|qquad|hline"
)
GROUP = r"\{((?:[^{}]|\{[^{}]*\})*)\}"
TEXT = re.compile(rf"\\(?:{TEXT_COMMANDS})\s*{GROUP}")
HYPHEN = re.compile(r"(?<=[a-z]{2})-(?=[a-z])")
NO_WORDS = re.compile(rf"{TEXT.pattern}|\\[A-Za-z]+\s*\{{[A-Za-z]+\*?\}}")
"""Parts of a formula that look like words."""
FRACTION = "\\frac"
SPELLINGS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in [
        (r"(?<=\d)(?:\{,\}|,\\!|\\,|\\!|,)(?=\d{3}(?!\d))", ""),  # 1,000 and 10{,}000
        (r"\\[dtc]frac(?![a-zA-Z])", r"\\frac"),
        (r"\\frac\s*(\d)\s*(\d)", r"\\frac{\1}{\2}"),
        (r"\\%", "%"),
        (r"\\(?:leqslant|leq?)(?![a-zA-Z])|<=", "≤"),
        (r"\\(?:geqslant|geq?)(?![a-zA-Z])|>=", "≥"),
        (r"\\neq?(?![a-zA-Z])|!=", "≠"),
        (r"\\(?:cdot|times)(?![a-zA-Z])|[·×⋅∗]", "*"),
        (r"\\div(?![a-zA-Z])|÷", "/"),
        (r"\^\s*\{?\s*\\(?:circ|degree)\s*\}?|\\degree(?![a-zA-Z])|°", " degrees "),
        (r"\\pi(?![a-zA-Z])", "π"),
        (r"\\infty(?![a-zA-Z])", "∞"),
        (r"√", r"\\sqrt "),
        (r"[−–—]", "-"),
        (r"½", " 1/2 "),
        (r"¼", " 1/4 "),
        (r"¾", " 3/4 "),
        (r"⅓", " 1/3 "),
        (r"⅔", " 2/3 "),
        (r"\.\.\.|…|\\[cl]?dots[bcim]?(?![a-zA-Z])|\\(?:long|Long)?(?:to|[rR]ightarrow)(?![a-zA-Z])|→", " "),
        (r"\\[dt]binom(?![a-zA-Z])", r"\\binom"),
        (r"\\(?:[lr]?[vV]ert|mid|\|)(?![a-zA-Z])", "|"),
        (rf"\\(?:{LOOKS})(?![a-zA-Z])", " "),
        (r"\\overline(?!\s*\{?\s*\d)", " "),  # over letters it marks a segment, over digits a repeating decimal
        (r"\\(?:begin|end)\s*\{[a-z]+\*?\}(?:\{[clr|]*\})?|\\[hv]space\{[^{}]*\}", " "),
        (r"\\[,;:! >&_#\\]|~", " "),
    ]
]  # fmt: skip
# A text without any of these, like most prose, needs no respelling.
NEEDS_RESPELLING = re.compile(r"[^\x00-\x7f]|[\\~{]|[<>!]=|\.\.\.|\d,\d{3}")
RAISED = {
    ord(digit): f"{sign}{value}"
    for sign, digits in (("^", "⁰¹²³⁴⁵⁶⁷⁸⁹"), ("_", "₀₁₂₃₄₅₆₇₈₉"))
    for value, digit in enumerate(digits)
}
LEXEMES = re.compile(
    r"(?P<number>\d+(?:\.\d+)?|\.\d+)(?:(?:st|nd|rd|th)(?![a-zA-Z]))?"
    r"|(?P<command>\\[A-Za-z]+|\\[{}|])"
    r"|(?P<word>[A-Za-z]+(?:['’][a-z]{1,2}(?![a-z]))?)"
    r"|(?P<symbol>[-+*/=<>≤≥≠^_%π∞¤$¢|!\[\]])"
    r"|(?P<mark>[.,;:?()])"
)
# Function names are one token, while other letters in a formula are one token each.
FUNCTIONS = frozenset({"sin", "cos", "tan", "cot", "sec", "csc", "log", "ln", "gcd", "lcm", "max", "min", "mod", "det"})
# A dataset of problems uses mostly the same few thousand lexemes.
CACHED_LEXEMES = 2**14
LONGEST_NAME = 3
"""Most letters in a row that can be names in a formula, e.g. triangle `ABC`; more letters are a word."""


def read(text: str) -> Reading:
    """Read a text; every text can be read."""
    drawings = [re.sub(r"\s|\$|\\[()]", "", code) for code in DRAWING.findall(text)]
    text = DRAWING.sub(" ", text).replace("\\$", "¤")
    tokens: list[Token] = []
    formulas: list[list[Token]] = []
    end = 0
    place = 0
    while found := FORMULA.search(text, place):
        inside = next(group for group in found.groups() if group is not None)
        if found["inline"] and PLAIN_WORDS.search(NO_WORDS.sub("", inside)):
            place = found.start() + 1  # this `$` is money; the next one may open a formula
            continue
        tokens += _lex(text[end : found.start()], formula=False)
        # The contents of \text are prose.
        formula = [
            token for part, inner in enumerate(TEXT.split(inside)) for token in _lex(inner, formula=part % 2 == 0)
        ]
        tokens += formula
        formulas.append([token for token in formula if token.kind != "mark"])
        place = end = found.end()
    return Reading(tokens + _lex(text[end:], formula=False), formulas, drawings)


def _lex(text: str, *, formula: bool) -> list[Token]:
    tokens: list[Token] = []
    for lexeme in LEXEMES.finditer(_spelled(text if formula else HYPHEN.sub(" ", text))):
        kind = lexeme.lastgroup
        assert kind
        tokens += _lexeme(kind, lexeme[kind], formula)
    return tokens


@lru_cache(CACHED_LEXEMES)
def _lexeme(kind: str, found: str, formula: bool) -> tuple[Token, ...]:
    """Return the tokens of one match of `LEXEMES`."""
    if kind == "number":
        return (Token("number", found),)
    if kind == "command":
        name = found[1:]
        return (Token("word", name) if name in FUNCTIONS else Token("symbol", found),)
    if kind == "word":
        return _word(found, formula)
    if kind == "symbol":
        found = "¤" if found == "$" else found
        return (Token("symbol" if formula or found != "!" else "mark", found),)
    return () if formula and found in "()" else (Token("mark", found),)


def _spelled(text: str) -> str:
    """Return the text with one spelling for symbols that have several."""
    if not NEEDS_RESPELLING.search(text):
        return text
    text = text.translate(RAISED)
    for pattern, replacement in SPELLINGS:
        text = pattern.sub(replacement, text)
    text = _slashed(text)
    return text.replace("\\{", " ").replace("\\}", " ")


def _slashed(text: str) -> str:
    r"""Replace `\frac{x}{y}` by `(x)/(y)`, from the innermost fraction outwards."""
    while (start := text.rfind(FRACTION)) >= 0:
        end = start + len(FRACTION)
        above = _group(text, end)
        below = _group(text, above[1]) if above else None
        slashed = (f"({above[0]})/({below[0]}) ", below[1]) if above and below else ("/ ", end)
        text = f"{text[:start]} {slashed[0]}{text[slashed[1] :]}"
    return text


def _group(text: str, start: int) -> tuple[str, int] | None:
    """Return the contents of the next braces and the position after them; a single character needs no braces."""
    place = start + len(text[start:]) - len(text[start:].lstrip())
    if not text.startswith("{", place):
        return (text[place], place + 1) if place < len(text) and text[place].isalnum() else None
    depth = 0
    for brace in re.finditer(r"[{}]", text[place:]):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return text[place + 1 : place + brace.start()], place + brace.end()
    return None


def _word(found: str, formula: bool) -> tuple[Token, ...]:
    """Return a word as one token, or letters that are names as one token each."""
    lower = found.lower().removesuffix("'s").removesuffix("’s")
    if formula:
        named = len(found) <= LONGEST_NAME or found.isupper()
    else:
        named = (len(found) == 1 and lower not in "ai") or (found.isupper() and 1 < len(found) <= LONGEST_NAME)
    if named and lower not in FUNCTIONS:
        return tuple(Token("symbol", letter) for letter in found)
    return (Token("word", lower),)
