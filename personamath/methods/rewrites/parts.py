"""Named parts of a rewriting completion: "Original: ...", "Rephrased: ...", "Version 2: ...".

The last part that is named a rewrite is read, as reflection reads its last heading: models repeat the problem first, or
write an outline. A name such as "Problem:" parts a text only below lines that ask and state nothing, because a sound
rewrite may say "Question:" before its last sentence.
"""

import re

from personamath.methods.rewrites.numbers import numbers
from personamath.methods.rewrites.wrapping import CHANGED, FOR_WHOM, PROMPT, REPHRASES

_MARKS = r"^[ \t>#*_(\[-]*"
_MATH = r"(?:(?:math\w*|word)[ \t]+)*"
_THING = rf"{_MATH}(?:problem|question|version|scenario|statement|rephrasing|rewrite|prompt)"
_NUMBER = r"(?:[ \t]*\#?(?:\d{1,2}|[A-C]|one|two|three|i{1,3}))?"

# What ends a name: a colon or the end of bold print; a name that cannot be part of a sentence needs neither.
_CLOSING = r":[*_]*[ \t]*|[*_]{1,3}[ \t]*$"
_COLON = rf"[)\]*_ \t]*(?:{_CLOSING})"
_END = rf"[)\]*_ \t]*(?:{_CLOSING}|$)"
_SAID = r"[^\n:.?!\d]{0,160}"

_REWRITE = re.compile(
    rf"{_MARKS}(?:(?:the|your|my)[ \t]+)?(?:(?:{CHANGED}[ \t]+)+{_THING}{_NUMBER}{FOR_WHOM}{_END}"
    rf"|(?:rephrased|rewritten|reworded|rephrasing|rewrite){_NUMBER}{FOR_WHOM}{_COLON}"
    rf"|(?:final|new|revised)[ \t]+(?:version|draft){FOR_WHOM}{_COLON}|after[*_]*:[*_]*[ \t]*"
    rf"|(?:version|option|variant|alternative)(?:[ \t]+version)?{_NUMBER}{FOR_WHOM}{_COLON}"
    rf"|(?:here(?:['’]s|[ \t]+is)|below[ \t]+is|this[ \t]+is)\b{_SAID}\b{CHANGED}\b{_SAID}:[*_]*[ \t]*"
    rf"|[^\n?\d:$\\]{{0,300}}\b{REPHRASES}[^\n?\d:$\\]{{0,200}}:[*_]*[ \t]*$"
    rf"|(?:or|alternatively|another[ \t]+version)[ \t]*:?[ \t]*$)",
    re.IGNORECASE | re.MULTILINE,
)
_ORIGINAL = re.compile(
    rf"{_MARKS}(?:the[ \t]+|your[ \t]+)?(?:original|initial|given|before)(?:[ \t]+{_THING}(?:[ \t]+is)?)?[)\]*_ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_INLINE = re.compile(rf"(?<=[.?!])[ \t]+[*_]*(?:{CHANGED}(?:[ \t]+{_THING})?)[*_]*:[*_]*[ \t]*", re.IGNORECASE)
_PLAIN = re.compile(
    rf"{_MARKS}(?:(?:the|your)[ \t]+)?{_MATH}(?:problem|question|scenario)[)\]*_ \t]*:[*_]*[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_PROMPT = re.compile(rf"^[^\n]*{PROMPT}[^\n:]{{0,40}}(?::[ \t]*\n[^\n]*)?(?:\n|\Z)", re.IGNORECASE | re.MULTILINE)

_SEVERAL = re.compile(
    r"\b(?:two|three|four|five|several|a few|some|multiple|\d)\b[^\n.?!]{0,60}\b(?:versions|rewrites|options|ways|"
    r"variations|rephrasings|variants|alternatives|possibilities)\b[^\n]*:",
    re.IGNORECASE,
)
_ITEM = re.compile(r"^[ \t>*_]*\(?[1-5A-C][.)][*_ \t]*\S", re.MULTILINE)
_STARTS_A_LIST = re.compile(r"\A(?:[*_]{0,2}\(?1[.)]|[-*•])[*_]{0,2}[ \t]+\S")
_LISTED = re.compile(r"^(?:[*_]{0,2}\(?[1-5][.)]|[-*•])[*_]{0,2}[ \t]+(?=\S)", re.MULTILINE)
_OR_ELSE = re.compile(r"\n[ \t]*\n[*_]*(?:alternatively|or,? alternatively)[ ,:]", re.IGNORECASE)
# Of a line above a problem that is a title or names somebody.
_LONGEST_TITLE = 120


def holds_several(completion: str) -> bool:
    """Whether a completion lists several rewrites without names: announced, or each a question with numbers."""
    lead_in = _SEVERAL.search(completion)
    if lead_in and len(_ITEM.findall(completion[lead_in.end() :])) > 1:
        return True
    text = completion.strip()
    if _STARTS_A_LIST.match(text):
        items = _LISTED.split(text)[1:]
        return len(items) > 1 and all(_is_whole_problem(item) for item in items)
    other = _OR_ELSE.search(text)
    return bool(other and _is_whole_problem(text[: other.start()]) and _is_whole_problem(text[other.end() :]))


def _is_whole_problem(text: str) -> bool:
    """Whether a text gives more than one number and then asks; an item of a list of sub-questions gives none."""
    given = text.rpartition("?")[0]
    return len(numbers(given)) > 1 and bool(re.search(r"[.,;] ", given))


def last_part(text: str) -> str:
    """The part of a text to read: the last rewrite it names, or all of it."""
    if echoes := list(_PROMPT.finditer(text)):
        before, after = text[: echoes[0].start()].strip(), text[echoes[-1].end() :].strip()
        text = after or before
    named = list(_REWRITE.finditer(text))
    originals = list(_ORIGINAL.finditer(text))
    if not named and originals:
        named = list(_INLINE.finditer(text, originals[0].end()))
    if named and text[named[-1].end() :].strip():
        start = named[-1].end()
        end = next((found.start() for found in originals if found.start() > start), len(text))
        return text[start:end].strip()
    if originals and originals[-1].start() > 0 and text[: originals[-1].start()].strip():
        return text[: originals[-1].start()].strip()
    return _below_a_title(text)


def _below_a_title(text: str) -> str:
    """What follows the name of a problem, where nothing above it is more than a title, or a line about the persona."""
    for name in _PLAIN.finditer(text):
        above = [line.strip() for line in text[: name.start()].split("\n") if line.strip()]
        below = text[name.end() :].strip()
        is_all = len(above) == 1 and _states_nothing(above[0]) and bool(re.search(r"[\d$\\]", below))
        if above and (is_all or all(_is_title(line) for line in above)):
            return below
    return text


def _states_nothing(line: str) -> bool:
    return not re.search(r"[\d?$\\]", line) and not numbers(line)


def _is_title(line: str) -> bool:
    plain = line.strip("*_# ")
    return len(plain) <= _LONGEST_TITLE and not re.search(r"[\d$\\]|[.?!]\Z", plain)
