"""Stands in for the command `vllm`: `vllm serve MODEL` with the simulated teacher, and deaths on demand.

`write_command` makes it the command `vllm` of a folder, to be put on PATH. What it does is said by arguments, as what
vLLM does is: `--vllm-args '{die_after: 20}'`. Like vLLM it has an engine in a process of its own.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from aiohttp import web

from personamath.sources.problems import ProblemSource
from personamath.teachers.simulated import SimulatedTeacher, application
from tests.support.programs import REPO
from tests.support.scripted_teacher import PAPER_HABITS, Handler

ENGINE = """
import signal, sys, time
if sys.argv[1:]: signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(600)
"""


def write_command(folder: Path) -> Path:
    """Write the command `vllm` into a folder; return the folder."""
    folder.mkdir(exist_ok=True)
    command = folder / "vllm"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{REPO}" exec "{sys.executable}" -m tests.support.vllm_command "$@"\n')
    command.chmod(0o755)
    return folder


def _die(count: int, once: Path | None) -> None:
    """Die as of want of memory; where a file is named, only if it is not there yet."""
    if once and once.exists():
        return
    if once:
        once.touch()
    print(f"ERROR out of memory after {count} answers", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


async def _serve(options: argparse.Namespace) -> None:
    answers = 0

    @web.middleware
    async def script(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal answers
        if request.path == "/health":
            return web.Response()
        assert "Authorization" not in request.headers
        if request.method == "POST":
            await asyncio.sleep(options.latency)
            answers += 1
            if options.die_after and answers > options.die_after:
                _die(answers, options.once)
        return await handler(request)

    teacher = SimulatedTeacher((ProblemSource.parse(text) for text in options.problems), PAPER_HABITS)
    app = application(teacher, options.model)
    app.middlewares.append(script)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, options.host, options.port).start()
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="vllm")
    parser.add_argument("command", choices=["serve"])
    parser.add_argument("model")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--generation-config", choices=["vllm"], required=True)
    parser.add_argument("--disable-uvicorn-access-log", action="store_true", required=True)
    parser.add_argument("--problems", nargs="+", default=[])
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--start-s", type=float, default=0.0)
    parser.add_argument("--die-after", type=int, default=0)
    parser.add_argument("--once", type=Path)
    parser.add_argument("--fail", action="store_true", help="die before it is ready")
    parser.add_argument("--deaf", action="store_true", help="ignore SIGTERM, and so does the engine")
    options = parser.parse_args()
    if options.deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(f"server pid={os.getpid()}", flush=True)
    engine = subprocess.Popen([sys.executable, "-S", "-c", ENGINE, *["deaf"] * options.deaf])
    print(f"engine pid={engine.pid}", flush=True)
    print("(APIServer pid=1) INFO 11-28 21:53:42 [model.py:733] Loading the model", flush=True)
    time.sleep(options.start_s)
    if options.fail:
        print("(EngineCore pid=2) ERROR 11-28 21:53:50 [core.py:9] ValueError: the model does not fit", flush=True)
        print("\n".join(f"(APIServer pid=1)   File {number}" for number in range(20)), flush=True)
        sys.exit("RuntimeError: Engine core initialization failed. See root cause above.")
    asyncio.run(_serve(options))


if __name__ == "__main__":
    main()
