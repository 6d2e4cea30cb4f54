"""`personamath journal`: what a run asked and was answered."""

import argparse
import sqlite3
from contextlib import closing
from pathlib import Path

from personamath.errors import BadInput
from personamath.journal import FILE_NAME, open_for_reading, unreadable

# Answers of a few kB each: some MB at a time.
EXPORT_ROWS = 2_000
COUNTS = """
select purpose, count(*), sum(finish_reason != 'stop'),
    coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0)
from answers group by purpose order by purpose
"""

HELP = "see what a run asked and was answered"
DESCRIPTION = """\
Count the answers in a run's journal by step, or write them all to a parquet file. The journal itself is one SQLite
file, RUN/journal.sqlite, that any SQLite client opens; reading it does not disturb a run that goes on.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("run_directory", type=Path, metavar="RUN", help="run directory")
    parser.add_argument("--export", type=Path, metavar="FILE", help="write every answer to this parquet file")


def run(options: argparse.Namespace) -> int:
    """Do it; gives the exit status."""
    try:
        _show(options.run_directory, options.export)
    except sqlite3.Error as error:
        raise unreadable(options.run_directory / FILE_NAME, error) from None
    return 0


def _show(run_directory: Path, export: Path | None) -> None:
    with closing(open_for_reading(run_directory)) as journal:
        print(f"{'':<26}{'answers':>12}{'cut short':>12}{'prompt tokens':>18}{'completion tokens':>20}")
        for purpose, *counts in journal.execute(COUNTS):
            print(f"{purpose:<26}" + "".join(f"{n:>{w},}" for n, w in zip(counts, (12, 12, 18, 20), strict=True)))
        if export:
            print(f"{_export(journal, export):,} answers written to {export}")


def _export(journal: sqlite3.Connection, file: Path) -> int:
    """All answers in the order they came, as parquet; the number of them."""
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
    if file.exists():
        raise BadInput(f"{file} exists already; export to a new file")
    written = 0
    try:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            while rows := answers.fetchmany(EXPORT_ROWS):
                writer.write_table(pa.table(list(zip(*rows, strict=True)), schema=schema))
                written += len(rows)
    except OSError as error:
        raise BadInput(f"cannot write {file}: {error.strerror or error}") from None
    return written
