"""Answers of a file of prompts with datatrove: PROMPTS OUTPUT URL IN_FLIGHT TIMEOUT."""

import json
import sys
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
from datatrove.pipeline.inference.servers import EndpointServer
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

prompts, output, url, in_flight, timeout = sys.argv[1:]
folder = Path(output).with_suffix("")
# So many answers are written together, and a chunk that is whole is not read again after a kill.
RECORDS_PER_CHUNK = 500


async def is_ready(self):
    return True


# Before it asks, it would wait until the endpoint has `/v1/v1/models`, which none has.
EndpointServer.is_ready = is_ready


async def ask(document, generate):
    return await generate({"messages": [{"role": "user", "content": document.text}]})


config = InferenceConfig(
    server_type="endpoint",
    # 127.0.0.1 in another spelling: to that it would open a connection for each request, without a time-out.
    endpoint_url=url.replace("127.0.0.1", "127.1"),
    api_key="none",
    model_name_or_path="gpt-4o-mini",
    default_generation_params={"temperature": 0.7, "max_tokens": 2048},
    max_concurrent_generations=int(in_flight),
    request_timeout=float(timeout),
)
runner = InferenceRunner(
    ask,
    config,
    JsonlWriter(str(folder / "answers"), output_filename="${rank}-${chunk_index}.jsonl", compression=None),
    checkpoints_local_dir=str(folder / "checkpoints"),
    records_per_chunk=RECORDS_PER_CHUNK,
)
reader = JsonlReader(str(Path(prompts).parent), glob_pattern=Path(prompts).name, text_key="prompt")
try:
    LocalPipelineExecutor([reader, runner], tasks=1, logging_dir=str(folder / "logs")).run()
finally:
    rows = [json.loads(line) for file in folder.glob("answers/*.jsonl") for line in file.read_text().splitlines()]
    answers = [(row["text"], row["metadata"]["rollout_results"]) for row in rows]
    lines = [json.dumps({"prompt": prompt, "text": results[0]["text"]}) for prompt, results in answers if results]
    Path(output).write_text("".join(f"{line}\n" for line in lines))
