"""Answers of a file of prompts with Data Designer: PROMPTS OUTPUT URL IN_FLIGHT TIMEOUT."""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

os.environ["NEMO_TELEMETRY_ENABLED"] = "false"
# It counts tokens with a vocabulary that tiktoken downloads; litellm, which is not used here, carries the same file.
os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(find_spec("litellm").origin).parent / "litellm_core_utils" / "tokenizers")

import data_designer.config as dd
from data_designer.config.run_config import ResumeMode
from data_designer.interface import DataDesigner

prompts, output, url, in_flight, timeout = sys.argv[1:]
asked = [json.loads(line) for line in Path(prompts).read_text().splitlines()]

model = dd.ModelConfig(
    alias="teacher",
    model="gpt-4o-mini",
    provider="local",
    skip_health_check=True,
    inference_parameters=dd.ChatCompletionInferenceParams(
        temperature=0.7, max_tokens=2048, max_parallel_requests=int(in_flight), timeout=int(timeout)
    ),
)
config = dd.DataDesignerConfigBuilder(model_configs=[model])
config.with_seed_dataset(dd.LocalFileSeedSource(path=prompts))
config.add_column(dd.LLMTextColumnConfig(name="text", model_alias="teacher", prompt="{{ prompt }}"))

designer = DataDesigner(
    artifact_path=Path(output).with_suffix(""),
    model_providers=[dd.ModelProvider(name="local", endpoint=url, api_key="none")],
)
# Faults are retried, and do not end the run.
designer.set_run_config(dd.RunConfig(disable_early_shutdown=True))
made = designer.create(config, num_records=len(asked), resume=ResumeMode.IF_POSSIBLE)
rows = made.load_dataset().to_dict("records")
Path(output).write_text("".join(json.dumps({"prompt": row["prompt"], "text": row["text"]}) + "\n" for row in rows))
