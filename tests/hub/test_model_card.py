"""The model card: computed from the record, the scores and the data, valid on the Hub, its code runnable."""

import json
import re
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import EvalResultEntry, ModelCard, ModelCardData, parse_eval_result_entries

from personamath.errors import BadInput
from personamath.evaluation.scores import ScoredRun, read_results
from personamath.folder.chart import PAPER, THROUGH, Bar, draw_scores
from personamath.folder.overlap import TestProblems
from personamath.folder.provenance import Origins
from personamath.methods import Direct
from personamath.training.prompts import ALPACA, PAPER_EVALUATION
from personamath_hub.models.base_licenses import TERMS, BaseLicense, card_metadata
from personamath_hub.models.card import model_card, published_license
from personamath_hub.models.paper import PAPER_MODELS
from personamath_hub.models.published_scores import bars, eval_result_files, eval_results, main_metric, scores_json
from personamath_hub.models.training_data import DataFacts
from tests.support.folders import RECIPE, changed, rows, write
from tests.support.lm_eval_output import write_run
from tests.support.model_folders import RECORD, based_on, reinforced, trained_on, write_facts

Values = list[dict[str, float]]


def values(n: int, right: int) -> Values:
    """Of `n` problems, the first `right` are right; of those the released graders miss the first."""
    return [
        {"exact_match": float(i < right), "paper": float(0 < i < right), "boxed": 1.0, "stopped": 1.0} for i in range(n)
    ]


def scored(folder: Path, tasks: dict[str, Values], model: str = "model", **options: Any) -> ScoredRun:
    write_run(folder, tasks, model=model, top={"date": 1_760_000_000.0}, **options)
    return read_results([folder])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_facts(tmp_path / "model")


@pytest.fixture
def scores(tmp_path: Path) -> ScoredRun:
    return scored(
        tmp_path / "scores", {"personamath_gsm8k": values(200, 130), "personamath_gsm8k_paper": values(200, 90)}
    )


def metadata(card: str) -> dict[str, Any]:
    return dict(yaml.safe_load(card.split("---\n")[1]))


def body(card: str) -> str:
    return card.split("---\n", 2)[2].strip()


def cells(text: str, *first: str) -> list[str]:
    """The cells of the one table row that begins with these."""
    start = r"\| *" + r" *\| *".join(map(re.escape, first)) + r" *\|"
    (line,) = (line for line in text.splitlines() if re.match(start, line))
    return [cell.strip() for cell in line.strip("|").split("|")][len(first) :]


def test_the_yaml_is_what_the_hub_reads(folder: Path, scores: ScoredRun) -> None:
    card = model_card(folder, scores, repo_id="me/PersonaMath-LLaMA-2-7B", version="v1.0.0", data=DataFacts("mit"))
    found = metadata(card)
    assert found["base_model"] == "meta-llama/Llama-2-7b-hf" and found["datasets"] == ["me/PersonaMathQA"]
    assert found["license"] == "llama2" and found["pipeline_tag"] == "text-generation"
    loaded = ModelCard(card).data
    assert isinstance(loaded, ModelCardData)
    assert yaml.safe_load(loaded.to_yaml())["base_model"] == found["base_model"]
    assert loaded.model_name == "PersonaMath-LLaMA-2-7B"


def test_scores_come_back_from_the_model_index_as_they_went_in(folder: Path, scores: ScoredRun) -> None:
    loaded = ModelCard(model_card(folder, scores)).data
    assert isinstance(loaded, ModelCardData) and loaded.eval_results == eval_results(scores)
    first, second = eval_results(scores)
    assert (first.metric_type, first.metric_value) == ("exact_match", 65.0)
    assert (second.metric_type, second.metric_value) == ("paper", 44.5)
    assert first.task_name != second.task_name and first.dataset_type == "openai/gsm8k"


def test_scores_come_back_from_the_eval_results_as_they_went_in(scores: ScoredRun) -> None:
    files = eval_result_files(scores, "me/Model", "v1.0.0")
    assert [*files] == [".eval_results/gsm8k.yaml"]  # the paper's prompt and graders are for no leaderboard
    (entry,) = parse_eval_result_entries(yaml.safe_load(files[".eval_results/gsm8k.yaml"]))
    assert entry == EvalResultEntry(
        dataset_id="openai/gsm8k",
        task_id="gsm8k",
        value=65.0,
        dataset_revision="0" * 40,
        date="2025-10-09T08:53:20+00:00",
        source_url="https://huggingface.co/me/Model/blob/v1.0.0/scores.json",
        source_name="scores",
        notes="personamath_gsm8k 1.0, exact_match, zero-shot, lm-eval 0.4.13 (hf)",
    )


BENCHMARKS = {
    "openai/gsm8k": "gsm8k",
    "MathArena/aime_2026": "MathArena/aime_2026",
    "MathArena/hmmt_feb_2026": "MathArena/hmmt_feb_2026",
    "ChilleD/SVAMP": None,
    "EleutherAI/hendrycks_math": None,
}


@pytest.mark.parametrize("dataset", BENCHMARKS)
def test_only_registered_benchmarks_have_eval_results_and_they_are_in_percent(tmp_path: Path, dataset: str) -> None:
    data = {"name": dataset, "config": None, "split": "train", "revision": "0" * 40, "local": False, "fingerprint": "f"}
    found = scored(tmp_path / "scores", {"personamath_some": values(8, 2)}, metadata={"data": data})
    files = eval_result_files(found, "me/Model", "v1.0.0")
    entries = [entry for text in files.values() for entry in parse_eval_result_entries(yaml.safe_load(text))]
    assert [(entry.dataset_id, entry.task_id, entry.value) for entry in entries] == (
        [(dataset, BENCHMARKS[dataset], 25.0)] if BENCHMARKS[dataset] else []
    )


def test_scores_on_a_local_file_are_no_benchmarks(tmp_path: Path) -> None:
    local = {"name": "mine.jsonl", "config": None, "split": None, "revision": None, "local": True, "fingerprint": "f"}
    found = scored(tmp_path / "local", {"personamath_gsm8k": values(9, 4)}, metadata={"data": local})
    assert not eval_result_files(found, "me/Model", "v1.0.0")
    (result,) = eval_results(found)
    assert "a local file" in result.dataset_name and result.dataset_type == "mine.jsonl"


def test_results_stand_beside_the_base_models_and_the_papers(folder: Path, scores: ScoredRun, tmp_path: Path) -> None:
    base = scored(tmp_path / "base", {"personamath_gsm8k": values(200, 30)}, model="meta-llama/Llama-2-7b-hf")
    card = model_card(folder, scores, base_scores=base)
    found = cells(card, "`personamath_gsm8k`", "1.0", "`exact_match`")
    assert found[:3] == ["as trained", "200", "**65.0**"]
    low, high = map(float, found[3].split(" to "))
    assert low < 65 < high
    base_score = base.tasks[0].score("exact_match")
    assert found[4] == f"15.0 ({100 * base_score.low:.1f} to {100 * base_score.high:.1f})" and found[5] == "68.7"
    (gain,) = (line for line in card.splitlines() if line.startswith("- Against the base model"))
    assert "`personamath_gsm8k`: better by 50.0" in gain and "McNemar" in gain
    assert cells(card, "`personamath_gsm8k_paper`", "1.0", "`paper`")[4:] == ["14.6 in the paper", "68.7"]
    alone = model_card(write_facts(tmp_path / "other", based_on("some/model")), scores)
    assert cells(alone, "`personamath_gsm8k`", "1.0", "`exact_match`")[4:] == ["–", "–"] and "in the paper" not in alone


def test_another_version_of_a_task_is_no_base_for_comparison(folder: Path, scores: ScoredRun) -> None:
    base = replace(scores, tasks=tuple(replace(run, version="2.0") for run in scores.tasks))
    card = model_card(folder, scores, base_scores=base)
    assert cells(card, "`personamath_gsm8k`", "1.0", "`exact_match`")[4] == "14.6 in the paper"
    assert "not compared: versions 1.0 and 2.0" in card
    assert [bar.base for bar in bars(scores, base, None)] == [None, None]


def test_scores_that_must_not_be_published_reach_no_card(folder: Path, scores: ScoredRun, tmp_path: Path) -> None:
    part = scored(tmp_path / "part", {"personamath_gsm8k": values(9, 4)}, problems=1319)
    for own, base in ((part, None), (scores, part)):
        with pytest.raises(BadInput, match=r"cannot go on a card: .*9 of 1,319 problems"):
            model_card(folder, own, base_scores=base)


def test_the_prompt_of_a_score_is_named(folder: Path, tmp_path: Path) -> None:
    names = {ALPACA: "as trained", PAPER_EVALUATION: "the paper's", "{instruction}": "another"}
    for number, (prompt, name) in enumerate(names.items()):
        found = scored(tmp_path / str(number), {"personamath_math": values(9, 4)}, metadata={"prompt": prompt})
        assert cells(model_card(folder, found), "`personamath_math`", "1.0", "`exact_match`")[0] == name


def test_what_was_scored_is_told(folder: Path, scores: ScoredRun) -> None:
    card = model_card(folder, scores)
    where = f"`openai/gsm8k`, `main`, `test` at `{'0' * 12}`"
    assert cells(card, "`personamath_gsm8k`", where)[1:] == ["4,096", "2025-10-09"]


def test_limits_that_the_samples_do_not_say_are_not_shown(folder: Path, scores: ScoredRun) -> None:
    silent = replace(scores, tasks=tuple(replace(run, limits=None) for run in scores.tasks))
    where = f"`openai/gsm8k`, `main`, `test` at `{'0' * 12}`"
    assert cells(model_card(folder, silent), "`personamath_gsm8k`", where)[1] == "–"


def test_subjects_and_levels_have_their_own_scores(folder: Path, tmp_path: Path) -> None:
    docs = {"subject": "Algebra", "level": 5}
    card = model_card(folder, scored(tmp_path / "math", {"personamath_math": values(50, 10)}, docs=docs))
    for part in ("`level 5`", "`subject Algebra`"):
        assert cells(card, "`personamath_math`", part)[:2] == ["50", "20.0"]


def test_scores_json_holds_every_score_unrounded(scores: ScoredRun) -> None:
    found = json.loads(scores_json(scores, None))
    assert [*found] == ["model"]
    task = found["model"]["tasks"][0]
    assert (task["task"], task["n"], task["prompt"], task["data"]["name"]) == (
        "personamath_gsm8k",
        200,
        ALPACA,
        "openai/gsm8k",
    )
    by_metric = {score["metric"]: score["value"] for score in task["scores"]}
    assert by_metric == {"exact_match": 0.65, "paper": 0.645, "boxed": 1.0, "stopped": 1.0}


def test_without_scores_the_first_line_says_so(folder: Path, scores: ScoredRun) -> None:
    draft = model_card(folder)
    assert body(draft).startswith("> **Not scored.**") and "model-index" not in metadata(draft)
    assert "scores.png" not in draft and "not published" in draft
    assert body(model_card(folder, scores)).startswith("# Llama-2-7b-hf-PersonaMath")


def test_a_model_of_simulated_data_says_so_above_its_name(tmp_path: Path, scores: ScoredRun) -> None:
    card = model_card(write_facts(tmp_path / "model", trained_on(simulated=True)), scores)
    assert body(card).startswith("> **Simulated: do not use this.**") and "simulated" in metadata(card)["tags"]


def test_the_training_data_is_named_by_its_version(folder: Path, tmp_path: Path) -> None:
    card = model_card(folder)
    assert "[me/PersonaMathQA@v1.0.0](https://huggingface.co/datasets/me/PersonaMathQA/tree/v1.0.0)" in card
    assert cells(card, "rows used") == ["4,501"] and cells(card, "rows dropped: longer than max_length") == ["39"]
    assert cells(card, "commit") == [f"`{'b' * 40}`"]
    local = trained_on(local=True, name="dataset", revision=None, commit=None)
    card = model_card(write_facts(tmp_path / "local", local))
    assert "the local folder `dataset`" in card and "nobody else can load" in card and "datasets" not in metadata(card)


def test_the_recipe_stands_beside_the_papers(folder: Path) -> None:
    card = model_card(folder)
    settings = block(card, "yaml").splitlines()
    assert "learning_rate: 1.0e-05  # the paper's: 2e-05" in settings
    assert "effective_batch_size: 16" in settings and "bf16: true" in settings
    assert cells(card, "wall time") == ["1.5 hours"] and cells(card, "strategy") == ["`DeepSpeed ZeRO-2`"]
    assert "844 optimizer steps of 16 examples (2 on a device × 2 accumulated × 4 processes)" in card
    assert "training loss 0.2135" in card and "](loss.png)" in card


@pytest.mark.parametrize(("seconds", "shown"), [(9_000.0, "2.5 hours"), (90.0, "1.5 minutes"), (45.2, "45 seconds")])
def test_the_time_of_training_is_shown_in_its_unit(tmp_path: Path, seconds: float, shown: str) -> None:
    card = model_card(write_facts(tmp_path / "model", replace(RECORD, wall_seconds=seconds)))
    assert cells(card, "wall time") == [shown]


CONTAMINATION = [
    (("gsm8k", "math"), "training problems of GSM8K and MATH", "249 of the 7,500"),
    (("gsm8k",), "training problems of GSM8K.", None),
    (("math",), "training problems of MATH", "517 share"),
    (("math:mine.jsonl",), "problems of the file `mine.jsonl`.", None),
]


@pytest.mark.parametrize(("problems", "named", "overlap"), CONTAMINATION)
def test_contamination_of_data_that_was_compared_with_nothing(
    folder: Path, tmp_path: Path, problems: tuple[str, ...], named: str, overlap: str | None
) -> None:
    write(tmp_path / "data", rows({"stage1_inference": 8}), replace(RECIPE, problems=problems))
    card = " ".join(model_card(folder, data=DataFacts.in_folder(tmp_path / "data")).split())
    assert "has not been compared with any test problems" in card and f"It is made from {named}" in card
    assert (overlap in card) if overlap else ("of the 7,500" not in card)


def test_the_data_is_described_as_it_was_made(folder: Path, tmp_path: Path) -> None:
    llama = "meta-llama/Llama-3.1-8B-Instruct"
    shop = {"source": "shop:mine.csv", "sha256": "0" * 64, "bytes": 9, "published_as": None}
    made = [changed(one, source="shop", teacher=llama) for one in rows({"stage1_inference": 8})]
    recipe = replace(RECIPE, teacher=llama)
    write(tmp_path / "own", made, recipe, Origins([shop], {"source": "bundled", "local": False}))
    card = " ".join(model_card(folder, data=DataFacts.in_folder(tmp_path / "own")).split())
    assert "The data was made from problems of `shop` (the file `mine.csv`), by the method `persona`" in card
    assert "must have a name that begins with “Llama”" in card and "independent, open reimplementation" in card
    assert "competition mathematics" not in card and "cobbe2021gsm8k" not in card and "grattafiori2024llama3" in card


def test_data_without_personas_and_unknown_data_are_not_said_to_have_any(folder: Path, tmp_path: Path) -> None:
    direct = replace(RECIPE, method=Direct())
    without = {"stage": 1, "review": None}
    made = [replace(one, method="direct", columns=without) for one in rows({"stage1_inference": 8})]
    write(tmp_path / "direct", made, direct)
    for data in (DataFacts.in_folder(tmp_path / "direct"), DataFacts()):
        card = model_card(folder, data=data)
        assert metadata(card)["tags"] == ["math", "reasoning"] and "diverse personas" not in card
        assert "| personas |" not in card


@pytest.mark.parametrize("config", ["default", "clean", "stage1"])
def test_contamination_of_data_that_was_compared_says_whether_overlapping_rows_were_trained_on(
    tmp_path: Path, config: str
) -> None:
    # By numbers alone they do not differ: three are given words of their own.
    made = [
        replace(row, problem="Two?", seed_problem="Two?") if number < 3 else row
        for number, row in enumerate(rows({"stage1_inference": 8}))
    ]
    origins = replace(
        Origins.named(RECIPE),
        benchmarks=[{"source": "math", "column": "problem"}],
        test_problems=TestProblems([made[-1].problem]),
    )
    data = DataFacts.in_folder(write(tmp_path / "data", made, origins=origins))
    folder = write_facts(tmp_path / "model", trained_on(config=config))
    card = " ".join(model_card(folder, data=data).split())
    assert "was compared with the test problems of `math`" in card and "249" not in card
    assert ("holds only rows without such overlap" in card) == (config == "clean")
    assert (": 5 of 8 rows; its scores may be higher" in card) == (config == "default")


def test_contamination_of_data_without_provenance_is_not_known(folder: Path) -> None:
    assert "**Not known.** It is not known what" in model_card(folder)


def test_data_that_cannot_be_the_records_is_refused(folder: Path, tmp_path: Path) -> None:
    data = DataFacts.in_folder(write(tmp_path / "data", rows({"stage1_inference": 8})))
    with pytest.raises(BadInput, match="has no config stage2"):
        model_card(write_facts(tmp_path / "stage2", trained_on(config="stage2")), data=data)
    with pytest.raises(BadInput, match="disagree on whether it is simulated"):
        model_card(write_facts(tmp_path / "simulated", trained_on(simulated=True)), data=data)


def test_data_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="data: no such folder"):
        DataFacts.in_folder(tmp_path / "data")
    folder = write(tmp_path / "data", rows({"stage1_inference": 2}))
    (folder / "provenance.json").write_text("{")
    with pytest.raises(BadInput, match=r"its card or its provenance\.json cannot be read"):
        DataFacts.in_folder(folder)


LICENCES = [
    ("meta-llama/Llama-2-7b-hf", "mit", "llama2", "LLAMA 2 Community License, Copyright (c) Meta"),
    ("meta-llama/Llama-2-13b-hf", "cc-by-nc-sa-4.0", "other", "**Not for commercial use"),
    ("meta-llama/Llama-3.1-8B", "apache-2.0", "llama3.1", "**Built with Llama**"),
    ("Qwen/Qwen2.5-7B", "apache-2.0", "apache-2.0", "Apache License 2.0"),
    ("some/model", "apache-2.0", "unknown", "**not known**"),
    ("Qwen/Qwen2.5-7B", "unknown", "other", "training data is not known"),
]


@pytest.mark.parametrize(("base", "data", "license", "said"), LICENCES)
def test_the_licence_chain_is_told(tmp_path: Path, base: str, data: str, license: str, said: str) -> None:
    card = model_card(write_facts(tmp_path / "model", based_on(base)), data=DataFacts(data))
    found = metadata(card)
    assert found["license"] == license and said in card
    assert found.get("license_name") == (
        f"{BaseLicense.named(based_on(base).base_model).identifier}-and-{data}-data" if license == "other" else None
    )
    assert cells(card, f"base model `{base}`") and cells(card, "training data `me/PersonaMathQA`")


def test_a_model_of_no_known_base_has_no_known_licence(tmp_path: Path) -> None:
    card = model_card(write_facts(tmp_path / "model", based_on("tiny", local=True)), data=DataFacts("apache-2.0"))
    assert metadata(card)["license"] == "unknown" and "base_model" not in metadata(card)
    assert published_license("unknown", "cc-by-nc-sa-4.0") == ("unknown", None)


def test_llama_3_1_wants_its_name_in_front() -> None:
    license = BaseLicense("llama3.1", {})
    license.check_name("me/Llama-3.1-8B-PersonaMath")
    with pytest.raises(BadInput, match=r"begin with Llama, e\.g\. me/Llama-PersonaMath-3\.1"):
        license.check_name("me/PersonaMath-3.1")
    BaseLicense("llama2", {}).check_name("me/PersonaMath-LLaMA-2-7B")
    BaseLicense("unknown", {}).check_name("me/Anything")


def test_the_paper_knows_each_of_its_base_models() -> None:
    for name, model in PAPER_MODELS.items():
        assert BaseLicense.named(based_on(name).base_model).identifier in TERMS
        assert {*model.base} == {*model.tuned} == {"gsm8k", "math"}


def block(card: str, language: str, number: int = -1) -> str:
    return str(re.findall(rf"```{language}\n(.*?)```", card, re.DOTALL)[number])


def test_the_recipe_is_on_the_card_once_and_can_be_run_again(tmp_path: Path) -> None:
    odd = {"learning_rate": 1e-05, "run_name": "mine: #1", "lr_scheduler_kwargs": {"min_lr": 1e-06}, "max_length": 512}
    record = replace(RECORD, recipe=RECORD.recipe | odd | {"warmup_steps": None, "bf16": False})
    card = model_card(write_facts(tmp_path / "model", record), version="v1.0.0", repo_id="me/M")
    (tmp_path / "recipe.yaml").write_text(block(card, "yaml"))
    assert yaml.safe_load(block(card, "yaml")) == record.recipe
    assert all(card.count(f"{key}:") == 1 for key in odd)
    train, score, push = block(card, "bash").strip().replace("\\\n", "").split("\n\n")
    assert " ".join(train.split()) == (
        "accelerate launch --config_file accelerate_configs/zero2.yaml --num_processes 4 "
        "recipes/sft.py --config recipe.yaml --output_dir runs/model"
    )
    assert score.startswith("lm_eval --model vllm") and '--include_path "$(personamath tasks)"' in score
    assert push == "personamath push runs/model --repo-id me/M --version v1.0.0 --scores runs/scores"


@pytest.mark.parametrize(
    ("hardware", "launch"),
    [({"accelerator": "cpu", "strategy": None}, "--cpu "), ({"accelerator": "NVIDIA H200", "strategy": "another"}, "")],
    ids=str,
)
def test_a_training_without_a_config_of_accelerate_can_be_run_again(
    tmp_path: Path, hardware: dict[str, Any], launch: str
) -> None:
    card = model_card(write_facts(tmp_path / "model", replace(RECORD, hardware=RECORD.hardware | hardware)))
    assert f"accelerate launch {launch}--num_processes 4 " in block(card, "bash")


@pytest.mark.parametrize(("local", "base"), [(False, "me/sft"), (True, RECORD.base_model.name)])
def test_a_model_after_reinforcement_learning_names_both_trainings(tmp_path: Path, local: bool, base: str) -> None:
    readme = model_card(write_facts(tmp_path, reinforced(RECORD, local)))
    metadata, card = card_metadata(readme.encode()), " ".join(readme.split())
    assert (metadata["base_model"], metadata["datasets"]) == (base, [RECORD.data.name])
    tree = f"https://huggingface.co/datasets/{RECORD.data.name}/tree"
    assert (
        f"on [me/PersonaMathQA@v1.0.0]({tree}/v1.0.0), then trained by reinforcement learning on 4,501 problems" in card
    )
    assert "GRPO with TRL, from the fine-tuned model " + ("`sft`, a local" if local else "[me/sft](https://") in card
    assert "844 optimizer steps of 16 completions (2 on a device × 2 accumulated × 4 processes)" in card
    assert "0.45 at the start, 0.71 at the end; before the training, 41 % of the completions" in card
    assert "recipes/grpo.py" in card and "with a loss" not in card and "the paper's |" not in card


def test_the_quick_starts_compile_and_hold_the_prompt(folder: Path) -> None:
    for card in (model_card(folder), model_card(folder, repo_id="me/M", version="v1.0.0")):
        blocks = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
        assert len(blocks) == 3
        for number, block in enumerate(blocks):
            head = block.partition("\ntokenizer =")[0].partition("\nproblem =")[0]
            names: dict[str, Any] = {}
            exec(compile(re.sub(r"^from .*$", "", head, flags=re.MULTILINE), "card", "exec"), names)
            compile(block, "card", "exec")
            assert names["STOP"] == RECORD.prompt.stop
            assert names.get("PROMPT") == (RECORD.prompt.evaluation if number else None)  # the first is by the template
            assert "2048" in block  # half of the context


def test_trls_tags_and_the_codes_repository_reach_the_card(tmp_path: Path) -> None:
    tags = ["trl", "sft", "trackio:https://me-trackio.hf.space"]
    record = replace(RECORD, tags=tags, repository="https://example.org/me/fork")
    card = model_card(write_facts(tmp_path / "model", record))
    assert metadata(card)["tags"] == ["math", "reasoning", *tags]
    assert (
        f"`{'c' * 40}` of <https://example.org/me/fork>" in card
        and "[PersonaMath](https://example.org/me/fork)" in card
    )
    assert "example.org" not in model_card(write_facts(tmp_path / "other"))


def test_a_token_with_a_bar_is_shown_as_it_is(tmp_path: Path) -> None:
    record = replace(RECORD, prompt=replace(RECORD.prompt, eos="<|end_of_text|>"))
    assert "`<|end_of_text|>`" in model_card(write_facts(tmp_path / "model", record))


def test_a_folder_without_its_facts_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    with pytest.raises(BadInput, match="max_position_embeddings"):
        model_card(folder)
    (folder / "training.json").unlink()
    with pytest.raises(BadInput, match=r"training\.json: no such file"):
        model_card(folder)


def test_the_card_is_the_same_for_the_same_facts(folder: Path, scores: ScoredRun) -> None:
    assert model_card(folder, scores) == model_card(folder, scores)


def test_the_chart_shows_what_is_known(scores: ScoredRun) -> None:
    paper = PAPER_MODELS["meta-llama/Llama-2-7b-hf"]
    shown = bars(scores, None, paper)
    assert [(bar.label, bar.value, bar.base, bar.paper) for bar in shown] == [
        ("gsm8k", 65.0, None, 68.7),
        ("gsm8k_paper", 44.5, None, 68.7),
    ]
    picture = draw_scores(shown)
    assert picture == draw_scores(shown) and struct.unpack(">II", picture[16:24])[0] == 1440
    assert draw_scores([Bar("aime24", 0.0, 0.0, 0.0, 3.0, None)]) != picture
    assert THROUGH != PAPER and main_metric(scores.tasks[1]) == "paper"
