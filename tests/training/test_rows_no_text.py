"""Rows of a dataset that are no text: dropped and counted, never trained on, never a traceback."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from personamath.errors import BadInput
from personamath.files import is_visible
from personamath.sources.problems import ProblemSource
from personamath.sources.seed_problems import Skipped, read_problems
from personamath.training.data import load_rows, make_dataset
from personamath.training.prompts import alpaca
from tests.support.tiny_models import make_tokenizer

GOOD = {"problem": "What is 1 + 1?", "response": "It is 2."}
NO_TEXT, EMPTY, NUL, LONG = "no text", "empty", "NUL in the text", "longer than max_length"


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    tokenizer = make_tokenizer("metaspace BPE", [alpaca("What is 1 + 1? It is 2.")] * 20)
    tokenizer.pad_token = tokenizer.unk_token
    return tokenizer


def lines(*problems: object, column: str = "problem") -> bytes:
    """Rows of JSON with these values, between two good ones."""
    rows = [GOOD, *(GOOD | {column: value} for value in problems), GOOD]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def with_bytes(inserted: bytes) -> bytes:
    return lines() + json.dumps(GOOD).encode().replace(b"What", b"Wh" + inserted + b"at") + b"\n"


JSONL: list[tuple[str, bytes, dict[str, int]]] = [
    ("null", lines(None), {NO_TEXT: 1}),
    ("numbers", lines(4, 2.5), {NO_TEXT: 2}),
    ("a boolean", lines(True), {NO_TEXT: 1}),
    ("a list", lines(["What?"]), {NO_TEXT: 1}),
    ("an object", lines({"text": "What?"}), {NO_TEXT: 1}),
    ("not a number", with_bytes(b"").replace(b'"What is 1 + 1?"', b"NaN", 1), {NO_TEXT: 1}),
    ("empty", lines("", " \n\t", "\u00a0", "\u2003"), {EMPTY: 4}),
    ("invisible", lines("\u200b", "\ufeff", "\u200d\u2060", "\u0007", "\0"), {EMPTY: 5}),
    ("an invisible response", lines("\u200b", "\0 ", column="response"), {EMPTY: 2}),
    ("escaped NUL", lines("a\0b"), {NUL: 1}),
    ("raw NUL", with_bytes(b"\0"), {NUL: 1}),
    ("half a pair", lines("\ud83d", "a\udc00b"), {NO_TEXT: 2}),
    ("half a pair in a response", lines("a\ud83d", column="response"), {NO_TEXT: 1}),
    ("a whole pair", lines("How many \U0001f34e?"), {}),
    ("latin-1", with_bytes(b"\xe9"), {NO_TEXT: 1}),
    ("raw surrogate", with_bytes(b"\xed\xa0\xbd"), {NO_TEXT: 1}),
    ("half a character at the end", with_bytes(b"\xf0\x9f"), {NO_TEXT: 1}),
    ("another column", lines() + b'{"problem": "What?", "response": "It is 2.", "note": "\\ud83d"}\n', {}),
    ("very long", lines("Think. " * 5_000), {LONG: 1}),
]


@pytest.mark.parametrize(("content", "dropped"), [row[1:] for row in JSONL], ids=[row[0] for row in JSONL])
def test_rows_that_are_no_text_are_dropped_and_counted(
    content: bytes, dropped: dict[str, int], tokenizer: Any, tmp_path: Path
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    rows, _ = load_rows(str(path), "default", None, allow_simulated=False)
    examples, counts = make_dataset(rows, tokenizer, "clean", 512)
    assert counts.dropped == dropped
    assert len(examples) == counts.used == counts.read - sum(dropped.values())
    assert counts.read == len(content.splitlines())
    assert path.read_bytes() == content


def strings(*values: bytes) -> pa.Array:
    """An array of strings, valid or not."""
    offsets = [0]
    for value in values:
        offsets.append(offsets[-1] + len(value))
    buffers = [None, pa.array(offsets, pa.int32()).buffers()[1], pa.py_buffer(b"".join(values))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


@pytest.mark.parametrize(
    ("problems", "dropped"),
    [
        (pa.array([1, 2, 3]), {}),
        (pa.nulls(3), {}),
        (pa.array([["a"], ["b"], None]), {}),
        (pa.array([b"a", b"\xff", None]), {}),
        (pa.array(["a\0b", None, "What?"]), {NO_TEXT: 1, NUL: 1}),
        (pa.array(["", "What?", "What?"], pa.large_string()), {EMPTY: 1}),
    ],
)
def test_columns_of_parquet(problems: pa.Array, dropped: dict[str, int], tokenizer: Any, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"problem": problems, "response": ["It is 2."] * 3}), path)
    rows, _ = load_rows(str(path), "default", None, allow_simulated=False)
    if not dropped:
        with pytest.raises(BadInput, match=r"^no row can be trained on: \{'no text': 3\}"):
            make_dataset(rows, tokenizer, "clean", 512)
        return
    assert make_dataset(rows, tokenizer, "clean", 512)[1].dropped == dropped


def test_parquet_that_is_not_utf_8_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"problem": strings(b"a", b"\xff"), "response": ["b", "c"]}), path)
    with pytest.raises(BadInput, match=r"rows.parquet: not text in UTF-8 within rows 0 to 1 \(.*\): write the file ag"):
        load_rows(str(path), "default", None, allow_simulated=False)


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\ufeff\n", "\0", "\u00ad", "\u2028", "\ud83d"])
def test_nothing_to_see(text: str, tmp_path: Path) -> None:
    assert not is_visible(text)
    assert is_visible(f"{text}?")
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({"question": text, "answer": "4"}) + "\n")
    (item,) = read_problems([ProblemSource.parse(f"mine:{path}:question:answer")])
    assert isinstance(item, Skipped)  # nobody is asked about it
