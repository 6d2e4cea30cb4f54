"""Which key goes to which endpoint, which headers go along, and that no secret is ever shown."""

import asyncio
import pickle
from collections.abc import Sequence

import pytest
from aiohttp import web

from personamath.errors import BadInput, TeacherError
from personamath.records import Request
from personamath.teachers.headers import Header, read_headers
from personamath.teachers.http import HttpTeacher
from personamath.teachers.keys import Access, access_to, access_to_all, keyless_note
from personamath.teachers.patience import Patience
from tests.support.endpoints import endpoint

OPENAI, ROUTER = "https://api.openai.com/v1", "https://router.huggingface.co/v1"
OTHER, HERE = "https://models.example/v1", "http://127.0.0.1:8000/v1"
REQUEST = Request("What is 1 + 1?", "teacher-1", 0.7, 2048)
KEYS = {"OPENAI_API_KEY": "sk-openai-key", "HF_TOKEN": "hf_token_of_me", "OTHER_KEY": "key-of-another"}
SENT = [
    # Each provider's key goes to its own hosts.
    (OPENAI, "", KEYS, "sk-openai-key"),
    ("https://us.api.openai.com/v1", "", KEYS, "sk-openai-key"),
    ("https://API.OpenAI.com/v1", "", KEYS, "sk-openai-key"),
    (ROUTER, "", KEYS, "hf_token_of_me"),
    # And nowhere else, however like them a host is named.
    (OTHER, "", KEYS, None),
    (HERE, "", KEYS, None),
    ("https://api.openai.com.example/v1", "", KEYS, None),
    ("https://notapi.openai.com/v1", "", KEYS, None),
    ("https://huggingface.co/v1", "", KEYS, None),
    ("https://me.openai.azure.com/openai/v1", "", KEYS, None),
    # What is named is sent.
    (OTHER, "OTHER_KEY", KEYS, "key-of-another"),
    (OTHER, "OPENAI_API_KEY", KEYS, "sk-openai-key"),
    (OPENAI, "OTHER_KEY", KEYS, "key-of-another"),
    (OPENAI, "none", KEYS, None),
    (OPENAI, "", KEYS | {"OPENAI_API_KEY": " sk-openai-key \n"}, "sk-openai-key"),
    # Whoever sets OPENAI_BASE_URL and OPENAI_API_KEY means them for one another.
    (OTHER, "", KEYS | {"OPENAI_BASE_URL": OTHER + "/"}, "sk-openai-key"),
    ("https://other.example/v1", "", KEYS | {"OPENAI_BASE_URL": OTHER}, None),
    (OPENAI, "", KEYS | {"OPENAI_BASE_URL": OTHER}, "sk-openai-key"),
    (ROUTER, "", KEYS | {"OPENAI_BASE_URL": ROUTER}, "sk-openai-key"),
    (OTHER, "", {"OPENAI_BASE_URL": OTHER}, None),
    (OTHER, "", KEYS | {"OPENAI_BASE_URL": " HTTPS://Models.Example/v1 "}, "sk-openai-key"),
]


def set_variables(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("url", "variable", "variables", "key"), SENT)
def test_a_key_goes_to_the_hosts_it_belongs_to(
    url: str, variable: str, variables: dict[str, str], key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variables(variables, monkeypatch)
    access = access_to(url, variable)
    assert access.key == key
    assert access.headers == ({"Authorization": f"Bearer {key}"} if key else {})


def test_the_stored_hub_token_goes_to_the_router(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "hf_stored_token")
    assert access_to(ROUTER).key == "hf_stored_token"
    assert "`hf auth login`" in access_to(ROUTER).remedy


REFUSED: list[tuple[list[str], list[str], list[str], str]] = [
    ([OPENAI], [], [], "OPENAI_API_KEY is not set: export it"),
    ([ROUTER], [], [], "no Hub token: log in with `hf auth login`, or export HF_TOKEN"),
    (["http://api.openai.com/v1"], [], [], "write https://"),
    (["http://api.openai.com/v1"], ["OTHER_KEY"], [], "write https://"),
    (["http://router.huggingface.co/v1"], ["OTHER_KEY"], [], "write https://"),
    ([OTHER], ["NO_SUCH_KEY"], [], "api_key_env: NO_SUCH_KEY is not set: export it"),
    ([OTHER], ["hf_mine"], [], "api_key_env: the environment variable that it names is not set"),
    ([OTHER], ["sk-mine"], [], "give the name of the environment variable that holds the key, not the key"),
    ([OTHER], ["BROKEN_KEY"], [], "contains characters that no key has"),
    ([OTHER, HERE, OPENAI], ["OTHER_KEY", "none"], [], "2 api_key_env for 3 base_url: give one for each"),
    ([OTHER], [], ["api-key=env:NO_SUCH_KEY"], "header api-key: NO_SUCH_KEY is not set"),
    ([OTHER], ["OTHER_KEY"], ["Authorization=env:OTHER_KEY"], "give only one of them"),
]


@pytest.mark.parametrize(("urls", "variables", "headers", "message"), REFUSED)
def test_a_key_that_cannot_be_sent_is_one_line_without_the_key(
    urls: list[str], variables: list[str], headers: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    set_variables({"OTHER_KEY": "key-of-another", "BROKEN_KEY": "key\nof-another"}, monkeypatch)
    if "write https://" in message:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-openai-key")
    with pytest.raises(BadInput) as refused:
        access_to_all(urls, variables, read_headers(headers))
    said = str(refused.value)
    assert message in said and "\n" not in said
    assert not any(secret in said for secret in ("mine", "of-another", "sk-"))


def test_one_name_is_for_all_endpoints_and_several_are_for_each_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    set_variables(KEYS, monkeypatch)

    def keys(urls: list[str], *variables: str) -> list[str | None]:
        return [access.key for access in access_to_all(urls, variables, ())]

    assert keys([OTHER, OPENAI, HERE]) == [None, "sk-openai-key", None]
    assert keys([OTHER, HERE], "OTHER_KEY") == ["key-of-another", "key-of-another"]
    assert keys([OTHER, HERE], "OTHER_KEY", "none") == ["key-of-another", None]


NOTED = [
    ([OTHER], [], [], f"no key is sent to {OTHER}. If one is needed, name the environment variable that holds it: "),
    ([OTHER, OPENAI, "http://node7:8000/v1"], [], [], f"no key is sent to {OTHER} and http://node7:8000/v1. "),
    ([OTHER], [], [], "(OPENAI_API_KEY goes to OpenAI only; --api-key-env OPENAI_API_KEY sends it here, too)"),
    ([OTHER], [], [], "If not: --api-key-env none"),
    ([OTHER], ["OTHER_KEY"], [], None),
    ([OTHER], ["none"], [], None),
    ([OTHER], [], ["api-key=env:OTHER_KEY"], None),
    ([HERE, "http://localhost:1234/v1", "http://[::1]:8000/v1", "http://0.0.0.0:8000/v1", OPENAI], [], [], None),
]


@pytest.mark.parametrize(("urls", "variables", "headers", "line"), NOTED)
def test_a_line_says_who_is_asked_without_a_key(
    urls: list[str], variables: list[str], headers: list[str], line: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variables(KEYS, monkeypatch)
    note = keyless_note(urls, access_to_all(urls, variables, read_headers(headers)))
    assert (note is None) == (line is None)
    assert line is None or (line in str(note) and "\n" not in str(note))


HEADERS = [
    ("X-Title=PersonaMath", Header("X-Title", "PersonaMath", "")),
    ("X-HF-Bill-To = my-org", Header("X-HF-Bill-To", "my-org", "")),
    ("HTTP-Referer=https://x.example/?a=b", Header("HTTP-Referer", "https://x.example/?a=b", "")),
    ("anthropic-version=2023-06-01", Header("anthropic-version", "2023-06-01", "")),
    ("OpenAI-Organization=org-1", Header("OpenAI-Organization", "org-1", "")),
    ("Authorization=env:MY_KEY", Header("Authorization", "", "MY_KEY")),
]


@pytest.mark.parametrize(("text", "header"), HEADERS)
def test_a_header_is_a_name_and_a_value(text: str, header: Header) -> None:
    assert read_headers([text]) == (header,)


NO_HEADERS = [
    (["X-Title"], "has no `=`"),
    (["X Title=a-secret"], "must not contain spaces, line breaks"),
    (["X-Title\nHost=a-secret"], "must not contain spaces, line breaks"),
    (["X-Titl\u00e9=a-secret"], "must not contain spaces, line breaks"),
    (["X-Title: a-secret"], "has no `=`"),
    (["=a-secret"], "must not contain spaces, line breaks"),
    (["X-Title=a-secret\r\nHost: x"], "empty or holds a line break"),
    (["X-Title="], "empty or holds a line break"),
    (["Content-Length=5"], "PersonaMath sets this header itself"),
    (["X-Title=a", "x-title=b"], "is given twice"),
    (["api-key=env:"], "write the name of an environment variable"),
    (["api-key=env:a-secret"], "write the name of an environment variable"),
    *(
        ([f"{name}=a-secret"], f"header {name}: its value looks like a secret")
        for name in (
            *[
                "Authorization",
                "authorization",
                "Proxy-Authorization",
                "api-key",
                "x-api-key",
                "apikey",
                "X-Auth-Token",
            ],
            *["x-goog-api-key", "Cookie", "Ocp-Apim-Subscription-Key", "CF-Access-Client-Secret", "X_API_KEY"],
        )
    ),
    (["X-Mine=Bearer a-secret"], "write X-Mine=env:VARIABLE"),
    (["X-Mine=sk-a-secret"], "write X-Mine=env:VARIABLE"),
]


@pytest.mark.parametrize(("texts", "message"), NO_HEADERS)
def test_a_header_that_must_not_be_sent_is_one_line_without_its_value(texts: list[str], message: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_headers(texts)
    assert message in str(refused.value) and "\n" not in str(refused.value)
    assert "a-secret" not in str(refused.value)


MASKED = [
    (Access("sk-very-secret"), "bad key sk-very-secret!", "bad key [key]!"),
    (Access("max"), "unknown field max_tokens", "unknown field max_tokens"),
    (Access("EMPTY"), "EMPTY body", "EMPTY body"),
    (Access(None, {"api-key": "very-secret"}, ("api-key",)), "no very-secret here", "no [key] here"),
    (Access("secret-key", {"api-key": "secret-key-2"}, ("api-key",)), "secret-key-2", "[key]"),
    (Access(None, {"X-Title": "PersonaMath"}), "PersonaMath", "PersonaMath"),
    (Access(None, {"Authorization": "Bearer very-secret"}, ("Authorization",)), "bad very-secret", "bad [key]"),
    (Access(None, {"Authorization": "Bearer very-secret"}, ("Authorization",)), "Bearer very-secret", "[key]"),
]


@pytest.mark.parametrize(("access", "text", "shown"), MASKED)
def test_secrets_are_masked_but_not_words_that_anything_may_say(access: Access, text: str, shown: str) -> None:
    assert access.masked(text) == shown


def test_a_key_on_its_way_to_another_machine_is_not_shown() -> None:
    access = Access("sk-very-secret", {"api-key": "very-secret"}, ("api-key",))
    assert "very-secret" not in repr(access) + str([access])
    assert pickle.loads(pickle.dumps(access)) == access


class Echo:
    """Refuses everything, in the words of its choice, and remembers the headers."""

    def __init__(self, status: int, body: str, **headers: str) -> None:
        self._reply = status, body, headers
        self.headers: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.headers.append(dict(request.headers))
        status, body, headers = self._reply
        return web.Response(status=status, text=body, headers=headers)


def refusal(echo: Echo, access: Access) -> str:
    """What a user reads."""

    async def run() -> str:
        patience = Patience(attempts=1)
        async with endpoint(echo.answer) as url, HttpTeacher([url], [access], patience) as teacher:
            with pytest.raises(TeacherError) as refused:
                await teacher.complete(REQUEST)
        return str(refused.value)

    return asyncio.run(run())


SECRET = "very-secret-value"
ECHOES = [
    Echo(401, f"bad api-key {SECRET}"),
    Echo(403, f'{{"error": {{"message": "no: {SECRET}"}}}}'),
    Echo(500, f'{{"detail": "{SECRET}"}}'),
    Echo(301, "", Location=f"https://x.example/{SECRET}"),
    Echo(200, f"hello {SECRET}"),
]


@pytest.mark.parametrize("echo", ECHOES, ids=lambda echo: str(echo._reply[0]))
def test_headers_are_sent_and_their_secrets_are_never_shown(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    texts: Sequence[str] = ["api-key=env:MY_KEY", "X-Title=PersonaMath"]
    said = refusal(echo, access_to("http://127.0.0.1:1/v1", headers=read_headers(texts)))
    sent = echo.headers[0]
    assert (sent["api-key"], sent["X-Title"], sent["Content-Type"]) == (SECRET, "PersonaMath", "application/json")
    assert "Authorization" not in sent
    assert SECRET not in said and "\n" not in said
    assert echo._reply[0] != 401 or said.endswith("check the value of --header api-key")
