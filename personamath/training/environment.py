"""What a run ran on, for its record."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

# What the numbers of a run depend on; those that are not installed are left out.
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


def hardware(accelerator: Any) -> dict[str, Any]:
    """The kind of device, how many, and how the work was spread; `accelerator` is accelerate's."""
    import torch

    cuda = accelerator.device.type == "cuda"
    return {
        "accelerator": torch.cuda.get_device_name() if cuda else accelerator.device.type,
        "count": accelerator.num_processes,
        "strategy": _strategy(accelerator),
        "mixed_precision": accelerator.mixed_precision,
    }


def versions() -> dict[str, str]:
    """Python's and the packages' versions."""
    found = {"python": platform.python_version()}
    for name in RECORDED_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """The commit of the checkout this package runs from, with `-dirty` after it where files were changed; else None."""
    checkout = Path(__file__).parent.parent.parent
    if not (checkout / ".git").exists():
        return None
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            cwd=checkout,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return described.stdout.strip()


def _strategy(accelerator: Any) -> str:
    kind = str(getattr(accelerator.distributed_type, "value", accelerator.distributed_type))
    if kind == "DEEPSPEED":
        plugin = accelerator.state.deepspeed_plugin
        offload = plugin.offload_optimizer_device not in (None, "none")
        return f"DeepSpeed ZeRO-{plugin.zero_stage}" + (" with offload" if offload else "")
    names = {"NO": "one process", "FSDP": "FSDP2"}
    return names.get(kind, "data parallel")
