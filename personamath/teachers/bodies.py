"""The JSON in the bytes of a reply: plain, after padding, compressed without saying so, or a stream of events (SSE).

Gateways and slow servers keep a connection alive with blank lines (DeepSeek) or comments (`: OPENROUTER PROCESSING`)
before the answer. Some servers stream without being asked to; then the answer is put together from its chunks.
"""

import json
import re
import zlib
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]

GZIP = b"\x1f\x8b"
_WITH_GZIP_HEADER = 31  # as zlib numbers the forms of a header
LARGEST_BODY_BYTES = 16 * 2**20
"""Far more than any answer has: a longer body, packed or unpacked, is not read further and is not an answer."""
# Not `splitlines`, which also splits at characters that JSON may hold.
_LINES = re.compile(r"\r\n|\n|\r")
_FIELD = re.compile(r"(?:data|event|id|retry)\s*:")
_DONE = "[DONE]"
# The texts of a delta; each comes in pieces.
_TEXTS = ("reasoning", "reasoning_content", "refusal")


def json_in(content: bytes) -> Any:
    """Return the JSON in a reply; raise `ValueError` if there is none, or if it is cut."""
    try:
        return json.loads(content)
    except ValueError:
        text = _decompressed(content).decode() if content.startswith(GZIP) else content.decode()
    lines = [line for line in _LINES.split(text.lstrip("\ufeff \t\r\n")) if line.strip() and not line.startswith(":")]
    if not lines or not _FIELD.match(lines[0]):
        return json.loads("\n".join(lines))
    data = [line.partition(":")[2].strip() for line in lines if line.startswith("data")]
    return _whole([json.loads(one) for one in data if one and one != _DONE], is_done=_DONE in data)


def _decompressed(content: bytes) -> bytes:
    try:
        return zlib.decompressobj(_WITH_GZIP_HEADER).decompress(content, LARGEST_BODY_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from None


def _whole(chunks: Iterable[Any], is_done: bool) -> Json:
    """Put a completion together from the chunks of a stream; raise `ValueError` if its end is missing.

    An error in a stream takes the place of everything before it.
    """
    body: Json = {}
    pieces: list[Any] = []
    message: Json = {}
    choice: Json = {}
    for chunk in chunks:
        if not isinstance(chunk, dict):
            raise ValueError("a chunk is not an object")
        if chunk.get("error") or chunk.get("object") == "error":
            return chunk | {"choices": []}
        body |= {name: value for name, value in chunk.items() if value is not None and name != "choices"}
        for one in _first_choices(chunk):
            # A server that only wraps its whole answer as an event sends a message in place of a delta.
            delta = one.get("delta") or one.get("message") or {}
            if not isinstance(delta, dict):
                raise ValueError("a delta is not an object")
            content = delta.get("content")
            pieces += content if isinstance(content, list) else [content] if content else []
            texts = {name: delta[name] for name in _TEXTS if isinstance(delta.get(name), str)}
            message |= {name: message.get(name, "") + text for name, text in texts.items()}
            choice |= {"message": message, "finish_reason": one.get("finish_reason") or choice.get("finish_reason")}
    if not choice:
        return body
    if not is_done and choice["finish_reason"] is None:
        raise ValueError("the stream ends before the answer does")
    message["content"] = "".join(pieces) if all(isinstance(piece, str) for piece in pieces) else pieces
    return body | {"choices": [choice]}


def _first_choices(chunk: Json) -> list[Json]:
    """Those parts of a chunk that belong to the first choice, the only one that is asked for."""
    choices = chunk.get("choices")
    found = choices if isinstance(choices, list) else []
    return [one for one in found if isinstance(one, dict) and not one.get("index")]
