"""Whether a text asks something: a question, or an instruction to find.

A story that works everything out asks nothing, although it may say "to find the total, she adds". An instruction is a
verb in its base form at the start of a clause, or one that somebody needs, wants or is asked to do.
"""

import re

FIGURE = re.compile(r"\[asy\].*?\[/asy\]", re.DOTALL)

_VERB = (
    r"(?:find|determine|compute|calculate|evaluate|simplify|express|solve|prove|show|factor(?:ize|ise)?|expand|write|give|"
    r"list|state|name|round|convert|graph|identify|count|work out|figure out|tell|explain|estimate|derive|choose|select|"
    r"complete|fill|order|arrange|describe|verify|rationali[sz]e|reduce|specify|enter|report|provide|rewrite|"
    r"use|add|subtract|multiply|divide|sum|guess|help|sketch|draw|place|put|return|represent|combine|cancel|assume|suppose|"
    r"calcula|berechne|bestimme|ermittle|finde|trouve[rz]?|trouvez|calcule[rz]?|d[ée]termine[rz]?|halla|encuentra|"
    r"determina|bereken|bepaal|vind|oblicz|найдите|вычислите|определите)"
)
_ADVERB = r"(?:(?:please|then|also|now|next|and|or|so|just|finally|first|thus|[a-z]+ly)[ ,]+)*"
_CLAUSE = r"(?:\A|[.?!:;,)}\]$\n—–-]|\b(?:and|then|please|you|to you)\b)"
_WANTS = (
    r"(?:need|needs|needed|want|wants|wanted|ask|asks|asked|help|helps|try|tries|trying|tried|how|have|has|had|able|like|"
    r"likes|wish|wishes|wishing|hope|hopes|hoping|challenge|challenges|challenged|challenging|goal|task|job|aim|mission|you|"
    r"must|should|can|could|will|would|let['’]s|let us|curious|eager|required|invited|invites|instructed|decides|"
    r"decided|plans|is|are|me|him|her|us|them|interested in|tasked with|charged with|students?|team|class|group|"
    r"looking|sets? out|determined|wonders? if \w+ can)"
)
_KNOW = r"(?:know|learn|see|understand|discover|find out|figure out|calculate|determine|tell|compute|work out)"

_QUESTION = re.compile(r"[?？؟]|=\s*\$*\s*\Z|\\\?|\\underline|_{3,}|\\boxed\{\s*\}|\bhow (?:many|much|long|far|old|tall|often|fast)\b(?! [^.]* "
                       r"(?:was|were|is|are) (?:found|computed))", re.IGNORECASE)  # fmt: skip
_ASKED = re.compile(
    rf"{_CLAUSE}\s*[*_\"“‘'(]*{_ADVERB}{_VERB}\b"
    rf"|\b{_WANTS}\b(?: \w+){{0,6}}? (?:to |in )?(?:{_VERB}|{_KNOW}|finding|determining|calculating|computing|knowing)\b"
    r"|\bask(?:s|ed|ing)? (?:\w+ ){0,3}for\b"
    rf"|\b(?:wonder|wonders|wondering|wondered|question|puzzle|riddle|problem)\b[^.]{{0,120}}"
    rf"\b(?:what|how|which|who|when|where|whether|if)\b"
    rf"|{_CLAUSE}\s*{_ADVERB}(?:what|which|how|who|when|where)\b"
    rf"|\b(?:for|at|by|in|to|of) (?:what|which|how many)\b|\(A\).*\(B\)|\bwhat (?:is|are|was|were|will|would|fraction|percent\w*|number|value)\b",
    re.IGNORECASE | re.DOTALL,
)
# "To find the total, she adds": the purpose of a step, and not a task.
_PURPOSE = re.compile(
    rf"\b(?:in order )?to {_VERB}\b[^.?!\n]{{0,160}}?,?\s(?:we|she|he|they|it|i|you)\b\s*(?:\w+ly |first |then |can |must |"
    rf"have to |had to |need to |needed to |will )?(?:\w+(?:ed|s)\b|multiply|divide|add|subtract|use|take|set|start|sum|know)",
    re.IGNORECASE,
)


def asks(text: str) -> bool:
    """Whether a text asks something."""
    text = FIGURE.sub(" ", text)
    return bool(_QUESTION.search(text) or _ASKED.search(_PURPOSE.sub(" ", text)))


def last_question(text: str) -> int:
    """Where the last sentence that ends in a question mark ends; 0 where there is none."""
    return max(text.rfind(mark) for mark in "?？؟") + 1
