"""Base URLs: which are refused, and how they are shown."""

import pytest

from personamath.errors import BadInput
from personamath.teachers.urls import all_checked, checked, is_loopback, is_own, without_secrets

REFUSED = [
    "",
    "localhost:8000",
    "ftp://host/v1",
    "http://",
    "http://me:secret@host/v1",
    "http://:secret@host/v1",
    "http://host/v1?a=secret",
    "http://host/v1?",
    "http://host/v1#a",
    "http://[::1",
    "http://[secret@::1?secret",
    "http://host:port/v1",
    "http://host:99999/v1",
    "http://my host/v1",
    "http://host/v 1",
    "http://ho\nst/v1",
]


@pytest.mark.parametrize("url", REFUSED)
def test_what_is_not_a_base_url_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="write it") as refused:
        checked(url)
    assert "secret" not in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://host:8000/v1/", "http://host:8000/v1"),
        (" https://host/v1\n", "https://host/v1"),
        ("HTTPS://API.OpenAI.com/v1", "https://api.openai.com/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://host/Deployments/A", "http://host/Deployments/A"),
        ("http://host", "http://host"),
    ],
)
def test_a_base_url_has_one_form(url: str, asked: str) -> None:
    assert checked(url) == asked


def test_an_endpoint_is_named_once() -> None:
    assert all_checked(["http://a/v1", "http://b/v1/"]) == ("http://a/v1", "http://b/v1")
    with pytest.raises(BadInput, match=r"'http://a/v1' is given twice: give it once"):
        all_checked(["http://a/v1", "http://b/v1", "HTTP://A/v1/"])


HERE = ["localhost:1", "LOCALHOST", "vllm.localhost", "127.0.0.1", "127.9.9.9:80", "[::1]:8000", "0.0.0.0:8000", "[::]"]
ELSEWHERE = ["host", "notlocalhost", "localhost.example", "10.0.0.7", "192.168.1.1:80", "api.openai.com", "[fd00::1]"]


@pytest.mark.parametrize(("host", "is_here"), [*((one, True) for one in HERE), *((one, False) for one in ELSEWHERE)])
def test_this_machine_has_many_names(host: str, is_here: bool) -> None:
    assert is_loopback(f"http://{host}/v1") is is_here
    assert is_own(f"http://{host}/v1") or not is_here


def test_secrets_in_a_url_are_not_shown() -> None:
    assert without_secrets("https://me:pass@host:8000/v1?key=abc#x") == "https://host:8000/v1"
