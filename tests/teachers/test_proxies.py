"""Proxies named in the environment, and connections that fail: who is asked, and what is said."""

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest
from aiohttp import web

from personamath.errors import BadInput, TeacherMisconfigured
from personamath.records import Completion, Request
from personamath.teachers.batch.api import open_client
from personamath.teachers.http import HttpTeacher
from personamath.teachers.keys import Access
from personamath.teachers.proxies import proxy_for
from personamath.teachers.simulated import serve

URL, SAFE_URL = "http://models.example/v1", "https://models.example/v1"
REQUEST = Request("What is 1 + 1?", "teacher-1", 0.7, 2048)
ENVIRONMENTS: list[tuple[dict[str, str], str, str | None]] = [
    ({}, URL, None),
    ({"HTTP_PROXY": "http://proxy:3128"}, URL, "http://proxy:3128"),
    ({"http_proxy": "http://me:pass@proxy:3128"}, URL, "http://me:pass@proxy:3128"),
    ({"HTTP_PROXY": "proxy:3128"}, URL, "http://proxy:3128"),
    ({"HTTP_PROXY": "http://proxy:3128"}, SAFE_URL, None),
    ({"HTTPS_PROXY": "http://proxy:3128"}, SAFE_URL, "http://proxy:3128"),
    ({"ALL_PROXY": "http://proxy:3128"}, SAFE_URL, "http://proxy:3128"),
    ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "other.example,.example"}, SAFE_URL, None),
    ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, SAFE_URL, None),
    ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "10.0.0.7"}, "http://10.0.0.7:8000/v1", None),
    ({"HTTP_PROXY": "http://proxy:3128"}, "http://10.0.0.7:8000/v1", "http://proxy:3128"),
    ({"HTTPS_PROXY": "http://proxy:3128", "ALL_PROXY": "http://other:3128"}, SAFE_URL, "http://proxy:3128"),
    ({"HTTPS_PROXY": "http://proxy:3128", "ALL_PROXY": "http://other:3128"}, URL, "http://other:3128"),
    ({"HTTP_PROXY": "http://proxy:3128", "http_proxy": ""}, URL, None),
    ({"HTTP_PROXY": "http://proxy:3128"}, "http://127.0.0.1:8000/v1", None),
    ({"HTTP_PROXY": "http://proxy:3128"}, "http://localhost:8000/v1", None),
    ({"HTTP_PROXY": "http://proxy:3128"}, "http://[::1]:8000/v1", None),
    ({"HTTP_PROXY": "http://proxy:3128"}, "http://vllm.localhost:8000/v1", None),
    ({"HTTP_PROXY": "http://proxy:3128"}, "http://0.0.0.0:8000/v1", None),
]


EXCEPTIONS = [
    ("models.example", URL, True),
    ("MODELS.Example.", URL, True),
    ("dels.example", URL, False),
    ("example", URL, True),
    (".example", URL, True),
    ("*.example", URL, True),
    ("*.models.example", URL, True),
    ("other.example models.example", URL, True),
    ("other.example, *", URL, True),
    ("*,127.0.0.1", URL, True),
    ("*.other", URL, False),
    (",", URL, False),
    (".", URL, False),
    ("models.example:80", URL, True),
    ("models.example:443", URL, False),
    ("models.example:443", SAFE_URL, True),
    ("models.example:8000", "http://models.example:8000/v1", True),
    ("models.example:8001", "http://models.example:8000/v1", False),
    (":8000", "http://models.example:8000/v1", False),
    ("models.example", "http://models.example.:8000/v1", True),
    ("10.0.0.0/8", "http://10.0.0.7:8000/v1", True),
    ("10.0.0.7/8", "http://10.0.0.9:8000/v1", True),
    ("10.1.0.0/16", "http://10.0.0.7:8000/v1", False),
    ("10.0.0.7:8000", "http://10.0.0.7:8000/v1", True),
    ("10.0.0.7:8001", "http://10.0.0.7:8000/v1", False),
    ("0.0.7", "http://10.0.0.7:8000/v1", False),
    ("10.0.0.0/8", "http://10.example/v1", False),
    ("fd00::7", "http://[fd00::7]:8000/v1", True),
    ("[fd00::7]", "http://[FD00::7]:8000/v1", True),
    ("[fd00::7]:8000", "http://[fd00::7]:8000/v1", True),
    ("[fd00::7]:8001", "http://[fd00::7]:8000/v1", False),
    ("fd00::/8", "http://[fd00::7]:8000/v1", True),
    ("fd00::/8", "http://10.0.0.7:8000/v1", False),
]


@pytest.mark.parametrize(("exceptions", "url", "direct"), EXCEPTIONS)
def test_hosts_networks_and_ports_are_excepted(
    exceptions: str, url: str, direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert (proxy_for(url) is None) == direct


@pytest.mark.parametrize(("variables", "url", "proxy"), ENVIRONMENTS)
def test_the_environment_names_the_proxy(
    variables: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == proxy


@pytest.mark.parametrize(
    "proxy",
    [
        *("socks5://me:pass@proxy:1080", "http://", "http://proxy:port", "http://me:pass#word@proxy:port"),
        *("http://me:pass/word@proxy:3128", "http://me:pass?word@proxy:3128", "me:pass#word@proxy:3128"),
    ],
)
def test_a_proxy_of_another_kind_is_refused_before_anything_is_asked(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(BadInput, match="write it as http://HOST:PORT") as refused:
        proxy_for(URL)
    assert "pass" not in str(refused.value)


class Proxy:
    """Answers what it is asked to fetch by itself, or with an error of its own."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.fetched: list[str] = []
        self.logins: list[str | None] = []

    async def fetch(self, request: web.Request) -> web.Response:
        self.fetched.append(str(request.url))
        self.logins.append(request.headers.get("Proxy-Authorization"))
        choice = {"message": {"content": "2"}, "finish_reason": "stop"}
        return web.json_response({"choices": [choice]}, status=self.status)


async def ask(url: str, app: web.Application | None = None, environ: pytest.MonkeyPatch | None = None) -> Completion:
    """The answer of an endpoint, through a proxy where an application plays one."""
    if not app or not environ:
        async with HttpTeacher([url]) as teacher:
            return await teacher.complete(REQUEST)
    async with serve(app) as address:
        place = address.removesuffix("/v1").removeprefix("http://")
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            environ.setenv(name, f"http://me:pass@{place}")
        return await ask(url)


def proxied(proxy: Proxy) -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", proxy.fetch)
    return app


def test_requests_go_through_the_proxy_with_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy()
    assert asyncio.run(ask(URL, proxied(proxy), monkeypatch)).text == "2"
    assert proxy.fetched == [f"{URL}/chat/completions"]
    assert proxy.logins == ["Basic bWU6cGFzcw=="]


def test_batches_are_asked_for_through_the_same_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own endpoint directly, although the SDK would ask the proxy for it."""
    proxy = Proxy()

    async def run() -> None:
        async with serve(proxied(proxy)) as address:
            monkeypatch.setenv("ALL_PROXY", address.removesuffix("/v1"))
            async with open_client("http://models.example/v1", Access()) as client:
                await client.batches.retrieve("far")
            monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
            async with open_client(address, Access()) as client:
                await client.batches.retrieve("near")

    asyncio.run(run())
    assert [url.rpartition("/")[2] for url in proxy.fetched] == ["far", "near"]


UNREACHED = [
    (URL, Proxy(407), "through the proxy http://127.0.0.1:", "the proxy wants a user and a password"),
    (SAFE_URL, Proxy(407), "through the proxy http://127.0.0.1:", "the proxy answered"),
    (SAFE_URL, None, "through the proxy http://127.0.0.1:1", "Connect call failed"),
]


@pytest.mark.parametrize(("url", "proxy", "name", "why"), UNREACHED)
def test_a_proxy_that_lets_nothing_through_is_named_without_its_password(
    url: str, proxy: Proxy | None, name: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:pass@127.0.0.1:1")
    with pytest.raises(TeacherMisconfigured) as refused:
        asyncio.run(ask(url, proxied(proxy) if proxy else None, monkeypatch))
    said = str(refused.value)
    assert name in said and why in said and "pass@" not in said and "\n" not in said


def test_a_bad_certificate_and_a_missing_one_are_named(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    try:
        subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl here")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def run(tls: ssl.SSLContext | None) -> None:
        runner = web.AppRunner(web.Application())
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        try:
            await ask(f"https://127.0.0.1:{runner.addresses[0][1]}/v1")
        finally:
            await runner.cleanup()

    with pytest.raises(TeacherMisconfigured, match=r"cannot reach https.*certificate is not trusted .*self-signed"):
        asyncio.run(run(context))
    with pytest.raises(TeacherMisconfigured, match=r"cannot reach https.*no TLS there .* http://"):
        asyncio.run(run(None))
