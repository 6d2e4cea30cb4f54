import random
import time
from collections import Counter
from fractions import Fraction
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personamath.methods.rewrites.numbers import numbers
from personamath.methods.rewriting import new_question, unwrapped
from personamath.records import Dropped, Problem
from personamath.sources.problems import ProblemSource
from personamath.sources.seed_problems import read_problems
from tests.support.planted_rewrites import planted

ORIGINAL = "A box holds 12 pens. How many pens do 3 boxes hold?"
QUESTIONS = 3_000
"""Of the 6,300 of both test splits: each wrapping is around forty of them, and a fault that one pair of a question and
a wrapping in a thousand shows is found nineteen times in twenty."""
REWRITES = 600
"""Of each kind: a drop of one in 200 is found nineteen times in twenty."""
QUESTION = "A beekeeper fills 3 crates with 12 jars each. How many jars are there?"

WRAPPED = [
    # as it is
    "{}",
    "  {}\n\n",
    # names before it
    "Rephrased Problem: {}",
    "Rephrased Problem:\n{}",
    "Rephrased math problem:\n\n{}",
    "Math problem: {}",
    "Problem: {}",
    "**Rephrased Problem:** {}",
    "**Rephrased Problem**: {}",
    "**Rephrased Problem**\n\n{}",
    "**Rephrased Math Problem:**\n\n{}",
    "**Rewritten Problem (for a beekeeper):**\n\n{}",
    "*Rephrased for the persona:* {}",
    "Rephrased: {}",
    "Reworded version from the perspective of a beekeeper: {}",
    "Problem from the perspective of a beekeeper:\n{}",
    # headings
    "### Rephrased Problem\n{}",
    "### Rephrased Problem:\n\n{}",
    "## **Rephrased Math Problem**\n\n{}",
    "# Math Problem for a Beekeeper\n\n{}",
    # sentences to the reader
    "Sure! Here is the rephrased problem:\n\n{}",
    "Certainly! Here's the math problem rephrased for a beekeeper:\n\n{}",
    "Here is the math problem rephrased with the given persona:\n\n**Rephrased Problem:**\n\n{}",
    "Here's a version that a beekeeper might ask: {}",
    "I've rephrased the problem for this persona:\n\n{}",
    # rules, bold, quotes
    "---\n{}\n---",
    "Here is the rephrased problem:\n\n---\n\n{}\n\n---",
    "**{}**",
    '"{}"',
    "“{}”",
    '**Rephrased Problem:** "{}"',
    'Here is the rephrased problem:\n\n"**{}**"',
    # remarks below
    "{}\n\nThis rephrased problem keeps the numbers of the original.",
    "{}\n\n---\n\nThis version keeps the mathematical structure.",
    "{}\n\n(Note: the numbers are unchanged.)",
    "{}\n\nLet me know if you would like another version!",
    # lines about the rewrite, titles
    "**Persona:** A beekeeper\n\n**Rephrased Problem:**\n\n{}",
    "Persona: A 42-year-old beekeeper\nRephrased: {}",
    "**Client:** A beekeeper\n**Problem:** {}",
    "Client of Beekeeper's: Math Problem\n\nMath problem: {}",
    "Title: Honey Harvest\n{}",
    "**Title: Honey Harvest**\n\n{}",
    "The Beekeeper's Jars\n\n{}",
    "**The Beekeeper's Jars**\n\n{}",
    "### Honey Harvest Challenge\n{}",
    "Sure! Here's the problem rephrased for a beekeeper:\n\n**Honey Harvest**\n\n{}",
    # perspectives
    "From the perspective of a beekeeper: {}",
    "**From a beekeeper's perspective:**\n\n{}",
    "In the voice of a beekeeper: {}",
    "As a beekeeper:\n{}",
    # the original first, or last
    "Original: {original}\nRephrased: {}",
    "Original: {original} Rephrased: {}",
    "**Original Problem:** {original}\n\n**Rephrased Problem:** {}",
    "Math problem: {original}\nRephrased: {}",
    "The original problem is: {original}\n\nHere is the rephrased problem:\n\n{}",
    "**Rephrased Problem (Beekeeper):**\n{}\n\n**Original Problem:**\n{original}",
    # versions: the last
    "Version 1: A shop has 3 boxes of 12 pens. How many pens?\n\nVersion 2: {}",
    "**Option A:**\nA shop has 3 boxes of 12 pens. How many pens?\n\n**Option B:**\n{}",
    "A shop has 3 boxes of 12 pens. How many pens has it?\n\nOr:\n\n{}",
    # the prompt's own sentence
    "Please rephrase the above math problem with the following persona:\nA beekeeper who sells honey\n\n{}",
    "Math problem: {original} \nPlease rephrase the above math problem with the following persona:\nA cook\n\n{}",
    "Please rephrase the above math problem with the following persona:\nA beekeeper\n\nRephrased problem: {}",
    "{}\n\nPlease rephrase the above math problem with the following persona:\nA cook",
    # fences
    "```\n{}\n```",
    "Here is the rephrased problem:\n\n```text\n{}\n```\n\nLet me know if you need anything else.",
    # offers
    "{}\n\nWould you like me to solve it?",
    "{} Would you like me to solve it?",
    "{}\n\nDo you want me to solve this problem for you?",
    "{}\n\nShall I solve it?",
    "{}\n\nI hope this helps! Would you like another version?",
    # what a 1.5B chat model wrote, in other words
    "Let me rephrase the math problem with the new persona:\n\n{}",
    "I can help with that. Here’s how I would rephrase the problem for a beekeeper:\n{}",
    "Sure, how about this:\n{}",
    "A beekeeper might enjoy a problem about jars. Here's a rephrased version of the problem:\n\n---\n\n{}\n\n---\n\n"
    "This version of the problem is closer to the work of a beekeeper.",
    "The problem is about counting. I'll rephrase it in a way that a beekeeper finds familiar:\n\n---\n\n"
    "**Problem:**\n{}\n\n---\n\nThe persona makes the problem more engaging for the reader.",
    "Here is the rephrased problem:\n\n---\n\n{}\n\n---\n\nThis rephrased problem keeps 3 crates and 12 jars.",
    'A patient beekeeper, fond of bees, would phrase the above problem as follows: "{}"',
    'The problem can be rephrased as follows:\n\n**"{}"**\n\nThis beekeeper loves bees, so it speaks of her jars.',
    "A shop has 3 boxes of 12 pens.\n\nTo rephrase it for a beekeeper, you could say:\n\n---\n\n{}",
    "A beekeeper with bees of her own.\n\nProblem: {}",
    'Here is the rephrased problem:\n\n"{}',
    "**Honey Question:** {}",
    "Let's adjust the problem to fit the beekeeper:\n\n---\n\n{}\n\n---\n\nFeel free to ask for more!",
]


# Those of other models.
OTHER_WRAPPINGS = [
    # in other languages
    "Voici le problème reformulé :\n\n{}",
    "Bien sûr ! Voici le problème :\n{}",
    "Hier ist das umformulierte Problem: {}",
    "Natürlich, hier ist die Aufgabe:\n{}",
    "Hier ist das Problem, umformuliert für eine Imkerin: {}",
    "¡Claro! Aquí tienes:\n\n{}",
    "Aquí está el problema reescrito:\n{}",
    "**Problema reformulado:** {}",
    "Ecco il problema riformulato: {}",
    "Aqui está o problema reformulado:\n\n{}",
    "Hier is het herschreven probleem:\n\n{}",
    "Oto przeformułowany problem:\n{}",
    "Här är det omformulerade problemet:\n{}",
    "Вот переформулированная задача:\n\n{}",
    "İşte yeniden ifade edilmiş problem:\n{}",
    "Berikut adalah soal yang telah diubah:\n{}",
    "好的，以下是改写后的数学题：\n{}",
    "以下是重新表述的问题：{}",
    "改写后的问题：{}",
    "다음은 다시 작성된 문제입니다:\n\n{}",
    "こちらが書き直した問題です：\n{}",
    "Đây là bài toán được viết lại:\n{}",
    # greetings
    "Hello! {}",
    "Hi there, {}",
    "Hello there, little one! {}",
    "Hey there, music producer from Australia! {}",
    "Dear student,\n\n{}",
    "Thank you for your question! {}",
    "Hello! Here's the rephrased problem:\n\n{}",
    "Hi, I'd be happy to help. {}",
    "你好！{}",
    "¡Hola! {}",
    # words of a formula
    r"\[\text{{}}\]",
    r"\(\text{{}}\)",
    r"$$\textbf{ {} }$$",
    r"\[\boxed{\text{{}}}\]",
    "\\[\n\\text{\n{}\n}\n\\]",
    r"\begin{quote}{}\end{quote}",
    r"\section*{Problem} {}",
    # lead-ins
    "Here you go:\n\n{}",
    "Of course! Here it is: {}",
    "Got it! {}",
    "The rephrased math problem is: {}",
    "A possible rephrasing could be: {}",
    "The problem can be rephrased as: {}",
    "With the persona in mind, the problem becomes: {}",
    "As a beekeeper, I'd ask it like this:\n\n{}",
    "Absolutely! Here's how a beekeeper could put it:\n{}",
    "Certainly, here is the question rephrased in the voice of a beekeeper.\n\n{}",
    # names
    "Rephrased Problem -- {}",
    "Final version: {}",
    "Output: {}",
    "**Q:** {}",
    '**Beekeeper:** "{}"',
    "[Persona: beekeeper]\n\n{}",
    "Persona: A beekeeper with 3 hives\n\nProblem: {}",
    "🐝 **Honey Problem** 🐝\n\n{}",
    "1. {}",
    "Before: {original}\nAfter: {}",
    # data
    "<rephrased_problem>\n{}\n</rephrased_problem>",
    '```json\n{"rephrased_problem": "{}"}\n```',
    "*{}*",
    # sections, offers and wishes below
    "{}\n\n**Why this works:** It keeps 3 and 12.",
    "{}\n\n**Key changes made:**\n- pens became jars\n- 3 boxes became crates",
    "{}\n\n---\n\n**Explanation of changes:**\n\n* **Context:** bees.",
    "{}\n\n*(Rephrased for a beekeeper)*",
    "{}\n\n(Word count: 14)",
    "{}\n\nIf you'd like, I can also solve it for you!",
    "{}\n\nWant the solution too?",
    "{}\n\nGood luck! 🍯",
    "{}\n\n#beekeeping #math",
]


@pytest.mark.parametrize("completion", [*WRAPPED, *OTHER_WRAPPINGS])
def test_wrapping_comes_off_and_the_question_stays(completion: str) -> None:
    assert new_question(completion.replace("{}", QUESTION).replace("{original}", ORIGINAL), ORIGINAL, "36") == QUESTION


def test_bars_before_every_line_come_off() -> None:
    question = "A beekeeper fills 3 crates.\n\nEach holds 12 jars. How many jars are there?"
    quoted = "Here is the rephrased problem:\n\n> " + question.replace("\n", "\n> ")
    assert new_question(quoted, ORIGINAL, "36") == question


UNTOUCHED = [
    # words of the wrappings that belong to a question
    "Hello Kitty has 3 crates of 12 jars. How many jars has she?",
    "Claro sells 3 crates of 12 jars. How many jars does Claro sell?",
    "Thanks for 3 crates of 12 jars. How many jars are there?",
    "Dear Ann, I have 3 crates of 12 jars. How many jars do I have?",
    "Problem solving takes 3 hours of 12 minutes each: how many minutes?",
    "Here is how a baker works: 3 trays of 12 rolls each go in. How many rolls is that?",
    "The problem of the beekeeper is this. She has 3 crates of 12 jars. How many jars has she?",
    "A new scenario for the bakery has 3 trays of 12 rolls. How many rolls is that?",
    'A sign says "3 crates" and another "12 jars each". How many jars are there?',
    '"Three crates," says the beekeeper, "with 12 jars each." How many jars are "there"',
    "How many **jars** are in 3 crates of **12**?",
    "I have 3 crates.\n\nEach holds 12 jars.\n\nHow many jars do I have? Note that one crate is full.",
    "To win, Ann needs 3 rounds of 12 points. How many points does Ann need?",
    "What is the answer to 3 times 12, if the answer is written in base 5?",
    "I run a bakery and bake 3 trays of 12 rolls. Here is my question: how many rolls do I have?",
    "I have a new scenario in my kitchen with 3 trays of 12 rolls, so tell me: how many rolls are there?",
    "Here is a scenario from my farm. There are 3 crates of 12 jars. Find the following: how many jars?",
    "This is a problem I met at work, with 3 trays of 12 rolls: how many rolls is that?",
    "Ann plays a board game.\nIn this version of the game each turn gives 12 points. How many points after 3 turns?",
    "A crate of 12 jars is sold at half price. What do 3 cost now?\n\nNote that the original price was $48.",
    "How many rolls are baked?\n\nNote: each version of the recipe makes 12 rolls a tray, and there are 3 trays.",
    # LaTeX and other scripts
    r"A baker cuts $\frac{3}{4}$ of 12 rolls. How many rolls are cut?",
    "A baker in Den Haag, Ms. de la Cruz, makes 3 trays of 12 stroopwafels. How many stroopwafels is that?",
    "A 36-year-old beekeeper fills 3 crates with 12 jars each. How many jars are there?",
    "A beekeeper asks for the following.\n1. She has 3 crates, of 12 jars. How many jars is that?\n2. Is it even?",
    "I must decline 3 crates of 12 jars each. How many jars do I decline?",
    "This content of 3 crates is fine: 12 jars each. How many jars are there?",
    "If you like honey, fill 3 crates with 12 jars each. How many jars do you need?",
    # names before the last sentence
    "A beekeeper fills 3 crates with 12 jars each.\nQuestion: How many jars are there?",
    "A beekeeper has this problem: 3 crates hold 12 jars each. How many jars are there?",
    # instructions
    "A beekeeper fills 3 crates with 12 jars each. Find the number of jars.",
    "A beekeeper fills 3 crates with 12 jars each, and she wants to know how many jars there are.",
    "Fully simplify $3 \\cdot 12$ for the beekeeper.",
    "Help the beekeeper to work out the number of jars in 3 crates of 12.",
    "The number of jars in 3 crates of 12 jars is (A) 15 (B) 24 (C) 36",
    "A beekeeper fills 3 crates with 12 jars each. She wants to determine the number of jars that she has.",
    "A beekeeper wants to know the number of jars in all the crates she fills: 3 crates of 12.",
    # numbers in words
    "A beekeeper fills three crates with a dozen jars each. How many jars are there?",
    "A beekeeper fills every third crate with twelve jars. How many jars are there?",
    # the words of a refusal, a solution and an offer that belong to a question
    "I'm sorry to say that I can't count: 3 crates hold 12 jars each. How many jars do I have?",
    "Unfortunately, a beekeeper loses 3 crates of 12 jars. How many jars does she lose?",
    "A beekeeper fills 3 crates with 12 jars each to get to the market by 5. How many jars are there?",
    "A beekeeper fills 3 crates with 12 jars each. Would you like to know how many jars there are?",
    "So a beekeeper fills 3 crates with 12 jars each. How many jars are there in total?",
    "How many jars are there? The beekeeper fills 3 crates with 12 jars each.",
]


@pytest.mark.parametrize("question", UNTOUCHED)
def test_questions_that_look_like_wrapping_are_left_alone(question: str) -> None:
    assert new_question(question, ORIGINAL, "36") == question


@pytest.mark.parametrize("quoted", ['"{}"', "“{}”"])
def test_quotations_inside_a_quoted_question_stay(quoted: str) -> None:
    question = 'A label says "12 jars" and another "3 crates", she notes. How many jars are there?'
    assert new_question(quoted.replace("{}", question), ORIGINAL) == question


def test_what_the_original_says_of_an_answer_the_rewrite_may_say_too() -> None:
    original = "When the square root of $x$ is cubed, the answer is 64. What is $x$?"
    rewrite = "A tiler cubes the square root of $x$, and the answer is 64. What is $x$?"
    assert new_question(rewrite, original) == rewrite
    assert new_question(rewrite + r" $\boxed{16}$", original) == Dropped("holds a solution")


def test_every_real_question_comes_out_of_every_wrapping_as_it_went_in(data: Path) -> None:
    # Quotes or bold around a question that has its own (inch marks, figures that square with **) may stay: left out.
    # An offer is found behind the end of a sentence, or on a line of its own. A line about the persona comes off only
    # above a problem with figures or formulas.
    wrappings = [
        wrapping
        for wrapping in WRAPPED
        if '"' not in wrapping and wrapping != "**{}**" and "{} " not in wrapping and "of her own" not in wrapping
    ]
    sources = [ProblemSource.parse(f"{name}:{data}/{name}/test.jsonl") for name in ("gsm8k", "math")]
    problems = [*read_problems(sources)]
    questions = [one.question for one in problems if isinstance(one, Problem)]
    assert len(questions) == len(problems)
    sample = random.Random(0).sample([question for question in questions if r"\boxed" not in question], QUESTIONS)
    for question, wrapping in zip(sample, cycle(wrappings), strict=False):
        completion = wrapping.replace("{}", question).replace("{original}", ORIGINAL)
        assert unwrapped(completion) == question


FIGURE = "[asy]\ndraw((0,0)--(1,0));\n[/asy]"

REJECTED = [
    ("", "empty rewrite"),
    ("  \n", "empty rewrite"),
    ("**Rephrased Problem:**", "empty rewrite"),
    ("Here is the rephrased problem:\n\n", "empty rewrite"),
    (ORIGINAL, "equal to the original"),
    (f"Rephrased Problem: {ORIGINAL.upper()}", "equal to the original"),
    (ORIGINAL.replace(" ", "\n"), "equal to the original"),
    (QUESTION + r" The answer is $\boxed{36}$.", "holds a solution"),
    (f"{QUESTION}\n\nSolution: 3 * 12 = 36", "holds a solution"),
    (f"{QUESTION}\n\n**Solution**\n\n3 * 12 = 36", "holds a solution"),
    (f"{QUESTION}\n\n### Step-by-Step Solution\n\n3 * 12", "holds a solution"),
    (f"{QUESTION}\n\n**Answer:** 36", "holds a solution"),
    (f"{QUESTION}\n\nStep 1: multiply.", "holds a solution"),
    (f"{QUESTION}\n\nTo solve this, we multiply 3 by 12.", "holds a solution"),
    (f"{QUESTION}\n#### 36", "holds a solution"),
    (f"{QUESTION} So the answer is 36.", "holds a solution"),
    (f"{QUESTION}\n{FIGURE}", "figure lost or changed"),
    # worked steps
    (f"{QUESTION}\n\nLet's solve: 3*12=36", "holds a solution"),
    (f"{QUESTION} Let's solve: 36/3=12", "holds a solution"),
    (f"{QUESTION}\n\n3 × 12 = 36 jars.", "holds a solution"),
    ("A beekeeper multiplies 3 crates by 12 jars to get 36 jars. How many are there?", "holds a solution"),
    # the answer in a key, or in a concluding sentence
    (f"{QUESTION} (Answer: 36)", "tells the answer"),
    (f"{QUESTION}\n[Answer = 36]", "tells the answer"),
    (f"{QUESTION} She has thirty-six jars.", "tells the answer"),
    (f"{QUESTION}\n\nAs each crate has 12 jars and there are 3 crates, she has 36 jars.", "tells the answer"),
    ("A beekeeper fills 3 crates with 12 jars. She has 36 jars in total. How many are there?", "tells the answer"),
    # nothing is asked
    ("A beekeeper has 3 crates of 12 jars and likes them all.", "asks nothing"),
    ("Suppose a beekeeper can fill 3 crates with 12 jars each and would like to give them away.", "asks nothing"),
    ("Imagine a beekeeper who is happy to have 3 crates of 12 jars. She will use them all.", "asks nothing"),
    ("A beekeeper has 3 crates of 12 jars. To find the total, she multiplies. It is 36 jars.", "asks nothing"),
    ("A beekeeper has 3 crates of 12 jars each. She multiplies them and finds that she has 36 jars.", "asks nothing"),
    ("A beekeeper, who counts with care, was able to find the number of jars in 3 crates of 12.", "asks nothing"),
    ("A beekeeper needed the total of 3 crates of 12, so she wanted to find it, and she multiplied.", "asks nothing"),
    ("The need to find how many jars fill 3 crates of 12 is common, and you know how it is.", "asks nothing"),
    # another question, or one without what is given
    ("Can you help me to design a hive for my bees?", "loses the numbers"),
    ("A beekeeper is asked how many jars there are in her crates.", "loses the numbers"),
    # words about the rewrite that no rule takes off
    (f"{QUESTION} The beekeeper would rephrase the problem as a call to count.", "holds remarks"),
    (f"It is unclear what it means. {QUESTION} This rephrased question should be clear.", "holds remarks"),
    # steps of a solution in the question
    ("A beekeeper fills 3 crates with 12 jars each, which is 36 jars. How many jars are there?", "holds a solution"),
    ("A beekeeper fills 3 crates of 12 jars, which means she has 36. How many jars are there?", "holds a solution"),
    ("A beekeeper fills 3 crates of 12, making the number of jars 36. How many jars are there?", "holds a solution"),
    # refusals
    ("I'm sorry, but I can't help with that.", "refused"),
    ("I’m sorry, but I can’t assist with that request.", "refused"),
    ("As an AI language model, I cannot rephrase this.", "refused"),
    ("I cannot fulfill this request.", "refused"),
    ("Could you please provide the math problem you would like me to rephrase?", "refused"),
    ("Sorry, I do not have enough information about the persona. Can you provide more details?", "refused"),
    # other languages, whole or in part
    ("Als imker vul ik 3 kratten met elk 12 potten. Hoeveel potten zijn er in totaal?", "in another language"),
    (f"Als imker op de markt heb ik een vraag voor jullie. {QUESTION}", "in another language"),
    (f"{QUESTION[:47]} Hoeveel jars zijn er in total?", "in another language"),
    ("Eine Imkerin füllt 3 Kisten mit je 12 Gläsern. Wie viele Gläser sind es?", "in another language"),
    ("Un apicultor llena 3 cajas con 12 tarros cada una. ¿Cuántos tarros hay en total?", "in another language"),
    ("Un apiculteur remplit 3 caisses de 12 pots. Combien de pots y a-t-il en tout ?", "in another language"),
    ("Пчеловод заполняет 3 ящика по 12 банок. Сколько всего банок?", "in another language"),
    (f"{QUESTION} 请问一共有多少罐蜂蜜", "in another language"),
    (f"α {QUESTION} Сколько всего банок", "in another language"),
    ("养蜂人装满3个箱子, 每箱12罐。一共有多少罐?", "in another language"),
    # hardly anything is changed
    (r"A box holds \(12\) pens. How many pens do $3$ boxes hold?", "unchanged"),
    ("A **box** contains 12 pens; how many pens do 3 boxes hold?", "unchanged"),
    ("A box holds twelve pens. How many pens do three boxes hold?", "unchanged"),
    # the answer among what is given, and how to find it
    ("A beekeeper fills 3 crates with 12 jars each, so she has 36 jars. How many jars are there?", "tells the answer"),
    ("A beekeeper has 36 jars in 3 crates of 12. How many jars are there?", "tells the answer"),
    (f"{QUESTION}\n\nHint: multiply the two.", "holds a solution"),
    (f"{QUESTION}\n\nTo find the total, multiply the crates by the jars.", "holds a solution"),
    (f"{QUESTION} Simply multiply the crates by the jars.", "holds a solution"),
    # refusals in other words
    ("Thank you for the question, but I must decline. 12 pens, 3 boxes?", "refused"),
    ("This request can't be completed. 3 boxes of 12 pens?", "refused"),
    ("My guidelines do not allow me to rephrase that. Shall I take the 3 boxes of 12 pens as they are?", "refused"),
    ("It's against my policy to portray this persona. 3 boxes of 12 pens, is there anything else?", "refused"),
    ("I apologize, but this persona seems offensive; 12 pens and 3 boxes. Could we use another?", "refused"),
    ("Could you please provide the math problem with 12 pens and 3 boxes?", "refused"),
    # which of them?
    (f"1. {QUESTION}\n2. A cook has 12 eggs in each of 3 pots. How many eggs?", "several versions"),
    (f"- {QUESTION}\n- A cook has 12 eggs in each of 3 pots. How many eggs?", "several versions"),
    (f"{QUESTION}\n\nAlternatively, a cook has 3 pots, with 12 eggs each. How many eggs?", "several versions"),
    (f"Here are two versions:\n\n1. {QUESTION}\n\n2. A cook has 3 pots of 12 eggs. How many eggs?", "several versions"),
]


@pytest.mark.parametrize(("completion", "reason"), REJECTED)
def test_unusable_rewrites_are_dropped_under_their_own_name(completion: str, reason: str) -> None:
    assert new_question(completion, ORIGINAL, "36") == Dropped(reason)


def test_one_version_that_is_announced_as_several_is_read_and_a_quotation_is_no_other_language() -> None:
    assert QUESTION in str(new_question(f"Here are several ways to put it:\n\n1. {QUESTION}", ORIGINAL))
    dutch = "Een imker vult 3 kratten met elk 12 potten. Hoeveel potten zijn er in totaal?"
    quoting = 'Een bakker zegt "how many of the" en vult 3 kratten met elk 12 broden. Hoeveel broden zijn er in totaal?'
    assert new_question(quoting, dutch) == quoting
    assert new_question(QUESTION, dutch) == Dropped("in another language")


TOLD = [
    (rf"{QUESTION} It is $\frac{{\sqrt7}}{{2}}$.", r"\dfrac{\sqrt7}{2}", "tells the answer"),
    (f"{QUESTION} It is $x^2 + 1$.", "x^2+1", "tells the answer"),
    (f"{QUESTION} It is x.", "x", None),  # a letter that any sentence may hold
    (f"{QUESTION} It is $x^2 + 2$.", "x^2+1", None),
    (f"{QUESTION} She is 36 years old.", "36", "tells the answer"),
    ("A 36-year-old beekeeper fills 3 crates with 12 jars each. How many jars are there?", "36", None),
    ("A beekeeper has 36 jars and 3 crates of 12. How many? (A) 36 (B) 40", "36", None),
    ("A beekeeper has 9 jars and 3 crates of 12. How many jars has she?", "9", None),  # many stories have small numbers
]


@pytest.mark.parametrize(("rewrite", "answer", "reason"), TOLD)
def test_the_answer_is_told_where_no_story_would_have_it(rewrite: str, answer: str, reason: str | None) -> None:
    assert new_question(rewrite, ORIGINAL, answer) == (rewrite if reason is None else Dropped(reason))


ALIKE = [
    (r"Compute $\frac{1}{2} + x^2$.", r"Compute \(\dfrac{1}{2}+x^{2}\)."),
    (r"Compute $2 \cdot 3$ for $x \leq y$.", r"**Compute** \[2 \times 3\] for \(x \le y\)"),
    (r"What is the greatest common divisor of $12$ and $18$?", "What is the greatest common factor of 12 and 18?"),
]

IN_ANOTHER_ORDER = [
    "Bob has 3 green pears. Ann has 5 red apples. How many fruits do they have?",
    "How many fruits do they have? Ann has 5 red apples. Bob has 3 green pears.",
    "Bob has 3 green pears, Ann has five red apples. How many fruits do they have?",
]


@pytest.mark.parametrize("rewrite", IN_ANOTHER_ORDER)
def test_the_same_sentences_in_another_order_change_nothing(rewrite: str) -> None:
    original = "Ann has 5 red apples. Bob has 3 green pears. How many fruits do they have?"
    assert new_question(rewrite, original) == Dropped("unchanged")
    told = f"At the market, a beekeeper asks her friends a riddle. {rewrite}"
    assert new_question(told, original) == told


def test_words_and_formulas_of_one_formula_are_a_question() -> None:
    rewrite = r"\[ \text{A beekeeper has } 3 \text{ crates of } x^2 \text{ jars each. How many jars are there?} \]"
    assert unwrapped(rewrite) == "A beekeeper has 3 crates of $x^2$ jars each. How many jars are there?"


@pytest.mark.parametrize(("original", "rewrite"), ALIKE)
def test_other_typesetting_and_a_few_words_change_nothing(original: str, rewrite: str) -> None:
    assert new_question(rewrite, original) == Dropped("unchanged")


IN_ITS_LANGUAGE = [
    (
        "Eine Kiste fasst 12 Stifte. Wie viele Stifte sind in 3 Kisten?",
        "Eine Imkerin füllt 3 Kisten mit je 12 Gläsern. Wie viele Gläser sind es?",
    ),
    ("一个盒子装12支钢笔。3个盒子装多少支钢笔?", "养蜂人装满3个箱子, 每箱12罐。一共有多少罐?"),
    ("Oblicz $2+3$.", "Pszczelarz pyta: oblicz $2+3$."),
]


@pytest.mark.parametrize(("original", "rewrite"), IN_ITS_LANGUAGE)
def test_a_rewrite_stays_in_the_language_of_its_original(original: str, rewrite: str) -> None:
    assert new_question(rewrite, original) == rewrite
    if len(original) > 20:
        assert new_question(QUESTION, original) == Dropped("in another language")


def test_the_reference_answer_may_be_a_number_of_the_original() -> None:
    original = "Ann has 3 pens and gets 0 more. How many pens has she?"
    rewrite = "How many jars does a beekeeper have? She has 3 jars and gets 0 more."
    assert new_question(rewrite, original, "3") == rewrite
    assert new_question(f"{rewrite} Therefore, she has 3 jars.", original, "3") == Dropped("tells the answer")


@pytest.mark.parametrize("answer", [r"\frac{3}{4}", r"\dfrac34", "0.75", r"\$0.75"])
def test_the_reference_answer_is_found_in_other_forms(answer: str) -> None:
    rewrite = "A beekeeper sells her jars one by one. What share has she sold? She has sold $\\frac{3}{4}$ of them."
    assert new_question(rewrite, "Ann sells a quarter of her pens each day for 3 days.", answer) == Dropped(
        "tells the answer"
    )


def test_real_questions_and_sound_rewrites_of_them_are_hardly_ever_dropped(data: Path) -> None:
    sources = [ProblemSource.parse(f"{name}:{data}/{name}/train.jsonl") for name in ("gsm8k", "math")]
    problems = {one.question: one for one in read_problems(sources) if isinstance(one, Problem)}
    questions = random.Random(0).sample([*problems], REWRITES)
    told = [(q, f"A beekeeper who sells honey on the market is asked the following. {q}") for q in questions]
    sound = [(one.seed_problem, one.problem) for one in planted(questions, REWRITES, 1) if one.corruption is None]
    assert len(told) == len(sound) == REWRITES
    for rewrites in (told, sound):
        found = Counter[str]()
        for original, rewrite in rewrites:
            question = new_question(rewrite, original, problems[original].answer)
            found[question.reason if isinstance(question, Dropped) else "usable"] += 1
        dropped = len(rewrites) - sum(found[reason] for reason in ("usable", "unchanged", "equal to the original"))
        assert dropped == 0, found


NUMBERS = [
    ("eighty and fifty", {80, 50}),
    ("ten three-minute songs", {10, 3}),
    ("one thousand four hundred and seven and nine hundred and three", {1407, 903}),
    ("twenty-five of sixty four", {25, 64}),
    (r"1,250 and \frac{3}{4} and 2.5", {1250, Fraction(3, 4), Fraction(5, 2)}),
    ("every fourth day", {4}),
    ("装满3个箱子", {3}),
]


@pytest.mark.parametrize(("text", "values"), NUMBERS)
def test_numbers_are_read_by_value(text: str, values: set[Fraction]) -> None:
    assert numbers(text) == values


def test_a_figure_must_come_through_unchanged() -> None:
    original = f"What is the length of the segment? {FIGURE}"
    kept = f"An architect asks for the length of this wall. {FIGURE}"
    respaced = kept.replace("\n", "\n\n  ")
    assert new_question(kept, original) == kept
    assert new_question(respaced, original) == respaced
    assert new_question("An architect asks for the length of a wall.", original) == Dropped("figure lost or changed")
    assert new_question(kept.replace("(1,0)", "(2,0)"), original) == Dropped("figure lost or changed")


@pytest.mark.parametrize(
    "piece", ["A", "A-", "\n", "> ", "so, ", "(A)", "[asy]", "$", '"', "to find we ", "Original: x\n", "3 = "]
)
def test_a_long_completion_without_sense_takes_no_time(piece: str) -> None:
    start = time.perf_counter()
    new_question(piece * (4_000 // len(piece)), ORIGINAL, "36")
    assert time.perf_counter() - start < 2


@given(st.text(max_size=400))
def test_any_completion_gives_a_question_or_a_reason(completion: str) -> None:
    result = new_question(completion, ORIGINAL)
    if isinstance(result, str):
        assert result and result in completion
        assert new_question(result, ORIGINAL) == result
