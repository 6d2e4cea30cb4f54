"""Attention over a flattened batch, each sequence by itself: no dense mask, and no attention across examples.

`padding_free` puts the sequences of a batch one after another. Flash-attention's wheel takes that as it is; where it is
missing, transformers would build a dense block mask over all tokens. This runs torch's own variable-length kernel on
CUDA, and elsewhere one call of SDPA for each sequence.
"""

from collections.abc import Iterator
from typing import Any

import torch
from packaging.version import Version
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.utils import is_flash_attn_2_available

NAME = "per_sequence"
# From this version on `varlen_attn` takes the window and grouped heads as used below.
VARLEN_SINCE = Version("2.13")
VARLEN_DTYPES = (torch.bfloat16, torch.float16)
CAUSAL_WINDOW = (-1, 0)
# What some models ask of their attention and this one would leave out in silence.
UNSUPPORTED = ("sliding_window", "softcap", "s_aux")


def choose(padding_free: bool, windowed: bool) -> str | None:
    """The implementation for a run that names none: flash-attention, else ours; None is the model's default.

    `windowed`: whether the model attends within a sliding window, which only flash-attention and the default know.
    """
    if not padding_free:
        return None
    if is_flash_attn_2_available():
        return "flash_attention_2"
    return None if windowed else NAME


def register() -> None:
    """Make it known to transformers under NAME; without a mask function of that name no mask is built."""
    AttentionInterface.register(NAME, per_sequence_attention)


def per_sequence_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention, query (batch, heads, tokens, size) -> (batch, tokens, heads, size).

    `cu_seq_lens_q` (sequences + 1) holds where each sequence of a flattened batch starts; without it each row of the
    batch is one sequence, padded on the right at most: a token never looks to its right, so padding needs no mask.
    """
    if unknown := [name for name in UNSUPPORTED if others.get(name) is not None]:
        raise NotImplementedError(f"{NAME} attention knows no {unknown[0]}: set attn_implementation for this model")
    query, key, value = _as_autocast(query, key, value)
    grouped = query.shape[1] != key.shape[1]
    if cu_seq_lens_q is None:
        out = _attend(query, key, value, dropout, scaling, grouped)
    elif query.is_cuda and query.dtype in VARLEN_DTYPES and Version(torch.__version__) >= VARLEN_SINCE and not dropout:
        return _varlen(query, key, value, scaling, grouped, cu_seq_lens_q, max_length_q), None
    else:
        sizes = cu_seq_lens_q.diff().tolist()
        parts = zip(query.split(sizes, 2), key.split(sizes, 2), value.split(sizes, 2), strict=True)
        out = torch.cat([_attend(*part, dropout, scaling, grouped) for part in parts], dim=2)
    return out.transpose(1, 2).contiguous(), None


def _as_autocast(*tensors: torch.Tensor) -> Iterator[torch.Tensor]:
    """Tensors in autocast's type: rotary embeddings of float32 weights leave query and key in float32, value not."""
    device = tensors[0].device.type
    cast = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
    return (tensor.to(cast) if cast else tensor for tensor in tensors)


def _attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    dropout: float,
    scaling: float | None,
    grouped: bool,
) -> torch.Tensor:
    return scaled_dot_product_attention(
        query, key, value, dropout_p=dropout, scale=scaling, is_causal=True, enable_gqa=grouped
    )


def _varlen(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scaling: float | None,
    grouped: bool,
    starts: torch.Tensor,
    longest: int | None,
) -> torch.Tensor:
    from torch.nn.attention.varlen import varlen_attn

    longest = longest or int(starts.diff().max())
    flat = [part.transpose(1, 2)[0] for part in (query, key, value)]  # (tokens, heads, size)
    out = varlen_attn(
        *flat, starts, starts, longest, longest, scale=scaling, window_size=CAUSAL_WINDOW, enable_gqa=grouped
    )
    return torch.as_tensor(out)[None]
