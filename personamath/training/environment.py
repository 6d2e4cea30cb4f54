"""The hardware and software of a run, for its record."""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

# The packages that a run's numbers depend on; a missing one is left out.
RECORDED_PACKAGES = (
    "personamath",
    "accelerate",
    "bitsandbytes",
    "datasets",
    "deepspeed",
    "flash-attn",
    "peft",
    "tokenizers",
    "torch",
    "transformers",
    "trl",
)
# `https://host/owner/name.git`, `ssh://git@host/owner/name` and `git@host:owner/name.git`.
_REMOTE = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^/@]+@)?|[\w.-]+@(?=[^/]+:))(?P<host>[\w.-]+)(?::\d+)?[:/](?P<path>.+?)/?"
)


def hardware(accelerator: Any, options: Any) -> dict[str, Any]:
    """Return the kind and number of devices and how the work was split, by accelerate and the trainer's options."""
    import torch

    cuda = accelerator.device.type == "cuda"
    return {
        "accelerator": torch.cuda.get_device_name() if cuda else accelerator.device.type,
        "count": accelerator.num_processes,
        "strategy": strategy(options),
        "mixed_precision": accelerator.mixed_precision,
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages."""
    found = {"python": platform.python_version()}
    for name in RECORDED_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """Return the commit of the checkout that this package runs from, `-dirty` after changes; None without one."""
    return _git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def repository() -> str | None:
    """Return the web address that the checkout was cloned from; None without a checkout or such an address."""
    origin = _git("remote", "get-url", "origin")
    return web_address(origin) if origin else None


def web_address(origin: str) -> str | None:
    """Return the address of a git remote for a browser, without a user or a token; None for a path."""
    found = _REMOTE.fullmatch(origin)
    return f"https://{found['host']}/{found['path'].removesuffix('.git')}" if found else None


def _git(*arguments: str) -> str | None:
    """Return what git says about the checkout that this package runs from; None without one."""
    checkout = Path(__file__).parent.parent.parent
    if not (checkout / ".git").exists():
        return None
    try:
        said = subprocess.run(["git", *arguments], cwd=checkout, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return said.stdout.strip()


def machine(options: Any) -> dict[str, Any]:
    """Return the facts about the machine that a checkpoint depends on. `options` are the trainer's."""
    return {"strategy": strategy(options), "processes": options.world_size, "precision": precision(options)}


def precision(options: Any) -> str:
    """Name the precision that the trainer computes in: a recipe decides it, or else accelerate's config or launch."""
    if options.fp16 or options.bf16:
        return "fp16" if options.fp16 else "bf16"
    return os.environ.get("ACCELERATE_MIXED_PRECISION", "no")


def strategy(options: Any) -> str:
    """Name how the work is split, e.g. `DeepSpeed ZeRO-2`; known before a trainer is made. `options` are the trainer's.

    A checkpoint of one strategy has no optimizer state for another.
    """
    if plugin := options.deepspeed_plugin:
        offload = plugin.offload_optimizer_device not in (None, "none")
        return f"DeepSpeed ZeRO-{plugin.zero_stage}" + (" with offload" if offload else "")
    fsdp = options.fsdp or os.environ.get("ACCELERATE_USE_FSDP", "false").lower() in ("true", "1", "yes")
    if fsdp and options.device.type != "cpu":  # accelerate falls back to data parallel there
        return "FSDP2"
    return "data parallel" if options.world_size > 1 else "one process"
