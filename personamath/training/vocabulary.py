"""What a tokenizer and its model must agree on before a run: EOS, BOS, padding and the size of the vocabulary."""

from typing import Any

from personamath.errors import BadInput

# Tokens that base models reserve for padding, LLaMA-3.1's and Qwen2.5's among them. LLaMA-2 has only <unk>.
PADDING_TOKENS = ("<pad>", "<|finetune_right_pad_id|>", "<|fim_pad|>", "<unk>")


def prepare(tokenizer: Any, config: Any, name: str) -> None:
    """Check the tokenizer against its model's config, and give it a padding token other than its EOS.

    The tokenizer keeps its own EOS: LLaMA-3.1 keeps `<|end_of_text|>` (the release gave it LLaMA-2's `</s>`, so that
    generation never stopped). No token is added, so the embeddings keep their size. Raises BadInput with the remedy.
    """
    if tokenizer.eos_token_id is None:
        raise BadInput(f"{name}: its tokenizer has no EOS token, so a model trained with it could not stop; set one")
    rows = getattr(config.get_text_config(), "vocab_size", None)
    if rows is None:
        raise BadInput(f"{name}: its config has no vocab_size; use the config that belongs to the model")
    if (largest := max(tokenizer.get_vocab().values())) >= rows:
        raise BadInput(
            f"{name}: its tokenizer has token {largest}, its embeddings only {rows} rows; use the model's own tokenizer"
        )
    if (added := _added_bos(tokenizer)) > 1:
        raise BadInput(f"{name}: its tokenizer adds BOS {added} times; set it to add one, or none")
    tokenizer.pad_token = _padding(tokenizer)
    tokenizer.padding_side = "right"  # `attention` relies on it


def adds_bos(tokenizer: Any) -> bool:
    """Whether the tokenizer puts a BOS before a text."""
    return _added_bos(tokenizer) == 1


def set_tokens(model: Any, tokenizer: Any) -> None:
    """Give a model the tokenizer's EOS and padding, in its config and in the generation config saved with it."""
    model.generation_config = generation_config(tokenizer)
    model.config.eos_token_id = tokenizer.eos_token_id
    model.config.pad_token_id = tokenizer.pad_token_id


def generation_config(tokenizer: Any) -> Any:
    """Return a generation config that stops at the trained EOS and is greedy, as in the evaluation."""
    from transformers import GenerationConfig

    return GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )


def _added_bos(tokenizer: Any) -> int:
    if tokenizer.bos_token_id is None:
        return 0
    ids: list[int] = tokenizer("a")["input_ids"]
    return ids.count(tokenizer.bos_token_id)


def _padding(tokenizer: Any) -> str:
    """Choose the tokenizer's own padding token, else a reserved one, else EOS: padding is never a label."""
    vocabulary, eos = tokenizer.get_vocab(), tokenizer.eos_token
    own = tokenizer.pad_token
    for token in (own, *PADDING_TOKENS):
        if token is not None and token != eos and token in vocabulary:
            return str(token)
    return str(eos)
