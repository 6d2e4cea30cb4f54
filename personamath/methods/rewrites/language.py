"""Whether a rewrite is in the language of its seed problem, by its scripts and by function words.

Models answer a Dutch persona in Dutch, or half in Dutch. A detector for whole texts calls such a mixture English, so
the words decide: a few different function words of one other language are enough, because English has none of these.
Words that are also names (`de`, `van`, `la`), English words or terms of mathematics are left out of the lists.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence, Set
from functools import lru_cache

from personamath.methods.rewrites.asking import FIGURE
from personamath.methods.rewrites.numbers import RECENT

_WORDS = {
    "English": (
        "the and of to is are was were how many much what if with for that this each find has have from they "
        "which she he be on at it by as an than all there been their his her compute value simplify evaluate "
        "determine express does"
    ),
    "Dutch": (
        "een niet zijn hoeveel voor ook naar uit wordt heeft hebben deze dit elke elk moet als dan hij zij "
        "wij aan bij stuk totaal welke wat waar kost geeft hebt krijgt stel gegeven bereken vind ze"
    ),
    "German": (
        "und ist nicht wie viele ein eine einen einem einer mit für auf auch sich wenn sie wird werden haben "
        "jede jeder jedes insgesamt berechne bestimme welche sei wieviel zu im nach aus bei um ihre seine "
        "ergibt"
    ),
    "French": (
        "combien tout toute tous chacun chacune une est dans avec qui sur par sont chaque elle il ils elles "
        "au aux trouver calculer quelle quel nombre ont nous vous donc cette ses leur"
    ),
    "Spanish": (
        "es para con por cuántos cuántas cuánto cuánta cada tiene ella más como encuentra calcula cuál su sus "
        "hay pero qué esta este tienen"
    ),
    "Italian": (
        "il gli è con che quanti quante quanto ogni sono lei lui calcola trova quale della nel dei delle alla "
        "più questo questa hanno"
    ),
    "Portuguese": (
        "os uma é para com quantos quantas quanto cada são tem ela ele em não qual calcule encontre ao pelo seu sua"
    ),
    "Polish": ("jest ile każdy każda dla się nie ma są który która oraz po jak ich przez oblicz jeśli"),
    "Swedish": ("och är det att ett hur många för på som av har inte varje han till från"),
    "Danish": ("og det hvor mange på som af har ikke hver hun han til fra"),
    "Turkish": ("bir ve kaç tane için ile bu toplam olan var kadar eğer"),
    "Indonesian": ("dan yang adalah berapa banyak dengan untuk setiap dari jika ada ini itu ke jumlah pada"),
    "Vietnamese": ("là có bao nhiêu và của một cho mỗi được các trong với những không"),
    "Romanian": ("este și câte câți pentru cu care din sunt fiecare că ea dacă"),
    "Czech": ("je kolik každý pro že které jsou má"),
    "Finnish": ("ja kuinka monta jokainen hän jos paljonko että ovat joka kun"),
    "Hungarian": ("és egy hány minden az mennyi hogy nem darab"),
}
_LISTS = {name: frozenset(words.split()) for name, words in _WORDS.items()}
_LANGUAGES = {
    word: tuple(name for name, listed in _LISTS.items() if word in listed)
    for word in frozenset().union(*_LISTS.values())
}
"""The languages that have a function word."""

ENOUGH = 3
"""Different function words of one language that show it, where they are not outnumbered three to one in a sentence."""
ENOUGH_LETTERS = 8
"""Letters of a script that the seed problem does not have; a name in it has fewer."""

_NOT_PROSE = re.compile(
    r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}|\$\$.+?\$\$|\$[^$\n]*[\\^_=<>+][^$\n]*\$|\\\[.+?\\\]|\\\(.+?\\\)|\\[A-Za-z]+",
    re.DOTALL,
)
_LETTERS = string.ascii_letters.encode()
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SENTENCE = re.compile(r"(?<=[.?!:])\s+|\n+")


def is_in_another_language(question: str, original: str) -> bool:
    """Whether a question, or a whole sentence of it, is not in the language of its original."""
    question, original = _prose(question), _prose(original)
    if _other_script(question, original):
        return True
    language = _language(original)
    if language is None:
        return False
    own = _LISTS[language]
    whole = _WORD.findall(question.casefold())
    others = _function_words(set(whole) - own)
    for name in (name for name in _LISTS if others[name] >= ENOUGH - 1):
        foreign = _LISTS[name] - own
        if name == "English":
            if _is_mostly(whole, foreign, own):
                return True
        elif any(_is_foreign(sentence, foreign, own) for sentence in (whole, *_sentences(question))):
            return True
    return False


def _sentences(text: str) -> list[list[str]]:
    return [_WORD.findall(sentence) for sentence in _SENTENCE.split(text.casefold())]


def _is_foreign(words: Sequence[str], foreign: frozenset[str], own: frozenset[str]) -> bool:
    found = {word for word in words if word in foreign}
    if len(found) >= ENOUGH:
        return 3 * sum(word in foreign for word in words) >= sum(word in own for word in words)
    # A short sentence: "Hoeveel potten zijn er?"
    return len(found) == ENOUGH - 1 and len(words) <= 4 * len(found) and not any(word in own for word in words)


def _is_mostly(words: Sequence[str], foreign: frozenset[str], own: frozenset[str]) -> bool:
    return len({word for word in words if word in foreign}) >= ENOUGH and sum(word in foreign for word in words) > sum(
        word in own for word in words
    )


@lru_cache(maxsize=RECENT)
def _language(text: str) -> str | None:
    """The language with the most different function words in a text; None if they are too few to tell."""
    counts = _function_words(set(_WORD.findall(text.casefold())))
    (best, most), (_, second) = [*counts.most_common(2), ("", 0), ("", 0)][:2]
    return best if most >= 2 and most > second else None


def _function_words(words: Set[str]) -> Counter[str]:
    """How many of some words are function words of each language."""
    return Counter(name for word in words for name in _LANGUAGES.get(word, ()))


def _other_script(question: str, original: str) -> bool:
    """Whether it has words in a script that the original lacks, or hardly any in the original's own."""
    there, before = _scripts(question), _scripts(original)
    if any(count >= ENOUGH_LETTERS and not before[name] for name, count in there.items()):
        return True
    if not before:
        return False
    main, count = before.most_common(1)[0]
    return count >= ENOUGH_LETTERS and 4 * there[main] < there.total()


@lru_cache(maxsize=RECENT)
def _scripts(text: str) -> Counter[str]:
    """Letters by script; Chinese and Japanese are one, single Greek letters are mathematics."""
    if text.isascii():
        letters = text.encode()
        return Counter(LATIN=len(letters) - len(letters.translate(None, _LETTERS)))
    found = Counter[str]()
    for word in _WORD.findall(text):
        if word.isascii():
            found["LATIN"] += len(word)
            continue
        if len(word) == 1 and "GREEK" in unicodedata.name(word, ""):
            continue
        for letter in word:
            name = unicodedata.name(letter, "?").partition(" ")[0]
            found["CJK" if name in ("HIRAGANA", "KATAKANA") else name] += 1
    return found


@lru_cache(maxsize=RECENT)
def _prose(text: str) -> str:
    return unicodedata.normalize("NFC", _NOT_PROSE.sub(" ", FIGURE.sub(" ", text)))
