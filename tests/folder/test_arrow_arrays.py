"""Arrays that are built without pandas are those of pyarrow."""

import pyarrow as pa
import pytest

from personamath.folder.arrow_arrays import strings, whole_numbers

MOST = 2**31 - 1


@pytest.mark.parametrize("values", [[], ["a"], ["", None, "½ 😀", None], [None] * 9, ["x"] * 17])
def test_strings_are_those_of_pyarrow(values: list[str | None]) -> None:
    found = strings(values)
    found.validate(full=True)
    assert found.equals(pa.array(values, pa.string())) and found.null_count == values.count(None)


@pytest.mark.parametrize("values", [[], [1], [MOST, -MOST - 1], [None], [0, None, 3] * 9, [None] * 8 + [5], range(20)])
def test_whole_numbers_are_those_of_pyarrow(values: list[int | None]) -> None:
    found = whole_numbers(values)
    found.validate(full=True)
    assert found.equals(pa.array(values, pa.int32())) and found.null_count == list(values).count(None)


def test_a_number_that_is_too_large_is_refused() -> None:
    with pytest.raises(OverflowError):
        whole_numbers([MOST + 1])
