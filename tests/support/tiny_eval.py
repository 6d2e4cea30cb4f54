"""Tiny models that say what they are told: real Llama checkpoints, for lm-eval and for servers, made without training.

Every layer adds nothing, so the next token depends on the last one only, and a table of successors is the model. Texts
that the model is to say are tokens of their own.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from personamath.training.chat_template import FILE_NAME, set_chat_template

EOS = "</s>"
CONTEXT = 512
AFTER_PROMPT = ":"
"""The last token of the prompt that models are trained on."""
AFTER_PAPER = "."
"""The last token of the prompt that the paper evaluates with."""
CERTAIN = 2.0
# Sizes that vLLM's kernels for CPUs work with.
MULTIPLE, HEAD = 32, 32


def write_model(folder: Path, says: Mapping[str, Sequence[str]], context: int = CONTEXT) -> Path:
    """A checkpoint in which each text is followed by one of its successors, all equally likely; else by EOS."""
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    texts = sorted({text for after, nexts in says.items() for text in (after, *nexts) if len(text) > 1} - {EOS})
    tokenizer = tokenizer_with(texts)
    size = len(tokenizer)
    end = tokenizer.eos_token_id
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=-(-size // MULTIPLE) * MULTIPLE,
        intermediate_size=MULTIPLE,
        num_hidden_layers=1,
        num_attention_heads=1,
        head_dim=HEAD,
        max_position_embeddings=context,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(*model.model.embed_tokens.weight.shape))
        model.lm_head.weight.zero_()
        model.lm_head.weight[end, :] = CERTAIN
        for after, nexts in says.items():
            model.lm_head.weight[end, tokenizer.convert_tokens_to_ids(after)] = 0
            for text in nexts:
                model.lm_head.weight[tokenizer.convert_tokens_to_ids(text), tokenizer.convert_tokens_to_ids(after)] = (
                    CERTAIN
                )
    model.generation_config = GenerationConfig(eos_token_id=end, pad_token_id=tokenizer.pad_token_id, do_sample=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tokenizer_with(texts: Sequence[str]):  # type: ignore[no-untyped-def]
    """A tokenizer of bytes, to which each of the texts is one token."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bytes_only = Tokenizer(models.BPE({char: number for number, char in enumerate(alphabet)}, []))
    bytes_only.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bytes_only.decoder = decoders.ByteLevel()
    bytes_only.add_tokens([AddedToken(text, normalized=False, special=False) for text in texts])
    return PreTrainedTokenizerFast(tokenizer_object=bytes_only, eos_token=EOS, pad_token="<pad>")


def add_chat_template(folder: Path) -> Path:
    """Give a checkpoint the chat template of a fine-tuned model; return its folder."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    set_chat_template(tokenizer, "clean")
    (folder / FILE_NAME).write_text(tokenizer.chat_template)
    return folder
