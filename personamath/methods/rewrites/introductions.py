"""Greetings, agreement and lead-ins before a question, in the languages that models fall into.

A model greets the persona, or introduces its rewrite in the persona's language, and then writes the question in
English: `Voici le problème reformulé :`. What comes off names the problem or the rewriting,
or is a fixed phrase, and has no number in it.
"""

import re

_GREETING = (
    r"hello|hi|hey|howdy|greetings|good (?:morning|afternoon|evening|day)|welcome|thanks"
    r"|thank you(?: for[^\n.!?,\d]{0,60})?"
    r"|(?:great|good|nice|interesting) question|bonjour|salut|hallo|guten (?:tag|morgen)|hola|buenos d[ií]as|ciao|salve"
    r"|buongiorno|ol[áa]|bom dia|hoi|goedendag|hej|cze[śs][ćc]|dzie[ńn] dobry|merhaba|halo|xin chào|привет|здравствуйте"
    r"|你好|您好|こんにちは|안녕하세요"
)
_AGREEMENT = (
    r"bien s[ûu]r|certainement|d['’]accord|avec plaisir|nat[üu]rlich|gerne?|klar|selbstverst[äa]ndlich|por supuesto"
    r"|claro(?: que s[íi])?|desde luego|cierto|certo|certamente|volentieri|com certeza|natuurlijk|zeker|graag"
    r"|конечно|хорошо|oczywi[śs]cie|jasne|sj[äa]lvklart|tabii(?: ki)?|tentu(?: saja)?|baiklah|chắc chắn rồi"
    r"|当然(?:可以)?|好的|没问题|もちろん(?:です)?|はい|承知しました|물론(?:입니다|이죠)?|네"
)
_THING = (
    r"probl[eè]m\w*|question|exercice|énoncé|version|(?:text)?aufgabe|frage|pregunta|ejercicio|enunciado|versi[óo]n|domanda"
    r"|esercizio|quesito|versione|vraag|opgave|versie|pergunta|quest[ãa]o|exerc[íi]cio|vers[ãa]o|задач\w*|вопрос\w*"
    r"|верси\w*|zadani\w*|pytani\w*|wersj\w*|uppgift\w*|fr[åa]ga\w*|soru\w*|soal\w*|pertanyaan\w*|bài toán|câu hỏi"
    r"|问题|題|题目?|問題|문제\w*|質問"
)
_CHANGED = (
    r"reformul\w*|umformul\w*|umgeschrieb\w*|neu formul\w*|re[ée]scri\w*|riscritt\w*|riformul\w*|reescrit\w*"
    r"|herschrev\w*|herformul\w*|geherformul\w*|переформул\w*|переписан\w*|przeformu[łl]\w*|omformul\w*|omskriv\w*"
    r"|yeniden|diubah|ditulis ulang|viết lại|diễn đạt lại|改写|重新|改編|书き直し|書き直し|言い換え|다시"
)
_HERE = (
    r"voici|voil[àa]|ci-dessous|hier (?:ist|sind|kommt|is|zijn)|hieronder|nachfolgend|im folgenden"
    r"|aqu[íi](?: (?:est[áa]n?"
    r"|tienes?|va|te|lo|os|vai|segue))?|a continuaci[óo]n|ecco|di seguito|segue|a seguir"
    r"|här (?:är|kommer)|her (?:er|har)"
    r"|oto|poni[żz]ej|вот|ниже|i[şs]te|aşağıda|berikut|đây là|dưới đây|以下|这是|這是|下面|这里"
    r"|다음|여기|아래|こちら|これ"
)
_SAID = r"[^\n:：.?!？！。\d]{0,160}"
# As in `{_SAID}`, but short enough to introduce a question without naming it.
_LITTLE = r"[^\n:：.?!？！。\d]{0,40}"
_COLON = r"[ \t\u00a0]?[:：][*_]*"
_LABEL = rf"(?:[^\W\d_]+[ \t]+){{0,3}}(?:{_THING})(?:[ \t]+[^\W\d_]+){{0,3}}"

INTRODUCTIONS: dict[str, re.Pattern[str]] = {
    # "Hello!", "Hi there,", "Thank you for your question!"
    "greeting": re.compile(
        rf"\A¡?(?:{_GREETING})(?:,? (?:there|everyone|everybody|all|again|friends?|folks|class|students?|kids))?"
        # "Hello there, little one!" But "Hello, Ann sells apples!" has its facts.
        r"(?:,? (?-i:[a-z])[\w'’ -]{1,40}(?=!))?"
        r"[ \t]*(?:[!.:;–—-](?=\s)|,(?=\s+(?:(?-i:[^a-z])|(?:an?|the|here|how|if|in|on|at|let|can|this|please|what)\b))"
        r"|[！。，]|[^\w\s.,;:!?\"'“‘(\[{$\\-]{1,3}(?=\s))\s*",
        re.IGNORECASE,
    ),
    # "Dear student," on a line of its own, and no letter with a signature below.
    "salutation": re.compile(
        r"\Adear [^\n.!?\d:]{1,40}[,:!][ \t]*\n+(?!(?:.|\n)*\n(?:best|kind|warm|yours|sincerely|regards|love)\b)",
        re.IGNORECASE,
    ),
    # "Bien sûr !", "Natürlich,"
    "agreement": re.compile(
        rf"\A[¡*_]*(?:{_AGREEMENT})[ \t\u00a0]*(?:[!.,:](?=[\s*])[*_]*|[！。，：])\s*", re.IGNORECASE
    ),
    # "Voici le problème reformulé :", "以下是改写后的问题："
    "here": re.compile(
        rf"\A[#*_\s]*(?:{_HERE})(?:(?=[^\n:：]*(?:{_THING}|{_CHANGED})){_SAID}{_COLON}"
        rf"|{_LITTLE}{_COLON}[ \t]*(?=\n))\s*",
        re.IGNORECASE,
    ),
    # "**Problema reformulado:**", "改写后的问题："
    "label": re.compile(
        rf"\A[#>*_\s]*(?:(?:{_THING})|(?=[^\n:：]{{0,60}}(?:{_CHANGED}))(?:{_LABEL}|[^\n:：.?!\d\s]{{0,20}}(?:{_THING})))"
        rf"[*_]*{_COLON}\s*",
        re.IGNORECASE,
    ),
}
"""What comes off the beginning of a question."""
