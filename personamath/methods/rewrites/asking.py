"""Whether a text asks something: a question, or an instruction to find.

A story that works everything out asks nothing, although it may say "to find the total, she adds". An instruction is a
verb in its base form at the start of a clause, or one that somebody needs, wants or is asked to do.
"""

import re

FIGURE = re.compile(r"\[asy\](?:(?!\[asy\]).)*?\[/asy\]", re.DOTALL)

# What one does to find something; a story may say "she needs to find" of nothing else.
_FIND = (
    r"(?:find|determine|compute|calculate|evaluate|simplify|express|solve|prove|show|factor(?:i[sz]e)?|expand|estimate"
    r"|identify|count|work out|figure out|derive|verify|rationali[sz]e|know|learn|discover|understand)"
)
# At the start of a clause these are instructions, too.
_INSTRUCT = (
    r"(?:write|give|list|state|name|round|convert|graph|tell|explain|choose|select|complete|fill in|order|arrange"
    r"|describe|reduce|specify|enter|report|provide|rewrite|represent|sketch|combine|multiply|divide|subtract|add|sum|help|assign"
    r"|calcula|berechne|bestimme|ermittle|finde|trouve[rz]?|calcule[rz]?|d[ée]termine[rz]?|halla|encuentra|determina"
    r"|bereken|bepaal|vind|oblicz|найдите|вычислите|определите)"
)
_ADVERB = r"(?:(?:please|then|also|now|next|and|or|so|just|first|thus|[a-z]{2,16}ly)[ ,]+){0,4}"
_CLAUSE = r"(?:\A|[.?!:;,)}\]$\n—–-]|\b(?:and|then|please|to you)\b)"
_WANTS = (
    r"(?:needs?|needed|wants?|wanted|asks?|asked|helps?|try|tries|trying|tried|how|like[sd]?|wish|wishes|hopes?"
    r"|hoping|challenge[sd]?|challenging|goal|task|tasked|job|aim|mission|you|must|should|let['’]s|let us|we|curious"
    r"|eager|required|invite[sd]?|instructed|has to|have to|is to|are to|interested in|charged with|looking|sets? out)"
)
_UNKNOWN = r"(?:what|how|which|who|when|where|whether)"

_QUESTION = re.compile(
    r"[?？؟]|=\s*\$*\s*\Z|\\underline|_{3,}|\(A\).*\(B\)",
    re.DOTALL,
)
_ASKED = re.compile(
    rf"{_CLAUSE}\s*[*_\"“‘'(]*{_ADVERB}(?:{_FIND}|{_INSTRUCT}|what|how|whether)\b"
    # After a comma these begin a relative clause.
    rf"|(?:\A|[.?!:;\n])\s*[*_\"“‘'(]*{_ADVERB}(?:which|who|when|where)\b"
    rf"|\b(?!(?<=the )need\b){_WANTS}\b(?: [\w'’]+){{0,6}}? (?:to |in )?"
    rf"(?:{_FIND}|finding|determining|calculating|computing|knowing)\b"
    r"|\bask(?:s|ed|ing)? (?:\w+ ){0,3}for\b"
    rf"|\b(?:wonder(?:s|ing|ed)?|question|puzzle|riddle|problem)\b[^.]{{0,120}}\b{_UNKNOWN}\b"
    rf"|\b(?:for|at|by|in|to|of|tell|say|(?<!you )know|see) (?:{_UNKNOWN})\b"
    r"|\bhow (?:many|much|long|far|old|tall|often|fast)\b"
    r"|\bwhat (?:is|are|was|were|will|would|fraction|percent\w*|number|value)\b",
    re.IGNORECASE,
)
# "To find the total, she adds" is the purpose of a step, and "he needed the total, so he added" its reason: no tasks.
# "She wants to know how far she runs" is one, and is kept.
_STEP = (
    r"\s(?:we|she|he|they|it|i|you)\b\s*"
    r"(?:\w+ly |first |then |can |must |have to |had to |need to |needed to |will )?"
    r"(?:\w+(?:ed|s)\b|multiply|divide|add|subtract|use|take|set|start|sum|know)"
)
_PURPOSE = re.compile(
    rf"\b{_WANTS}\b(?: [\w'’]+){{0,2}} to {_FIND}\b(?:[^.?!,\n]{{0,160}},(?: so| and| then)?{_STEP}|(?P<task>))"
    rf"|\b(?:in order )?to {_FIND}\b[^.?!\n]{{0,160}}?,?{_STEP}",
    re.IGNORECASE,
)


def asks(text: str) -> bool:
    """Whether a text asks something."""
    text = FIGURE.sub(" ", text)
    return bool(_QUESTION.search(text) or _ASKED.search(_PURPOSE.sub(_unless_task, text)))


def _unless_task(purpose: re.Match[str]) -> str:
    return " " if purpose["task"] is None else purpose[0]


def last_question(text: str) -> int:
    """Where the last sentence that ends in a question mark ends; 0 where there is none."""
    return max(text.rfind(mark) for mark in "?？؟") + 1
