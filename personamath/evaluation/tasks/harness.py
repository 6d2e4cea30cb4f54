"""The task class that lm-eval runs: the task's YAML, with completions that fit the model's context."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict
from typing import Any

import datasets
from lm_eval.api.instance import Instance
from lm_eval.api.task import ConfigurableTask

from personamath.errors import BadInput
from personamath.evaluation.scores import FACTS
from personamath.evaluation.tasks.data import HubData, load
from personamath.evaluation.tasks.model import Room, is_api, model_of, room_of
from personamath.evaluation.tasks.prompting import paper

FIRST_SEED = 1234
"""The first sample's seed behind an API: lm-eval sends one seed for all samples, which gives equal completions."""


class MathTask(ConfigurableTask):
    """A task of this package; named by `class` in its YAML.

    `process_docs` turns rows into problems, `process_results` completions into metrics. This class adds the metric
    `stopped`, requests `repeats` samples that may differ, and keeps every completion within the model's context.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._room: Room | None = None
        super().__init__(config={key: value for key, value in config.items() if key != "class"})
        self.facts["prompt"] = self.doc_to_text({"question": "{instruction}"})

    def download(self, dataset_kwargs: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        """Load the problems; where that fails, lm-eval ends with one line."""
        config, metadata = self.config, self.config.metadata
        names = config.dataset_name if isinstance(config.dataset_name, list) else [config.dataset_name]
        hub = HubData(config.dataset_path, names, config.test_split, config.dataset_kwargs["revision"])
        try:
            model = model_of(metadata)
            loaded = load(metadata["data_set"], config.process_docs, hub, metadata.get("files") or {})
        except BadInput as error:
            raise SystemExit(f"personamath: {error}") from None
        self.facts["data"] = asdict(loaded.source)
        self.facts["model"] = asdict(model)
        self.dataset = {config.test_split: datasets.Dataset.from_list(loaded.docs)}

    def test_docs(self) -> Any:
        """Return the problems, which `download` has processed."""
        return self.dataset[self.config.test_split]

    def build_all_requests(self, **options: Any) -> None:
        """Build the requests without lm-eval's cache, which would give one model's limits to another."""
        super().build_all_requests(**{**options, "cache_requests": False})

    def construct_requests(self, doc: Mapping[str, Any], ctx: str, **options: Any) -> list[Instance]:
        """Make a request for each sample of a problem."""
        name, number, samples = options["metadata"]
        settings = {**self.config.generation_kwargs, "max_gen_toks": self.limit(ctx)}
        requests = []
        for sample in range(samples):
            seed = {"seed": FIRST_SEED + sample} if samples > 1 and is_api(self.config.metadata) else {}
            asked = (ctx, deepcopy(settings) | seed)
            requests.append(Instance("generate_until", doc, asked, idx=sample, metadata=(name, number, 1)))
        return requests

    def process_results(self, doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, float]:
        """Return the metrics of a problem; `stopped` is missing where the model's tokenizer cannot be loaded."""
        metrics: dict[str, float] = super().process_results(doc, results)
        limit = self.limit(self.doc_to_text(doc))
        stopped = [ended for text in results if (ended := self.room.stopped(text, limit)) is not None]
        return metrics | ({"stopped": sum(stopped) / len(stopped)} if stopped else {})

    @property
    def facts(self) -> dict[str, Any]:
        """What lm-eval's results say about the task besides its YAML; `personamath.evaluation.scores` reads it."""
        facts: dict[str, Any] = self.config.metadata.setdefault(FACTS, {})
        return facts

    @property
    def room(self) -> Room:
        """The model's context and tokenizer, loaded when they are first needed, from the arguments in the metadata."""
        if self._room is None:
            self._room = room_of(self.config.metadata)
        return self._room

    def limit(self, prompt: str) -> int:
        """Return how many tokens the completion of a prompt may have."""
        return self.room.limit(prompt, int(self.config.generation_kwargs["max_gen_toks"]))


class ProgramTask(MathTask):
    """A task whose model may write programs: two completions of a problem, of which the second is a chain of thought.

    lm-eval asks for all completions before it grades any, so the second is asked for every problem.
    """

    def construct_requests(self, doc: Mapping[str, Any], ctx: str, **options: Any) -> list[Instance]:
        """Make a request with the trained prompt, and one with the prompt that begins a chain of thought."""
        (first,) = super().construct_requests(doc, ctx, **options)
        (thought,) = super().construct_requests(doc, paper(doc), **options)
        thought.idx = 1
        return [first, thought]
