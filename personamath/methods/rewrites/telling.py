r"""Whether a rewrite gives its answer away.

Three ways, from the plainest: marks and headings of a solution (`\boxed`, "Solution:", "Step 1:"), worked steps
(`6/3=2`, "she multiplies 3 by 12 to get 36"), and the reference answer in a concluding sentence ("She has 36 jars."
behind the question). What the original says, its rewrite may say too.
"""

import re
from collections.abc import Iterator

from personamath.methods.arithmetic.equations import equalities
from personamath.methods.rewrites.asking import FIGURE, asks, last_question
from personamath.methods.rewrites.numbers import numbers

_SOLUTION = re.compile(
    r"""\\fbox
    |^\#{4}[ \t]*[-\d]                                                 # GSM8K's own answer line
    |^[\s>#*_]*(?:(?:final\s+)?(?:solution|answer)|explanation|step[-\ ]by[-\ ]step(?:\ \w+)?|step\ 1)
       [ \t]*[*_]*[ \t]*(?::|\.|$)                                     # a heading of a solution
    |^[\s>*_]*to\ (?:solve|find\ the\ (?:answer|solution))\b[^\n?]*?,\ (?:we|let|i|you)\b   # its first sentence
    |\blet(?:['’]s|\ us)\ (?:solve|work\ (?:it|this)\ out|break\ (?:it|this)\ down)\b[^\n?]{0,60}[:.]
    |\bthe\ (?:final\ |correct\ )?answer\ is[\s:]*[-$\\\d]""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_ANSWER_KEY = re.compile(
    r"[(\[]\s*(?:the\s+)?(?:final\s+|correct\s+)?(?:answer|ans|solution|result)(?:\s+key)?\s*(?:is\b|:|=)"
    r"|^[\s>*_]*(?:final\s+|correct\s+)?(?:answer|ans|result)[*_]*\s*[:=]",
    re.IGNORECASE | re.MULTILINE,
)
# A result of arithmetic in words; the number behind it is new.
_WORKED = re.compile(
    r"\b(?=[abcefgilmrtw,])(?:to get|(?:which|this|that) means(?: [a-z]+){0,5}?|"
    r"(?:which|this|that) (?:gives?|makes?|equals|comes to|amounts to|totals|leaves|brings)|"
    r"(?:, which|that|this) (?:is|was)(?: also| just| only| exactly| equivalent to)?|that['’]s|"
    r"gives (?:us|him|her|them)|giving (?:us|him|her|them|a total of)|resulting in|results in|adds? up to|comes to|"
    r"for a total of|equals|(?:making|leaving|bringing)(?: [a-z]+){1,7}?|is equal to)"
    r"\s+(?:an? |the )?(?:total |sum |product |result )?(?:of )?[$\\(]*"
    r"(?P<number>\d[\d,]*(?:\.\d+)?)(?![\d.]*\s*(?:times|%|percent|more|less))",
    re.IGNORECASE,
)
# How to solve it, said behind the question: "Hint: ...", "To find the total, multiply ...", "Simply add the two."
_HINT = re.compile(
    r"^[\s>#*_(\[]*(?:hints?|tips?|approach|method|reasoning|working|workings|calculations?|steps)[*_]*\s*:"
    r"|\bto (?:find|get|solve|calculate|determine|work out)\b[^\n.?!]{0,120},"
    r" (?:(?:you|we) (?:can |need to |must |should )?)?"
    r"(?:simply |just |first )?(?:multiply|add|divide|subtract|use|set up|take)\b"
    r"|(?:\A|[.!\n])\s*(?:(?:simply|just|first),? |all you (?:need|have) to do is )"
    r"(?:multiply|add|divide|subtract|take)\b",
    re.IGNORECASE | re.MULTILINE,
)
_AGE = re.compile(r"\b\d+[- ]years?[- ](?:old|of)\b|\baged? \d+|\b\d+ years of\b", re.IGNORECASE)
_CHOICES = re.compile(r"\(A\)|^\W*A[.)] ", re.MULTILINE)
_SMALL = 12
"""Numbers up to it come into a story for many reasons; a larger one that is the answer, and not given, tells it."""
_CONCLUDES = re.compile(
    r"\A\W*(?:so|therefore|thus|hence|consequently|altogether|in total|in the end|in all|as a result|finally|"
    r"this means|in conclusion|the (?:final |total |correct )?(?:answer|total|result|amount|value|solution))\b",
    re.IGNORECASE,
)
_IN_TOTAL = re.compile(r"\b(?:in total|altogether|in all)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])[\"”’')*]*\s+(?=[^a-z\s])|\n+")
# A shorter one is a letter or a name that any sentence may hold.
_SHORTEST_FORMULA = 3


def holds_a_solution(question: str, original: str) -> bool:
    """Whether it holds marks of a solution or worked steps that its original does not."""
    return shows_a_solution(question, original) or _works_out(question, original)


def shows_a_solution(question: str, original: str) -> bool:
    """The same without steps that are told by the numbers they lead to, for a question with numbers of its own."""
    if "\\boxed" in question or (_SOLUTION.search(question) and not _SOLUTION.search(original)):
        return True
    behind = question[last_question(question) :] if last_question(question) else ""
    if _HINT.search(behind) and not _HINT.search(original):
        return True
    computed = {one.text for one in equalities(FIGURE.sub(" ", question)) if one.holds}
    return bool(computed) and not computed <= {one.text for one in equalities(original)}


def tells_the_answer(question: str, original: str, answer: str | None) -> bool:
    """Whether it names the reference answer where a solution would: in a key, or in a concluding sentence."""
    if _ANSWER_KEY.search(question) and not _ANSWER_KEY.search(original):
        return True
    if answer is None or not _holds(question, answer):
        return False
    if any(_holds(sentence, answer) for sentence in _concluding(question, original, answer)):
        return True
    return _is_no_coincidence(question, original, answer)


def _is_no_coincidence(question: str, original: str, answer: str) -> bool:
    """Whether a large number of the question is the answer, and none that the original gives."""
    wanted = numbers(answer)
    return (
        bool(re.fullmatch(r"[\s$\\]*[\d.,]+\s*", answer))
        and not _CHOICES.search(question)
        and all(value > _SMALL for value in wanted)
        and not wanted <= numbers(original)
        and wanted <= numbers(_AGE.sub(" ", FIGURE.sub(" ", question)))
    )


def _works_out(question: str, original: str) -> bool:
    worked = [found["number"] for found in _WORKED.finditer(FIGURE.sub(" ", question))]
    if not worked or _WORKED.search(original):
        return False
    known = numbers(original)
    return any(not numbers(number) <= known for number in worked)


def _concluding(question: str, original: str, answer: str) -> Iterator[str]:
    """Sentences that may tell the answer: behind the question, or with the words of a conclusion."""
    text = FIGURE.sub(" ", question)
    end = last_question(text)
    given = _holds(original, answer)
    concludes = not any(map(_CONCLUDES.search, _SENTENCE.split(original)))  # as its original does not
    for sentence in _SENTENCE.split(text[end:]):
        if not asks(sentence) and (not given or (concludes and _CONCLUDES.search(sentence))):
            yield sentence
    for sentence in _SENTENCE.split(text[:end]):
        if not given and not asks(sentence) and (_CONCLUDES.search(sentence) or _IN_TOTAL.search(sentence)):
            yield sentence


def _holds(text: str, answer: str) -> bool:
    """Whether a text holds a value; numbers are compared by value, anything else by its characters."""
    wanted = numbers(answer)
    if len(wanted) == 1 and re.fullmatch(r"[\s$\\,!%{}a-z()^]*[-\d./,\\{}frac]+[\s$\\,!%{}a-z()^.]*", answer):
        return wanted <= numbers(text)
    formula = _squeezed(answer)
    return len(formula) >= _SHORTEST_FORMULA and bool(re.search(r"\d|\\", formula)) and formula in _squeezed(text)


def _squeezed(text: str) -> str:
    return re.sub(r"\\[dt]frac|\\left|\\right|\\!|[\s$]", lambda found: "\\frac" if "frac" in found[0] else "", text)
