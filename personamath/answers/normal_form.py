r"""One spelling for what can be written in many: the table of rules that turns an answer into its normal form.

Formatting changes no verdict, for it is gone before anything is compared. A rule is a row of `TABLE`: a pattern, what
replaces it, and the reason it is safe. They are applied in order. A new row goes under its heading, and has no two
unbounded repetitions of the same characters in a row, which a hostile answer could make take forever.
"""

import re
import unicodedata
from typing import NamedTuple

from personamath.answers.extraction import braced


class Rule(NamedTuple):
    """One rewriting, and why it does not change what an answer says."""

    pattern: re.Pattern[str]
    replacement: str
    reason: str


def command(*names: str) -> str:
    """Pattern of LaTeX commands by their names, which may be patterns."""
    return rf"(?<!\\)\\(?:{'|'.join(names)})(?![A-Za-z])"


CHARACTERS = str.maketrans(
    dict.fromkeys("−–—‐‑﹣－", "-")
    | dict.fromkeys("×·⋅∙", r"\cdot ")
    | dict.fromkeys("÷⁄∕", "/")
    | dict.fromkeys("°º", r"^\circ ")
    | dict.fromkeys("′’", "'")
    | dict.fromkeys("\u200b\u2060\ufeff", "")
    | dict(zip("（），．％＝＋。、［］｛｝", "(),.%=+.,[]{}", strict=True))
    | {digit: f"^{{{value}}}" for value, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
    | {digit: f"_{{{value}}}" for value, digit in enumerate("₀₁₂₃₄₅₆₇₈₉")}
    | {"½": r"\frac{1}{2}", "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}"}
    | {"√": r"\sqrt ", "∞": r"\infty ", "±": r"\pm ", "∓": r"\mp ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne "}
    | {"≈": r"\approx ", "∈": r"\in ", "∪": r"\cup ", "∩": r"\cap ", "∅": r"\emptyset ", "ℝ": r"\mathbb{R}"}
    | {"⟨": r"\langle ", "⟩": r"\rangle ", "…": r"\ldots ", "π": r"\pi ", "θ": r"\theta ", "α": r"\alpha "}
    | {"β": r"\beta ", "γ": r"\gamma ", "λ": r"\lambda ", "φ": r"\phi ", "ω": r"\omega "}
)
"""Characters that stand for a LaTeX command or for an ASCII character."""

NUMBER_WORDS = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen"),
]

FUNCTIONS = [
    *("arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "sin", "cos", "tan", "cot", "sec", "csc"),
    *("log", "ln", "lg", "exp", "sqrt"),
]
"""Functions that are known by name, with or without a backslash; longer names before their beginnings."""

TABLE = [
    # How it is set
    (r"\s+", " ", "a line's end is a space"),
    (r"\\\\ ?\[[^\[\]]*\]", r"\\\\", "`\\\\[4pt]` spaces the rows of a matrix"),
    (r"(?<!\\)\$|(?<!\\)\\[()\[\]]", "", "`$`, `\\(` and `\\[` open and close a formula"),
    (command("[hv]?phantom") + r" ?(?:\{[^{}]*\}|\S)", " ", "prints nothing"),
    (command("hspace", "vspace", "tag", "label") + r"\*?\{[^{}]*\}", " ", "prints nothing, or a number beside"),
    (command("(?:display|text|script)style", "(?:no)?limits", "rm", "bf", "it"), " ", "a size, a place or a face"),
    (command("left", "right", "middle", "[bB]igg?[lrm]?") + r"\.?", "", "the size of a bracket"),
    (command("math(?:bf|it|sf|cal)", "boldsymbol", "bm", "underline", "boxed", "fbox") + r" ?(?=\{)", "",
     "a face or a frame around what is in braces"),
    (command("text(?:bf|it|rm|sf|tt|normal|up)?", "[mh]box", "mathrm", "operatorname", "emph") + r"\*? ?\{", r"\\text{",
     "words are words in any face"),
    (rf"\\text\{{ ?({'|'.join(FUNCTIONS)}) ?\}}", r"\\\1 ", "`\\mathrm{sin}` is `\\sin`"),
    (r"\\text\{ ?([a-fijkn-rt-z]) ?\}", r" \1 ", "a letter that is no unit is a variable or a constant"),
    (r"\(\\text\{ ?([A-Z]) ?\}\)", r"(\1)", "a choice"),
    (r"^ ?(?:\*\*|__|`)(.*?)(?:\*\*|__|`) ?$", r"\1", "Markdown's bold"),
    # One name for each symbol
    (command("[dtc]frac"), r"\\frac", "one fraction in four sizes"),
    (command("[dt]binom"), r"\\binom", "one binomial in three sizes"),
    (command("leq?", "leqq", "leqslant") + "|<=|=<", r"\\le ", "at most"),
    (command("geq?", "geqq", "geqslant") + "|>=", r"\\ge ", "at least"),
    (command("neq?") + r"|!=|\\not ?=", r"\\ne ", "not equal"),
    (command("lt"), "<", "less"),
    (command("gt"), ">", "greater"),
    (command("sim", "simeq", "approxeq", "thickapprox", "doteq"), r"\\approx ", "about"),
    (r"\*\*", "^", "Python's power"),
    (command("cdot", "times", "ast", "star", "bullet"), "*", "a product"),
    (command("div"), "/", "a quotient"),
    (command("[cl]?dots", "dots[cb]"), "...", "and so on"),
    (command("[lr]?vert", "mid"), "|", "a bar"),
    (command("lbrace"), r"\\{", "a brace"),
    (command("rbrace"), r"\\}", "a brace"),
    (command("lbrack"), "[", "a bracket"),
    (command("rbrack"), "]", "a bracket"),
    (command("langle"), "(", "a vector in angle brackets is the vector in parentheses"),
    (command("rangle"), ")", "a vector in angle brackets is the vector in parentheses"),
    (command("colon"), ":", "a ratio, or such that"),
    (command("varnothing", "empty") + r"|\\\{ ?\\\}", r"\\emptyset ", "the empty set"),
    (command("bigcup"), r"\\cup ", "a union"),
    (command("Re", "R", "reals", "mathbb ?R", r"mathbb ?\{ ?R ?\}"), r"\\mathbb{R}", "the real numbers"),
    (command("infin") + r"|(?<![A-Za-z\\])(?:[Ii]nfinity|oo|inf)(?![A-Za-z])", r"\\infty ", "infinity"),
    (r"\+ ?\\infty", r"\\infty ", "infinity has no sign but minus"),
    (command("dot", "bar", "overline") + r" ?\{ ?(\d+) ?\}", r"\\overline{\1}", "the period of a decimal"),
    (command("dot", "bar", "overline") + r" ?(\d)", r"\\overline{\1}", "the period of a decimal"),
    (r"\^ ?\{ ?\\(?:circ|degree) ?\}|\^ ?\\circ(?![A-Za-z])|\^? ?\\degree(?![A-Za-z])", "°", "degrees"),
    (r"\\%", "%", "percent"),
    (r"\\?[$€£¥]", "", "an amount is a number; the question names the currency"),
    (r"\\([_#&])", r"\1", "an escaped character"),
    # Digits
    (r"(?<=\d) ?\{ ?, ?\} ?(?=\d)|(?<=\d),\\! ?(?=\d)", "", "`85{,}184` and `85,\\!184` set a thousands separator"),
    (r"(?<=\d)(?:\\[,:; ]|~| )(?=\d{3}(?![\d/]))", "", "`11\\,880` and `11 880` set a thousands separator"),
    (command("!"), "", "negative space"),
    # Words and edges
    (command("lor", "vee"), " or ", "or"),
    (command("land", "wedge"), " and ", "and"),
    (r"(?i)[,;]? ?\\text ?\{ ?[,;]? ?(?:and|or) ?\} ?|[,;]? (?:and|or) (?=\S)", ", ", "`2 and 3` is the list `2, 3`"),
    (command("[,:;> ]", "q?quad", "(?:en|thin|med|thick|nobreak)space") + "|~", " ", "a space"),
    (r"\\text\{ ?([^{}]*?) ?\}", r"\\text{\1}", "spaces at the edge of words"),
    (r"^ *(?:(?:=|\\approx|:|\\therefore|\\implies|\\Rightarrow) *)+", "", "what led to the answer"),
    (r"(?: |\\text\{[ .,;:]*\}|(?<!\.)\.\.?(?!\.)|(?<!\\)[,;:]|\\\\)+$", "", "the sentence's punctuation"),
    (r"(?<=\d)(?:\"|''?)$", "", "feet and inches as marks"),
    (r"^ *\\text\{([^{}]*)\} *$", r"\1", "an answer that is all words needs no braces"),
    (r"(?i)^ *(?:\\text\{[^{}]*(?: is|[:=])\}|(?:the )?(?:final )?answer(?: is|:)+ )(?=.)", "",
     "what announces the answer"),
    (r"(?i)^[ (]*(?:there (?:is|are) )?no (?:(?:real|such|valid) )*(?:solution|root)s?(?: exists?)?[ ).]*$",
     r"\\emptyset", "no solution is the empty set of solutions"),
    (r"(?i)^ *(?:the )?empty set[ .]*$", r"\\emptyset", "the empty set"),
    (r"(?i)^ *(?:(?:all|any|the) )?(?:real numbers?|reals)[ .]*$", r"\\mathbb{R}", "the real numbers"),
    (r"(?i)^ *DNE[ .]*$", "does not exist", "an abbreviation"),
    (r"(?<![.\dA-Za-z])\.(?=\d)", "0.", "`.5` is 0.5"),
    # Braces and spaces
    (r"(?<![\d./])(\d+) (\d+) ?/ ?(\d+)(?![\d./])", r"\1\\frac{\2}{\3}", "`4 1/2` is a mixed number"),
    (r"\\frac ?([0-9A-Za-z]) ?(?=[0-9A-Za-z{\\])", r"\\frac{\1}", "`\\frac12` takes one character for each part"),
    (r"(\\frac ?\{[^{}]*\}) ?([0-9A-Za-z])", r"\1{\2}", "`\\frac12` takes one character for each part"),
    (r"([_^]) ?\{ ?(\w) ?\}(?![\w.])", r"\1\2", "braces around one character"),
    (r"\{([^{}]*?)\\over(?![A-Za-z])([^{}]*)\}", r"\\frac{\1}{\2}", "TeX's older fraction"),
    (r" +", " ", "spaces in a row"),
    (r"(?<![0-9A-Za-z,]) | (?![0-9A-Za-z])|(?<=,) (?!\d)|(?<=[^\d],) ", "", "elsewhere it means nothing"),
]  # fmt: skip

RULES = [Rule(re.compile(pattern), replacement, reason) for pattern, replacement, reason in TABLE]

LONGEST = 1_000
"""Characters an answer may have to be read at all; longer ones are equal only to themselves."""


def normal_form(answer: str) -> str:
    """The answer in the spelling that the other rules read; empty for an answer that says nothing, such as `.`."""
    text = unframed(ascii_digits(answer).translate(CHARACTERS).strip())
    for pattern, replacement, _ in RULES:
        text = pattern.sub(replacement, text)
    text = unframed(text.strip())
    return str(NUMBER_WORDS.index(text.lower())) if text.lower() in NUMBER_WORDS else text


def unframed(text: str) -> str:
    r"""The text out of braces, or a `\boxed`, that go around all of it."""
    while text.startswith(("{", "\\boxed{", "\\fbox{")):
        start = text.index("{")
        inside = braced(text[start:])
        if inside is None or start + len(inside) + 2 < len(text):
            break
        text = inside.strip()
    return text


def ascii_digits(text: str) -> str:
    """The text with the decimal digits of every script as 0 to 9; superscripts are not among them."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(character, character)) for character in text)
