"""The JSON in a reply's bytes: padding, comments, unannounced compression, and streams that nobody asked for."""

import gzip
import json

import pytest

from personamath.teachers.bodies import LARGEST_BODY_BYTES, json_in

ANSWER = {"choices": [{"message": {"content": "2\u2028"}, "finish_reason": "stop"}]}
PLAIN = json.dumps(ANSWER, ensure_ascii=False).encode()
USAGE = {"prompt_tokens": 5, "completion_tokens": 7}


def delta(finish_reason: str | None = None, **parts: object) -> dict[str, object]:
    return {"id": "1", "model": "m", "choices": [{"index": 0, "delta": parts, "finish_reason": finish_reason}]}


def stream(*events: object, end: str = "\n\n", done: bool = True) -> bytes:
    lines = ["data: " + json.dumps(event, ensure_ascii=False) for event in events] + ["data: [DONE]"] * done
    return end.join([*lines, ""]).encode()


WHOLE = [delta(role="assistant", content=""), delta(content="1 + "), delta(content="1\n"), delta("stop")]
READ = [
    PLAIN,
    b"\n\n\n  " + PLAIN + b"\n",
    b"\xef\xbb\xbf" + PLAIN,
    b": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n" + PLAIN,
    b": keep-alive\r\n\r\n" + json.dumps(ANSWER, indent=2).encode(),
    gzip.compress(PLAIN, mtime=0),
    gzip.compress(b"\n\n" + PLAIN, mtime=0),
]


@pytest.mark.parametrize("content", READ)
def test_what_is_around_the_json_is_taken_off(content: bytes) -> None:
    assert json_in(content) == ANSWER


def message(content: object = "1 + 1\n", **more: object) -> dict[str, object]:
    return more | {"content": content}


STREAMS = [
    (stream(*WHOLE), message(), "stop"),
    (stream(*WHOLE, done=False), message(), "stop"),
    (stream(*WHOLE, end="\r\n\r\n"), message(), "stop"),
    (stream(*WHOLE, end="\n"), message(), "stop"),
    (b": OPENROUTER PROCESSING\n\n\n" + stream(*WHOLE), message(), "stop"),
    (b"event: message\nid: 7\n" + stream(*WHOLE).replace(b"data: ", b"data:"), message(), "stop"),
    (stream(delta(content="half"), delta("length")), message("half"), "length"),
    (stream(delta(content="2")), message("2"), None),
    (stream(delta(content="2\u2028"), delta("stop")), message("2\u2028"), "stop"),
    (stream(delta(reasoning="so "), delta(reasoning="far"), *WHOLE), message(reasoning="so far"), "stop"),
    (stream(delta(reasoning_content="so"), delta("length")), message("", reasoning_content="so"), "length"),
    (stream(delta(refusal="I can"), delta(refusal="not."), delta("stop")), message("", refusal="I cannot."), "stop"),
    (
        stream(delta(content=[{"type": "text", "text": "2"}]), delta("stop")),
        message([{"type": "text", "text": "2"}]),
        "stop",
    ),
    # Of several choices only the first was asked for.
    (stream({"choices": [{"index": 1, "delta": {"content": "3"}}]}, *WHOLE), message(), "stop"),
    # A whole answer in one event.
    (stream(ANSWER), message("2\u2028"), "stop"),
    (stream(*WHOLE, {"choices": [], "usage": USAGE}), message(), "stop"),
]


@pytest.mark.parametrize(("content", "read", "finish_reason"), STREAMS)
def test_a_stream_is_put_together(content: bytes, read: dict[str, object], finish_reason: str | None) -> None:
    body = json_in(content)
    assert body["choices"] == [{"message": read, "finish_reason": finish_reason}]
    assert body.get("model", "m") == "m"


def test_a_stream_as_llama_cpp_sends_it_is_put_together() -> None:
    """What llama-server sent when it was asked to stream, without most of its timings."""
    every = '"created":1795906363,"id":"chatcmpl-1","model":"m","system_fingerprint":"b1-0c1e570"'
    choices = [
        '{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}',
        '{"finish_reason":null,"index":0,"delta":{"content":"Yes"}}',
        '{"finish_reason":"stop","index":0,"delta":{}}',
    ]
    events = [f'data: {{"choices":[{choice}],{every},"object":"chat.completion.chunk"}}\n\n' for choice in choices]
    body = json_in("".join([*events, "data: [DONE]\n\n"]).encode())
    assert body["choices"] == [{"message": {"content": "Yes"}, "finish_reason": "stop"}]
    assert (body["model"], body["system_fingerprint"]) == ("m", "b1-0c1e570")


def test_the_usage_of_a_stream_is_kept_whichever_chunk_has_it() -> None:
    last = delta("stop") | {"usage": USAGE}
    for events in ([*WHOLE, {"choices": [], "usage": USAGE}], [*WHOLE[:-1], last], [last | {"usage": None}, last]):
        assert json_in(stream(*events))["usage"] == USAGE


ERRORS = [
    (stream(delta(content="hal"), {"error": {"code": 502, "message": "gone"}}), {"code": 502, "message": "gone"}),
    (stream({"error": "overloaded"}, done=False), "overloaded"),
    (stream(delta("error", content="") | {"error": {"message": "gone"}}), {"message": "gone"}),
]


@pytest.mark.parametrize(("content", "error"), ERRORS)
def test_an_error_in_a_stream_takes_the_place_of_the_answer(content: bytes, error: object) -> None:
    body = json_in(content)
    assert body["error"] == error and not body["choices"]


CUT = [
    b"",
    b"\n\n \n",
    b": OPENROUTER PROCESSING\n\n",
    PLAIN[:-3],
    b"\n" + PLAIN[:-3],
    b"<html>",
    stream(*WHOLE[:-1], done=False),
    stream(*WHOLE, done=False)[:-20],
    stream(delta(content="caf\u00e9"))[:-40],
    b"data: 7\n\n",
    stream({"choices": [{"delta": "2"}]}),
    b"\x1f\x8b nothing",
    gzip.compress(PLAIN, mtime=0)[:-20],
    b"\xff\xfe\xfd",
]


@pytest.mark.parametrize("content", CUT)
def test_what_is_cut_is_no_answer(content: bytes) -> None:
    with pytest.raises(ValueError):
        json_in(content)


def test_a_body_that_unpacks_to_far_more_than_an_answer_is_cut() -> None:
    with pytest.raises(ValueError):
        json_in(gzip.compress(json.dumps({"choices": "2" * LARGEST_BODY_BYTES}).encode()))
