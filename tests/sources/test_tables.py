import csv
import gzip
import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personamath.errors import BadInput
from personamath.records import Problem
from personamath.sources.problems import ProblemSource
from personamath.sources.questions import QuestionSource
from personamath.sources.rows import TableRow
from personamath.sources.seed_problems import Skipped, read_problems
from personamath.sources.tables import read_file, stem_of

gzipped = partial(gzip.compress, mtime=0)  # the same bytes in every process, which names the cases after them

ROWS = [
    {"question": "What is 5 + 2?", "answer": "7", "level": "1", "subject": "sums"},
    {"question": 'A "half", or ½;\nof 1,200 €?', "answer": "600", "level": "2", "subject": "parts, and wholes"},
    {"question": "Is 007 a spy?\tOr 1/2?", "answer": r"\frac{1}{2}", "level": "3", "subject": "TRUE"},
]
EXPECTED = [
    Problem("shop-a-00000", "shop", "What is 5 + 2?", "7", 1, "sums"),
    Problem("shop-a-00001", "shop", 'A "half", or ½;\nof 1,200 €?', "600", 2, "parts, and wholes"),
    Problem("shop-a-00002", "shop", "Is 007 a spy?\tOr 1/2?", r"\frac{1}{2}", 3, "TRUE"),
]


def jsonl(rows: list[dict[str, str]] = ROWS, ascii: bool = False) -> str:
    return "".join(json.dumps(row, ensure_ascii=ascii) + "\n" for row in rows)


def delimited(separator: str = ",", line_end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(
        text,
        ROWS[0],
        delimiter=separator,
        lineterminator=line_end,
        quoting=quoting,  # type: ignore[arg-type]
    )
    writer.writeheader()
    writer.writerows(ROWS)
    return text.getvalue()


def parquet(rows: list[dict[str, str]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as file:
        file.write(content)
    return bytes(sink.getvalue().to_pybytes())


COLUMNS = {name: [row[name] for row in ROWS] for name in ROWS[0]}
FORMS: list[tuple[str, bytes]] = [
    ("a.jsonl", jsonl().encode()),
    ("a.JSONL", jsonl(ascii=True).encode()),
    ("a.jsonl", jsonl().encode("utf-8-sig")),
    ("a.jsonl", jsonl().replace("\n", "\n\ufeff").encode("utf-8-sig")),  # files that were joined
    ("a.jsonl", b"".join(jsonl([row]).encode("utf-8-sig") for row in ROWS)),  # files that were joined
    ("a.jsonl", jsonl().replace("\n", "\r\n").encode()),
    ("a.jsonl", jsonl().replace("\n", "\n\n").strip().encode()),
    ("a.jsonl", jsonl().encode("utf-16")),
    ("a.jsonl", jsonl().encode("utf-16-le")),
    ("a.jsonl", jsonl().encode("utf-16-be")),
    ("a.jsonl.gz", gzipped(jsonl().encode())),
    ("a.jsonl.gz", gzipped(jsonl().encode("utf-16"))),
    ("a.jsonl.zst", zstd(jsonl().encode())),
    ("a.jsonl.gz", jsonl().encode()),  # unpacked by a browser
    ("a.jsonl", gzipped(jsonl().encode())),
    ("a.json", json.dumps(ROWS).encode()),
    ("a.json", json.dumps(ROWS, indent=2).encode("utf-8-sig")),
    ("a.json", ("\ufeff" + json.dumps(ROWS, indent=2)).encode("utf-8-sig")),
    ("a.json", jsonl().replace("\n", "\n\ufeff").encode("utf-16")),
    ("a.json", json.dumps({"version": "1.0", "data": ROWS}).encode()),
    ("a.json", json.dumps({"data": ROWS}, indent=2).encode("utf-16")),
    ("a.json", json.dumps(COLUMNS).encode()),
    ("a.json", jsonl().encode()),
    ("a.json.zst", zstd(jsonl().encode())),
    ("a.csv", delimited().encode()),
    ("a.csv", delimited(quoting=csv.QUOTE_ALL).encode("utf-8-sig")),
    ("a.csv", delimited().replace("\n", "\n\ufeff", 2).encode("utf-8-sig")),
    ("a.csv", delimited(line_end="\r\n").encode()),
    ("a.csv", delimited(line_end="\r").encode()),
    ("a.csv", delimited(";").encode()),
    ("a.csv", delimited("\t").encode("utf-16")),  # Excel's "Unicode text"
    ("a.csv", b"sep=;\r\n" + delimited(";", "\r\n").encode()),
    ("a.csv", ("sep=|\n" + delimited("|")).encode("utf-8-sig")),
    ("a.csv", ("\n" + delimited() + "\n \n").encode()),
    ("a.csv", delimited().replace("\n", ",,\n", 1).replace("sums\n", "sums,,\n").encode()),
    ("a.csv", delimited().replace("question,answer", " question , answer").encode()),
    ("a.csv.gz", gzipped(delimited().encode())),
    ("a.csv.zst", zstd(delimited().encode())),
    ("a.tsv", delimited("\t").encode()),
    ("a.tsv.gz", gzipped(delimited("\t", "\r\n").encode("utf-16"))),
    ("a.parquet", parquet(ROWS)),
]


def read(path: Path, columns: str = "question:answer") -> list[Problem | Skipped]:
    return list(read_problems([ProblemSource.parse(f"shop:{path}:{columns}")]))


@pytest.mark.parametrize(("name", "content"), FORMS)
def test_the_same_problems_in_every_form_are_the_same(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert read(tmp_path / name) == EXPECTED


def test_a_folder_of_save_to_disk_is_a_table(tmp_path: Path) -> None:
    datasets.Dataset.from_list(ROWS).save_to_disk(tmp_path / "a")
    assert read(tmp_path / "a") == EXPECTED


def test_of_a_folder_with_splits_one_is_named(tmp_path: Path) -> None:
    saved = datasets.Dataset.from_list(ROWS)
    datasets.DatasetDict(train=saved, test=saved).save_to_disk(tmp_path / "b")
    with pytest.raises(
        BadInput, match=r"b: a DatasetDict of the splits test, train; name one of their folders, e\.g\. "
    ):
        read(tmp_path / "b")
    assert [problem.id for problem in read(tmp_path / "b" / "train")] == [f"shop-train-0000{n}" for n in range(3)]


CELLS = ["007", "1/2", "1e3", "TRUE", "NA", "null", "3.50", "$1,200", "-0", "2,5"]


def test_cells_of_csv_stay_as_they_are_written(tmp_path: Path) -> None:
    lines = [f'{number},"{cell}"' for number, cell in enumerate(CELLS)]
    (tmp_path / "a.csv").write_text("\n".join(["n,cell", *lines]))
    assert [row.cell("cell") for row in read_file(tmp_path / "a.csv")] == CELLS


def test_columns_without_a_name_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(",question,answer\n0,What?,5\n1,How?,6\n")
    assert [row.values for row in read_file(tmp_path / "a.csv")] == [
        {"question": "What?", "answer": "5"},
        {"question": "How?", "answer": "6"},
    ]


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5))
def test_jsonl_and_csv_of_the_same_text_agree(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("agree")
    lines = [json.dumps({"question": question, "answer": answer}) for question, answer in rows]
    (folder / "a.jsonl").write_text("\n".join(lines))
    with (folder / "a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("question", "answer"), *rows])
    assert read(folder / "a.csv") == read(folder / "a.jsonl")


NESTED = {"row": {"question": {"text": "What?"}, "a.b": {"c": "5"}, "gone": None}, "row.note": "whole name"}


@pytest.mark.parametrize(
    ("column", "value"),
    [("row.question.text", "What?"), ("row.a.b.c", "5"), ("row.note", "whole name"), ("row.gone.text", None)],
)
def test_dots_reach_into_objects(column: str, value: str | None) -> None:
    assert TableRow("a.jsonl:1", NESTED).cell(column) == value


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_nested_columns_are_read_from_files(tmp_path: Path, name: str) -> None:
    rows = [{"row": {"question": {"text": row["question"]}, "answer": row["answer"]}} for row in ROWS]
    (tmp_path / name).write_bytes(jsonl(rows).encode() if name == "a.jsonl" else parquet(rows))  # type: ignore[arg-type]
    found = read(tmp_path / name, "row.question.text:row.answer")
    assert [(one.question, one.answer) for one in found if isinstance(one, Problem)] == [
        (row["question"], row["answer"]) for row in ROWS
    ]
    with pytest.raises(
        BadInput, match=r"no column 'row\.question\.txt'; the nearest known one is 'row\.question\.text'"
    ):
        read(tmp_path / name, "row.question.txt:row.answer")


def test_a_benchmark_may_be_any_table(tmp_path: Path) -> None:
    (tmp_path / "test.csv.gz").write_bytes(gzipped(delimited(";").encode("utf-16")))
    source = QuestionSource.parse(f"{tmp_path / 'test.csv.gz'}:question", "test")
    assert list(source.read()) == [row["question"] for row in ROWS]
    with pytest.raises(BadInput, match=r"test\.csv\.gz:2: no column 'questio'; the nearest known one is 'question'"):
        next(QuestionSource.parse(f"{tmp_path / 'test.csv.gz'}:questio", "test").read())


CUT = "A café".encode()
BAD: list[tuple[str, bytes, str]] = [
    ("a.jsonl", b"", "a.jsonl: contains no rows"),
    ("a.json", b" \n", "a.json: contains no rows"),
    ("a.json", b"[]", "a.json: contains no rows"),
    ("a.csv", b"", "a.csv: contains no rows"),
    ("a.csv", b"question,answer\n", "a.csv: contains no rows"),
    ("a.parquet", b"", "a.parquet: not a readable parquet file (Parquet file size is 0 bytes)"),
    ("a", b"{}", "a: a name without a suffix does not say what is in the file; use .jsonl, .json, .csv, .tsv (each "),
    ("a.xlsx", b"PK", "a.xlsx: unknown file type '.xlsx'; use .jsonl, .json, .csv, .tsv (each also with .gz or .zst "),
    ("a.parquet.gz", b"", "a.parquet.gz: parquet is compressed by itself; unpack the file first"),
    ("a.jsonl", b"[{}]", "a.jsonl:1: expected an object of columns, found list; name a file that holds one JSON list "),
    (
        "a.jsonl",
        b'{"a": 1}\n' + b"\0" * 9,
        "a.jsonl:2: not a complete line of JSON (Expecting value); correct or remove ",
    ),
    ("a.jsonl", b"[" * 100_000, "a.jsonl:1: not a line of JSON that can be read (maximum recursion depth exceeded"),
    ("a.json", b"5", "a.json: expected a list of objects, found int"),
    ("a.json", b"[5]", "a.json: row 0: expected an object of columns, found int"),
    ("a.json", b'[{"a": 1},\n{"a"]', "a.json:2: not valid JSON (Expecting ':' delimiter)"),
    ("a.json", b"[" * 100_000, "a.json: not JSON that can be read (maximum recursion depth exceeded"),
    ("a.json", b'{"a": [1, 2], "b": [1]}', "a.json: its columns differ in length: a 2, b 1"),
    ("a.json", b'{"train": [{}], "test": [{}]}', "a.json: has several lists of objects, under train, test; put "),
    ("a.csv", b"a,b\n1,2\n1\n", "a.csv:3: only 1 of 2 cells; is the file cut off, or a quote missing?"),
    ("a.csv", b"a,b\n1,2,3\n", "a.csv:2: 3 cells, the header has 2; put a cell that contains a comma into quotes"),
    (
        "a.csv",
        b"a,b\n1,2\n\xef\xbb\xbfa,b\n3,4\n",
        "a.csv:3: repeats the header, as if files were joined; remove the line",
    ),
    ("a.csv", b"a;b\n1;2;3\n", "a.csv:2: 3 cells, the header has 2; put a cell that contains a semicolon into quotes"),
    ("a.csv", b'a,b\n"1\n\n2",2\n1,2,3\n', "a.csv:5: 3 cells, the header has 2"),
    ("a.csv", b'a,b\n1,2\n"1,2\n1,2\n', "a.csv:3: not a row of CSV (unexpected end of data); write a quote inside "),
    ("a.csv", b'a,b\n"1"2,2\n', "a.csv:2: not a row of CSV (',' expected after '\"'); write a quote inside a quoted "),
    ("a.csv", b"a,b\n1\0,2\n", "a.csv:2: contains a NUL byte; export the file again"),
    ("a.csv", b"a,b,a\n1,2,3\n", "a.csv:1: two columns are named 'a'; rename one of them"),
    ("a.csv", b",,\n1,2,3\n", "a.csv:1: the header has no names of columns; write them on the first line"),
    ("a.csv", b"sep=;\na;b;b\n", "a.csv:2: two columns are named 'b'; rename one of them"),
    ("a.csv", "a,b\nA café,2\n".encode("latin-1"), "a.csv:2: not UTF-8; save the file as UTF-8"),
    ("a.jsonl", b'{"a": 1}\n' * 99_999 + b'{"a": "caf\xe9"}\n', "a.jsonl:100000: not UTF-8; save the file as UTF-8"),
    ("a.csv", b"a\n" + CUT[:-1], "a.csv:2: ends in the middle of a UTF-8 character; copy it again, or save it as "),
    ("a.csv", "a\nb".encode("utf-16")[:-1], "a.csv:2: ends in the middle of a UTF-16 character; copy it again"),
    ("a.csv.gz", gzipped(b"a\n1\n")[:-5], "a.csv.gz: cannot be unpacked (Truncated compressed stream); copy or "),
    ("a.csv.zst", zstd(b"a\n1\n")[:-3], "a.csv.zst: cannot be unpacked (Truncated compressed stream); copy or "),
    ("a.jsonl", b"PAR1" + b"\0\xff" * 9, "a.jsonl:1: not UTF-8; save the file as UTF-8"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD)
def test_bad_files_are_refused_in_one_line_by_place(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput) as error:
        list(read_file(tmp_path / name))
    assert str(error.value).startswith(f"{tmp_path}/{message}")
    assert "\n" not in str(error.value)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_two_columns_of_one_name(path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), path)


def make_damaged_folder(path: Path) -> None:
    datasets.Dataset.from_list(ROWS).save_to_disk(path)
    (path / "state.json").write_text("{}")


def make_nothing(path: Path) -> None:
    pass


OTHER: list[tuple[str, Callable[[Path], None], str]] = [
    ("a.jsonl", make_nothing, "a.jsonl: no such file"),
    ("a.csv.gz", make_nothing, "a.csv.gz: no such file"),
    ("a.parquet", make_nothing, "a.parquet: no such file"),
    ("a", make_folder, "a: a folder that save_to_disk did not write; name a file in it, or use .jsonl"),
    ("a.jsonl", make_folder, "a.jsonl: a folder that save_to_disk did not write"),
    ("a", make_damaged_folder, "a: not a readable folder of save_to_disk ("),
    ("a.parquet", make_two_columns_of_one_name, "a.parquet: two columns are named 'a'; rename one of them"),
]


@pytest.mark.parametrize(("name", "make", "message"), OTHER)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, make: Callable[[Path], None], message: str) -> None:
    make(tmp_path / name)
    with pytest.raises(BadInput) as error:
        list(read_file(tmp_path / name))
    assert str(error.value).startswith(f"{tmp_path}/{message}")


def test_rows_before_a_bad_line_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3\n")
    rows = read_file(tmp_path / "a.csv")
    assert next(rows) == TableRow(f"{tmp_path}/a.csv:2", {"a": "1", "b": "2"})
    with pytest.raises(BadInput):
        next(rows)


@pytest.mark.parametrize(("name", "stem"), [("a.csv.gz", "a"), ("a.b.jsonl", "a.b"), ("a.zst", "a"), ("a", "a")])
def test_the_stem_of_a_table_has_none_of_its_suffixes(name: str, stem: str) -> None:
    assert stem_of(Path(name)) == stem
