"""How the parquet files of a dataset folder are written."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def parquet_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a parquet file for writing, and make its folder if it is missing."""
    path.parent.mkdir(exist_ok=True)
    return pq.ParquetWriter(
        path.absolute(),  # pyarrow would read `run-15:30/x` as a URL
        schema,
        compression="zstd",
        # Like `Dataset.to_parquet`, so that an edited dataset shares most chunks with its previous version.
        use_content_defined_chunking=True,
        write_page_index=True,
    )
