r"""Rewrites of real problems made by program, sound ones and corrupted ones, to measure what `fidelity` finds.

Sound rewrites say the same otherwise: numbers in words, fractions, percent, money, dates and LaTeX in other spellings,
sentences in another order, a persona's context around them. A corrupted one is sound but for one change: a number or a
piece of LaTeX is changed, left out, put in, or has changed places. All are a function of the random seed.
"""

import random
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple


def split(words: str) -> list[str]:
    return words.split()


UNITS = split(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
TENS = split("twenty thirty forty fifty sixty seventy eighty ninety")
ORDINALS = split("zeroth first second third fourth fifth sixth seventh eighth ninth tenth")
MONTHS = "January|February|March|April|June|July|August|September|October|November|December"
NAMES = "Tom|John|James|Mary|Sarah|Maria|Jack|Mike|Sam|Anna|Bob|Alice"
MATH = re.compile(r"\$\$.+?\$\$|\$[^$]+\$(?!\d)|\\\[.+?\\\]|\\\(.+?\\\)", re.DOTALL)
COMMAND = re.compile(r"\\[a-z]+(?:\{[^}]*\})?")
NUMBER = re.compile(r"(?<![\w.,/$\\^_{(-])\d{1,3}(?:,\d{3})+(?![\w/%])|(?<![\w.,/$\\^_{(-])\d+(?![\w/%']|[.,:]\d|\\)")
ANY_NUMBER = re.compile(r"(?<![\w.,/])\d+(?:\.\d+)?(?![\w/]|[.,:]\d)")

Edit = Callable[[str, random.Random], str]


class Planted(NamedTuple):
    """A rewrite with its seed problem, and what was done to it."""

    seed_problem: str
    problem: str
    corruption: str | None
    """None for a sound one."""


def in_words(number: int, rng: random.Random) -> str:
    if number < 20:
        return UNITS[number]
    if number < 100:
        return TENS[number // 10 - 2] + (f"-{UNITS[number % 10]}" if number % 10 else "")
    if number < 1_000:
        rest = f"{rng.choice([' and ', ' '])}{in_words(number % 100, rng)}" if number % 100 else ""
        return f"{UNITS[number // 100]} hundred{rest}"
    rest = f" {in_words(number % 1_000, rng)}" if number % 1_000 else ""
    return f"{in_words(number // 1_000, rng)} thousand{rest}"


def on_prose(edit: Edit) -> Edit:
    """The edit, applied outside of formulas and drawings only."""

    def apply(text: str, rng: random.Random) -> str:
        parts, end = [], 0
        for found in re.finditer(rf"\[asy\].*?\[/asy\]|{MATH.pattern}", text, re.DOTALL):
            if re.search(r"[a-z]{3,} [a-z]", COMMAND.sub("", found[0])) and "asy" not in found[0]:
                continue  # two amounts of money and what stands between them
            parts += [edit(text[end : found.start()], rng), found[0]]
            end = found.end()
        return "".join([*parts, edit(text[end:], rng)])

    return apply


def some(pattern: str, replace: Callable[[re.Match[str], random.Random], str], share: float = 0.7) -> Edit:
    """Replace a share of the matches."""

    def apply(text: str, rng: random.Random) -> str:
        return re.sub(pattern, lambda found: replace(found, rng) if rng.random() < share else found[0], text)

    return apply


def number_in_words(found: re.Match[str], rng: random.Random) -> str:
    number = int(found[0].replace(",", ""))
    return in_words(number, rng) if number < 100_000 and not 1_800 < number < 2_100 else found[0]


def money_in_words(found: re.Match[str], rng: random.Random) -> str:
    dollars, cents = found[1], found[2]
    if cents and rng.random() < 0.5 and dollars != "0":
        return f"{dollars} dollars and {int(cents)} cents" if int(cents) else f"{dollars} dollars"
    if cents and dollars == "0":
        return f"{int(cents)} cents"
    return rng.choice([f"{found[0][1:]} dollars", f"{found[0][1:]} dollars", f"USD {found[0][1:]}"])


def fraction_in_words(found: re.Match[str], rng: random.Random) -> str:
    above, below = int(found[1]), int(found[2])
    if below == 2 and above == 1:
        return rng.choice(["half", "one half", "one-half", "50%", "\\frac12", "½"]).replace("\\frac12", "$\\frac12$")
    if 3 <= below <= 10 and 0 < above < below:
        name = rng.choice(["quarter", "fourth"]) if below == 4 else ORDINALS[below]
        return f"{UNITS[above]}{rng.choice(['-', ' '])}{name}{'s' if above > 1 else ''}"
    return f"$\\frac{{{above}}}{{{below}}}$"


def cents(found: re.Match[str], rng: random.Random) -> str:
    return rng.choice([f"$0.{int(found[1]):02}", f"{found[1]}¢"])


def percent(found: re.Match[str], rng: random.Random) -> str:
    spelled = int(found[1]) < 100 and rng.random() < 0.4
    return f"{in_words(int(found[1]), rng) if spelled else found[1]} percent"


def ordinal(found: re.Match[str], rng: random.Random) -> str:
    place = ORDINALS.index(found[1])
    return f"{place}{'rd' if place == 3 else 'th'}"


def bare_number(found: re.Match[str], rng: random.Random) -> str:
    number = int(found[1])
    return in_words(number, rng) if number < 1_000 and rng.random() < 0.5 else found[1]


def parenthesised(found: re.Match[str], rng: random.Random) -> str:
    """Another delimiter, unless it is money and what stands between."""
    return found[0] if re.search("[a-z]{3,} [a-z]", COMMAND.sub("", found[1])) else f"\\({found[1]}\\)"


def one_of(*choices: str) -> Callable[[re.Match[str], random.Random], str]:
    return lambda _, rng: rng.choice(choices)


SOUND: dict[str, Edit] = {
    "digits in words": on_prose(some(NUMBER.pattern, number_in_words)),
    "words in digits": on_prose(
        some(
            rf"(?i)(?<!-)\b({'|'.join(UNITS[2:13])})\b(?![-']| hundred| thousand| million| of the)",
            lambda found, _: str(UNITS.index(found[1].lower())),
        )
    ),
    "money": on_prose(
        some(r"(?<!\\)\$(\d+)(?:\.(\d\d))?(?![\d,./$])(?!\s*(?:million|thousand|hundred))", money_in_words)
    ),
    "money in figures": on_prose(some(r"(?<![.\d])\b(\d+) (?:dollars|bucks)(?! and)", lambda found, _: f"${found[1]}")),
    "cents": on_prose(some(r"(?<![\d.$])(\d{1,2}) cents", cents)),
    "percent": on_prose(some(r"(?<![.\d])(\d+)%", percent)),
    "fractions": on_prose(some(r"(?<![\d/.,$-])(?<!\d )(\d+)/(\d+)(?![\d/.])", fraction_in_words)),
    "halves": on_prose(some(r"\bhalf (?=of|as|the)", one_of("one-half ", "1/2 ", "50% "))),
    "thirds": on_prose(
        some(r"\b(?:a|one)[- ](third|fourth|fifth) of", lambda found, _: f"1/{ORDINALS.index(found[1])} of")
    ),
    "separators": on_prose(some(r"(?<![\d,.$])(\d{1,3}),(\d{3})(?![\d,])", lambda found, _: found[1] + found[2])),
    "twice": on_prose(some(r"\btwice\b", one_of("two times", "double", "2 times"))),
    "times": on_prose(some(r"(?<!/)\b(?:three|3) times\b", one_of("triple", "3 times", "thrice"))),
    "dozen": on_prose(some(r"\b(?:a|one) dozen\b", one_of("12", "twelve", "1 dozen"))),
    "week": on_prose(some(r"\bin (?:a|one) week\b", one_of("over seven days", "in 7 days"))),
    "ordinals": on_prose(some(r"(?<!-)\b(third|fourth|fifth|sixth|seventh)\b(?! of)", ordinal)),
    "dates": on_prose(
        some(
            rf"\b({MONTHS}) (\d{{1,2}})(?:st|nd|rd|th)?\b(?!,)",
            lambda found, rng: rng.choice([f"the {found[2]}th of {found[1]}", f"{found[2]} {found[1]}"]),
        )
    ),
    "clock": on_prose(some(r"\b(\d{1,2}) ?([ap])\.?m\.?", lambda found, _: f"{found[1]}:00 {found[2].upper()}M")),
    "fraction commands": some(r"\\frac", one_of("\\dfrac", "\\tfrac")),
    "short fractions": some(r"\\frac\{(\d)\}\{(\d)\}", lambda found, _: f"\\frac{found[1]}{found[2]}"),
    "delimiters": some(r"(?<![\\$])\$([^$ ][^$]*?)\$(?!\d)", parenthesised),
    "displays": some(r"\\\[(.+?)\\\]", lambda found, _: f"$${found[1]}$$"),
    "relations": some(r"\\(le|ge)(?![a-z])", lambda found, _: f"\\{found[1]}q"),
    "products": some(r"\\cdot(?![a-z])", one_of("\\times")),
    "exponents": some(r"\^(\d)(?!\d)", lambda found, _: f"^{{{found[1]}}}"),
    "space": some(r"(?<=[\w)}]) ?([+=]) ?(?=[\w\\(])", lambda found, rng: rng.choice([found[1], f" {found[1]} "])),
    "bare numbers": some(r"(?<!\\)\$(\d+)\$(?!\d)", bare_number),
    "degrees": some(r"\$(\d+)\^\\circ\$", lambda found, _: f"{found[1]} degrees"),
    "names": on_prose(some(rf"\b(?:{NAMES})\b", one_of("Priya"), share=1.0)),
    "wording": on_prose(some(r"\bHow many\b", one_of("Work out how many", "Can you tell how many"))),
    "conditions": on_prose(some(r"\bIf (?=[A-Za-z$])", one_of("Suppose that ", "Given that "))),
}

CONTEXTS = (
    "As a beekeeper preparing for the weekend market, you come across this. ",
    "While planning the next season, Coach Ramirez asks the team to think about the following. ",
    "Imagine you are a nurse on a night shift who likes puzzles. ",
    "During a rehearsal, the conductor Elena wonders about a question. ",
    "Dr. Okafor, who studies coral reefs, gives her students this exercise. ",
    "In a small bakery by the harbour, both partners discuss this at the end of the day. ",
    "A retired engineer who restores old clocks writes in his notebook: ",
    "Here is something that first came up in a robotics club. ",
    "",
)
CLOSINGS = ("", "", "", " Explain your reasoning.", " Keep the audience's interest in mind!", " Take your time.")


def outside_drawings(edit: Edit, text: str, rng: random.Random) -> str:
    parts = re.split(r"(\[asy\].*?\[/asy\])", text, flags=re.DOTALL)
    return "".join(part if part.startswith("[asy]") else edit(part, rng) for part in parts)


def soundly(text: str, rng: random.Random) -> str:
    """The text, said otherwise: about half of the edits that can apply, another order, a context."""
    names = [name for name in SOUND if rng.random() < 0.5]
    for name in rng.sample(names, len(names)):
        text = outside_drawings(SOUND[name], text, rng)
    if rng.random() < 0.4:
        text = reordered(text)
    return rng.choice(CONTEXTS) + text + rng.choice(CLOSINGS)


def reordered(text: str) -> str:
    """The question first, what it is about after it."""
    if "[asy]" in text or "\\[" in text:
        return text
    sentences = re.split(r"(?<=[.?!])\s+(?=[A-Z])", text.strip())
    return " ".join([sentences[-1], *sentences[:-1]])


def other(number: str, rng: random.Random) -> str:
    """Another number that looks as likely."""
    if "." in number:
        return str(round(float(number) + rng.choice([0.5, 1.25, 2, 10]), 2))
    value = int(number)
    return str(rng.choice([value + rng.randint(1, 9), value * 2 + 1, max(value - 1, 2) if value > 3 else value + 4]))


def without_drawings(text: str) -> str:
    """The text with blanks for its drawings, so that places in it stay."""
    return re.sub(r"\[asy\].*?\[/asy\]", lambda found: " " * len(found[0]), text, flags=re.DOTALL)


Corruption = Callable[[str, random.Random], str | None]


def in_formula(pattern: str, replace: Callable[[re.Match[str], random.Random], str]) -> Corruption:
    """Replace one match inside of one formula."""

    def apply(text: str, rng: random.Random) -> str | None:
        places = [
            (formula.start() + found.start(), formula.start() + found.end(), found)
            for formula in MATH.finditer(without_drawings(text))
            for found in re.finditer(pattern, formula[0])
        ]
        if not places or not re.search(r"\\[a-z]|\^|=", text):
            return None
        start, end, found = rng.choice(places)
        return text[:start] + replace(found, rng) + text[end:]

    return apply


def prose_numbers(text: str) -> list[re.Match[str]]:
    return [found for found in ANY_NUMBER.finditer(without_drawings(text)) if found[0] not in ("0", "1")]


def change_number(text: str, rng: random.Random) -> str | None:
    if not (found := prose_numbers(text)):
        return None
    chosen = rng.choice(found)
    return text[: chosen.start()] + other(chosen[0], rng) + text[chosen.end() :]


def change_word(text: str, rng: random.Random) -> str | None:
    names = [found for found in re.finditer(r"\b[a-z]+\b", text) if found[0] in UNITS[3:]]
    if not names:
        return None
    chosen = rng.choice(names)
    word = rng.choice([name for name in UNITS[3:] if name != chosen[0]])
    return text[: chosen.start()] + word + text[chosen.end() :]


def drop_sentence(text: str, rng: random.Random) -> str | None:
    """Leave out a sentence that states a number which stands nowhere else."""
    sentences = re.split(r"(?<=[.?!])\s+(?=[A-Z])", text.strip())
    numbers = [{found[0] for found in prose_numbers(sentence)} for sentence in sentences]
    alone = [
        place for place in range(len(sentences) - 1)
        if numbers[place] - set().union(*numbers[:place], *numbers[place + 1 :])
    ]  # fmt: skip
    if not alone or "[asy]" in text:
        return None
    place = rng.choice(alone)
    return " ".join(sentences[:place] + sentences[place + 1 :])


def add_number(text: str, rng: random.Random) -> str | None:
    there = {found[0] for found in ANY_NUMBER.finditer(text)}
    number = next(str(value) for value in iter(lambda: rng.randint(13, 97), None) if str(value) not in there)
    extra = rng.choice(
        [
            f"A neighbor brings {number} more.",
            f"Another {number} are lost on the way.",
            f"This holds for {number} of them.",
            f"Assume that $n = {number}$.",
        ]
    )
    sentences = re.split(r"(?<=[.?!]) +(?=[A-Z])", text.strip())
    place = rng.randrange(len(sentences))
    return " ".join([*sentences[:place], extra, *sentences[place:]])


def swap_numbers(text: str, rng: random.Random) -> str | None:
    """Exchange two numbers that count different things."""
    found = [one for one in prose_numbers(text) if not MATH.search(text)]
    pairs = [
        (one, two) for place, one in enumerate(found) for two in found[place + 1 :]
        if one[0] != two[0] and [a[0] for a in found].count(one[0]) == [a[0] for a in found].count(two[0]) == 1
        and re.match(r"[ -]([a-z]{4,})", text[one.end() :]) and re.match(r"[ -]([a-z]{4,})", text[two.end() :])
        and text[one.end() :][1:6] != text[two.end() :][1:6]
    ]  # fmt: skip
    if not pairs:
        return None
    one, two = rng.choice(pairs)
    return text[: one.start()] + two[0] + text[one.end() : two.start()] + one[0] + text[two.end() :]


def drop_percent(text: str, rng: random.Random) -> str | None:
    return re.sub(r"(\d+)(?:\\?%| percent)", r"\1", text, count=1) if re.search(r"\d(?:\\?%| percent)", text) else None


def change_fraction(text: str, rng: random.Random) -> str | None:
    found = re.search(r"(?<![\d/])(\d+)/(\d+)(?![\d/])", text)
    return text[: found.start()] + f"{int(found[1]) + 1}/{found[2]}" + text[found.end() :] if found else None


def change_money(text: str, rng: random.Random) -> str | None:
    found = re.search(r"(?<!\\)\$(\d+)\.(\d\d)(?!\d)", text)
    return text[: found.start()] + f"${found[1]}{found[2]}" + text[found.end() :] if found else None


def other_relation(found: re.Match[str], rng: random.Random) -> str:
    return {"<": ">", ">": "<"}.get(found[0], "\\ge" if "le" in found[0] else "\\le")


CORRUPTIONS: dict[str, Corruption] = {
    "number changed": change_number,
    "number word changed": change_word,
    "sentence dropped": drop_sentence,
    "number added": add_number,
    "numbers exchanged": swap_numbers,
    "percent dropped": drop_percent,
    "fraction changed": change_fraction,
    "point dropped": change_money,
    "number in a formula": in_formula(r"(?<![\d.])\d+(?![\d.])", lambda found, rng: other(found[0], rng)),
    "sign": in_formula(r"(?<=[\w)}]) ?[+-] ?(?=[\w\\(])", lambda found, _: " - " if "+" in found[0] else " + "),
    "exponent": in_formula(r"\^(\d)(?!\d)", lambda found, _: f"^{int(found[1]) + 1}"),
    "exponent dropped": in_formula(r"(?<=[a-z])\^\d(?!\d)", lambda _, __: ""),
    "letter": in_formula(r"(?<![\\A-Za-z{])[a-z](?![A-Za-z])", lambda found, _: chr((ord(found[0]) - 96) % 26 + 97)),
    "relation": in_formula(r"\\(le|ge)q?(?![a-z])|[<>]", other_relation),
    "root": in_formula(r"\\sqrt", lambda _, __: ""),
    "function": in_formula(r"\\(sin|cos|tan|log)(?![a-z])", lambda found, _: "\\cot" if found[1] != "log" else "\\exp"),
    "formula dropped": in_formula(r"(?s)^.+$", lambda _, __: "it"),
}


def planted(problems: Sequence[str], count: int, rng_seed: int) -> list[Planted]:
    """As many sound rewrites as corrupted ones, `count` each; the corruptions in turn, as far as they can apply."""
    rng = random.Random(rng_seed)
    made = [Planted(text, soundly(text, rng), None) for text in rng.sample(problems, count)]
    names = list(CORRUPTIONS)
    while len(made) < 2 * count:
        name = names[len(made) % len(names)]
        text = rng.choice(problems)
        corrupted = CORRUPTIONS[name](text, rng)
        if corrupted is not None and corrupted != text:
            made.append(Planted(text, soundly(corrupted, rng), name))
    return made
