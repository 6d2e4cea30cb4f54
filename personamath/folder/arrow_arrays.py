"""Arrow arrays of Python values, without pandas.

`pyarrow.array` imports pandas where it is installed, to ask whether a list is one of its series. That takes 0.4 s of
CPU and 40 MB, more than a small run takes to write its rows.
"""

from array import array
from collections.abc import Iterable, Sequence

import pyarrow as pa


def strings(values: Iterable[str | None]) -> pa.StringArray:
    """An array of texts; None becomes null."""
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()


def whole_numbers(values: Sequence[int | None]) -> pa.Int32Array:
    """An array of whole numbers of 32 bits; None becomes null. Raises `OverflowError` for a larger one."""
    numbers = array("i", (value or 0 for value in values))
    valid = pa.py_buffer(_bits(value is not None for value in values)) if None in values else None
    return pa.Array.from_buffers(pa.int32(), len(values), [valid, pa.py_buffer(numbers)])


def _bits(flags: Iterable[bool]) -> bytes:
    """Flags as Arrow packs them: eight in a byte, the first in its lowest bit."""
    packed = bytearray()
    for place, flag in enumerate(flags):
        if place % 8 == 0:
            packed.append(0)
        packed[-1] |= flag << place % 8
    return bytes(packed)
