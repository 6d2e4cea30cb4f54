"""The hardware and software of a run, for its record."""

import platform
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


def hardware(accelerator: Any) -> dict[str, Any]:
    """Return the kind and number of devices and how the work was split; `accelerator` is accelerate's."""
    import torch

    cuda = accelerator.device.type == "cuda"
    return {
        "accelerator": torch.cuda.get_device_name() if cuda else accelerator.device.type,
        "count": accelerator.num_processes,
        "strategy": _strategy(accelerator),
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
