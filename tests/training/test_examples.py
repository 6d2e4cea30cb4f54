"""Labels against the reference, for every kind of tokenizer, on what differs among the rows of GSM8K and MATH."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from personamath.errors import BadInput
from personamath.training.examples import IGNORED, Example, PromptFormat, make_examples
from personamath.training.prompts import alpaca
from personamath.training.vocabulary import generation_config, prepare
from tests.support.tiny_models import KINDS, TokenizerKind, make_tokenizer

ROOM = 1_000_000


class Texts(NamedTuple):
    problems: list[str]
    responses: list[str]


EVERY = 50


@pytest.fixture(scope="module")
def texts(data: Path) -> Texts:
    """Of the training rows of GSM8K and MATH, one of each kind that labels could differ by; and one of each 50 others.

    Labels begin where the prompt and the first characters of a response meet, and end at its last ones.
    """
    seen: list[set[Any]] = [set(), set(), set(), set()]
    problems, responses = [], []
    for name, columns in (("gsm8k", ("question", "answer")), ("math", ("problem", "solution"))):
        with (data / name / "train.jsonl").open(encoding="utf-8") as lines:
            for number, row in enumerate(map(json.loads, lines)):
                problem, response = (row[column] for column in columns)
                kinds = [response.strip()[:2], response.strip()[-2:], spaces(problem, response)]
                kinds.append(frozenset(one for one in problem + response if not one.isascii()))
                if number % EVERY == 0 or any(kind not in known for kind, known in zip(kinds, seen, strict=True)):
                    problems.append(problem)
                    responses.append(response)
                for kind, known in zip(kinds, seen, strict=True):
                    known.add(kind)
    return Texts(problems, responses)


def spaces(*texts: str) -> tuple[str, ...]:
    """The white space around texts."""
    return tuple(side for text in texts for side in text.split(text.strip()))


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request: pytest.FixtureRequest, texts: Texts) -> Any:
    return made(request.param, texts.problems[::6] + texts.responses[::6] + [alpaca(":The")] * 500)


def made(kind: TokenizerKind, corpus: Sequence[str]) -> Any:
    tokenizer = make_tokenizer(kind, corpus)
    prepare(tokenizer, Config(len(tokenizer)), kind)
    return tokenizer


class Config:
    """What is asked of a model's config."""

    def __init__(self, vocab_size: int) -> None:
        self.vocab_size = vocab_size

    def get_text_config(self) -> "Config":
        return self


def reference_paper(tokenizer: Any, texts: Texts) -> Iterator[tuple[list[int], list[int]]]:
    """Stanford Alpaca's `preprocess`, which the release uses: the whole and the source alone, tokenized as strings."""
    whole = [
        alpaca(problem) + response + tokenizer.eos_token
        for problem, response in zip(texts.problems, texts.responses, strict=True)
    ]
    sources = [alpaca(problem) for problem in texts.problems]
    own = adds_eos(tokenizer)  # the reference never met a tokenizer that adds an EOS itself
    for ids, source in zip(tokenizer(whole)["input_ids"], tokenizer(sources)["input_ids"], strict=True):
        ids, length = ids[: len(ids) - own], len(source) - own
        yield ids, [IGNORED] * length + ids[length:]


def reference_clean(tokenizer: Any, texts: Texts) -> Iterator[tuple[list[int], list[int]]]:
    """By character: a label is what stands after the prompt's last character, in one tokenization of the whole."""
    whole = [
        f"{alpaca(problem)} {response.strip()}{tokenizer.eos_token}"
        for problem, response in zip(texts.problems, texts.responses, strict=True)
    ]
    encoded, own = tokenizer(whole, return_offsets_mapping=True), adds_eos(tokenizer)
    for problem, ids, offsets in zip(texts.problems, encoded["input_ids"], encoded["offset_mapping"], strict=True):
        kept = len(ids) - own
        border = len(alpaca(problem))
        yield (
            ids[:kept],
            [token if end > border else IGNORED for token, (_, end) in zip(ids[:kept], offsets[:kept], strict=True)],
        )


def adds_eos(tokenizer: Any) -> int:
    return int(tokenizer("a")["input_ids"][-1] == tokenizer.eos_token_id)


REFERENCES = {"paper": reference_paper, "clean": reference_clean}


@pytest.mark.parametrize("prompt_format", ["paper", "clean"])
def test_ids_and_labels_are_the_references(prompt_format: PromptFormat, tokenizer: Any, texts: Texts) -> None:
    examples = make_examples(texts.problems, texts.responses, tokenizer, prompt_format, ROOM)

    for number, (example, (ids, labels)) in enumerate(
        zip(examples, REFERENCES[prompt_format](tokenizer, texts), strict=True)
    ):
        assert example == Example(ids, labels, truncated=False), f"row {number}"
        # Exactly one EOS, at the end, learned; exactly one BOS where the tokenizer has one.
        assert ids.count(tokenizer.eos_token_id) == 1
        assert ids[-1] == labels[-1] == tokenizer.eos_token_id
        if tokenizer.bos_token_id is not None:
            assert ids.count(tokenizer.bos_token_id) == 1
            assert ids[0] == tokenizer.bos_token_id


def test_clean_trains_on_the_very_tokens_of_the_evaluation_prompt(tokenizer: Any, texts: Texts) -> None:
    sample = Texts(texts.problems[::3], texts.responses[::3])
    examples = make_examples(*sample, tokenizer, "clean", ROOM)
    prompts = tokenizer([alpaca(problem) for problem in sample.problems])["input_ids"]

    for example, prompt in zip(examples, prompts, strict=True):
        assert isinstance(example, Example)
        prompt = prompt[: len(prompt) - adds_eos(tokenizer)]
        assert example.input_ids[: len(prompt)] == prompt
        assert all(label == IGNORED for label in example.labels[: len(prompt)])
        assert example.labels[len(prompt) :] == example.input_ids[len(prompt) :]


def merging_tokenizer() -> Any:
    """A vocabulary in which the prompt's colon and a response's first word are one token, as Qwen2.5's `:The`."""
    return made("byte-level BPE", ["Response:The answer is 4. " * 50, alpaca("What?") * 50])


def test_a_token_merged_over_the_border_is_masked_in_paper_and_not_there_in_clean() -> None:
    tokenizer = merging_tokenizer()
    [paper] = make_examples(["What?"], ["The answer is 4."], tokenizer, "paper", ROOM)
    [clean] = make_examples(["What?"], ["The answer is 4."], tokenizer, "clean", ROOM)

    assert isinstance(paper, Example)
    assert isinstance(clean, Example)
    learned = {name: tokenizer.decode([t for t in row.labels if t >= 0]) for name, row in (("p", paper), ("c", clean))}
    assert not learned["p"].startswith("The")  # the merged token went with the prompt
    assert learned["c"] == " The answer is 4." + tokenizer.eos_token


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated")  # TRL sets the old name
def test_trls_prompt_and_completion_columns_would_fail_the_label_test(tmp_path: Path) -> None:
    """Why rows are given as ids: on such a vocabulary TRL trains on the merged token and cuts the prompt's colon."""
    import datasets
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig, SFTTrainer

    from tests.support.tiny_models import write_model

    tokenizer = merging_tokenizer()
    folder = write_model(tmp_path / "base", tokenizer)
    rows = datasets.Dataset.from_dict({"prompt": [alpaca("What?")], "completion": ["The answer is 4."]})
    options = SFTConfig(str(tmp_path), use_cpu=True, bf16=False, report_to="none", max_length=None)
    trainer = SFTTrainer(AutoModelForCausalLM.from_pretrained(folder), options, None, rows, processing_class=tokenizer)
    [reference] = reference_paper(tokenizer, Texts(["What?"], ["The answer is 4."]))

    labels = trainer.train_dataset[0]["labels"]
    border = next(place for place, label in enumerate(reference[1]) if label != IGNORED)
    assert labels != reference[1]
    assert labels[border - 1] != IGNORED  # the word that the reference masks with the colon


FITTING = 4  # tokens that are taken away from what a row needs


@pytest.mark.parametrize(
    ("problem", "response", "prompt_format", "short_by", "result"),
    [
        ("What?", "It is $\\boxed{4}$.", "clean", 0, "used"),
        ("What?", "It is $\\boxed{4}$.", "clean", 1, "longer than max_length"),
        ("What?", "It is $\\boxed{4}$.", "paper", FITTING, "used"),
        ("What?", "It is $\\boxed{4}$.", "paper", 1_000, "no response within max_length"),
        ("What?", "", "clean", 0, "empty"),
        ("What?", " \n", "paper", 0, "empty"),
        ("", "It is 4.", "clean", 0, "empty"),
        (" \n", "It is 4.", "paper", 0, "empty"),
        (None, "It is 4.", "clean", 0, "no text"),
        ("What?", None, "paper", 0, "no text"),
        ("What?", 4, "clean", 0, "no text"),
        (["What?"], "It is 4.", "clean", 0, "no text"),
        ("What?", "It is <|endoftext|> 4.", "clean", 0, "special token in the text"),
        ("What is <|endoftext|>?", "It is 4.", "paper", 0, "special token in the text"),
    ],
)
def test_rows_that_do_not_fit(
    problem: Any, response: Any, prompt_format: PromptFormat, short_by: int, result: str
) -> None:
    tokenizer = merging_tokenizer()
    [whole] = make_examples(["What?"], ["It is $\\boxed{4}$."], tokenizer, prompt_format, ROOM)
    assert isinstance(whole, Example)
    room = max(len(whole.input_ids) - short_by, 1) if result != "special token in the text" else ROOM

    [made] = make_examples([problem], [response], tokenizer, prompt_format, room)

    if result == "used":
        assert isinstance(made, Example)
        assert made.input_ids == whole.input_ids[:room]
        assert made.labels == whole.labels[:room]
        assert made.truncated == (short_by > 0)
    else:
        assert made == result


class Odd:
    """A tokenizer with one thing wrong."""

    def __init__(self, **changes: Any) -> None:
        self.eos_token_id, self.eos_token = 2, "</s>"
        self.bos_token_id = 1
        self.pad_token: str | None = None
        self.vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2, "a": 3}
        self.ids = [1, 3]
        self.padding_side = "left"
        vars(self).update(changes)

    def __call__(self, text: str) -> dict[str, list[int]]:
        return {"input_ids": self.ids}

    def get_vocab(self) -> dict[str, int]:
        return self.vocabulary


@pytest.mark.parametrize(
    ("tokenizer", "rows", "error"),
    [
        (Odd(eos_token_id=None), 4, "no EOS"),
        (Odd(), 3, "token 3, its embeddings only 3 rows"),
        (Odd(ids=[1, 1, 3]), 4, "adds BOS 2 times"),
    ],
)
def test_a_tokenizer_that_cannot_train_is_refused(tokenizer: Odd, rows: int, error: str) -> None:
    with pytest.raises(BadInput, match=error):
        prepare(tokenizer, Config(rows), "me/model")


@pytest.mark.parametrize(
    ("vocabulary", "own", "padding"),
    [
        ({"</s>": 2, "<unk>": 0}, None, "<unk>"),  # LLaMA-2
        ({"</s>": 2, "<|finetune_right_pad_id|>": 3}, None, "<|finetune_right_pad_id|>"),  # LLaMA-3.1
        ({"</s>": 2, "<|fim_pad|>": 3}, "</s>", "<|fim_pad|>"),  # Qwen2.5's own is its EOS
        ({"</s>": 2, "<mine>": 3, "<pad>": 4}, "<mine>", "<mine>"),
        ({"</s>": 2}, None, "</s>"),  # nothing else: padding is never a label
    ],
)
def test_padding_is_not_eos_where_the_vocabulary_allows(
    vocabulary: dict[str, int], own: str | None, padding: str
) -> None:
    tokenizer = Odd(vocabulary=vocabulary, pad_token=own)
    prepare(tokenizer, Config(10), "me/model")
    assert tokenizer.pad_token == padding
    assert tokenizer.padding_side == "right"


def test_generation_stops_at_the_eos_that_was_trained(tokenizer: Any) -> None:
    config = generation_config(tokenizer)
    assert config.eos_token_id == tokenizer.eos_token_id
    assert config.pad_token_id == tokenizer.pad_token_id != tokenizer.eos_token_id
    assert not config.do_sample
