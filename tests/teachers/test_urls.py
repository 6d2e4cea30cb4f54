"""Base URLs: which are refused, and how they are shown."""

import pytest

from personamath.errors import BadInput
from personamath.teachers.urls import checked, without_secrets


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://host/v1", "http://", "", "http://me:pw@host/v1", "http://host/v1?a=b"]
)
def test_what_is_not_a_base_url_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="write it"):
        checked(url)


def test_secrets_in_a_url_are_not_shown() -> None:
    assert without_secrets("https://me:pass@host:8000/v1?key=abc#x") == "https://host:8000/v1"
