"""Attention over a flattened batch, one sequence at a time: no dense mask, and no attention across examples.

`padding_free` concatenates the sequences of a batch. Flash-attention takes such a batch directly: its wheel, or a built
kernel that the package `kernels` loads from the Hub. Without either, transformers would build a dense block mask over
all tokens. This module runs torch's variable-length kernel on CUDA instead, and elsewhere one call of SDPA for each
sequence.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from packaging.version import Version
from torch.nn.functional import scaled_dot_product_attention
from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AttentionInterface
from transformers.modeling_flash_attention_utils import FLASH_ATTN_KERNEL_FALLBACK, lazy_import_flash_attention
from transformers.utils import is_flash_attn_2_available, is_kernels_available

from personamath.files import in_one_line

NAME, FLASH = "per_sequence", "flash_attention_2"
# Since this version `varlen_attn` takes the window and grouped heads as used below.
VARLEN_SINCE = Version("2.13")
VARLEN_DTYPES = (torch.bfloat16, torch.float16)
CAUSAL_WINDOW = (-1, 0)
# Options that some models pass and that this attention would ignore silently.
UNSUPPORTED = ("sliding_window", "softcap", "s_aux")
# transformers' names of layer types. Layers of other types (linear attention, convolutions, state-space layers, sparse
# attention) carry a state along the tokens, or choose tokens, in ways that know nothing of a flattened batch's borders.
FULL, WINDOWS = "full_attention", frozenset({"sliding_attention", "chunked_attention"})


class Choice(NamedTuple):
    """How a model attends in a run."""

    implementation: str | None
    """For transformers' `attn_implementation`; None is the model's default."""
    padding_free: bool
    """Whether the run may flatten its batches."""
    why: str | None = None
    """One line for the user where the choice depends on this model or on what is installed."""


class Flash(NamedTuple):
    """The flash-attention of this machine."""

    implementation: str | None
    """Its name in transformers; None if this machine has none."""
    why: str | None = None
    """One line for the user where it is a kernel from the Hub, or such a kernel cannot be loaded."""


def find_flash(
    device: str,
    wheel: Callable[[], bool] = is_flash_attn_2_available,
    kernels: Callable[[], bool] = is_kernels_available,
    load: Callable[[str], object] = lazy_import_flash_attention,
) -> Flash:
    """Find flash-attention for a run on `device`, torch's name of its type: the wheel, else the kernel from the Hub.

    The kernel is loaded here, so that one which this machine cannot download or run is known before any weight is.
    """
    if device != "cuda":
        return Flash(None)
    if wheel():
        return Flash(FLASH)
    if not kernels():
        return Flash(None)
    kernel = FLASH_ATTN_KERNEL_FALLBACK[FLASH]
    try:
        load(kernel)
    except Exception as error:  # no network, no build for this GPU or torch, ...: training works without it
        return Flash(None, f"attention is torch's, because {kernel} cannot be loaded ({in_one_line(error)})")
    return Flash(kernel, f"attention is flash-attention, by the kernel {kernel} from the Hub")


def choose(
    config: Any,
    padding_free: bool,
    named: str | None = None,
    *,
    device: str = "cpu",
    find_flash: Callable[[str], Flash] = find_flash,
) -> Choice:
    """Choose by the model's config: the implementation that the recipe names, else flash-attention, else ours.

    `device` is torch's name of the type of device that the run uses, e.g. `cuda`.

    A model with sliding windows keeps its default attention, whose mask knows windows and examples. Layers that carry a
    state would carry it from one example of a flattened batch into the next, so their model is trained with padding.
    """
    if not padding_free:
        return Choice(named, False)
    model = MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
    if other := _other_layers(config, model):
        return Choice(
            named,
            False,
            f"padding_free is off for {config.model_type}: its {other} layers do not keep flattened examples apart",
        )
    if named:
        return Choice(named, True)
    flash = find_flash(device) if getattr(model, "_supports_flash_attn", True) else Flash(None)
    if flash.implementation:
        return Choice(flash.implementation, True, flash.why)
    if reason := _beyond_ours(config):
        return Choice(
            None,
            True,
            f"{config.model_type} has {reason}: without flash-attention, a mask over the whole flattened batch is "
            "built, whose memory grows with the square of its tokens",
        )
    return Choice(NAME, True, flash.why)


def _other_layers(config: Any, model: Any) -> str | None:
    """Name the layers that carry a state along the tokens, or attend in a way that is not known here."""
    types = {*(getattr(config.get_text_config(), "layer_types", None) or ())}
    if others := sorted(types - WINDOWS - {FULL}):
        return " and ".join(others)
    return "recurrent" if getattr(model, "_is_stateful", False) else None


def _beyond_ours(config: Any) -> str | None:
    """Name what the attention of this module cannot do for a model."""
    text = config.get_text_config()
    types = {*(getattr(text, "layer_types", None) or ())}
    # Without layer types, as in Mistral, a window holds for every layer.
    if types & WINDOWS or (not types and getattr(text, "sliding_window", None)):
        return "layers with a sliding window"
    return "capped attention scores" if getattr(text, "attn_logit_softcapping", None) else None


def register() -> None:
    """Register it with transformers under NAME; without a mask function of that name no mask is built."""
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

    `cu_seq_lens_q` (sequences + 1) has the start of each sequence of a flattened batch. Without it each row of the
    batch is one sequence, padded on the right if at all: a token does not attend to its right, so padding needs no
    mask.
    """
    if unknown := [name for name in UNSUPPORTED if others.get(name) is not None]:
        raise NotImplementedError(f"{NAME} attention does not support {unknown[0]}: set attn_implementation")
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
    """Cast tensors to autocast's type: with float32 weights, rotary embeddings leave query and key in float32."""
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
