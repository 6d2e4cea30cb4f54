"""Keys of TRL's trainer that would undo what a recipe promises: examples, order, batch, EOS, loss.

Each is refused unless it has the value that changes nothing. A key that only seems to do something, because the
examples are made before the trainer sees them, is refused too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from personamath.errors import BadInput
from personamath.files import in_one_line

_OWN_EXAMPLES = "examples are made as prompt_format says, before the trainer sees them; leave it out"
_OWN_MASK = "the loss is on the response and EOS only, as prompt_format says; leave it out"
_OWN_EOS = (
    "every response ends in the EOS of the base model's tokenizer, which everything else declares too; to train with "
    "another, save the base model and its tokenizer with that EOS in a folder, and name the folder"
)
_OWN_BATCH = (
    "it changes the examples of a step; state effective_batch_size and per_device_train_batch_size, and describe the "
    "machine in an accelerate config"
)
_OWN_ORDER = "`seed` alone decides the order of the examples; leave it out"
_OWN_MACHINE = "it describes the machine, which an accelerate config does; leave it out"
_NO_EVALUATION = "nothing is evaluated while it trains; score the model with lm_eval, as docs/evaluation.md describes"

REFUSED: Mapping[str, tuple[Any, str]] = {
    "eos_token": (None, _OWN_EOS),
    "pad_token": (None, "padding is chosen from the tokenizer's vocabulary, and is never a label; leave it out"),
    "chat_template_path": (None, _OWN_EOS),
    "auto_find_batch_size": (False, _OWN_BATCH),
    "accelerator_config": (None, _OWN_BATCH),
    "parallelism_config": (None, _OWN_BATCH),
    "deepspeed": (None, _OWN_BATCH),
    "fsdp": (None, _OWN_MACHINE),
    "fsdp_config": (None, _OWN_MACHINE),
    "packing": (
        False,
        "it joins several examples into one, which changes the effective batch; use padding_free: true instead",
    ),
    "eval_packing": (None, _OWN_EXAMPLES),
    "train_sampling_strategy": (
        "random",
        "it changes which examples share a step; use padding_free: true to avoid padding",
    ),
    "shuffle_dataset": (False, _OWN_ORDER),
    "data_seed": (None, _OWN_ORDER),
    "dataloader_in_order": (True, _OWN_ORDER),
    "ignore_data_skip": (False, "a resumed run would see the examples of its first steps again; leave it out"),
    "resume_from_checkpoint": (
        None,
        "a run resumes by itself from the last complete checkpoint of its output_dir; leave it out",
    ),
    "save_on_each_node": (False, "all nodes see output_dir, and would overwrite one another's files; leave it out"),
    "save_only_model": (False, "a run that resumes from such a checkpoint has lost its optimizer; leave it out"),
    "dataset_text_field": ("text", _OWN_EXAMPLES),
    "dataset_kwargs": (None, _OWN_EXAMPLES),
    "truncation_mode": ("keep_start", _OWN_EXAMPLES),
    "completion_only_loss": (None, _OWN_MASK),
    "assistant_only_loss": (False, _OWN_MASK),
    "label_names": (None, _OWN_MASK),
    "average_tokens_across_devices": (True, "loss_normalization decides how a step's loss is averaged; leave it out"),
    "eval_strategy": ("no", _NO_EVALUATION),
    "eval_on_start": (False, _NO_EVALUATION),
    "metric_for_best_model": (None, _NO_EVALUATION),
    "load_best_model_at_end": (False, _NO_EVALUATION),
    "push_to_hub": (
        False,
        "it would publish without scores or a version; score the model, then use `personamath push`",
    ),
}
"""For each key the value that changes nothing, and why any other is refused."""


# Of reinforcement learning: the same promises about batch, order and resuming.
_ALSO_WITH_REWARDS = (
    *("auto_find_batch_size", "accelerator_config", "parallelism_config", "deepspeed", "fsdp", "fsdp_config"),
    *("train_sampling_strategy", "data_seed", "dataloader_in_order", "ignore_data_skip"),
    *("resume_from_checkpoint", "save_on_each_node", "save_only_model", "push_to_hub"),
    *("eval_strategy", "eval_on_start", "metric_for_best_model", "load_best_model_at_end"),
)
_OWN_GENERATION = "each step generates its own completions, so that a run can resume at any step; leave it out"

REFUSED_WITH_REWARDS: Mapping[str, tuple[Any, str]] = {
    **{key: REFUSED[key] for key in _ALSO_WITH_REWARDS},
    "shuffle_dataset": (True, _OWN_ORDER),
    "num_iterations": (1, _OWN_GENERATION),
    "sync_ref_model": (False, "a checkpoint does not hold the reference model; leave it out"),
    "reward_weights": (None, "there is one reward, whether the answer is correct; leave it out"),
    "remove_unused_columns": (False, "the reward needs the reference answers; leave it out"),
    "chat_template_kwargs": (None, "prompts are the trained ones, without a chat template; leave it out"),
    "log_completions_hub_repo": (None, "nothing is published on the way; use log_completions: true alone"),
}
"""The same for recipes/grpo.py."""


_OWN_BASE = "the base model is what model_name_or_path and model_revision name; leave it out"
_OF_WEIGHTS: Mapping[str, str] = {
    "revision": "use the key model_revision",
    "dtype": "use the key dtype",
    "torch_dtype": "use the key dtype",
    "attn_implementation": "use the key attn_implementation",
    "quantization_config": "use the keys load_in_8bit and load_in_4bit",
    **dict.fromkeys(("config", "state_dict", "subfolder", "variant", "gguf_file"), _OWN_BASE),
}
"""Names within model_init_kwargs that other keys decide, and what to do instead."""

_OF_GENERATION: Mapping[str, str] = {
    "max_new_tokens": "use the key max_completion_length",
    "max_tokens": "use the key max_completion_length",
    "max_length": "use the key max_completion_length",
    **{name: f"use the key {name}" for name in ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")},
    **dict.fromkeys(("eos_token_id", "stop_token_ids", "stop", "stop_strings", "ignore_eos"), _OWN_EOS),
    **dict.fromkeys(("n", "num_return_sequences"), "use the key num_generations"),
}
"""Names within generation_kwargs that other keys decide, and what to do instead."""

_WITHIN: Mapping[str, Mapping[str, str]] = {"model_init_kwargs": _OF_WEIGHTS, "generation_kwargs": _OF_GENERATION}


BY_KIND: Mapping[str, Mapping[str, tuple[Any, str]]] = {"sft": REFUSED, "grpo": REFUSED_WITH_REWARDS}
"""The refused keys of each kind of training, as a record names it."""


def refuse_keys(values: Mapping[str, Any], place: str, refused: Mapping[str, tuple[Any, str]] = REFUSED) -> None:
    """Raise BadInput for the first key whose value would undo a promise; an absent key has its default."""
    for undoing, why in _undoing(values, refused):
        raise BadInput(f"{place}: {undoing}: {why}")


def refuse_misrecorded(recipe: Mapping[str, Any], kind: str, place: str) -> None:
    """Raise BadInput for a recorded recipe that training refuses: an earlier version trained with it.

    Its model's EOS, batch, order or loss may be another than the record says.
    """
    for undoing, _ in _undoing(recipe, BY_KIND[kind]):
        raise BadInput(
            f"{place}: {undoing}, which training now refuses, because the EOS, batch, order or loss differs from "
            "the recorded one: fine-tune again without it"
        )


def _undoing(values: Mapping[str, Any], refused: Mapping[str, tuple[Any, str]]) -> Iterator[tuple[str, str]]:
    """The keys that would undo a promise, with their values where that says something, and why."""
    for key, (harmless, why) in refused.items():
        if (value := values.get(key, harmless)) != harmless:
            yield f"{key} is {in_one_line(getattr(value, 'value', value))}", why
    for key, names in _WITHIN.items():
        for name in values.get(key) or ():
            if name in names:
                yield f"{key} sets {in_one_line(name)}", names[name]
