"""What a completion's answer is: reasoning and marks as servers leave them in the content."""

import json
import random
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personamath import completion
from personamath.completion import Reading, mark_in, read_completion

ANSWER = "There are 3 boxes.\n\nSo it is $\\boxed{36}$, as 0 < |x| < 40."

REASONING = [
    "<think>\nIs it $\\boxed{3}$?\n</think>\n\n{}",
    "<think></think>{}",
    "<think>a</think>\n<think>b</think>{}",
    "<think>I open <think> twice.</think>{}",
    "<think>a <think>b</think> c</think>{}",
    # opened by the template
    "Is it 3?\n</think>\n\n{}",
    "a </think> b </think>{}",
    # other names and brackets
    "<thinking>a</thinking>{}",
    "<Thinking>a</THINKING>{}",
    "<thinking>(\n a\n)<\\thinking>\n{}",
    "<reasoning>a</reasoning>\n{}",
    "<thought>a</thought>{}",
    "<analysis>a</analysis>{}",
    "<seed:think>a</seed:think>{}",
    "<longcat_think>a</longcat_think>{}",
    "<antThinking>a</antThinking>{}",
    "<thought_process>a</thought_process>{}",
    "<reasoning_content>a</reasoning_content>{}",
    "<scratch_pad>a</scratch_pad>{}",
    '<think time="3">a</think>{}',
    "<ctrl94>thought\na<ctrl95>{}",
    "&lt;think&gt;a&lt;/think&gt;{}",
    "<reflection>a</reflection>{}",
    "<inner_thoughts>a</inner_thoughts>{}",
    "<chain-of-thought>a</chain-of-thought>{}",
    "<cot>a</cot>{}",
    "<rationale>a</rationale>{}",
    "<plan>a</plan>{}",
    "<seed:cot_budget_reflect>a</seed:cot_budget_reflect>{}",
    "<think/>{}",
    "\\<think\\>a\\</think\\>{}",
    "＜think＞a＜/think＞{}",
    "[THINK]a[/THINK]{}",
    "[thinking]a[/thinking]{}",
    "[BEGIN_OF_THOUGHT]a[END_OF_THOUGHT]{}",
    "【think】a【/think】{}",
    "<｜begin▁of▁thinking｜>a<｜end▁of▁thinking｜>{}",
    "<|reasoning_start|>a<|reasoning_end|>{}",
    "<|im_start|>think\na<|im_start|>answer\n{}",
    # folded
    "```thinking\na\n```\n{}",
    '<details type="reasoning" done="true">\n<summary>Thought for 3 s</summary>\n> a\n</details>\n{}',
    "◁think▷a◁/think▷{}",
    "<|begin_of_thought|>a<|end_of_thought|>{}",
    "<unused94>thought\na<unused95>{}",
    "<|channel>thought\na<channel|>{}",
    "Here is my thought process: a\n\nHere is my response:\n{}",
    # channels
    "<|channel|>analysis ... <|channel|>final<|message|>{}",
    "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>{}",
    "<|channel|>analysis<|message|>a<|end|><|channel|>commentary<|message|>b<|end|><|channel|>final<|message|>{}",
    "<|channel|>final<|message|>{}",
    "analysisWe need 3 * 12.assistantfinal{}",
    # with the answer in tags of its own
    "<think>a</think>\n<answer>{}</answer>",
    "<think>a</think><answer>\n{}",
]
MARKS = [
    "{}<|im_end|>",
    "{}\n<|im_end|>\n",
    "{}</s>",
    "{}<|eot_id|>",
    "{}<|endoftext|>",
    "{}<|end_of_text|></s>",
    "{}<end_of_turn>\n",
    "{}<eos>",
    "{}<｜end▁of▁sentence｜>",
    "assistant\n{}",
    "assistant\n\n{}",
    "Assistant:\n{}",
    "Assistant: {}",
    "model\n{}",
    "<|im_start|>assistant\n{}<|im_end|>",
    "<|start_header_id|>assistant<|end_header_id|>\n\n{}<|eot_id|>",
    "<start_of_turn>model\n{}<end_of_turn>",
    "<|assistant|>\n{}",
    "<s> {}</s>",
    "<|assistant|>: {}",
    "[|assistant|]{}[|endofturn|]",
    "<im_start>assistant\n{}<im_end>",
    "<role>ASSISTANT</role>{}<|role_end|>",
    "<SPECIAL_11>Assistant\n{}",
    "]~b]ai\n{}[e~[",
    "[gMASK]<sop>{}",
    "GPT4 Correct Assistant: {}<|end_of_turn|>",
    "### Response:\n{}",
    "{}<unk>",
    "{}<eot>",
    "{}<0x0A>",
    "{} [EOS]",
    # a token that the limit cut
    "{}<|im_end",
    "{}<|eot_id|",
    "{}<end_of_turn",
    "[/INST] {}",
    # another turn behind the answer
    "{}<|im_end|>\n<|im_start|>user\nAnd what is $\\boxed{4}$?<|im_end|>",
    "{}\nuser\nAnd what is next?",
    "{}\n\nHuman: And what is next?",
    "{}\n\n### Instruction:\nWhat is next?",
    "{} [INST] And what is next? [/INST] 4",
]
BOTH = [
    "<|im_start|>assistant\n<think>\na\n</think>\n\n{}<|im_end|>",
    "<think>a</think>\n\nassistant\n{}",
    "<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>{}<|END_RESPONSE|>",
    "<|begin_of_thought|>a<|end_of_thought|>\n<|begin_of_solution|>{}<|end_of_solution|>",
    "<|start|>assistant<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>{}<|return|>",
]


@pytest.mark.parametrize("form", REASONING)
def test_reasoning_is_taken_off(form: str) -> None:
    reading = read_completion(form.replace("{}", ANSWER))
    assert reading._replace(thoughts=()) == Reading(ANSWER, reasoning=True)


@pytest.mark.parametrize("form", MARKS)
def test_marks_of_a_chat_template_are_taken_off(form: str) -> None:
    assert read_completion(form.replace("{}", ANSWER)) == Reading(ANSWER, marks=True)


@pytest.mark.parametrize("form", BOTH)
def test_both_come_off_in_any_order(form: str) -> None:
    reading = read_completion(form.replace("{}", ANSWER))
    assert reading._replace(thoughts=()) == Reading(ANSWER, reasoning=True, marks=True)


THOUGHTS = [
    ("<think>\nIs it $\\boxed{3}$?\n</think>\n\n{}", ("Is it $\\boxed{3}$?",)),
    ("Is it 3?\n</think>\n\n{}", ("Is it 3?",)),
    ("<think>a</think>\n<think>b</think>{}", ("a", "b")),
    ("a </think> b </think>{}", ("a", "b")),
    ("<think></think>{}", ()),
    ("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>{}", ("a",)),
    ("analysisWe need 3 * 12.assistantfinal{}", ("We need 3 * 12.",)),
    ("<|im_start|>assistant\n<think>\na\n</think>\n\n{}<|im_end|>", ("a",)),
    ("<think>a</think>\n<answer>{}</answer>", ("a",)),
    ("First. {} <think>Or?", ("Or?",)),
    ("{}", ()),
]


@pytest.mark.parametrize(("form", "thoughts"), THOUGHTS)
def test_what_is_taken_off_is_told_without_its_marks(form: str, thoughts: tuple[str, ...]) -> None:
    assert read_completion(form.replace("{}", ANSWER)).thoughts == thoughts


CUT = [
    "<think>It may be",
    "<think lang=en>It may be",
    "<longcat_think>It may be",
    "Hm. [THINK] It may be",
    "<|channel|>analysis<|message|>It may be",
    f"{ANSWER} <think>Or?",
]


@pytest.mark.parametrize("completion", CUT)
def test_reasoning_that_never_ends_leaves_no_answer(completion: str) -> None:
    reading = read_completion(completion)
    assert not reading.whole and reading.reasoning and reading.answer == ""


@pytest.mark.parametrize(
    "again", ["assistant\n", "<|im_start|>assistant\n", "Assistant: ", "<think>a</think>", "<answer>"]
)
def test_a_model_that_repeats_a_mark_is_read_at_once(again: str) -> None:
    started = time.process_time()
    assert not read_completion("<think>a</think>" + again * 5_000).answer
    assert time.process_time() - started < 2


UNTOUCHED = [
    ANSWER,
    f"  {ANSWER}\n",
    "",
    "I think 3 < 4 and 5 > 4, for this reason: it is so.",
    "The [reason] and the (think) are words. $a <s> b$".replace("<s>", "< s >"),
    "Assistants of 12 users: user 3 is a model.",
    "A model of the assistant\nhas 3 parts.",
    "$|x|<|y|<|zz|>|w|$",
    "$r<s>2$ and r<s>t",
    "In triangle $BOS$, find $[BOS]$ and [EOS]",
    "He says [thinking] it is 3.",
    "Human: a person. The assistant: her aid.",
]


@pytest.mark.parametrize("text", UNTOUCHED)
def test_a_text_without_marks_comes_back_as_it_is(text: str) -> None:
    assert read_completion(text) == Reading(text)
    assert mark_in(text) is None


SAMPLE = 1_500
"""Rows of each file: of 6,000, a fault of one in 2,000 is found nineteen times in twenty."""


def test_no_real_problem_and_no_real_solution_holds_a_mark(data: Path) -> None:
    for name in ("gsm8k/train", "gsm8k/test", "math/train", "math/test"):
        lines = (data / f"{name}.jsonl").read_text().strip().split("\n")
        for line in random.Random(0).sample(lines, min(SAMPLE, len(lines))):
            for text in json.loads(line).values():
                assert read_completion(str(text)) == Reading(str(text))
                assert mark_in(str(text)) is None


PIECES = [
    "<think>",
    "</think>",
    "<|im_end|>",
    "<|channel|>analysis",
    "<|channel|>final<|message|>",
    "assistant\n",
    "user\n",
]


@given(
    st.lists(
        st.sampled_from([*PIECES, "[THINK]", "[/THINK]", "</s>", "<s", "|>", "<|im_", "th", "\n", "a ", "<answer>"])
    )
)
def test_no_answer_holds_a_mark(pieces: list[str]) -> None:
    reading = read_completion("".join(pieces))
    if reading.whole:
        assert mark_in(reading.answer) is None
        assert read_completion(reading.answer).answer == reading.answer


BITS = (
    *(
        "<",
        "＜",
        "&lt;",
        "[",
        "/",
        "\\",
        "|",
        "｜",
        ">",
        "]",
        "~",
        "b",
        "e",
        "#",
        "##",
        ":",
        ".",
        "\n",
        " ",
        "1",
        "5 ",
        "a",
    ),
    *("think", "/think", "4think", "thought", "THINK", "BEGIN_OF_THINK", "unused94", "ctrl95", "channel|>", "im_start"),
    *("s>", "ſ>", "0x0A>", "eos>", "EOS]", "PAD]", "unused3]", "gMASK]", "INST]", "SYS>>", "role> me </role>", "_bot>"),
    *("user", "Human:", "### Response:", "response: ", "Here is my response: ", "【think】", "◁/think▷", "```think\n"),
)


@given(st.lists(st.sampled_from([*PIECES, *BITS, *UNTOUCHED])).map("".join))
def test_a_quick_look_misses_nothing_that_the_patterns_find(text: str) -> None:
    for quick, patterns in (
        (completion._MAY_MARK, [completion._OPENS, completion._CLOSES]),
        (completion._MAY_HOLD_SPECIAL, [completion._SPECIAL_TOKEN]),
        (completion._MAY_END, [completion._END]),
    ):
        assert quick.search(text) or not any(pattern.search(text) for pattern in patterns)
    assert (mark_in(text) is None) == (completion._MARK.search(text) is None)
