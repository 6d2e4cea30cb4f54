"""Run the commands of a model card: the server, and the request to it."""

import json
import os
import re
import socket
import subprocess
import time

from personamath.teachers.serve.server import free_port

# A server on a busy machine; real vLLM takes a minute and more.
START_SECONDS = 300.0


def served_chat(card: str, folder: str, *more: str) -> str:
    """Start the card's `vllm serve`, with `more` arguments, send its `curl`, and return the answer's text.

    `folder` has the command `vllm`. Only the port is changed: 8000 may be taken.
    """
    serve, ask, *_ = (block for block in re.findall(r"```bash\n(.*?)```", card, re.DOTALL))
    assert serve.startswith("vllm serve ") and ask.startswith("curl ")
    port = free_port()
    command = ["bash", "-c", f"exec {serve.strip()} --port {port} {' '.join(more)}"]
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            _wait_for(port, server)
            return _asked(ask.replace("localhost:8000", f"127.0.0.1:{port}"))
        finally:
            server.terminate()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server accepts connections."""
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.2)
    raise AssertionError("the card's server did not start")


def _asked(ask: str) -> str:
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
    (choice,) = json.loads(done.stdout)["choices"]
    return str(choice["message"]["content"])
