"""The chat template of a fine-tuned model: in other people's tools, chats give it the tokens of training."""

from pathlib import Path
from typing import Any

import pytest
from jinja2.exceptions import TemplateError

from personamath.errors import BadInput
from personamath.training.chat_template import chat_fault, set_chat_template, write_chat_template
from personamath.training.examples import IGNORED, Example, make_examples
from personamath.training.prompts import ALPACA, alpaca
from personamath.training.vocabulary import adds_bos, prepare, set_tokens
from tests.support.model_folders import RECORD
from tests.support.tiny_eval import AFTER_PROMPT
from tests.support.tiny_eval import write_model as write_model_that_says
from tests.support.tiny_models import KINDS, TokenizerKind, make_tokenizer, write_model

CHATML = "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
PROBLEMS = (
    "What is 9 + 9?",
    r"Find $\frac{a}{b}$ if {{ a }} = '1' and b = \"2\".",
    " Leading, and a line\nend \n",
    "√2?",
)
RESPONSE = r"We add. It is $\boxed{18}$."


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request: pytest.FixtureRequest) -> Any:
    """Of each kind that base models have; the one like Qwen2.5's brings ChatML, as Qwen2.5's does."""
    kind: TokenizerKind = request.param
    made = make_tokenizer(kind, [alpaca(problem) + " " + RESPONSE for problem in PROBLEMS] * 20)
    if kind == "byte-level BPE":
        made.chat_template = CHATML
    return made


def user(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


def assistant(content: object) -> dict[str, object]:
    return {"role": "assistant", "content": content}


def trained(tokenizer: Any, problem: str) -> list[int]:
    """The tokens of the prompt in training, which are those of the tasks: BOS where the tokenizer adds one, no EOS."""
    ids: list[int] = tokenizer(alpaca(problem))["input_ids"]
    return ids[:-1] if ids[-1] == tokenizer.eos_token_id else ids


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_problem_is_rendered_as_the_prompt_and_gives_its_tokens(tokenizer: Any, problem: str) -> None:
    set_chat_template(tokenizer, "clean")
    text = tokenizer.apply_chat_template([user(problem)], tokenize=False, add_generation_prompt=True)
    assert text.removeprefix(tokenizer.bos_token if adds_bos(tokenizer) else "").lstrip(" ") == alpaca(problem)
    for asked in (True, False):  # the prompt ends in `### Response:` in any case
        chat = tokenizer.apply_chat_template([user(problem)], add_generation_prompt=asked)
        assert chat["input_ids"] == trained(tokenizer, problem)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_an_answered_problem_gives_the_tokens_and_labels_of_its_example(tokenizer: Any, problem: str) -> None:
    set_chat_template(tokenizer, "clean")
    (example,) = make_examples([problem], [RESPONSE], tokenizer, "clean", 10_000)
    chat = tokenizer.apply_chat_template(
        [user(problem), assistant(RESPONSE)], return_dict=True, return_assistant_tokens_mask=True
    )
    assert isinstance(example, Example) and chat["input_ids"] == example.input_ids
    assert [bool(mask) for mask in chat["assistant_masks"]] == [label != IGNORED for label in example.labels]


def test_the_papers_format_has_no_space_before_the_response(tokenizer: Any) -> None:
    set_chat_template(tokenizer, "paper")
    (example,) = make_examples(["1 + 1?"], [RESPONSE], tokenizer, "paper", 10_000)
    chat = tokenizer.apply_chat_template([user("1 + 1?"), assistant(RESPONSE)])
    assert isinstance(example, Example) and chat["input_ids"] == example.input_ids


SYSTEM = {"role": "system", "content": "Be brief."}
REFUSED = {
    "a system message": ([SYSTEM, user("1 + 1?")], "no system message"),
    "a developer's message": ([SYSTEM | {"role": "developer"}, user("1 + 1?")], "no system message"),
    "an answer first": ([assistant("2"), user("1 + 1?")], "one user message"),
    "a second problem": ([user("1 + 1?"), assistant("2"), user("2 + 2?")], "continues no conversation"),
    "two problems": ([user("1 + 1?"), user("2 + 2?")], "continues no conversation"),
    "an answer to an answer": ([user("1 + 1?"), assistant("2")], "nothing to generate"),
    "a picture": ([user([{"type": "image"}])], "text only"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_model_was_not_trained_on_is_an_error(tokenizer: Any, case: str) -> None:
    set_chat_template(tokenizer, "clean")
    messages, said = REFUSED[case]
    with pytest.raises(TemplateError, match=said):
        tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def test_a_saved_tokenizer_brings_the_template_instead_of_its_bases(tokenizer: Any, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer.chat_template = CHATML
    assert "instead of the trained prompt" in str(chat_fault(tokenizer, ALPACA))
    set_chat_template(tokenizer, "clean")
    tokenizer.save_pretrained(tmp_path)
    saved = AutoTokenizer.from_pretrained(tmp_path)
    assert saved.chat_template == tokenizer.chat_template != CHATML
    assert chat_fault(saved, ALPACA) is None


def test_a_model_of_before_is_given_its_template(tokenizer: Any, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer.chat_template = CHATML
    tokenizer.save_pretrained(tmp_path)
    RECORD.write(tmp_path)
    write_chat_template(tmp_path)
    assert chat_fault(AutoTokenizer.from_pretrained(tmp_path), RECORD.prompt.training) is None


class Misspelt:
    """A tokenizer that gives other tokens where its BOS is written out."""

    bos_token, bos_token_id, eos_token_id, chat_template = "<s>", 1, 2, ""

    def __call__(self, text: str, add_special_tokens: bool = True) -> dict[str, list[int]]:
        return {"input_ids": [1, *map(ord, text)] if add_special_tokens else [7]}

    def apply_chat_template(self, *_: object, **__: object) -> str:
        return ""


def test_a_tokenizer_that_no_template_fits_is_refused() -> None:
    with pytest.raises(BadInput, match="no chat template gives the prompt's tokens"):
        set_chat_template(Misspelt(), "clean")


@pytest.fixture(scope="module")
def model(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder as fine-tuning leaves it, with random weights: another prompt gives another completion."""
    from transformers import AutoModelForCausalLM

    folder = write_model(tmp_path_factory.mktemp("model") / "model", tokenizer)
    model = AutoModelForCausalLM.from_pretrained(folder)
    prepare(tokenizer, model.config, "model")
    set_tokens(model, tokenizer)
    set_chat_template(tokenizer, "clean")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_the_pipeline_gives_the_model_the_trained_tokens(model: Path) -> None:
    from transformers import AutoTokenizer, pipeline

    seen: list[list[int]] = []

    def look(input_ids: Any, scores: Any) -> Any:
        seen.append(input_ids[0].tolist())
        return scores

    generate = pipeline("text-generation", model=str(model), device="cpu")
    generate([user(PROBLEMS[0])], max_new_tokens=1, logits_processor=[look])
    assert seen == [trained(AutoTokenizer.from_pretrained(model), PROBLEMS[0])]


def test_lm_eval_gives_the_model_the_tokens_of_our_tasks(model: Path) -> None:
    """A task that asks the bare question, with --apply_chat_template, against one that asks our prompt."""
    from lm_eval.models.huggingface import HFLM

    harness = HFLM(pretrained=str(model), device="cpu", dtype="float32")
    chat = harness.apply_chat_template([{"role": "user", "content": PROBLEMS[0]}])
    found, _ = harness.tok_batch_encode([chat])
    assert found[0].tolist() == trained(harness.tokenizer, PROBLEMS[0])
    if harness.tokenizer("a")["input_ids"][-1] != harness.tokenizer.eos_token_id:
        ours, _ = harness.tok_batch_encode([alpaca(PROBLEMS[0])])
        assert found.tolist() == ours.tolist()


def test_a_chat_ends_at_the_trained_eos(tmp_path: Path) -> None:
    from transformers import AutoTokenizer, pipeline

    folder = write_model_that_says(tmp_path, {AFTER_PROMPT: [RESPONSE]})
    tokenizer = AutoTokenizer.from_pretrained(folder)
    set_chat_template(tokenizer, "clean")
    generate = pipeline("text-generation", model=str(folder), tokenizer=tokenizer, device="cpu")
    (answer,) = generate([user("What is 9 + 9?")], max_new_tokens=50)
    assert answer["generated_text"][-1] == {"role": "assistant", "content": RESPONSE}
