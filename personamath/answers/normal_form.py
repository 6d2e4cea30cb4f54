r"""One spelling for what can be written in many: the table of rules that turns an answer into its normal form.

Formatting cannot change a verdict, because it is removed before anything is compared. A rule is a row of `TABLE`: a
pattern, what replaces it, and the reason it is safe. They are applied in order. A new row goes under its heading, and
has no two unbounded repetitions of the same characters in a row, which a hostile answer could make take forever.
"""

import re
from typing import NamedTuple

from personamath.answers.characters import ascii_characters
from personamath.answers.currencies import CODE, DOLLARS
from personamath.answers.extraction import braced
from personamath.answers.words import number_in_words


class Rule(NamedTuple):
    """One rewriting, and why it does not change what an answer says."""

    pattern: re.Pattern[str]
    replacement: str
    reason: str
    needs: str = ""
    """What every matching text contains, so that other texts need not be searched; or `WORDS`."""


WORDS = "words"
"""What a rule about words needs: two letters in a row that are not a command."""
IN_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2}")


def command(*names: str) -> str:
    """Pattern of LaTeX commands by their names, which may be patterns."""
    return rf"(?<!\\)\\(?:{'|'.join(names)})(?![A-Za-z])"


ARCS = ["sinh", "cosh", "tanh", "coth", "sech", "csch", "sin", "cos", "tan", "cot", "sec", "csc"]
"""Functions whose inverse is written with `arc` in front, or as the power of -1."""

FUNCTIONS = [*(f"arc{name}" for name in ARCS), *ARCS, *("cis", "log", "ln", "lg", "exp", "sqrt")]
"""Functions that are known by name, with or without a backslash; longer names before their beginnings."""

VALUE = (
    r"-?\d|-(?=\\[dt]?frac|\\sqrt|\\pi)|\\[dt]?frac|\\(?:sqrt|pi|theta|alpha|beta|infty|log|ln|sin|cos|tan)(?![A-Za-z])"
    r"|(?![mshgLNJWVAK](?:\^|[ .]*$))[A-Za-z](?![A-Za-z])|[A-Z]{2,4} ?=|[a-z](?:\(\w\))? ?=|\([^()]*,[^()]*\)"
)
"""What begins a value, and not a unit, a word or a condition."""
UNIT_LETTER = r"[mshgLNJWVAK](?:\^[23])?"
"""A letter that is a unit more often than a variable after a number and a space."""

BOUND = r" *((?:-|\\infty|\\frac|\\sqrt|\\pi|[\d./{}])+)"
BOTH = r"(?: *\\text\{,? ?and ?\} *|,? +and +)"

TABLE = [
    # How it is set
    (r"\s+", " ", "a line's end is a space"),
    (r"\\\\ ?\[[^\[\]]*\]", r"\\\\", "`\\\\[4pt]` spaces the rows of a matrix"),
    (r"(?<=\d) ?(?<!\\)\$ ?\$ ?(?=\d)", ", ", "values of two formulas are two", "$"),
    (r"(?<=[^-+*/=<>(,;^_ ]) ?(?:\\\) ?\\\(|\\\] ?\\\[) ?(?![+*/=<>),;.^_ ]|-\\\))", ", ",
     "values of two formulas are two", "\\"),
    (r"(?<=[^-+*/=<>(,;^_$\\ ])\$ ?\$(?=[^+*/=<>),;.^_$ ][^$]*\$(?: ?\$[^$]+\$)* ?\.?$)(?<!^\$\$)", ", ",
     "values of two formulas are two", "$"),
    (rf"^ ?(-?) ?({'|'.join(DOLLARS)}) ?\\?\$ ?(-?[\d.,]*\d)\.?$", r"\1\3\\text{ \2 dollars}", "whose dollars", "$"),
    (r"^ ?(-?) ?(?:US|CA|AU|NZ|HK|C|A) ?\$(?=[.\d])", r"\1", "whose dollars", "$"),
    (r"^ ?(-?) ?\$ ?(-?[\d.,]*\d) ?\.?$", r"\1\2\\text{ dollars}", "a sign that no other closes is of dollars", "$"),
    (r"(?<!\\)\$", "", "`$` opens and closes a formula", "$"),
    (r"(?<!\\)\\[()\[\]]", "", "`\\(` and `\\[` open and close a formula"),
    (command("[hv]?phantom") + r" ?(?:\{[^{}]*\}|\S)", " ", "prints nothing", "phantom"),
    (command("(?:text|f)?color(?:box)?", "enclose") + r" ?(?:\[[^\[\]]*\])?\{[^{}]*\}", "",
     "a color or a frame"),
    (command("bbox") + r" ?\[[^\[\]]*\]", "", "a color or a frame"),
    (r"(\\begin\{[a-z]+\*?\})\[[tbc]\]", r"\1", "where the lines are aligned", r"\begin"),
    (r"\\(?:begin|end)\{(?:equation|displaymath|math|center)\*?\}", " ", "a formula by itself", r"\begin"),
    (command("(?:math)?strut", "newline", "par", "hfill", "nonumber", "notag", "check(?:mark)?",
     "(?:black)?square") + " ?$", "",
     "prints nothing, or the end of a proof"),
    (command("(?:math)?strut"), "", "prints nothing", "strut"),
    (command("tiny", "(?:script|footnote|normal)size", "small", "[lL]arge", "LARGE", "[hH]uge"), " ", "a size"),
    (command("[hm]space", "vspace", "tag", "label") + r"\*?\{[^{}]*\}", " ", "prints nothing, or a number beside"),
    (command("(?:display|text|script)style", "(?:no)?limits", "rm", "bf", "it"), " ", "a size, a place or a face"),
    (command("left", "right", "middle", "[bB]igg?[lrm]?") + r"\.?", "", "the size of a bracket"),
    (r"(\\in ?)\\(?:math(?:bf|rm|ds)|bf) ?\{? ?([RZNQC])(?![A-Za-z]) ?\}?", r"\1\\mathbb{\2}", "a set of numbers",
     r"\in"),
    (command("math(?:bf|it|sf)", "boldsymbol", "bm", "bold", "pmb") + r" ?\{ ?([A-Za-z]) ?\}", r" \1",
     "a letter in any font"),
    (r"\\(?:hat|vec) ?\{? ?\\?([ijk])(?:math)?(?![A-Za-z]) ?\}?", r" \1", "a unit vector"),
    (command("math(?:bf|it|sf|cal|op)", "boldsymbol", "bm", "bold", "pmb", "underline", "boxed", "f(?:rame)?box")
     + r" ?(?=[{\w])", "", "a font or a frame around what is in braces"),
    (command("text(?:bf|it|rm|sf|sc|tt|normal|up)?", "[mh]box", "mathrm", "operatorname", "emph") + r"\*? ?\{",
     r"\\text{", "words are words in any face"),
    (rf"\\text\{{ ?({'|'.join(FUNCTIONS)}|c?tg|cotg|cosec|arcc?tg|[bp]?mod) ?\}}", r"\\\1 ",
     "`\\mathrm{sin}` is `\\sin`", r"\text"),
    (r"\\text\{ ?(gcd|lcm|max|min) ?\}(?= ?(?:\(|\\\{))", r"\\\1 ", "a function of several numbers", r"\text"),
    (r"\\text\{ ?(?:ar(?:c?|ea)(sinh|cosh|tanh)|a(sin|cos|tan)) ?\}", r"\\arc\1\2 ", "an inverse function", r"\text"),
    (r"\\text\{ ?(pi|theta) ?\}", r"\\\1 ", "a letter by its name", r"\text"),
    (r"\\text\{([^{}]*?)(?:\\[,;: ])?([A-Za-z]+)\^\{?(-\d)\}?\}", r"\\text{\1 \2^\3}", "a unit to a negative power",
     r"\text"),
    (r"\\text\{ ?([a-fijkn-rt-z]) ?\}", r" \1 ", "a letter that is no unit is a variable or a constant", r"\text"),
    (r"\(\\text\{ ?([A-Z]) ?\}\)", r"(\1)", "a choice", r"\text"),
    (r"^ ?(\*\*|__|`|\*)(.*?)\1 ?$", r"\2", "Markdown's bold"),
    # One name for each symbol
    (command("[dtc]frac", "nicefrac", "[xs]frac"), r"\\frac", "one fraction in many sizes"),
    (command("tg"), r"\\tan ", "the tangent"),
    (command("c(?:o)?tg"), r"\\cot ", "the cotangent", "tg"),
    (command("cosec"), r"\\csc ", "the cosecant"),
    (command("arctg"), r"\\arctan ", "the arc tangent"),
    (command("arcctg"), r"\\arccot ", "the arc cotangent"),
    (command("[dt]binom"), r"\\binom", "one binomial in three sizes", "binom"),
    (command("leq?", "leqq", "leqslant"), r"\\le ", "at most"),
    (command("geq?", "geqq", "geqslant"), r"\\ge ", "at least"),
    (command("neq?") + r"|\\not ?=", r"\\ne ", "not equal", "\\n"),
    (r"\+ ?/-", r"\\pm ", "plus or minus", "/-"),
    ("<=|=<", r"\\le ", "at most", "="),
    (">=", r"\\ge ", "at least", "="),
    ("!=", r"\\ne ", "not equal", "="),
    (command("lt"), "<", "less"),
    (command("gt"), ">", "greater"),
    (command("sim", "simeq", "approxeq", "thickapprox", "doteq"), r"\\approx ", "about"),
    (r"\*\*", "^", "Python's power", "**"),
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
    (r"^ ?(\d+) ?(?:\\text\{ ?to ?\}|(?<= )to(?= )) ?(\d+) ?$", r"\1:\2", "a ratio in words", "to"),
    (r"(?:\\not ?\\in|\\notin) ?\\\{([^{}]*)\\\}", r"\\ne \1", "not a member of a small set", r"\not"),
    (command("backslash"), r"\\setminus ", "the difference of sets"),
    (r"\\setminus ?\{([^{}]*[^{}\\])\}", r"\\setminus\\{\1\\}", "a set in plain braces", r"\setminus"),
    (r"\\(p?mod|bmod) ?\{ ?(\d+) ?\}", r"\\\1 \2", "braces around a modulus", "mod"),
    (r"\^ ?\\(?:text|mathrm|mathsf) ?\{ ?T ?\}|\^ ?\{ ?\\(?:text|mathrm|mathsf|rm|sf) ?(?:\{ ?T ?\}|T) ?\}", "^T",
     "transposed", "T"),
    (r"\^ ?\\(?:top|intercal)(?![A-Za-z])|\^ ?\{ ?\\(?:top|intercal) ?\}", "^T", "transposed", "^"),
    (command("cr"), r"\\\\", "the end of a row"),
    (r"\{ ?([:=<>]) ?\}", r"\1", "braces around a sign", "{"),
    (command("varnothing", "empty") + r"|\\\{ ?\\\}", r"\\emptyset ", "the empty set", "\\"),
    (command("bigcup"), r"\\cup ", "a union"),
    (command("Re", "R", "reals", "mathbb ?R", r"mathbb ?\{ ?R ?\}"), r"\\mathbb{R}", "the real numbers"),
    (command("infin"), r"\\infty ", "infinity"),
    (r"(?<![A-Za-z\\])(?:[Ii]nfinity|oo|inf)(?![A-Za-z])", r"\\infty ", "infinity", WORDS),
    (r"(?:\b(?:[Nn]egative|[Mm]inus)\b|\\text\{ ?(?:[Nn]egative|[Mm]inus) ?\}) ?(?=\\infty)", "-", "infinity", "infty"),
    (r"\+ ?\\infty", r"\\infty ", "infinity has no sign but minus", "+"),
    (r"\\dot ?(?:\{ ?(\d) ?\}|(\d))(\d*)\\dot ?(?:\{ ?(\d) ?\}|(\d))", r"\\overline{\1\2\3\4\5}",
     "dots on the first and the last digit of a period", r"\dot"),
    (r"(\d\.\d*)\((\d+)\)", r"\1\\overline{\2}", "the period of a decimal in parentheses", "("),
    (command("dot", "bar", "overline") + r" ?\{ ?(\d+) ?\}", r"\\overline{\1}", "the period of a decimal", "\\"),
    (command("dot", "bar", "overline") + r" ?(\d)", r"\\overline{\1}", "the period of a decimal"),
    (r"\^ ?\{ ?\\(?:circ|degree) ?\}|\^ ?\\circ(?![A-Za-z])|\^? ?\\degree(?![A-Za-z])", "°", "degrees", "\\"),
    (r"\\%", "%", "percent", "%"),
    (command("textdollar"), r"\\$", "the sign of the dollar"),
    *(
        (rf"^ ?(-?) ?{sign} ?(-?[\d.,]*\d)\.?$|^ ?(-?)([\d.,]*\d) ?{sign} ?$", rf"\1\2\3\4\\text{{ {word}}}",
         f"a number of {word}", needs)
        for sign, word, needs in (
            (command("euro", "texteuro"), "euros", "euro"), (command("pounds"), "pounds", r"\pounds"),
            (command("textsterling"), "pounds", "sterling"), (command("yen"), "yen", r"\yen"),
            (command("rupee"), "rupees", r"\rupee"),
        )
    ),
    (command("pounds", "euro", "texteuro", "textsterling", "yen", "rupee"), "", "the sign of a currency"),
    (command("cents?", "textcent"), r"\\text{ cents}", "cents"),
    (rf"^ ?(-?) ?(?:\\text\{{ ?)?({CODE})\.? ?\}}? ?(?:\\[,; ]|~)? ?(?:\\?\$)? ?(-?[\d.,]*\d)\.?$", r"\1\3\\text{ \2}",
     "a number of a currency", WORDS),
    (rf"^ ?(-?) ?(?:\\text\{{ ?)?{CODE}\.? ?\}}? ?(?:\\[,; ])? ?(?=\\?\$|[.\d]|\\frac)", r"\1",
     "the currency in letters", WORDS),
    (r"^ ?(-?) ?\\\$ ?(-?[\d.,]*\d)(?:\.| ?)$", r"\1\2\\text{ dollars}", "a number of dollars", r"\$"),
    (r"\\?\$", "", "an amount is a number; the question names the currency", "$"),
    (r"(?<!\\)\\&", r"\\text{and}", "and", r"\&"),
    (r"(?<!\\)\\([_#])", r"\1", "an escaped character"),
    (r"\^ ?(?:\{ ?\\prime ?\\prime ?\}|\\prime ?\\prime(?![A-Za-z]))", "''", "primes", "prime"),
    (r"\^ ?(?:\{ ?\\prime ?\}|\\prime(?![A-Za-z]))", "'", "a prime", "prime"),
    (r"(?<![A-Za-z\\])d([a-z])/d([a-z])(?![A-Za-z])", r"\\frac{d\1}{d\2}", "a derivative", "/d"),
    # Digits
    (r"(?<=\d) ?\{ ?, ?\} ?(?=\d)|(?<=\d),\\! ?(?=\d)", "", "`85{,}184` and `85,\\!184` are one number", ","),
    (r"(?<=\d)(?:\\[,:; ]|~| )(?=\d{3}(?![\d/]))", "", "`11\\,880` and `11 880` set a thousands separator"),
    (r"(?<!\\)\\[!/]", "", "negative space"),
    ("~", " ", "a space", "~"),
    (r"(\\text\{[^{}]*\}) ?\\qq?uad(?![A-Za-z])", r"\1 ", "a space beside words", "uad"),
    (rf"([\d)}}!%°]|(?<![A-Za-z\\])[A-Za-z]{{1,2}}|\\(?:pi|theta|alpha|beta|infty))"
     rf"(?: *\\qq?uad(?![A-Za-z]))+ *(?={VALUE})", r"\1, ",
     "two values with a wide space between them", "uad"),
    (r"(?<!\\)\\[,:;> ]|(?<!\\)\\ ?$|" + command("q?quad", "(?:en|thin|med|thick|nobreak)space"), " ", "a space", "\\"),
    (r"(?<!_\w)(?<!_\{\w\})(?<!_\{-\w\})(?<!_\{\w=\w\})(?<!_\{\w=-\w\})(?<!_\{\w=\w\w\})(\^(?:\d|\{\d+\})) +(?=\d)",
     r"\1*", "`2^6 3^5` is a product, `\\int_0^1 2x` is not one", "^"),
    # Units
    (r"\\frac ?\{ ?\\text\{ ?([^{}]*?) ?\} ?\} ?\{ ?\\text\{ ?([^{}]*?) ?\}(?:\^\{?([23])\}?)? ?\}", r"\\text{\1/\2\3}",
     "`\\frac{\\text{m}}{\\text{s}}` is m/s", r"\text"),
    (r"(\\text\{ ?[A-Za-z]+) ?\}(?:\^\{?([23])\}?)? ?([/*]) ?\\text\{ ?(?=[A-Za-z])", r"\1\2\3",
     "a quotient of units", r"\text"),
    (r"(?<=\d) ?/ ?\\text\{ ?([A-Za-z]+) ?\} ?$", r"\\text{ per \1}", "a rate", r"\text"),
    (r"(?<=\d)(?: ?\^ ?\{?)? ?\\text\{ ?(?:st|nd|rd|th) ?\} ?\}?", "", "an ordinal", r"\text"),
    (r"(?:(?<=1)\^\{st\}|(?<=2)\^\{nd\}|(?<=3)\^\{rd\}|(?<=[04-9])\^\{th\}) ?$|(?<=\d)(?:st|nd|rd|th)(?![A-Za-z])", "",
     "an ordinal", WORDS),
    (r"(?<=[\d})]) ?\( ?\\text\{([A-Za-z ./]+)\} ?\) ?$", r"\\text{\1}", "a unit in parentheses", r"\text"),
    (r"(?<=\w)(?: ?\\text\{,? ?\(?(?:in )?base ?\}|,? \(?(?:in )?base )\{?(\d\d?)\}?\)?$", r"_{\1}",
     "the base of a number", "base"),
    (r"(?<=\d)\\text\{ ?([A-F\d]+) ?\}(?=_)", r"\1", "digits beyond 9", r"\text"),
    (r"^ ?0x([0-9A-Fa-f]+)$", r"\1_{16}", "a prefix for base 16", "0x"),
    (r"^ ?0b([01]+)$", r"\1_2", "a prefix for base 2", "0b"),
    (r"^ ?0o([0-7]+)$", r"\1_8", "a prefix for base 8", "0o"),
    (r"^ ?(1[0-2]|[1-9]) ?(?:\\text\{ ?)?o'clock ?\}?(?=$|[ ap])", r"\1:00", "an hour of the day", "o'c"),
    (r"_ ?\{ ?\((\d\d?)\) ?\}", r"_{\1}", "the base of a number in parentheses", "_"),
    (r"\\text\{ ?([CPA]) ?\}(?=_)", r"\1", "combinations", r"\text"),
    # Words and edges
    (command("lor", "vee"), r"\\text{or}", "or"),
    (command("land", "wedge"), r"\\text{and}", "and"),
    (r"(?<=[\w)}])[, ]*\(? ?\\text\{[, ]*(?:\(?or|which is|i\.e\.,?)? ?(?:about|approx\.?|approximately|roughly) ?\}"
     r" ?-?\$?\d[\d.,]*(?: ?%)?(?:\\text\{[^{}]*\})?\)?$", "", "a rounded value beside the exact one", r"\text"),
    (r" *(?:\( ?\\text\{ ?(?:or|i\.e\.,?) ?\}|\\text\{ ?\((?:or|i\.e\.,?) ?\}?) ?([^()]*?)\)(?: ?\})?$", r", \1",
     "the value again, or another one", r"\text"),
    (r"\\text\{,? ?\(?(?:rounded |correct |accurate )?to (?:the nearest|\w+ (?:decimal|significant))[^{}]*\}$", "",
     "how it is rounded", r"\text"),
    (rf"^ ?([a-z]) ?>{BOUND}{BOTH}\1 ?(<|\\le(?![A-Za-z])){BOUND}$", r"\2<\1\3 \4", "both hold", ">"),
    (rf"^ ?([a-z]) ?\\ge{BOUND}{BOTH}\1 ?(<|\\le(?![A-Za-z])){BOUND}$", r"\2\\le \1\3 \4", "both hold", r"\ge"),
    (rf"^ ?([a-z]) ?(<|\\le){BOUND}{BOTH}\1 ?>{BOUND}$", r"\4<\1\2 \3", "both hold", ">"),
    (rf"^ ?([a-z]) ?(<|\\le){BOUND}{BOTH}\1 ?\\ge{BOUND}$", r"\4\\le \1\2 \3", "both hold", r"\ge"),
    (r"(?i)\\text\{ ?[,;]? ?(?:and|or) ([-\d][^{}]*)\}", r", \1", "`\\text{ or 6}` is an item of a list", r"\text"),
    (r"(?i)[,;]? ?\\text ?\{ ?[,;]? ?(?:and(?:/or)?|or) ?\} ?", ", ",
     "`2 \\text{ and } 3` is the list `2, 3`", r"\text"),
    (r"(?i)[,;]? +(?:and|or) +(?=\S)", ", ", "`2 and 3` is the list `2, 3`", WORDS),
    (r"\\text\{ ?([,;]) ?\}", r"\1", "a comma set as words", r"\text"),
    (r"\\text\{ ?(-?\d[\d.,]*) ?\}", r" \1 ", "a number set as words", r"\text"),
    (r"\\text\{ ?([^{}]*?) ?\}", r"\\text{\1}", "spaces at the edge of words", r"\text"),
    (r"[, ]*(?:\\text\{,? ?for (?:all|any|every|each)[^{}]*\}|\\forall) ?"
     r"(?:[A-Za-z](?: ?\\in ?\\mathbb ?\{?[A-Z]\}?)?)? ?$", "", "for which values it holds is in the question", "\\"),
    (r"^(?!.*(?:[<>]|\\[lg]e(?![A-Za-z])))(.*[A-Za-z\d})°])[, ]*\(?"
     r"(?:\\text\{[, ]*(?:where|with|for(?: any| some| all| every| each)?(?: integers?)?) ?\})?[, ]*[kmn] ?"
     r"(?:\\in ?\\mathbb ?\{?Z\}?|\\text\{ ?is an(?:y| arbitrary)? integer ?\})\)? ?$",
     r"\1", "an integer that runs through solutions", "\\"),
    (r"^(?!.*(?:[<>]|\\[lg]e(?![A-Za-z])))(.*[A-Za-z\d})°])[, ]*"
     r"\\text\{[, ]*for(?: any| some| all| every| each)? integers? ?\} ?[kmn] ?$",
     r"\1", "an integer that runs through solutions", r"\text"),
    (r"^ *[a-z] ?\\in ?\\mathbb ?\{?R\}? ?, ?(?=[a-z])", "", "a real number", r"\in"),
    (r"(?<=[\w)}])[, ]*, ?\(?[a-z] ?\\in ?\\mathbb ?\{?R\}?\)? ?$", "", "a real number", r"\in"),
    (r"[, ]*\\text\{[, ]*(?:where|with|for(?: any| some| all| every| each)?(?: integers?)?) ?\}$", "",
     "what it introduced is gone",
     r"\text"),
    (r"(?i)^ *\\text\{[^{}]*(?: is| are|[:=]) ?\}(?=.)", "", "what announces the answer", r"\text"),
    (r"^[^{}]*[=<>][^{}]*\\(?:implies|Rightarrow|Longrightarrow|therefore)(?![A-Za-z])", "", "what led to the answer",
     "\\"),
    (r"^[^{}=]*=[^{}]*(?:[=-]>|\\(?:iff|to|(?:long)?rightarrow|(?:[Ll]ong)?[Ll]eftrightarrow)(?![A-Za-z])"
     r"|[,; ]*\\text\{[,; ]*(?:so|thus|hence|therefore),? ?\})(?=[^{}=]*=)", "", "what led to the answer", "="),
    (r"^ *(?:(?:=|\\approx|:|\\therefore|\\implies|\\Rightarrow|\\text\{ ?(?i:so|thus|hence|therefore|then),? ?\}) *)+",
     "", "what led to the answer"),
    (r"(?i)^ *(?:\\text\{ ?)?(?:approximately|approx\.?|about|roughly)(?: ?\}| ) ?(?=-?[\\$]*\d)", "",
     "it is rounded", WORDS),
    (r"(?: |\\text\{[ .,;:]*\}|(?<!\.)\.\.?(?!\.)|(?<!\\)[,;:]|\\\\)+$", "", "the sentence's punctuation"),
    (r" *(?:\( ?(?:\\approx|\\text\{ ?(?:or )?(?:about|approx|roughly))|\\text\{ ?\((?:or )?(?:about|approx|roughly))"
     r"[^()]*\) ?\}?$", "", "a rounded value beside the exact one", ")"),
    (r"^((?:[-\d.,/ ]|\\frac\{\d+\}\{\d+\})+)'$", r"\1\\text{ft}", "feet as a mark", "'"),
    (r"^((?:[-\d.,/ ]|\\frac\{\d+\}\{\d+\})+)''$", r"\1\\text{in}", "inches as marks", "'"),
    (r"^((?:[-\d.,/ ]|\\frac\{\d+\}\{\d+\})+)\"$", r"\1\\text{in}", "inches as a mark", '"'),
    (r"^ *\"([^\"`]+?)\" *$|^ *\\text\{ ?\"([^\"`'{}]+?)\" ?\} *$", r"\1\2", "quotation marks", '"'),
    (r"^ *``([^\"`]+?)(?:\"|'') *$|^ *(?:\\text\{ ?)?(?:``|[`'‘])([^\"`'{}]+?)'(?: ?\})? *$", r"\1\2",
     "quotation marks", "'"),
    (r"^ *([A-Z])\) *$", r"\1", "a choice", ")"),
    (r"^ *\\text\{(?![a-z]{2}\})([^{}]*)\} *$", r"\1",
     "an answer that is all words needs no braces, but two letters that may be factors", r"\text"),
    (r"(?i)^ *(?:the )?(?:(?:final|correct) )?(?:answer|option|choice)s?(?: is| are|:)+ (?=.)", "",
     "what announces the answer", WORDS),
    (r"(?i)^ *(?:\\text\{ ?(?:either|both) ?\}|(?:either|both)\b) *(?=.*,)", "", "it announces a list", ","),
    (r"^ *(?:\\text\{ ?)?(?:[Oo]ption|[Cc]hoice|[Aa]nswer) ?\}? ?\(?([A-Z])\)?[ .]*$", r"\1", "a choice", WORDS),
    (r"(?i)^[ (]*(?:there (?:is|are) )?no (?:(?:real|such|valid) )*(?:solution|root)s?(?: exists?)?[ ).]*$",
     r"\\emptyset", "no solution is the empty set of solutions", WORDS),
    (r"(?i)^ *\\text\{ ?(?:all|any|the) real numbers?,? (?:except|other than|but)(?: for)?:? ?\} ?([^=<>]+)$",
     r"\\mathbb{R}\\setminus\\{\1\\}",
     "the real numbers but a few", r"\text"),
    (r"(?i)^ *(?:the )?empty set[ .]*$", r"\\emptyset", "the empty set", WORDS),
    (r"(?i)^ *(?:(?:all|any|the) )?(?:real numbers?|reals)[ .]*$", r"\\mathbb{R}", "the real numbers", WORDS),
    (r"(?i)^ *DNE[ .]*$", "does not exist", "an abbreviation", WORDS),
    (r"(?<![.\dA-Za-z])\.(?=\d)", "0.", "`.5` is 0.5", "."),
    # Braces and spaces
    (r"(?<![\d./])(\d+) (\d+) ?/ ?(\d+)(?![\d./])", r"\1\\frac{\2}{\3}", "`4 1/2` is a mixed number", "/"),
    (r"\\frac ?([0-9A-Za-z]) ?(?=[0-9A-Za-z{\\])", r"\\frac{\1}", "`\\frac12` takes one character each", r"\frac"),
    (r"(\\frac ?\{[^{}]*\}) ?([0-9A-Za-z])", r"\1{\2}", "`\\frac12` takes one character each", r"\frac"),
    (r"(?:\{ ?\})?\^ ?\{? ?(\d+) ?\}? ?/ ?_ ?\{? ?(\d+) ?\}?", r"\\frac{\1}{\2}", "`^3/_4` is a fraction", "/"),
    (r"([_^]) ?\{ ?(\w) ?\}(?![\w.])", r"\1\2", "braces around one character", "{"),
    (r"\^ ?(\w|\{[^{}]*\}) ?_ ?(\w|\{[^{}]*\})", r"_\2^\1", "the subscript before the power", "^"),
    (r"(?<![A-Za-z\\_])C ?\( ?(\w+) ?, ?(\w+) ?\)", r"\\binom{\1}{\2}", "combinations", "C"),
    (r"(?<![A-Za-z\\_])P ?\( ?(\d+|n) ?, ?(\d+|[kr]) ?\)(?! ?=)", r"\\frac{(\1)!}{(\1-\2)!}", "permutations", "P"),
    (r"(?:\{ ?\}|^)[_^] ?(?:\{(\w+)\}|(\w)) ?C ?_ ?(?:\{(\w+)\}|(\w))", r"\\binom{\1\2}{\3\4}", "combinations", "C"),
    (r"(?:\{ ?\}|^)[_^] ?(?:\{(\w+)\}|(\w)) ?P ?_ ?(?:\{(\w+)\}|(\w))", r"\\frac{(\1\2)!}{(\1\2-\3\4)!}",
     "permutations", "P"),
    (r"(?<=[\d)} ])(?:(?<= )|\\[bp]?)mod(?![A-Za-z])(?= *[\d(])", r"\\bmod ", "the remainder", "mod"),
    (r"\{([^{}]*?)\\over(?![A-Za-z])([^{}]*)\}", r"\\frac{\1}{\2}", "TeX's older fraction", r"\over"),
    (r" +", " ", "spaces in a row", "  "),
    (rf"(?<![0-9A-Za-z,]) (?!(?<=\}} ){UNIT_LETTER}$)| (?![0-9A-Za-z])|(?<=,) (?!\d)|(?<=[^\d],) ", "",
     "elsewhere it means nothing", " "),
]  # fmt: skip


def rule(pattern: str, replacement: str, reason: str, needs: str = "") -> Rule:
    """A row of the table; what a pattern without alternatives needs can be read off its beginning."""
    if not needs and not has_alternatives(pattern):
        if name := re.match(r"\(\?<!\\\\\)\\\\\(\?:([A-Za-z]+)\)", pattern):
            needs = "\\" + name[1]
        elif pattern.startswith((r"(?<!\\)\\", r"\\")) and not pattern.startswith(r"\\?"):
            needs = "\\"
    return Rule(re.compile(pattern), replacement, reason, needs)


def has_alternatives(pattern: str) -> bool:
    """Whether a pattern has a bar outside of all groups."""
    depth, escaped = 0, False
    for character in re.sub(r"\[[^\]]*\]", "", pattern):
        if character == "|" and depth == 0 and not escaped:
            return True
        depth += 0 if escaped else (character == "(") - (character == ")")
        escaped = character == "\\" and not escaped
    return False


RULES = [rule(*row) for row in TABLE]
PLAIN_RULES = [rule for rule in RULES if not rule.needs.startswith("\\")]
"""The rules for a text without commands."""

LONGEST = 1_000
"""Characters an answer may have to be read at all; longer ones are equal only to themselves."""


def normal_form(answer: str) -> str:
    """The answer in the spelling that the other rules read; empty for an answer that says nothing, such as `.`."""
    text = unframed(ascii_characters(answer).strip())
    has_words = IN_WORDS.search(text) is not None
    for pattern, replacement, _, needs in RULES if "\\" in text else PLAIN_RULES:
        if has_words if needs is WORDS else needs in text:
            text = pattern.sub(replacement, text)
    text = unframed(text.strip())
    number = number_in_words(text) if text[:1].isalpha() else None
    return text if number is None else number


def unframed(text: str) -> str:
    r"""The text out of braces, or a `\boxed`, that go around all of it."""
    while text.startswith(("{", "\\boxed{", "\\fbox{")):
        start = text.index("{")
        inside = braced(text[start:])
        if inside is None or start + len(inside) + 2 < len(text):
            break
        text = inside.strip()
    return text
