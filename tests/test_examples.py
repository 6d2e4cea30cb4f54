"""The scripts in examples/ run as they are, against real endpoints on loopback."""

import ast
import asyncio
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from aiohttp import web
from nbclient import NotebookClient

from personamath.teachers.simulated import MODEL, bundled_problems, chat_reply, serve
from tests.conftest import REPO, ScriptedTeacher
from tests.support import programs

pytestmark = pytest.mark.slow

EXAMPLES = REPO / "examples"
Start = Callable[..., ScriptedTeacher]


def run(name: str, *options: str) -> str:
    """What an example prints."""
    done = programs.run(str(EXAMPLES / name), *options, folder=REPO)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def endpoint(answer: Callable[[str], str]) -> Iterator[str]:
    """An endpoint that answers prompts by a function; gives its base URL."""

    async def chat(request: web.Request) -> web.Response:
        body: dict[str, Any] = await request.json()
        prompt = body["messages"][-1]["content"]
        return web.json_response(chat_reply(body["model"], prompt, answer(prompt)))

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = serve(app)
    url = asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
    try:
        yield url
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _is_list(node: ast.Assign) -> bool:
    return isinstance(node.value, ast.List)


def test_grade_answers() -> None:
    said = run("grade_answers.py")
    verdicts = re.findall(r"^(correct|wrong) ", said, re.MULTILINE)
    assert verdicts == ["correct"] * 4 + ["wrong"]
    assert "extract: 5\nequivalent: True" in said


def test_augment_your_own_and_load_and_plot(start_teacher: Start, tmp_path: Path) -> None:
    source = ast.parse((EXAMPLES / "augment_your_own.py").read_text(encoding="utf-8"))
    (rows,) = (ast.literal_eval(node.value) for node in source.body if isinstance(node, ast.Assign) and _is_list(node))
    problems = tmp_path / "known.jsonl"
    problems.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert len(rows) == 10
    teacher = start_teacher("--problems", f"own:{problems}:question:answer")
    output = tmp_path / "mine"
    options = ["--teacher", MODEL, "--base-url", teacher.base_url, "--output", str(output)]
    said = run("augment_your_own.py", *options)
    assert re.search(r"^10 problems became \d\d rows\.\n\nOriginal:  .+\nRewritten: .+", said)

    picture = tmp_path / "lengths.png"
    said = run("load_and_plot.py", str(output / "dataset"), "--output", str(picture))
    assert "stage1_inference" in said and picture.read_bytes().startswith(b"\x89PNG")


def test_the_notebook_runs_from_top_to_bottom(
    start_teacher: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercises = shutil.copy(EXAMPLES / "exercises.csv", tmp_path)
    teacher = start_teacher("--problems", f"exercises:{exercises}:question:answer")
    monkeypatch.setenv("TEACHER", MODEL)
    monkeypatch.setenv("BASE_URL", teacher.base_url)
    notebook = nbformat.read(EXAMPLES / "tour.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    # A cell that raises ends this with its traceback.
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = "\n".join(
        output.get("text") or output["data"]["text/plain"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.get("name") != "stderr"
    )
    assert re.search(r"^Original: .+\nPersona: .+\nRewritten: .+", printed, re.MULTILINE)
    assert [
        line.split()[-1] for line in printed.splitlines() if "boxed{" in line and line.endswith(("True", "False"))
    ] == [*("True", "True", "True", "False")]
    assert "stage1_inference" in printed and "'role': 'assistant'" in printed


def test_own_method(tmp_path: Path) -> None:
    def answer(prompt: str) -> str:
        question = prompt.partition("\n")[2]
        if prompt.startswith("Retell"):
            return f"Once upon a time. {question}"
        assert "Once upon a time." in prompt
        return f"It is $\\boxed{{{answers[prompt.partition('Once upon a time. ')[2]]}}}$."

    source = bundled_problems()[0]
    rows = [json.loads(line) for line in Path(source.partition(":")[2]).read_text().splitlines()]
    answers = {row["question"].strip(): row["answer"].rpartition("####")[2].strip() for row in rows}
    with endpoint(answer) as url:
        options = ["--problems", source, "--teacher", "m", "--base-url", url, "--output", str(tmp_path / "run")]
        said = run("own_method.py", *options)
        assert re.search(r"^10 rows: .+/retold, \.\.\.\nOnce upon a time\. ", said)
        assert run("own_method.py", *options) == said  # from the journal; the same recipe
    facts = json.loads((tmp_path / "run" / "dataset" / "provenance.json").read_text())
    assert facts["method"]["method"] == "retelling" and facts["recipe"]["sentences"] == 4
    lines = (EXAMPLES / "own_method.py").read_text().split("class Retelling")[1].split("\nparser")[0].splitlines()
    assert len(lines) <= 33  # a method of one's own is 30 lines or so


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_every_example_opens_with_a_command_to_paste(path: Path) -> None:
    docstring = path.read_text(encoding="utf-8").split('"""')[1]
    assert re.search(rf"^ *python examples/{path.name}\b", docstring, re.MULTILINE)
