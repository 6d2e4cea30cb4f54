"""`personamath journal`: count or export the answers of a run."""

import argparse
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.files import local_path, written_whole
from personamath.journal.block_files import all_answer_files, read_answers
from personamath.journal.file_format import FILE_NAME, JOURNAL_FILES, open_for_reading, unreadable
from personamath.journal.run_folder import RunFolder, local_copy

# An answer takes a few kB, so one batch takes a few MB.
EXPORT_ROWS = 2_000
# Width of the names of kinds of requests in characters, unless one is longer.
FIRST_COLUMN = 25
_COUNTED = ("purpose", "finish_reason", "prompt_tokens", "completion_tokens")
COUNTS = """
select purpose, count(*), sum(finish_reason != 'stop'),
    coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0)
from answers group by purpose order by purpose
"""

DESCRIPTION = """\
Count the answers in a run's journal by step, or write them all to a parquet file. The journal is one SQLite file,
RUN/journal.sqlite, which any SQLite client can open. Reading it does not disturb a run in progress. The counts and the
export include the answers that the ray engine stores in RUN/blocks/*/answers-*.parquet.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("run_directory", metavar="RUN", help="run directory: a path, or a URL")
    parser.add_argument("--export", type=local_path, metavar="FILE", help="write every answer to this parquet file")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    if options.export:
        _check_export(options.export)
    with local_copy(options.run_directory, *JOURNAL_FILES) as home:
        try:
            _show(home, RunFolder(options.run_directory), options.export)
        except sqlite3.Error as error:
            raise unreadable(home / FILE_NAME, error) from None
    return 0


def _check_export(file: Path) -> None:
    if file.suffix != ".parquet":
        raise BadInput(f"{file}: answers are exported as parquet; use a file name that ends in .parquet")
    if not file.parent.is_dir():
        raise BadInput(f"{file}: its folder does not exist; create {file.parent} first")
    if file.exists():
        raise BadInput(f"{file} already exists; export to a new file")


def _show(home: Path, folder: RunFolder, export: Path | None) -> None:
    with closing(open_for_reading(home)) as journal:
        totals: dict[str, list[int]] = {}
        for purpose, *counts in chain(journal.execute(COUNTS), _in_blocks(folder)):
            totals[purpose] = [sum(pair) for pair in zip(totals.get(purpose, [0] * 4), counts, strict=True)]
        first = max([FIRST_COLUMN, *map(len, totals)]) + 1
        print(f"{'':<{first}}{'answers':>12}{'cut short':>12}{'prompt tokens':>18}{'completion tokens':>20}")
        for purpose, counts in sorted(totals.items()):
            print(f"{purpose:<{first}}" + "".join(f"{n:>{w},}" for n, w in zip(counts, (12, 12, 18, 20), strict=True)))
        if export:
            print(f"{_export(journal, folder, export):,} answers written to {export}")


def _in_blocks(folder: RunFolder) -> Iterator[tuple[Any, ...]]:
    """Yield the counts of every answer that the ray engine stores beside the journal."""
    for file in all_answer_files(folder):
        for purpose, reason, prompt, completion in read_answers(folder, file, _COUNTED):
            yield purpose, 1, reason != "stop", prompt or 0, completion or 0


def _export(journal: sqlite3.Connection, folder: RunFolder, file: Path) -> int:
    """Write all answers in the order they arrived, then those stored beside the journal; return their number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    answers = journal.execute("select * from answers order by rowid")
    names = [column[0] for column in answers.description]
    types = {
        "sample": pa.int32(),
        "prompt_tokens": pa.int32(),
        "completion_tokens": pa.int32(),
        "answered_at": pa.float64(),
        "checksum": pa.int64(),
    }
    schema = pa.schema([(name, types.get(name, pa.string())) for name in names])
    written = 0
    try:
        with written_whole(file) as partial, pq.ParquetWriter(partial.absolute(), schema, compression="zstd") as writer:
            while rows := answers.fetchmany(EXPORT_ROWS):
                writer.write_table(pa.table(list(zip(*rows, strict=True)), schema=schema))
                written += len(rows)
            for answer_file in all_answer_files(folder):
                rows = list(read_answers(folder, answer_file, names))
                writer.write_table(pa.table(list(zip(*rows, strict=True)), schema=schema))
                written += len(rows)
    except OSError as error:
        raise BadInput(f"cannot write {file}: {error.strerror or error}") from None
    return written
