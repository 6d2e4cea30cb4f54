"""Tokenizers of each kind that base models have, trained on the spot, and models of random weights around them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from personamath.training.tiny import train_tokenizer

TokenizerKind = Literal["byte-level BPE", "metaspace BPE", "Unigram"]
KINDS: tuple[TokenizerKind, ...] = ("byte-level BPE", "metaspace BPE", "Unigram")
VOCABULARY = 1_200


def make_tokenizer(kind: TokenizerKind, texts: Iterable[str]) -> Any:
    """Byte-level BPE as Qwen2.5's (no BOS), metaspace BPE as LLaMA-2's (BOS, bytes as a fallback), or Unigram (BOS)."""
    if kind == "byte-level BPE":
        return train_tokenizer(texts)
    return _metaspace_bpe(texts) if kind == "metaspace BPE" else _unigram(texts)


def _metaspace_bpe(texts: Iterable[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="first")])
    specials = ["<unk>", "<s>", "</s>"]
    bytes_as_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY, special_tokens=[*specials, *bytes_as_tokens], show_progress=False, limit_alphabet=200
        ),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>", model_max_length=4_096
    )


def _unigram(texts: Iterable[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.train_from_iterator(
        texts,
        trainers.UnigramTrainer(
            vocab_size=VOCABULARY,
            special_tokens=["<unk>", "<s>", "</s>", "<pad>"],
            unk_token="<unk>",
            show_progress=False,
        ),
    )
    # As some of this kind do, it adds its EOS itself: one more must not be added.
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> <s> $B </s>",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("<s>", "</s>")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        model_max_length=4_096,
    )


def write_model(folder: Path, tokenizer: Any, rng_seed: int = 0) -> Path:
    """A tiny Llama of random weights around a tokenizer, saved as a base model would be."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4_096,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(rng_seed)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
