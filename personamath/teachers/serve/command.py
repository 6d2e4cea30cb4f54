"""The command line of `vllm serve`."""

import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from personamath.errors import BadInput

HOST = "127.0.0.1"
OWN_ARGUMENTS = {
    "model": "the model is --teacher",
    "model_tag": "the model is --teacher",
    "served_model_name": "the name is that of --teacher",
    "host": "the server listens on this machine only",
    "port": "the run chooses a free port",
    "uds": "the run asks over a port",
    "root_path": "the run asks at /v1",
    "api_key": "the run sends no key to its own server",
    "headless": "the run asks the server over HTTP",
    "ssl_certfile": "the run asks over plain HTTP",
    "ssl_keyfile": "the run asks over plain HTTP",
}
"""Arguments that the run sets itself, or that would keep it from asking, and why."""
DEFAULTS: Mapping[str, Any] = {
    # By default vLLM takes top_p, top_k and repetition_penalty from the model's generation_config.json. The rows would
    # then depend on a file that neither the recipe nor the digest of a request names. The model's EOS tokens, which are
    # in the same file, still count.
    "generation_config": "vllm",
    # Otherwise the log has a line for each request, and a failure's last lines are these.
    "disable_uvicorn_access_log": True,
}


def find_vllm() -> str:
    """Return the path of the command `vllm`; raise `BadInput` if there is none."""
    beside = Path(sys.executable).with_name("vllm")  # an environment may be used without being activated
    found = shutil.which("vllm") or shutil.which(str(beside))
    if not found:
        raise BadInput(
            "--serve vllm: there is no command `vllm` here: pip install vllm, in a separate environment because vllm "
            "pins its torch, and put the bin folder of that environment on PATH"
        )
    return found


def serve_command(vllm: str, model: str, port: int, arguments: Mapping[str, Any]) -> Sequence[str]:
    """Return the command that serves `model` on a port of the loopback; `arguments` are those of `vllm serve`."""
    given = {name.replace("-", "_"): value for name, value in arguments.items()}
    options = [part for name, value in {**DEFAULTS, **given}.items() for part in _option(name, value)]
    return [vllm, "serve", model, "--host", HOST, "--port", str(port), *options]


def check_arguments(arguments: Mapping[str, Any]) -> None:
    """Raise `BadInput` for an argument of `vllm serve` that a run cannot pass on."""
    for key, value in arguments.items():
        name = str(key).replace("-", "_")
        if why := OWN_ARGUMENTS.get(name):
            raise BadInput(f"vllm_args: remove {key}: {why}")
        if not isinstance(key, str) or not name.replace("_", "").replace(".", "").isalnum():
            raise BadInput(f"vllm_args: {key!r}: write the name of an argument of `vllm serve`, e.g. max_model_len")
        if value is None:
            raise BadInput(f"vllm_args: {key} has no value: write e.g. `{key}: true`")


def _option(name: str, value: Any) -> Iterator[str]:
    """Yield an argument as vLLM reads it: a switch, a list of values, JSON for a mapping, else the value as text."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        yield f"--{flag}" if value else f"--no-{flag}"
        return
    yield f"--{flag}"
    for one in value if isinstance(value, (list, tuple)) else [value]:
        yield json.dumps(one) if isinstance(one, (bool, Mapping, list)) else str(one)
