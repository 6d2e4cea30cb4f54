"""What models put around a question: agreement, sentences to the reader, names, titles, rules, fences, quotes, offers.

The wrapping comes off, the question stays as written. Nothing with a number in it comes off but names, rules, lines
about the persona and remarks below a rule, because a first-person rewrite begins with its facts.
"""

import json
import re

from personamath.methods.rewrites.introductions import INTRODUCTIONS
from personamath.methods.rewrites.typeset import without_typesetting

# What a model calls its rewrite: "problem", "Rephrased Math Word Problem", "Rewritten version", "Rephrased".
CHANGED = r"(?:re-?(?:phras|word|writ|fram|stat|vis|imagin)\w+|adapted|modified|new|persona\w*(?:-\w+)?|updated)"
_THING = r"(?:(?:math\w*|word|original)\s+)*(?:problem|question|version|scenario|statement|rephrasing|rewrite)"
NAME = rf"(?:the\s+)?(?:{CHANGED}\s+)*(?:{_THING}|{CHANGED})"
# "... from the perspective of a beekeeper", "... (for a beekeeper)".
FOR_WHOM = r"(?:[ \t]+(?:for|from|as|by|with|in|of|using|through)\b[^\n:.?!*]{0,120})?(?:[ \t]*\([^\n)]{0,120}\))?"

# The verb for what the model does: "I would rephrase", "rewritten".
REPHRASES = r"(?:(?:re-?)?phras(?:e|es|ed|ing)\b|(?:re-?(?:writ|word|stat|fram|imagin|cast))\w+)"

# Words to the reader within one sentence.
_SAID = r"[^\n:.?!\d]{0,240}"
# The sentence of our own prompt, which small models repeat; the persona is on the line below it.
PROMPT = r"please rephrase the above math problem(?: with the following persona)?"

WRAPPINGS: dict[str, re.Pattern[str]] = {
    # A rule above or below the question.
    "rule": re.compile(r"\A\s*(?:[-*_=]\s*){3,}\n|\n\s*(?:[-*_=]\s*){3,}\Z"),
    # "Here you go:", "Here it is!"
    "gesture": re.compile(r"\Ahere (?:you go|it is|we go|goes)\s*[!.:]+\s+", re.IGNORECASE),
    # A fence around the whole of it.
    "fence": re.compile(r"\A```[\w+-]*[ \t]*\n|\n[ \t]*```[ \t]*\Z"),
    # "Sure!", "Certainly." before anything else.
    "agreement": re.compile(
        r"\A(?:sure|certainly|of course|absolutely|okay|alright|got it|no problem|great|understood"
        r"|i apologi[sz]e for [^\n.!?\d]{0,80}"
        r"|(?:i['’]d be|i['’]m|i am) (?:happy|glad) to [^\n.!?\d]{0,80}"
        r"|i can (?:certainly |definitely )?(?:help|do)\b[^\n.!?\d]{0,40})(?: thing)?\s*[!.,]\s+",
        re.IGNORECASE,
    ),
    # A sentence to the reader that ends in a colon: "Here's the problem rephrased for a chef:".
    # Never one with a number or the end of a sentence: a first-person rewrite begins with its facts.
    "lead-in": re.compile(
        rf"\A(?:here(?:['’]s|\s+is|\s+are)\b{_SAID}\b(?:{CHANGED}|{_THING})"
        rf"|(?:below\s+is|this\s+is|the\s+following\s+is|i(?:['’]ve|\s+have)?)\b{_SAID}\b{CHANGED})"
        rf"\b{_SAID}:[*_]*(?=\s|\Z)",
        re.IGNORECASE,
    ),
    # The same in sentences of any kind, up to the colon that ends the line or comes before a quotation: "A beekeeper
    # might like this. Let me rephrase the problem for her:".
    "introduction": re.compile(
        rf"\A(?=[^\n]*\b(?:{REPHRASES}|(?:here(?:['’]s|\s+is)|let(?:['’]s|\s+us|\s+me))\b[^\n]*\b{_THING}\b"
        r"|how about\b))[^\n?\d:$\\]{1,800}:[*_]*[ \t]*(?=\n|[\"“])",
        re.IGNORECASE,
    ),
    # The same within a line, up to its colon: "The rephrased math problem is: A beekeeper".
    "announcement": re.compile(
        rf"\A(?=[^\n:]*\b(?:{REPHRASES}|persona\b))[^\n?\d:$\\.]{{1,300}}"
        r"\b(?:is|are|as|becomes?|be|reads|follows|this)[ \t]*:[*_]*\s*",
        re.IGNORECASE,
    ),
    # A sentence in a paragraph of its own: "Here is the question rephrased in the voice of a beekeeper."
    "preface": re.compile(
        r"\A(?:here(?:['’]s|\s+is)|below\s+is|this\s+is|i(?:['’]ve|['’]ll|\s+have|\s+will)|let(?:['’]s|\s+us|\s+me))\b"
        rf"[^\n:.?!\d]{{0,240}}\b(?:{REPHRASES}|persona|\w+ terms)\b[^\n:.?!\d]{{0,120}}[.!][ \t]*\n[ \t]*\n"
        r"|\Ahere(?:['’]s|\s+is)\s+how\b[^\n:?\d]{0,120}:[ \t]*\n"
        r"|\Aas an? [^\n:.?!\d]{0,80},? i(?:['’]d| would| might) (?:ask|put|say|phrase|pose|frame)\b[^\n:.?!\d]{0,60}:"
        r"[ \t]*(?=\n|[\"“])",
        re.IGNORECASE,
    ),
    # "From the perspective of a beekeeper:", "As a beekeeper:" on a line of its own.
    "perspective": re.compile(
        r"\A[*_#\s]*(?:(?:from|through|in|with) (?:the |an? )?(?:perspective|point of view|viewpoint|eyes|lens|shoes|"
        rf"voice|words|style) of{_SAID}:[*_]*(?=\s|\Z)|(?:as|for) (?:an?|the) [^\n:.?!\d,]{{0,80}}:[*_]*[ \t]*(?=\n))",
        re.IGNORECASE,
    ),
    # A line about the rewrite: "**Persona:** A beekeeper", "Title: Honey Harvest".
    "fact": re.compile(
        r"\A[#>*_\s]*(?:persona|client|character|role|perspective|audience|title|name|occupation|topic|subject|theme)"
        r"(?:[ \t]+name|[ \t]+of[^\n:]{0,80})?[*_]*[ \t]*:[^\n]{0,300}\n+(?=\s*\S)",
        re.IGNORECASE,
    ),
    # A name before the question: "Rephrased Problem:", "**Rephrased Problem:** A baker", "**Rephrased problem**\n".
    "label": re.compile(
        rf"\A[#>\s]*[*_]*(?:(?:final|revised)\s+)?(?:{NAME}|response|output|draft|Q){FOR_WHOM}[*_ \t]*"
        r"(?::[*_]*|[*_]{1,3}[ \t]*(?=\n|\Z))"
        rf"|\A[*_]*{CHANGED}\s+{_THING}[*_]*[ \t]+(?:--?|–|—)[ \t]+",
        re.IGNORECASE,
    ),
    # Who asks, before a quotation: "**Beekeeper:** "A crate ..."".
    "speaker": re.compile(r"\A\*\*[A-Z][\w'’ -]{1,40}(?::\*\*|\*\*:)[ \t]*(?=[\"“])"),
    # The number of a list that has one item.
    "number": re.compile(r"\A\(?1[.)][ \t]+(?=[A-Z])(?!(?:.|\n)*^[ \t>*_]*\(?2[.)])", re.MULTILINE),
    # "[Persona: beekeeper]" above the question, "(Rephrased for a beekeeper)" or "(Word count: 14)" below it.
    "bracket": re.compile(
        r"\A[*_]*[(\[][^()\[\]\n?]{0,60}\bpersona\b[^()\[\]\n?]{0,60}[)\]][*_:]*[ \t]*\n+"
        rf"|\s+[*_]*[(\[](?:{REPHRASES}|adapted|persona|word count|end of)\b[^()\[\]\n?]{{0,100}}[)\]][*_.]*\Z",
        re.IGNORECASE,
    ),
    # A name that the model made up, in bold print: "**Research Question:** In a school".
    "name": re.compile(
        r"\A\*\*(?:[A-Z][\w'’-]*[ \t]+){0,4}(?:Problem|Question|Scenario|Challenge|Task)(?:[ \t][^\n*:?!]{0,60})?"
        r"(?::\*\*|\*\*:)[ \t]*(?=\s*\S)"
    ),
    # A heading line: "### Rephrased Problem".
    "heading": re.compile(rf"\A#+\s*[*_]*{NAME}{FOR_WHOM}[*_ \t]*(?=\n|\Z)", re.IGNORECASE),
    # The title of the story: "**The Beekeeper's Jars**", "### Honey Harvest", or capitalised above an empty line.
    "title": re.compile(
        r"\A(?:[^\w\s*#$\\(\[{\"“'‘<>+-]{1,3}[ \t]*\*\*[^\n.?!$\\\d*]{2,80}\*\*[^\w\n$\\]{0,6}\n+"
        r"|#{1,6}[ \t]+[^\n.?!:$\\\d]{2,80}:?[ \t]*\n+|\*\*[^\n.?!$\\\d*]{2,80}\*\*[ \t]*\n+"
        r"|(?:(?<![\w'’-])[A-Z][\w'’-]*[ \t]*(?:[-–:&][ \t]*)?"
        r"(?:(?:of|the|a|an|and|in|for|at|on|with|to)[ \t]+){0,2}){2,10}\n[ \t]*\n)(?=\s*\S)"
    ),
    # The model's remark on its own work, in the last paragraph: "(Note: the numbers are unchanged.)". One that holds a
    # number or a question is part of the problem.
    "remark": re.compile(
        r"\n\s*[*_(\[]*(?:disclaimer:|note\b[^\n?\d]*\b(?:unchanged|changed|persona|rephras\w+)\b"
        r"|i\s+hope\b|let\s+me\s+know\b|feel\s+free\b"
        r"|(?:in\s+)?(?:this|the)\s+(?:re-?(?:phras|word|writ|fram|stat|vis)\w*|version|adaptation|persona)\b"
        r"|the\s+(?:rephrased|rewritten|reworded)\s+(?:problem|question|version)\b)[^\n?\d]*\Z",
        re.IGNORECASE,
    ),
    # A section on its own work, with or without numbers: "**Key changes made:**", "**Why this works:**".
    "section": re.compile(
        r"\n\s*(?:[-*_=]{3,}\s*\n\s*)?[#*_(\[ ]*(?:why (?:this|it) works|(?:key |main |summary of |list of )?"
        r"(?:the )?(?:changes|adaptations|modifications)(?: i)?(?: made)?|what (?:i )?changed"
        r"|explanation of (?:the |my )?(?:changes|re\w+|persona|adaptation)|notes?(?: on| about) (?:the |my )?"
        r"(?:re-?phras|re-?writ|re-?word|changes|persona|adapt)\w*|how (?:this|it)"
        r" (?:fits|reflects|matches|relates|works)"
        r"\b[^\n:?]{0,60})[*_]*:(?:.|\n)*\Z",
        re.IGNORECASE,
    ),
    # A wish, or tags, in the last line: "Good luck!", "#beekeeping".
    "wish": re.compile(
        r"\n\s*[*_]*(?:(?:good luck|best of luck|have fun|enjoy|happy \w+ing)\b[^\n?\d]{0,60}|(?:#[A-Za-z]\w+\s*)+"
        r"|(?:the )?end[.!]?[*_]*)\Z",
        re.IGNORECASE,
    ),
    # What it says of its work below a rule, with the numbers of the problem only if it says at once what it is about.
    "epilogue": re.compile(
        r"\n[ \t]*(?:[-*_=][ \t]*){3,}\n\s*(?:(?:in )?this (?:re-?(?:phras|word|writ|fram|stat)\w+|version)\b[^?]*\Z"
        r"|(?=[^?\d]{0,1500}\Z)[^?\d]*?"
        rf"\b(?:problem|question|persona|version|scenario|{REPHRASES})\b[^?\d]*\Z)",
        re.IGNORECASE,
    ),
    # What the model offers next: "Would you like me to solve it?", "Let me know if you need more."
    "offer": re.compile(
        r"(?:\n\s*|(?<=[.?!)\]$\"”*}])\s+)[*_(\[]*"
        r"(?:(?:would|do) you (?:like|want|need|prefer)(?: (?:me|us))? (?:to (?:solve|see|explain|provide|show|give|"
        r"walk|rephrase|rewrite|make|adjust|continue|change|add|create|have (?:a|the) (?:solution|answer))|help|"
        r"any help|another|a (?:solution|hint)|the (?:solution|answer))|want (?:me to|the (?:solution|answer)|a hint)"
        r"|if you(?:['’]d| would)? (?:like|want|need|prefer)\b[^\n.?!]{0,80}"
        r"\b(?:i can|i could|i['’]ll|let me|just ask|feel free)"
        r"|shall (?:i|we) (?:solve|go|proceed|continue)"
        r"|should i (?:solve|go|proceed|continue|explain)|(?:can|may) i (?:help|assist)|let me know (?:if|whether)"
        r"|(?:please )?feel free to|i hope (?:this|that|it)|hope (?:this|that) helps)[^\n]{0,200}\Z",
        re.IGNORECASE,
    ),
}
"""What comes off, again and again until nothing more does."""
_NEEDS = {"introduction": ":", "announcement": ":", "fence": "```", "rule": "\n", "section": "\n"}
"""What a wrapping of a kind always has: a look for it is cheaper than its pattern, and few texts have it."""
_ALL = (
    *((pattern, "") for pattern in INTRODUCTIONS.values()),
    *((pattern, _NEEDS.get(name, "")) for name, pattern in WRAPPINGS.items()),
)

_TAGGED = re.compile(r"\A<(?P<tag>[A-Za-z][\w-]{1,30})>(?P<inside>.*)</(?P=tag)>\Z", re.DOTALL)
_BARS = re.compile(r"\A(?:>[ \t]*)+")
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»"}
_ECHO = re.compile(rf"\A[*_#>\s]*{PROMPT}[^\n:]{{0,40}}(?::[ \t]*\n[^\n]*)?(?:\n|\Z)", re.IGNORECASE)


def unwrap_once(text: str) -> str:
    """The text without the outermost layer of its wrapping."""
    text = _ECHO.sub("", text, count=1).strip()
    for wrapping, needed in _ALL:
        if needed in text:
            text = wrapping.sub("", text, count=1).strip()
    text = without_typesetting(text)
    return _without_quotes(_without_bold(_within_quotes(_without_bars(_without_data(text)))))


def _without_data(text: str) -> str:
    """The text out of a tag or a JSON object of one field that is all of it."""
    if tagged := _TAGGED.match(text):
        return tagged["inside"].strip()
    if text.startswith("{") and text.endswith("}"):
        try:
            found = json.loads(text)
        except ValueError:
            return text
        values = list(found.values())
        return values[0].strip() if len(values) == 1 and isinstance(values[0], str) else text
    return text


def _without_bars(text: str) -> str:
    """The text without `>` before every line of it."""
    lines = text.split("\n")
    if not all(line.startswith(">") for line in lines if line.strip()):
        return text
    return "\n".join(_BARS.sub("", line).strip() for line in lines).strip()


def _within_quotes(text: str) -> str:
    """The quotation that is the first paragraph, where a remark follows, which has neither a number nor a question."""
    first, _, rest = text.partition("\n\n")
    quoted = first.strip("*_ ")
    is_remark = bool(rest.strip()) and not re.search(r"[\d?]", rest)
    if is_remark and len(quoted) > 1 and _QUOTES.get(quoted[0]) == quoted[-1] and re.search(r"\d", quoted):
        return first
    return text


def _without_bold(text: str) -> str:
    """The text without bold print or italics around the whole of it; bold words inside a question stay."""
    if text.startswith("**") and text.endswith("**") and text.count("**") == 2:
        return text[2:-2].strip()
    if len(text) > 2 and text[0] == text[-1] in "*_" and text.count(text[0]) == 2:
        return text[1:-1].strip()
    return text


def _without_quotes(text: str) -> str:
    """The text without quotes around the whole of it, or a quote that is never closed; a quotation inside stays."""
    if text[:1] in ('"', "“") and _QUOTES[text[0]] not in text[1:]:
        return text[1:].strip()
    if len(text) < 2 or _QUOTES.get(text[0]) != text[-1]:
        return text
    inner = text[1:-1]
    first = min((place for quote in text[0] + text[-1] if (place := inner.find(quote)) >= 0), default=None)
    if first is not None and (text[0] != inner[first] or not inner[:first].endswith((" ", "(", "\n"))):
        return text  # the first quote closes before the end: "Three crates," says the beekeeper, "of 12."
    return inner.strip()
