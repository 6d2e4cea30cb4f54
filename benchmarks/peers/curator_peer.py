"""Answers of a file of prompts with curator: PROMPTS OUTPUT URL IN_FLIGHT TIMEOUT."""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

# It counts tokens with a vocabulary that tiktoken downloads; litellm brings the same file with it.
os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(find_spec("litellm").origin).parent / "litellm_core_utils" / "tokenizers")

from bespokelabs import curator

prompts, output, url, in_flight, timeout = sys.argv[1:]


class Solver(curator.LLM):
    def prompt(self, input):
        return input["prompt"]

    def parse(self, input, response):
        return {"prompt": input["prompt"], "text": response}


solver = Solver(
    model_name="gpt-4o-mini",
    backend="openai",
    generation_params={"temperature": 0.7, "max_tokens": 2048},
    backend_params={
        "base_url": url,
        "api_key": "none",
        "request_timeout": int(timeout),
        "max_concurrent_requests": int(in_flight),
        # No limit: otherwise it paces itself to guesses.
        "max_requests_per_minute": 10**7,
        "max_tokens_per_minute": 10**10,
        "require_all_responses": False,
        "in_mtok_cost": 1,
        "out_mtok_cost": 1,
    },
)
asked = [json.loads(line) for line in Path(prompts).read_text().splitlines()]
answers = solver(asked)
rows = getattr(answers, "dataset", answers)
Path(output).write_text("".join(json.dumps({"prompt": row["prompt"], "text": row["text"]}) + "\n" for row in rows))
