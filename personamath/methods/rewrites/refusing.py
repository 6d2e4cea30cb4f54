"""Whether a completion declines the task, asks for what it was given, or speaks of the task instead of doing it."""

import re

from personamath.methods.rewrites.wrapping import REPHRASES

_SORRY = re.compile(
    r"\A(?:(?:i['’]m|i am) (?:very |really |so |truly )?sorry|sorry|(?:i|my) apologi[sz]\w*|unfortunately|regrettably"
    r"|as an? (?:ai|language model|assistant)|i (?:can['’]?t|cannot|can not|won['’]t|will not|am (?:unable|not able)|"
    r"must decline|don['’]t (?:feel|think)|do not (?:feel|think))|i['’]m (?:unable|not able|afraid|just an? ))\b",
    re.IGNORECASE,
)
_CANNOT = re.compile(
    r"\b(?:can['’]?t|cannot|can not|unable|not able|won['’]t|will not|decline|not comfortable|not appropriate|"
    r"not possible)\b[^\n]{0,80}\b(?:help|assist\w*|fulfil\w*|comply|provide|rephras\w+|rewrit\w+|reword\w*|complete|"
    r"generate|create|request|do (?:that|this)|with (?:that|this)|answer|engage|proceed|respond|see|access)\b"
    r"|\bas an? (?:ai|language model)\b"
    r"|\b(?:do not|don['’]t|did not|didn['’]t) (?:have|see|understand|provide|include)\b",
    re.IGNORECASE,
)
_ASKS_FOR_IT = re.compile(
    r"\b(?:could|can|would|will) you (?:please )?(?:provide|share|give|clarify|specify|send|tell me more|paste)\b"
    r"|\bplease (?:provide|share|clarify|specify|send|paste)\b[^\n.?!]{0,60}\b(?:problem|question|persona|details|"
    r"information|context|text)\b",
    re.IGNORECASE,
)
_SPEAKS = re.compile(
    rf"\b{REPHRASES} (?:the|this|your|that|it\b)(?: [\w'-]+){{0,3}}? ?(?:problem|question|version|for|as|with|like)\b"
    rf"|\b(?:this|the) (?:re-?(?:phras|word|writ|stat|fram)\w*|adapted) (?:\w+ ){{0,2}}(?:problem|question|version)\b"
    r"|\b(?:original|given|above) (?:math\w* |word )?(?:problem|question)\b"
    r"|\bthe (?:problem|question) (?:is asking|asks us)\b",
    re.IGNORECASE,
)
# A refusal says what it declines early; a story comes to its question later.
_BEGINNING = 400


def declines(text: str) -> bool:
    """Whether a completion, without its wrapping, gives no rewrite but a refusal or a question for the problem."""
    beginning = text[:_BEGINNING]
    if _SORRY.search(beginning):
        return bool(_CANNOT.search(beginning) or _ASKS_FOR_IT.search(beginning))
    asked = _ASKS_FOR_IT.search(beginning)
    return bool(asked and not re.search(r"\d", text) and re.search(r"\b(?:problem|question|persona)\b", text))


def speaks_of_rephrasing(text: str) -> bool:
    """Whether it talks to the reader about the rewrite, in remarks that no wrapping rule takes off."""
    return bool(_SPEAKS.search(text))
