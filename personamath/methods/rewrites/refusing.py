"""Whether a completion declines the task, asks for what it was given, or speaks of the task instead of doing it."""

import re

from personamath.methods.rewrites.wrapping import REPHRASES

_SORRY = re.compile(
    r"\A(?:(?:i['’]m|i am) (?:very |really |so |truly )?sorry|sorry|(?:i|my) apologi[sz]\w*|unfortunately|regrettably"
    r"|as an? (?:ai|language model|assistant)|i (?:can['’]?t|cannot|can not|won['’]t|will not|am (?:unable|not able)|"
    r"must (?:respectfully |politely )?decline|have to decline|need more|don['’]t (?:feel|think)|do not (?:feel|think))"
    r"|i['’]m (?:unable|not able|afraid|just an? )"
    r"|i['’]d rather not|i would rather not|(?:it|that|this)(?:['’]s| is| goes) against (?:my|our)|(?:my|our) (?:\w+ )?"
    r"(?:guidelines|polic(?:y|ies)|programming|principles)|thank you for (?:the|your)|this (?:request|persona|content)"
    r"|the (?:request|persona|content))\b",
    re.IGNORECASE,
)
_CANNOT = re.compile(
    r"\b(?:can['’]?t|cannot|can not|unable|not able|won['’]t|will not|decline|not comfortable|not appropriate|"
    r"not possible|not going to do|(?:do|does) not allow|(?:doesn|don)['’]t allow|rather not|against (?:my|our))"
    r"\b[^\n]{0,80}\b(?:help|assist\w*|fulfil\w*|comply|provide|rephras\w+|rewrit\w+|reword\w*|complete|"
    r"generate|create|request|write|portray\w*|adopt|"
    r"completed|fulfilled|processed|polic(?:y|ies)|do (?:that|this)|with (?:that|this)|answer|"
    r"engage|proceed|respond|see|access)\b"
    r"|\bas an? (?:ai|language model)\b|\b(?:must|have to) (?:\w+ )?decline\b(?=[.,!]| (?:to|this|your)\b)"
    r"|\b(?:request|persona|content)\b[^\n.?!]{0,60}\b(?:cannot|can['’]t|inappropriate|offensive|harmful|not suitable|"
    r"not appropriate|unsuitable|violates?|stereotyp\w+)\b"
    r"|\bnot going to do\b|\bneed more (?:information|details|context)\b"
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
_NAMES_IT = re.compile(r"\b(?:problem|question|persona)\b")
_THE_TASK = re.compile(r"\bpersona\b|\b(?:math\w*|word|original) (?:problem|question)\b", re.IGNORECASE)
# A refusal says what it declines early; a story comes to its question later.
_BEGINNING = 400


def declines(text: str) -> bool:
    """Whether a completion, without its wrapping, gives no rewrite but a refusal or a question for the problem."""
    beginning = text[:_BEGINNING]
    if _SORRY.search(beginning):
        return bool(_CANNOT.search(beginning) or _ASKS_FOR_IT.search(beginning))
    asked = _ASKS_FOR_IT.search(beginning)
    if asked and asked.start() == 0 and _THE_TASK.search(text):
        return True
    return bool(asked and not re.search(r"\d", text) and _NAMES_IT.search(text))


def speaks_of_rephrasing(text: str) -> bool:
    """Whether it talks to the reader about the rewrite, in remarks that no wrapping rule takes off."""
    return bool(_SPEAKS.search(text))
