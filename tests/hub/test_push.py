"""`personamath push` as a user runs it: a model is scored, pushed, loaded, scored again, against a local Hub."""

import json
import re
import shutil
import subprocess
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import HfApi, constants, parse_eval_result_entries

from personamath.commands.cli import main
from personamath.errors import BadInput
from personamath.evaluation import tasks
from personamath.training.chat_template import write_chat_template
from personamath.training.record import TrainingRecord
from personamath_hub.models.push import prepared_model
from personamath_hub.versions.publish import plan_version, publish_version
from personamath_hub.versions.revisions import PublishError
from personamath_hub.versions.tree import LocalFile, hash_file
from tests.conftest import REPO as CHECKOUT
from tests.support import programs
from tests.support.folders import rows, write
from tests.support.hub_process import Command, Run, runner
from tests.support.lm_eval_output import write_run
from tests.support.local_hub import LocalHub
from tests.support.model_folders import LOCAL, RECORD, based_on, write_model
from tests.support.versions import SOON_S

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:It seems that you are about to commit a data file:UserWarning"),
]

DATA = "alice/PersonaMathQA"
REPO = "alice/PersonaMath-tiny"
STAND_IN = Path(__file__).parent.parent / "support" / "vllm_for_cards"

# A task of this package on problems of the test's own: it names no published dataset that it would have to be.
TASK = f"""
include: {Path(tasks.__file__).parent / "_common_yaml"}
task: personamath_mine
dataset_path: nowhere/mine
test_split: test
dataset_kwargs: {{revision: none}}
process_docs: !function personamath.evaluation.tasks.sources.gsm8k
process_results: !function personamath.evaluation.tasks.metrics.word_problem
metadata: {{version: 1.0, data_set: gsm8k}}
"""
PROBLEMS = [
    {"question": f"What is {n} + {m}?", "answer": f"It is {n + m}.\n#### {n + m}"} for n in range(4) for m in (1, 3)
]


@dataclass(frozen=True)
class Pushed:
    """A model that was scored and pushed."""

    folder: Path
    results: Path
    push: subprocess.CompletedProcess[str]
    run: Run

    @property
    def flags(self) -> list[object]:
        return [self.folder, "--repo-id", REPO, "--version", "v1.0.0", "--scores", self.results]


def score(run: Run, model: object, output: Path) -> Path:
    """The real lm_eval command, on every problem of a local file."""
    folder = output.parent
    (folder / "mine.yaml").write_text(TASK)
    (folder / "mine.jsonl").write_text("".join(json.dumps(problem) + "\n" for problem in PROBLEMS))
    files = json.dumps({"files": {"gsm8k": str(folder / "mine.jsonl")}})
    arguments = ("--include_path", folder, "--tasks", "personamath_mine", "--metadata", files, "--device", "cpu")
    where = ("--output_path", output, "--log_samples", "--batch_size", "8")
    scored = run("-m", "lm_eval", "--model", "hf", "--model_args", f"pretrained={model}", *arguments, *where)
    assert scored.returncode == 0, scored.stderr
    return output


def push(run: Run, *flags: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return run("-m", "personamath.commands.cli", "push", *flags, **environment)


@pytest.fixture
def command(command: Command) -> Command:
    """`personamath push` in this process."""
    return lambda *flags: command("push", *flags)


def publish_data(api: HfApi, folder: Path) -> str:
    """Publish a dataset as alice; gives the commit."""
    write(folder, rows({"stage1_inference": 6}))
    return publish_version(folder, DATA, "v1.0.0", repo_type="dataset", message="data", api=api).commit


@pytest.fixture(scope="module")
def pushed(hub_server: LocalHub, tmp_path_factory: pytest.TempPathFactory) -> Pushed:
    """A tiny model, trained on a dataset of the local Hub, as its record says; scored by lm_eval; pushed."""
    folder = tmp_path_factory.mktemp("push")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "HF_HUB_OFFLINE", False)
        patch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        commit = publish_data(HfApi(endpoint=hub_server.endpoint, token="hf_alice"), folder / "data")
    data = replace(RECORD.data, name=DATA, commit=commit)
    model = write_model(folder / "model", replace(LOCAL, data=data))
    run = runner(hub_server, folder)
    results = score(run, model, folder / "scores")
    done = push(run, model, "--repo-id", REPO, "--version", "v1.0.0", "--scores", results)
    return Pushed(model, results, done, run)


def file(hub: LocalHub, path: str, revision: str = "v1.0.0", repo: str = REPO) -> str:
    return hub.repository(repo, "models").blob(f"{revision}:{path}").decode()


def test_one_commit_and_one_tag_hold_the_model_and_its_card(pushed: Pushed, hub: LocalHub) -> None:
    assert pushed.push.returncode == 0, pushed.push.stderr
    assert "v1.0.0 is published" in pushed.push.stdout and "not published of" in pushed.push.stderr
    repository = hub.repository(REPO, "models")
    assert [commit["title"] for commit in repository.log("main")] == ["v1.0.0: PersonaMath-tiny", "initial commit"]
    files = repository.files(repository.resolve("v1.0.0"))
    assert {*files} == {
        *(".gitattributes", "README.md", "scores.json", "assets/scores.png"),
        *("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"),
        "chat_template.jinja",
        *("training.json", "trainer_state.json", "loss.csv", "loss.png"),
    }
    assert files["model.safetensors"].pointer


USE = """
import contextlib, io, json, re, sys
import torch
from huggingface_hub import ModelCard
from transformers import AutoModelForCausalLM
folder, repo, revision, stand_in = sys.argv[1:]

card = ModelCard.load(repo)
card.validate()
results = [[result.metric_type, result.metric_value] for result in card.data.eval_results]

ids = torch.arange(200).reshape(2, -1) % 100
with torch.no_grad():
    here, there = (
        AutoModelForCausalLM.from_pretrained(name, **options)(ids).logits
        for name, options in ((folder, {}), (repo, {"revision": revision}))
    )

sys.path.append(stand_in)  # after vLLM itself, where it is installed
said = []
for code in re.findall(r"```python\\n(.*?)```", card.content, re.DOTALL):
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(code, "card", "exec"), {"__name__": "__main__"})
    said.append(output.getvalue())
print(json.dumps({
    "equal": torch.equal(here, there), "range": float(here.max() - here.min()), "results": results, "said": said
}))
"""


def test_the_model_and_its_card_can_be_used_from_the_hub(pushed: Pushed, hub: LocalHub) -> None:
    """The same logits; a card that the Hub validates; its scores, as the client reads them; its code, as it stands."""
    used = pushed.run("-c", USE, pushed.folder, REPO, "v1.0.0", STAND_IN)
    assert used.returncode == 0, used.stderr
    found = json.loads(used.stdout.splitlines()[-1])
    assert found["equal"] and found["range"] > 0
    assert found["results"] == [["exact_match", 25.0]]  # two of the eight sums are 4
    assert found["said"] == ["So it is $\\boxed{4}$.\n"] * 3
    assert hub.asked("POST", "/api/validate-yaml")


SERVE = """
import sys
from huggingface_hub import ModelCard
from tests.support.card_commands import served_chat
repo, stand_in = sys.argv[1:]
print(served_chat(ModelCard.load(repo).content, stand_in))
"""


def test_the_cards_server_answers_its_request(pushed: Pushed, tmp_path: Path) -> None:
    command = tmp_path / "vllm"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{STAND_IN}" exec "{programs.commands()}/python" -m vllm "$@"\n')
    command.chmod(0o755)
    used = pushed.run("-c", SERVE, REPO, tmp_path, PYTHONPATH=str(CHECKOUT))
    assert used.returncode == 0, used.stderr
    assert used.stdout.strip() == r"So it is $\boxed{4}$."


def test_lm_eval_on_the_pushed_model_gives_the_scores_on_its_card(
    pushed: Pushed, hub: LocalHub, tmp_path: Path
) -> None:
    score(pushed.run, f"{REPO},revision=v1.0.0", tmp_path / "again")
    (again,) = (tmp_path / "again").rglob("results_*.json")
    results = json.loads(again.read_text())["results"]["personamath_mine"]
    task = json.loads(file(hub, "scores.json"))["model"]["tasks"][0]
    on_card = {score["metric"]: score["value"] for score in task["scores"]}
    assert on_card and on_card == {metric: results[f"{metric},none"] for metric in on_card}
    assert on_card["exact_match"] == 2 / len(PROBLEMS) and on_card["stopped"] == 1
    assert task["n"] == len(PROBLEMS) and task["data"]["name"] == "mine.jsonl"
    line = next(line for line in file(hub, "README.md").splitlines() if line.startswith("| `personamath_mine`"))
    assert [cell.strip() for cell in line.split("|")][3:7] == ["`exact_match`", "as trained", "8", "**25.0**"]


def test_the_card_tells_of_the_data_at_its_commit(pushed: Pushed, hub: LocalHub) -> None:
    card = file(hub, "README.md")
    commit = TrainingRecord.read(pushed.folder).data.commit
    assert commit and f"| commit | `{commit}` |" in card and f"[{DATA}@v1.0.0]" in card
    assert "| teacher | `teacher-1`, temperature 0.7 |" in card
    assert yaml.safe_load(card.split("---\n")[1])["datasets"] == [DATA]


def test_the_same_command_again_does_nothing_and_other_content_is_refused(
    pushed: Pushed, hub: LocalHub, command: Command
) -> None:
    before = hub.repository(REPO, "models").log("main")
    hub.requests.clear()
    again = command(*pushed.flags)
    assert again.status == 0 and "v1.0.0 was already published" in again.stdout, again.stderr
    for flags in ([], ["--dry-run"]):
        other = command(*pushed.flags[:-2], "--without-scores", *flags)
        assert other.status == 1 and "with other content" in other.stderr
    assert hub.repository(REPO, "models").log("main") == before
    assert not hub.asked("POST", "/(commit|preupload|create)")


def test_a_collection_is_checked_first_and_takes_the_model_once(local: Path, hub: LocalHub, command: Command) -> None:
    slug, hub.collections = "alice/math-0123", {"alice/math-0123": [], "bob/his-0123": []}
    hub.requests.clear()
    flags = [local, "--repo-id", "alice/collected", "--version", "v1.0.0", "--without-scores", "--collection"]
    missing = command(*flags, "alice/none-0123")
    assert missing.status == 1
    assert "--collection alice/none-0123: cannot read" in missing.stderr and "after /collections/" in missing.stderr
    assert not hub.asked("POST", "/(commit|preupload|create)")
    dry = command(*flags, slug, "--dry-run")
    assert dry.status == 0 and f"would be in the collection {slug}" in dry.stdout and not hub.collections[slug]
    for _ in range(2):
        done = command(*flags, slug)
        assert done.status == 0 and f"collections/{slug}" in done.stdout, done.stderr
    assert hub.collections[slug] == [{"id": "alice/collected", "type": "model"}]
    others = command(*flags, "bob/his-0123")
    assert others.status == 1 and "is published, but not in the collection bob/his-0123" in others.stderr


ADAPTER_USE = """
import re, sys
from huggingface_hub import ModelCard
card = ModelCard.load(sys.argv[1])
(code,) = re.findall(r"```python\\n(.*?)```", card.content, re.DOTALL)
exec(compile(code, "card", "exec"), {"__name__": "__main__"})
"""


@pytest.fixture
def adapted(api: HfApi, tmp_path: Path) -> Path:
    """What a LoRA run on a base model of the local Hub leaves: the merged model, and the adapter beside it."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base_model = replace(LOCAL.base_model, name="alice/base", local=False)
    folder = write_model(tmp_path / "model", replace(LOCAL, base_model=base_model))
    api.create_repo("alice/base", exist_ok=True)
    for name in ("model.safetensors", "config.json", "generation_config.json"):
        api.upload_file(path_or_fileobj=folder / name, path_in_repo=name, repo_id="alice/base")
    base = AutoModelForCausalLM.from_pretrained(folder)
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # peft asks by an old name
        adapter = get_peft_model(base, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
    adapter.save_pretrained(folder / "adapter")
    config = folder / "adapter" / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": "alice/base"}))
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (folder / "adapter" / name).write_bytes((folder / name).read_bytes())
    return folder


def test_an_adapter_is_a_repository_of_its_own(adapted: Path, hub: LocalHub, command: Command, tmp_path: Path) -> None:
    flags = (adapted, "--repo-id", "alice/adapter", "--version", "v1.0.0", "--without-scores", "--adapter")
    done = command(*flags)
    assert done.status == 0 and "AutoPeftModelForCausalLM" in done.stdout, done.stderr
    repository = hub.repository("alice/adapter", "models")
    files = {*repository.files(repository.resolve("v1.0.0"))} - {".gitattributes"}
    assert files == {
        *("README.md", "adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "tokenizer_config.json"),
        *("chat_template.jinja", "training.json", "trainer_state.json", "loss.csv", "loss.png"),
    }
    card = file(hub, "README.md", repo="alice/adapter")
    facts = yaml.safe_load(card.split("---\n")[1])
    assert (facts["library_name"], facts["base_model"], facts["base_model_relation"]) == (
        "peft",
        "alice/base",
        "adapter",
    )
    assert "a LoRA adapter of rank 4" in card
    used = runner(hub, tmp_path)("-c", ADAPTER_USE, "alice/adapter")
    assert used.returncode == 0 and used.stdout.endswith("So it is $\\boxed{4}$.\n"), used.stderr

    (adapted / "adapter" / "chat_template.jinja").unlink()
    refused = command(*flags)
    assert refused.status == 1 and f"python -m personamath.training.chat_template {adapted}" in refused.stderr
    write_chat_template(adapted)
    assert "was already published" in command(*flags).stdout


ADAPTERS_REFUSED = {
    "a full run": (None, "adapter_model.safetensors is missing: fine-tune with use_peft: true, or leave out --adapter"),
    "another base": ("alice/other", "names the base model alice/other; the training record names alice/base"),
    "a broken config": (7, "base_model_name_or_path is 7; it must be text"),
}


@pytest.mark.parametrize("case", ADAPTERS_REFUSED)
def test_an_adapter_that_nobody_could_use_is_refused(adapted: Path, command: Command, case: str) -> None:
    base, said = ADAPTERS_REFUSED[case]
    config = adapted / "adapter" / "adapter_config.json"
    if base is None:
        shutil.rmtree(config.parent)
    else:
        config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": base}))
    refused = command(adapted, "--repo-id", "alice/a", "--version", "v1.0.0", "--without-scores", "--adapter")
    assert refused.status == 1 and refused.stderr.count("\n") == 1 and said in refused.stderr


def test_an_adapter_of_a_local_base_is_refused(adapted: Path, command: Command) -> None:
    LOCAL.write(adapted)
    refused = command(adapted, "--repo-id", "alice/a", "--version", "v1.0.0", "--without-scores", "--adapter")
    assert "adapts the local model tiny, which nobody else can load" in refused.stderr


def kill(victim: programs.Program) -> Callable[[str], None]:
    return lambda _: victim.kill()


def test_a_push_that_is_killed_twice_is_completed_by_the_same_command(
    pushed: Pushed, hub: LocalHub, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = "alice/killed"
    flags = [pushed.folder, "--repo-id", repo, "--version", "v1.0.0", "--without-scores"]
    repository = hub.repository(repo, "models")
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    # Before anything is uploaded; then when the commit is made, and no tag.
    for asked, commits in (("preupload", 1), ("commit", 2)):
        victim = programs.start(
            programs.CLI, "push", *flags, kind="training", stdout=programs.DEVNULL, stderr=programs.DEVNULL
        )
        hub.after("POST", f"{repo}/{asked}", kill(victim))
        assert victim.wait() == -9
        hub.heal()
        assert len(repository.log("main")) == commits and not repository.refs("tags")
    completed = command(*flags)
    assert completed.status == 0 and "v1.0.0 is published" in completed.stdout, completed.stderr
    assert [commit["title"] for commit in repository.log("main")] == ["v1.0.0: killed", "initial commit"]
    assert repository.refs("tags") == {"v1.0.0": repository.resolve("main")}
    assert file(hub, "README.md", repo=repo).split("---\n")[2].strip().startswith("> **Not scored.**")


# --- without a process of its own


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """A model folder that names nothing on the Hub."""
    return write_model(tmp_path / "model")


def publish(folder: Path, repo: str, version: str, api: HfApi, **options: Any) -> list[str]:
    """Prepare and publish; gives what was said before."""
    replace_others = options.pop("replace_others", False)
    with prepared_model(folder, repo, version, results=[], api=api, **options) as ready:
        publish_version(
            *(ready.folder, repo, version),
            repo_type="model",
            message="model",
            api=api,
            replace_others=replace_others,
            first_wait_s=SOON_S,
        )
        return ready.noticed


def test_what_somebody_may_not_have_meant_is_said_first(local: Path, api: HfApi, hub: LocalHub) -> None:
    repo = "alice/noticed"
    (first,) = (line for line in publish(local, repo, "v1.0.0", api) if "nobody else can load" in line)
    assert first.startswith("trained on the local folder dataset")
    second = " ".join(publish(local, repo, "v1.1.0", api))
    assert "has other versions: v1.0.0" in second and "card on main is that of v1.0.0" in second
    api.upload_file(path_or_fileobj=b"---\nlicense: mit\n---\nmine\n", path_in_repo="README.md", repo_id=repo)
    other = replace(LOCAL, base_model=replace(LOCAL.base_model, name="tiny-2"))
    other.write(local)
    with pytest.raises(PublishError, match=r"others changed README.md on main, .*--replace-others"):
        publish(local, repo, "v1.2.0", api)
    third = " ".join(publish(local, repo, "v1.2.0", api, replace_others=True))
    assert "other versions: v1.0.0, v1.1.0" in third
    assert "main is made from tiny, this one from tiny-2" in third
    with pytest.raises(PublishError, match="choose a higher version"):
        publish(local, repo, "v1.1.1", api)
    assert len(hub.repository(repo, "models").log("main")) == 1 + 3 + 1


def test_a_repository_that_is_not_ours_is_known_by_its_card(local: Path, api: HfApi) -> None:
    api.create_repo("alice/foreign")
    card = b"---\nbase_model: some/base\n---\n# Mine\n"
    api.upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id="alice/foreign")
    assert "the model on main is made from some/base, this one from tiny" in publish(
        local, "alice/foreign", "v1.0.0", api, replace_others=True
    )


def test_a_record_that_cannot_be_read_names_no_base_model(local: Path, api: HfApi) -> None:
    api.create_repo("alice/torn")
    api.upload_file(path_or_fileobj=b"{", path_in_repo="training.json", repo_id="alice/torn")
    assert "is made from" not in " ".join(publish(local, "alice/torn", "v1.0.0", api, replace_others=True))


def test_scores_of_the_pushed_model_are_of_the_folder_too(local: Path, api: HfApi, tmp_path: Path) -> None:
    repo = "alice/scored-there"
    publish(local, repo, "v0.1.0", api)
    sha = api.model_info(repo).sha
    values = [{"exact_match": 1.0}, {"exact_match": 0.0}]
    for results, config in (("by-commit", {"model_sha": sha}), ("by-main", {})):
        write_run(tmp_path / results, {"personamath_gsm8k": values}, model=repo, config=config)
        with prepared_model(local, repo, "v1.0.0", results=[tmp_path / results], api=api) as ready:
            (entry,) = parse_eval_result_entries(
                yaml.safe_load((ready.folder / ".eval_results/gsm8k.yaml").read_text())
            )
            assert (entry.dataset_id, entry.task_id, entry.value) == ("openai/gsm8k", "gsm8k", 50.0)
            assert entry.source_url == f"https://huggingface.co/{repo}/blob/v1.0.0/scores.json"
    write_model(tmp_path / "other", says="No.")
    with (
        pytest.raises(BadInput, match=f"scores of {repo}, not of the model in"),
        prepared_model(tmp_path / "other", repo, "v1.0.0", results=[tmp_path / "by-commit"], api=api),
    ):
        pass


def test_the_weights_are_read_once_however_many_results_there_are(local: Path, api: HfApi, tmp_path: Path) -> None:
    repo = "alice/hashed-once"
    publish(local, repo, "v0.1.0", api)
    sha = api.model_info(repo).sha
    results = [
        write_run(
            tmp_path / task, {f"personamath_{task}": [{"exact_match": 1.0}]}, model=repo, config={"model_sha": sha}
        )
        for task in ("gsm8k", "math", "svamp")
    ]
    read: Counter[str] = Counter()

    def counting(path: Path) -> LocalFile:
        read[path.name] += 1
        return hash_file(path)

    with prepared_model(local, repo, "v1.0.0", results=results, api=api, hash_file=counting) as ready:
        assert read == {"model.safetensors": 1}
        for _ in range(2):  # a push that is repeated, and a dry run
            plan = plan_version(ready.folder, repo, "v1.0.0", repo_type="model", api=api, hash_file=ready.hash_file)
            assert plan.difference
        assert read["model.safetensors"] == 1 and set(read.values()) == {1}


def test_the_weights_are_not_copied(local: Path, api: HfApi) -> None:
    with prepared_model(local, "alice/linked", "v1.0.0", results=[], api=api) as ready:
        assert (ready.folder / "model.safetensors").readlink() == local / "model.safetensors"
        assert not (ready.folder / "README.md").is_symlink()


def test_a_licence_decides_the_name(local: Path, api: HfApi, hub: LocalHub, tmp_path: Path) -> None:
    hub.tokens["hf_meta"] = "meta-llama"
    base = "meta-llama/Llama-3.1-8B"
    meta = HfApi(endpoint=hub.endpoint, token="hf_meta")
    meta.create_repo(base)
    commit = meta.upload_file(path_or_fileobj=b"AGREEMENT", path_in_repo="LICENSE", repo_id=base).oid
    record = replace(LOCAL, base_model=replace(based_on(base).base_model, commit=commit))
    record.write(local)
    with pytest.raises(BadInput, match="name to begin with Llama"):
        publish(local, "alice/PersonaMath-8B", "v1.0.0", api)
    publish(local, "alice/Llama-3.1-8B-PersonaMath", "v1.0.0", api)
    repo = "alice/Llama-3.1-8B-PersonaMath"
    assert file(hub, "LICENSE", repo=repo) == "AGREEMENT" and "Llama 3.1 is licensed" in file(hub, "NOTICE", repo=repo)
    assert "**Built with Llama**" in file(hub, "README.md", repo=repo)


def test_a_local_dataset_is_brought_along(local: Path, api: HfApi, tmp_path: Path) -> None:
    data = write(tmp_path / "dataset", rows({"stage1_inference": 6}))

    def prepare() -> str:
        with prepared_model(local, "alice/own-data", "v1.0.0", results=[], data=data, api=api) as ready:
            return (ready.folder / "README.md").read_text()

    with pytest.raises(BadInput, match=r"has 6 rows, but the model was trained on 4,540"):
        prepare()
    replace(LOCAL, rows=replace(LOCAL.rows, read=6)).write(local)
    assert "| teacher | `teacher-1`" in prepare()
    replace(LOCAL, data=RECORD.data).write(local)
    with pytest.raises(BadInput, match=r"--data .*: the model was trained on me/PersonaMathQA, which is read"):
        prepare()


def test_no_scores_no_push(local: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for flags in ([], ["--scores", "runs", "--without-scores"]):
        with pytest.raises(SystemExit) as ended:
            main(["push", str(local), "--repo-id", REPO, "--version", "v1.0.0", *flags])
        assert ended.value.code == 2
        assert "--without-scores" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("repo_id", "version", "message"),
    [("x", "v1.0.0", "'x': write it as OWNER/NAME"), (REPO, "1.0", "'1.0' is not a version")],
)
def test_names_come_before_the_folder(
    repo_id: str, version: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["push", "nowhere", "--repo-id", repo_id, "--version", version, "--without-scores"]) == 1
    assert message in capsys.readouterr().err


def test_a_dry_run_shows_everything_and_uploads_nothing(pushed: Pushed, hub: LocalHub, command: Command) -> None:
    hub.requests.clear()
    flags: list[object] = [*pushed.flags]
    flags[flags.index("v1.0.0")] = "v1.1.0"
    dry = command(*flags, "--dry-run")
    assert dry.status == 0, dry.stderr
    assert re.search(r"Dry run\. What would be uploaded:\n +[\d,]+ bytes  README\.md\n$", dry.stdout)
    assert (
        "has other versions: v1.0.0" in dry.stderr and "ready for its card: personamath_mine (8 problems)" in dry.stdout
    )
    assert not hub.asked("POST", "/(commit|preupload|create)")
