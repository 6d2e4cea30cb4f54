"""Answers of a file of prompts with distilabel: PROMPTS OUTPUT URL IN_FLIGHT TIMEOUT."""

import json
import sys
from pathlib import Path

from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration

if __name__ == "__main__":
    prompts, output, url, in_flight, timeout = sys.argv[1:]
    asked = [{"instruction": json.loads(line)["prompt"]} for line in Path(prompts).read_text().splitlines()]
    with Pipeline(name="peer", cache_dir=str(Path(output).with_suffix(".cache"))) as pipeline:
        load = LoadDataFromDicts(data=asked, batch_size=int(in_flight))
        llm = OpenAILLM(
            model="gpt-4o-mini",
            base_url=url,
            api_key="none",
            timeout=int(timeout),
            max_retries=10,
            generation_kwargs={"temperature": 0.7, "max_new_tokens": 2048},
        )
        load >> TextGeneration(llm=llm, input_batch_size=int(in_flight))
    rows = pipeline.run(use_cache=True)["default"]["train"]
    answers = [{"prompt": row["instruction"], "text": row["generation"]} for row in rows if row["generation"]]
    Path(output).write_text("".join(json.dumps(answer) + "\n" for answer in answers))
