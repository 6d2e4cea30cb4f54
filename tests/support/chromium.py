"""A headless Chromium, driven by its DevTools protocol over a pipe: nothing is installed but the browser."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Far above what a loaded machine takes; a page that is not there by then never comes.
PATIENCE = 20.0
# As root, without a GPU, and without a look at the network: the browser's own errands are refused here, loudly.
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"),
    "--remote-debugging-pipe",
)
# Windows' virtual key codes, by which Chromium tells keys that write nothing.
KEYS = {
    "Tab": 9,
    "Enter": 13,
    "Escape": 27,
    "PageUp": 33,
    "PageDown": 34,
    "End": 35,
    "Home": 36,
    "ArrowUp": 38,
    "ArrowDown": 40,
}
# Printable keys that are more than text.
TEXT_OF = {"Enter": "\r"}


def executable() -> str | None:
    """Where the browser is; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page:
    """One tab: commands go in, answers and events come out."""

    def __init__(self, to_browser: int, from_browser: int, downloads: Path) -> None:
        self.downloads = downloads
        """Where it saves files, whole and under the name that the page gives."""
        self._to, self._from = to_browser, from_browser
        self._buffer = b""
        self._id = 0
        self._session: str | None = None
        self.problems: list[str] = []
        """Everything that a person would see in red in the console, and what the page's policy refused."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.size(1280, 900)
        self.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Do one command of the protocol; gives its result."""
        self._id += 1
        message = {"id": self._id, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        _write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive(time.monotonic() + PATIENCE)
            if answer.get("id") == self._id:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def _receive(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not select.select([self._from], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError("Chromium does not answer")
            read = os.read(self._from, 1 << 20)
            if not read:
                raise RuntimeError("Chromium has ended")
            self._buffer += read
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        self._note(message)
        return message

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                self.problems.append(details.get("exception", {}).get("description") or details["text"])
            case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "assert"):
                self.problems.append(" ".join(str(a.get("value", a.get("description"))) for a in parameters["args"]))
            case "Log.entryAdded" if parameters["entry"]["level"] == "error":
                self.problems.append(parameters["entry"]["text"])
            case "Page.javascriptDialogOpening":
                self.problems.append(f"dialog: {parameters['message']}")
            case "Network.requestWillBeSent" if parameters["request"]["url"].startswith("http"):
                self.problems.append(f"network: {parameters['request']['url']}")

    def open(self, url: str) -> None:
        """Go there, and wait until it has loaded; the page begins anew even where only the fragment differs."""
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, expression: str) -> Any:
        """Value of an expression in the page, awaited."""
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def until(self, condition: str) -> Any:
        """Wait until an expression is true in the page; gives its value, of an element only that it is there."""
        end = time.monotonic() + PATIENCE
        while (value := self.evaluate(condition)) in (None, False, "", 0):
            if time.monotonic() > end:
                raise TimeoutError(f"never true: {condition}")
            time.sleep(0.03)
        return value

    def press(self, key: str, modifiers: int = 0) -> None:
        """Press and release a key: one of `KEYS`, or a character. Shift is modifier 8."""
        facts: dict[str, Any] = {"key": key, "modifiers": modifiers, "windowsVirtualKeyCode": KEYS.get(key, 0)}
        text = TEXT_OF.get(key, key if key not in KEYS else "")
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **facts)
        self.send("Input.dispatchKeyEvent", type="keyUp", **facts)

    def type(self, text: str) -> None:
        """Write into what has the focus."""
        self.send("Input.insertText", text=text)

    def size(self, width: int, height: int, mobile: bool = False) -> None:
        """Be a window, or a telephone, of that many CSS pixels."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    def prefer(self, **features: str) -> None:
        """What the reader prefers, e.g. `color_scheme="dark"`."""
        wanted = [{"name": "prefers-" + name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.send("Emulation.setEmulatedMedia", features=wanted)

    def screenshot(self, path: Path) -> None:
        """A PNG of what is in sight."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))


def _write(to: int, message: bytes) -> None:
    while message:
        message = message[os.write(to, message) :]


@contextmanager
def chromium(profile: Path) -> Iterator[Page]:
    """A browser with one tab, and an empty profile in that folder, until the context ends."""
    command = executable()
    if command is None:
        raise FileNotFoundError("no chromium on the path")
    pipes = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for pipe in (os.pipe(), os.pipe()) for end in pipe]
    their_in, to_browser, from_browser, their_out = pipes
    # The browser reads descriptor 3 and writes 4.
    shell = ["bash", "-c", f'exec "$@" 3<&{their_in} 4>&{their_out}', "bash"]
    process = subprocess.Popen(
        [*shell, command, *FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(their_in, their_out),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(their_in)
    os.close(their_out)
    try:
        yield Page(to_browser, from_browser, profile / "downloads")
    finally:
        try:
            # All its processes end with it, and it writes to its profile no more; it need not live to answer.
            _write(to_browser, b'{"id": 0, "method": "Browser.close"}\0')
            process.wait(PATIENCE)
        except (OSError, subprocess.TimeoutExpired):
            process.kill()
            process.wait()
        os.close(to_browser)
        os.close(from_browser)
