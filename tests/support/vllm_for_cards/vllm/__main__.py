"""Stands in for the command `vllm serve`: answers chats by the model's own template, by transformers."""

import argparse
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


def answer(model: Any, tokenizer: Any, body: dict[str, Any]) -> dict[str, Any]:
    inputs = tokenizer.apply_chat_template(
        body["messages"], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    output = model.generate(
        **inputs, max_new_tokens=body["max_tokens"], do_sample=False, stop_strings=body["stop"], tokenizer=tokenizer
    )
    text = tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


def main() -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    parser = argparse.ArgumentParser(prog="vllm")
    parser.add_argument("command", choices=["serve"])
    parser.add_argument("model")
    parser.add_argument("--revision")
    parser.add_argument("--tokenizer-revision")
    parser.add_argument("--override-generation-config", type=json.loads, default={})
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    # What vLLM would do instead is to sample at temperature 1.
    assert options.override_generation_config == {"temperature": 0}
    model: Any = AutoModelForCausalLM.from_pretrained(options.model, revision=options.revision)
    tokenizer: Any = AutoTokenizer.from_pretrained(options.model, revision=options.tokenizer_revision)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/chat/completions"
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert body.pop("model") == options.model
            content = json.dumps(answer(model, tokenizer, body)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    HTTPServer(("127.0.0.1", options.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
