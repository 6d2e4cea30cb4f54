r"""One spelling for what can be written in many: the table of rules that turns an answer into its normal form.

Formatting changes no verdict because it is gone before anything is compared. A rule is a line of `RULES`: a pattern, a
replacement, and the reason it is safe. They are applied in order, each in time linear in the answer.
"""

import re
import unicodedata
from typing import NamedTuple


class Rule(NamedTuple):
    """One rewriting, and why it does not change what an answer says."""

    pattern: re.Pattern[str]
    replacement: str
    reason: str


def rule(pattern: str, replacement: str, reason: str) -> Rule:
    """A rule from the text of its pattern."""
    return Rule(re.compile(pattern), replacement, reason)


CHARACTERS = str.maketrans({
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "－": "-",
    "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "÷": "/", "⁄": "/", "∕": "/",
    "√": r"\sqrt ", "∞": r"\infty ", "π": r"\pi ", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ",
    "λ": r"\lambda ", "φ": r"\phi ", "ω": r"\omega ", "±": r"\pm ", "∓": r"\mp ",
    "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "≈": r"\approx ", "∈": r"\in ", "∪": r"\cup ", "∩": r"\cap ",
    "∅": r"\emptyset ", "ℝ": r"\mathbb{R}", "°": r"^\circ ", "º": r"^\circ ", "′": "'", "’": "'", "…": r"\ldots ",
    "⟨": r"\langle ", "⟩": r"\rangle ", "½": r"\frac{1}{2}", "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}",
    "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}", "⅕": r"\frac{1}{5}", "⅛": r"\frac{1}{8}",
    "（": "(", "）": ")", "，": ",", "．": ".", "％": "%", "＝": "=", "＋": "+", "。": ".", "、": ",",
    **{digit: f"^{{{value}}}" for value, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{digit: f"_{{{value}}}" for value, digit in enumerate("₀₁₂₃₄₅₆₇₈₉")},
    "\u200b": "", "\u2060": "", "\ufeff": "",
})  # fmt: skip
"""Characters that stand for a LaTeX command or for an ASCII character."""

WORD_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
).split()

FUNCTIONS = "arcsin arccos arctan sinh cosh tanh sin cos tan cot sec csc log ln lg exp sqrt".split()

_FUNCTION = "|".join(FUNCTIONS)

RULES = [
    rule(r"\s+", " ", "a space is a space"),
    # How it is set
    rule(r"\\\\\s*\[[^\[\]]*\]", r"\\\\", "`\\\\[4pt]` spaces the rows of a matrix"),
    rule(r"(?<!\\)\$|(?<!\\)\\[()\[\]]", "", "`$`, `\\(` and `\\[` open and close a formula"),
    rule(r"\\(?:hspace|vspace)\*?\{[^{}]*\}|\\[hv]?phantom\s*(?:\{[^{}]*\}|\S)|\\(?:tag|label)\{[^{}]*\}", " ", "prints nothing"),
    rule(r"\\(?:displaystyle|textstyle|scriptstyle|limits|nolimits|strut|mathstrut|centering|rm|bf|it)(?![A-Za-z])", " ",
         "sizes, faces and positions carry no meaning"),
    rule(r"\\(?:left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z])\.?", "", "the size of a bracket"),
    rule(r"\\(?:mathbf|boldsymbol|bm|pmb|mathit|mathsf|mathcal|underline|ensuremath|boxed|fbox)(?![A-Za-z])\s*(?=\{)", "",
         "a face or a frame around what is in braces"),
    rule(r"\\(?:textbf|textit|textrm|textsf|texttt|textnormal|textup|mbox|hbox|mathrm|operatorname\*?|emph|text)\s*\{", r"\\text{",
         "words are words in any face"),
    rule(rf"\\text\{{\s*({_FUNCTION}|max|min|gcd|lcm)\s*\}}", r"\\\1 ", "`\\mathrm{sin}` is `\\sin`"),
    rule(r"^\s*(?:\*\*|__|`)(.*?)(?:\*\*|__|`)\s*$", r"\1", "Markdown's bold"),
    # One name for each symbol
    rule(r"\\[dtc]frac(?![A-Za-z])", r"\\frac", "one fraction in four sizes"),
    rule(r"\\[dt]binom(?![A-Za-z])", r"\\binom", "one binomial in three sizes"),
    rule(r"\\le(?:q|qslant|qq)?(?![A-Za-z])|<=|=<", r"\\le ", "at most"),
    rule(r"\\ge(?:q|qslant|qq)?(?![A-Za-z])|>=", r"\\ge ", "at least"),
    rule(r"\\(?:ne|neq|not\s*=)(?![A-Za-z])|!=|\\not\s*=", r"\\ne ", "not equal"),
    rule(r"\\lt(?![A-Za-z])", "<", "less"),
    rule(r"\\gt(?![A-Za-z])", ">", "greater"),
    rule(r"\\(?:sim|simeq|approxeq|thickapprox|doteq)(?![A-Za-z])", r"\\approx ", "about"),
    rule(r"\*\*", "^", "Python's power"),
    rule(r"\\(?:cdot|times|ast|star|bullet)(?![A-Za-z])", "*", "a product"),
    rule(r"\\div(?![A-Za-z])", "/", "a quotient"),
    rule(r"\\(?:cdots|ldots|dots|dotsc|dotsb)(?![A-Za-z])", "...", "and so on"),
    rule(r"\\(?:lvert|rvert|vert|mid)(?![A-Za-z])", "|", "one bar"),
    rule(r"\\(?:lbrace)(?![A-Za-z])", r"\\{", "a brace"),
    rule(r"\\(?:rbrace)(?![A-Za-z])", r"\\}", "a brace"),
    rule(r"\\lbrack(?![A-Za-z])", "[", "a bracket"),
    rule(r"\\rbrack(?![A-Za-z])", "]", "a bracket"),
    rule(r"\\langle(?![A-Za-z])", "(", "a vector in angle brackets is the vector in parentheses"),
    rule(r"\\rangle(?![A-Za-z])", ")", "a vector in angle brackets is the vector in parentheses"),
    rule(r"\\colon(?![A-Za-z])", ":", "a colon"),
    rule(r"\\(?:varnothing|empty)(?![A-Za-z])|\\\{\s*\\\}", r"\\emptyset ", "the empty set"),
    rule(r"\\(?:backslash|smallsetminus)(?![A-Za-z])", r"\\setminus ", "a set without another"),
    rule(r"\\bigcup(?![A-Za-z])", r"\\cup ", "a union"),
    rule(r"\\(?:Re|R|reals|mathbb\s*R|mathbf\s*R)(?![A-Za-z])|\\mathbb\s*\{\s*R\s*\}", r"\\mathbb{R}", "the real numbers"),
    rule(r"\\(?:infin|inf)(?![A-Za-z])|(?<![A-Za-z\\])(?:[Ii]nfinity|oo|inf)(?![A-Za-z])", r"\\infty ", "infinity"),
    rule(r"\+\s*\\infty", r"\\infty ", "infinity has no sign but minus"),
    rule(r"\\(?:overline|bar)\s*\{\s*(\d+)\s*\}", r"\\overline{\1}", "a repeating decimal"),
    rule(r"\\(?:dot|bar|overline)\s*\{?(\d)\}?(?!\d)", r"\\overline{\1}", "a repeating decimal"),
    rule(r"\^\s*\{?\s*(?:\\circ|\\degree|o)(?![A-Za-z])\s*\}?|\\(?:degree|textdegree)(?![A-Za-z])", "°", "degrees"),
    rule(r"\\%", "%", "percent"),
    rule(r"\\?[$€£¥]", "", "an amount is a number; the question names the currency"),
    rule(r"\\([_#&])", r"\1", "an escaped character"),
    # Digits
    rule(r"(?<=\d)\{,\}(?=\d)|(?<=\d),\\!\s*(?=\d)", "", "`85{,}184` and `85,\\!184` set a thousands separator"),
    rule(r"(?<=\d)(?:\\[,:; ]|~)(?=\d{3}(?!\d))", "", "`11\\,880` sets a thousands separator"),
    rule(r"\\!", "", "negative space"),
    # Words
    rule(r"\\(?:lor|vee)(?![A-Za-z])", " or ", "or"),
    rule(r"\\(?:land|wedge)(?![A-Za-z])", " and ", "and"),
    rule(r"(?i)[,;]?\s*\\text\s*\{\s*[,;]?\s*(?:and|or)\s*\}\s*|\s*[,;]?\s+(?:and|or)\s+(?=[^\s])", ", ",
         "`2 and 3` lists the same as `2, 3`"),
    rule(r"(?<!\\)\\(?:[,:;> ]|quad|qquad|enspace|thinspace|medspace|thickspace|nobreakspace)(?![A-Za-z])|~", " ", "a space"),
    rule(r"(?i)\\text\{\s*([^{}]*?)\s*\}", r"\\text{\1}", "spaces at the edge of words"),
    rule(r"(?i)^\s*\\text\{([^{}]*)\}\s*$", r" \1", "an answer that is all words needs no braces"),
    rule(r"(?i)^[\s(]*(?:there (?:is|are) )?no (?:real |such |possible |valid )*(?:solutions?|roots?)(?: exists?)?[\s).]*$",
         r"\\emptyset ", "no solution is the empty set of solutions"),
    rule(r"(?i)^\s*(?:the )?empty set[\s.]*$", r"\\emptyset ", "the empty set"),
    rule(r"(?i)^\s*(?:all|any) (?:real )?numbers?[\s.]*$|^\s*(?:all|the) reals?(?: numbers)?[\s.]*$", r"\\mathbb{R}",
         "the real numbers"),
    rule(r"(?i)^\s*(?:DNE|does not exist)[\s.]*$", "does not exist", "an abbreviation"),
    # Edges
    rule(r"^\s*(?:=|\\approx|:|\\therefore|\\implies|\\Rightarrow)+\s*", "", "what led to the answer"),
    rule(r"(?:\s|\\text\{[\s.,;:]*\}|(?<!\.)\.(?!\.)|(?<!\\)[,;:]|\\\\)+$", "", "the sentence's punctuation"),
    rule(r"(?:^|(?<=[^.\d]))\.(?=\d)", "0.", "`.5` is 0.5"),
    # Braces and spaces
    rule(r"(?<![\d./])(\d+)\s+(\d+)\s*/\s*(\d+)(?![\d./])", r"\1\\frac{\2}{\3}", "`4 1/2` is a mixed number"),
    rule(r"\\frac\s*([0-9A-Za-z])\s*(?=[0-9A-Za-z{\\])", r"\\frac{\1}", "`\\frac12` takes one character for each part"),
    rule(r"(\\frac\s*\{[^{}]*\})\s*([0-9A-Za-z])", r"\1{\2}", "`\\frac12` takes one character for each part"),
    rule(r"([_^])\s*\{\s*(\w)\s*\}(?![\w.])", r"\1\2", "braces around one character"),
    rule(r"\{([^{}]*?)\\over(?![A-Za-z])([^{}]*)\}", r"\\frac{\1}{\2}", "TeX's older fraction"),
    rule(r"\s+", " ", "spaces carry no meaning in a formula"),
    rule(r"(?<![0-9A-Za-z,]) | (?![0-9A-Za-z])|(?<=,) (?!\d)|(?<=[^\d],) ", "", "only between words, and in `1, 200`, do they matter"),
]  # fmt: skip

LONGEST = 2_000
"""Characters an answer may have to be read at all; longer ones are equal only to themselves."""


def normal_form(answer: str) -> str:
    """The answer in the spelling that the other rules read; empty for an answer that says nothing, such as `.`."""
    if len(answer) > LONGEST:
        return answer.strip()
    text = ascii_digits(answer).translate(CHARACTERS)
    for pattern, replacement, _ in RULES:
        text = pattern.sub(replacement, text)
    return number_in_words(text.strip())


def ascii_digits(text: str) -> str:
    """The text with the decimal digits of every script as 0 to 9; superscripts are not among them."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(character, character)) for character in text)


def number_in_words(text: str) -> str:
    """`four` as `4`."""
    return str(WORD_NUMBERS.index(text.lower())) if text.lower() in WORD_NUMBERS else text
