"""The attention of a run, chosen from the base model's config: on models of each kind that people fine-tune."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from personamath.training.attention import FLASH, NAME, Flash, choose, find_flash, register

VOCABULARY, WINDOW = 50, 4
SMALL: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": None,
    "eos_token_id": 1,
}


def llama() -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(**SMALL, tie_word_embeddings=True)


def gemma3() -> Any:
    """Every other layer with a window, and tied embeddings."""
    from transformers import Gemma3TextConfig

    return Gemma3TextConfig(**SMALL, sliding_window=WINDOW, layer_types=["sliding_attention", "full_attention"])


def gemma3_with_vision() -> Any:
    """The larger ones of Gemma 3: the text model's config is inside."""
    from transformers import Gemma3Config

    return Gemma3Config(text_config=gemma3())


def gemma2() -> Any:
    from transformers import Gemma2Config

    return Gemma2Config(**SMALL, sliding_window=WINDOW, layer_types=["full_attention"] * 2, attn_logit_softcapping=5.0)


def mistral() -> Any:
    from transformers import MistralConfig

    return MistralConfig(**SMALL, sliding_window=WINDOW)


def mistral_without_a_window() -> Any:
    from transformers import MistralConfig

    return MistralConfig(**SMALL, sliding_window=None)


def qwen2() -> Any:
    """Qwen2.5 states a window and does not use it."""
    from transformers import Qwen2Config

    return Qwen2Config(**SMALL, sliding_window=WINDOW, use_sliding_window=False)


def qwen3_next() -> Any:
    from transformers import Qwen3NextConfig

    return Qwen3NextConfig(
        **SMALL,
        layer_types=["linear_attention", "full_attention"],
        linear_num_key_heads=2,
        linear_num_value_heads=2,
        linear_key_head_dim=8,
        linear_value_head_dim=8,
        num_experts=2,
        num_experts_per_tok=1,
        moe_intermediate_size=16,
        shared_expert_intermediate_size=16,
    )


def lfm2() -> Any:
    from transformers import Lfm2Config

    return Lfm2Config(**SMALL, layer_types=["conv", "full_attention"])


def mamba() -> Any:
    from transformers import MambaConfig

    return MambaConfig(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2)


Config = Callable[[], Any]
CHOICES: list[tuple[Config, str | None, bool, str | None]] = [
    (llama, NAME, True, None),
    (qwen2, NAME, True, None),
    (mistral_without_a_window, NAME, True, None),
    (gemma3, None, True, "gemma3_text has layers with a sliding window"),
    (gemma3_with_vision, None, True, "gemma3 has layers with a sliding window"),
    (gemma2, None, True, "gemma2 has capped attention scores"),
    (mistral, None, True, "mistral has layers with a sliding window"),
    (qwen3_next, None, False, "padding_free is off for qwen3_next: its linear_attention layers"),
    (lfm2, None, False, "padding_free is off for lfm2: its conv layers"),
    (mamba, None, False, "padding_free is off for mamba: its "),
]


@pytest.mark.parametrize(
    ("config", "implementation", "flat", "why"), CHOICES, ids=[each[0].__name__ for each in CHOICES]
)
def test_the_attention_is_chosen_by_the_layers_and_said_in_one_line(
    config: Config, implementation: str | None, flat: bool, why: str | None
) -> None:
    choice = choose(config(), padding_free=True)
    assert (choice.implementation, choice.padding_free) == (implementation, flat)
    assert choice.why is None if why is None else choice.why and choice.why.startswith(why) and "\n" not in choice.why
    assert choose(config(), padding_free=False) == (None, False, None)


def test_an_attention_that_the_recipe_names_is_used() -> None:
    assert choose(gemma3(), padding_free=True, named="eager") == ("eager", True, None)
    assert choose(gemma3(), padding_free=False, named="eager") == ("eager", False, None)
    hybrid = choose(qwen3_next(), padding_free=True, named="eager")
    assert (hybrid.implementation, hybrid.padding_free) == ("eager", False) and hybrid.why


KERNEL = "kernels-community/flash-attn2"


def no_build(kernel: str) -> None:
    raise ValueError("no build\nfor this GPU")


FLASH_FOUND: list[tuple[str, bool, bool, Callable[[str], object], Flash]] = [
    ("cpu", True, True, no_build, Flash(None)),
    ("cuda", False, False, no_build, Flash(None)),
    ("cuda", True, True, no_build, Flash(FLASH)),
    ("cuda", False, True, str, Flash(KERNEL, f"attention is flash-attention, by the kernel {KERNEL} from the Hub")),
]


@pytest.mark.parametrize(("device", "wheel", "kernels", "load", "found"), FLASH_FOUND)
def test_flash_attention_is_the_wheel_else_the_kernel_and_never_on_a_cpu(
    device: str, wheel: bool, kernels: bool, load: Callable[[str], object], found: Flash
) -> None:
    assert find_flash(device, lambda: wheel, lambda: kernels, load) == found


def test_a_kernel_that_cannot_be_loaded_is_said_and_not_used() -> None:
    found = find_flash("cuda", lambda: False, lambda: True, no_build)
    assert found.implementation is None and found.why and "cannot be loaded (" in found.why and "\n" not in found.why
    assert choose(llama(), padding_free=True, device="cuda", find_flash=lambda _: found) == (NAME, True, found.why)


@pytest.mark.parametrize("config", [llama, gemma3, mistral])
def test_the_kernel_is_chosen_where_it_was_found_and_the_model_can_use_it(config: Config) -> None:
    def find(device: str) -> Flash:
        return Flash(KERNEL, f"by the kernel, on {device}")

    chosen = choose(config(), padding_free=True, device="cuda", find_flash=find)
    assert chosen == (KERNEL, True, "by the kernel, on cuda")
    assert choose(config(), True, "eager", device="cuda", find_flash=find) == ("eager", True, None)
    assert choose(qwen3_next(), True, device="cuda", find_flash=find).implementation is None


@contextmanager
def model(config: Config, implementation: str | None) -> Iterator[Any]:
    import torch
    from transformers import AutoModelForCausalLM

    register()
    torch.manual_seed(0)
    with torch.no_grad():
        yield AutoModelForCausalLM.from_config(config(), attn_implementation=implementation).eval()


EXAMPLES = [[5, 6, 7, 8, 9, 10, 11, 12, 13], [14, 15], [16, 17, 18, 19, 20, 21, 22]]
"""Two of them are longer than the window."""


def collated(padding_free: bool) -> dict[str, Any]:
    """A batch as TRL's trainer gives it to the model: without a cache, by which transformers knows it as training."""
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    collate = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=padding_free)
    batch = dict(collate([{"input_ids": ids, "labels": ids} for ids in EXAMPLES]))
    del batch["labels"]
    return batch | {"use_cache": False}


def sum_of_losses(logits: Any, ids: list[int]) -> float:
    import torch

    return float(torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]), reduction="sum"))


def alone(model: Any) -> list[float]:
    import torch

    return [sum_of_losses(model(input_ids=torch.tensor([ids])).logits[0], ids) for ids in EXAMPLES]


def flattened(model: Any) -> list[float]:
    import torch

    parts = torch.split(model(**collated(padding_free=True)).logits[0], [len(ids) for ids in EXAMPLES])
    return [sum_of_losses(logits, ids) for logits, ids in zip(parts, EXAMPLES, strict=True)]


def padded(model: Any) -> list[float]:
    rows = model(**collated(padding_free=False)).logits
    return [sum_of_losses(row[: len(ids)], ids) for row, ids in zip(rows, EXAMPLES, strict=True)]


@pytest.mark.parametrize("config", [llama, qwen2, gemma3, gemma2, mistral])
def test_on_a_flattened_batch_the_chosen_attention_keeps_the_examples_apart(config: Config) -> None:
    with model(config, choose(config(), padding_free=True).implementation) as chosen:
        assert flattened(chosen) == pytest.approx(alone(chosen), abs=1e-4)


@pytest.mark.parametrize("config", [qwen3_next, lfm2])
def test_a_hybrid_is_padded_because_its_layers_would_mix_a_flattened_batch(config: Config) -> None:
    with model(config, None) as chosen:
        assert padded(chosen) == pytest.approx(alone(chosen), abs=1e-4)
        with pytest.raises(ValueError, match="can't keep packed sequences apart"):
            flattened(chosen)
