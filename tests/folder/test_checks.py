"""What is checked before anything is published: a whole folder passes, and every single fault is found and named."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from personamath.answers import extract
from personamath.errors import BadInput
from personamath.folder import leaks
from personamath.folder.card import FolderFacts, dataset_card
from personamath.folder.checks import check_folder
from personamath.folder.layout import CARD, CHART, PROVENANCE, ROW_GROUP_ROWS
from personamath.folder.leaks import Secrets
from personamath.records import Row
from tests.support.folders import LAYOUT, RECIPE, UNCHECKED_CONFIGS, changed, rows, sound_path, write

SMALL = rows({"stage1_inference": 6, "stage1_rewrite": 9, "stage2_reflection": 3, "stage2_rewrite": 7})
KEY = "sk-" + "proj-" + "a1B2" * 6
TOKEN = "hf_" + "aB3d" * 9
REWRITE, REFLECTION = sound_path("stage1_rewrite"), sound_path("stage2_reflection")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `SMALL`, to read or to copy."""
    return write(tmp_path_factory.mktemp("data") / "dataset", SMALL)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    return shutil.copytree(whole, tmp_path / "dataset")


def test_a_whole_folder_passes_with_every_config_loaded(whole: Path) -> None:
    facts = check_folder(whole)
    sizes = {config: sum(row.step in steps for row in SMALL) for config, steps in UNCHECKED_CONFIGS.items()}
    assert facts[: len(UNCHECKED_CONFIGS)] == [f"{config}: {size} rows load" for config, size in sizes.items()]
    assert "25 answers, each equal to its response's" in facts


def test_a_folder_without_some_steps_and_with_answers_in_another_form_passes(tmp_path: Path) -> None:
    first, *others = rows({"stage2_rewrite": 3})
    some = [replace(first, answer="0.5", response=r"So $\boxed{\frac{1}{2}}$."), *others]
    facts = check_folder(write(tmp_path / "dataset", some))
    assert facts[:4] == [f"{config}: 3 rows load" for config in ("default", "strict", "stage2", "stage2_rewrite")]


def nth(step: str, number: int) -> Row:
    return [row for row in SMALL if row.step == step][number]


# One row of an otherwise good folder, and what is said of it.
ROW_FAULTS: list[tuple[str, int, dict[str, Any], str]] = [
    ("stage1_rewrite", 4, {"answer": "999"}, "its answer is 999, but its response's is 8"),
    ("stage1_rewrite", 4, {"response": "It is 4."}, r"its answer is 8, but its response's is None \(no box\)"),
    ("stage1_rewrite", 4, {"response": r"\boxed{8} or \boxed{5}"}, "its answer is 8, but its response's is 5"),
    ("stage2_reflection", 1, {"problem": f"What? {KEY}"}, r"problem holds a key \(sk-...\)"),
    ("stage2_reflection", 1, {"review": f"Use {TOKEN}!"}, r"review holds a Hub token \(hf_...\)"),
    ("stage2_rewrite", 2, {"persona": "A cook with AKIAABCDEFGHIJKLMNOP"}, r"persona holds a key \(AKIA...\)"),
    ("stage2_rewrite", 2, {"persona": "-----BEGIN RSA PRIVATE KEY-----"}, "persona holds a private key"),
    ("stage2_rewrite", 2, {"response": f"\\boxed{{2}} see {Path.cwd()}/x"}, "response holds the current path"),
    ("stage2_rewrite", 2, {"response": f"\\boxed{{2}} {Path.home()}"}, "response holds the path of the home folder"),
    ("stage1_inference", 0, {"teacher": "simulated-teacher"}, "its teacher is simulated"),
    ("stage1_inference", 0, {"stage": 2}, "its stage is 2, not 1"),
    ("stage1_inference", 5, {"id": "gsm8k-train-00000"}, "another row has the same id"),
    (
        "stage1_inference",
        5,
        {"seed_id": "gsm8k-train-00000"},
        "seed_id is gsm8k-train-00000, but the id does not begin with it",
    ),
    ("stage2_reflection", 1, {"problem": "<think>Hm.</think> What?"}, "problem holds <think>, a mark of reasoning"),
    ("stage1_rewrite", 2, {"response": r"\boxed{6}<|im_end|>"}, r"response holds <\|im_end\|>, a mark of reasoning or"),
    ("stage2_reflection", 1, {"review": "Hm. </think> It adds."}, "review holds </think>, a mark of reasoning"),
    ("stage1_inference", 5, {"answer": None}, "answer is null"),
    ("stage1_inference", 5, {"request": None}, "request is null"),
]


@pytest.mark.parametrize(("step", "number", "change", "message"), ROW_FAULTS)
def test_a_faulty_row_is_found_and_named(
    tmp_path: Path, step: str, number: int, change: dict[str, Any], message: str
) -> None:
    faulty = changed(nth(step, number), **change)
    folder = write(tmp_path / "dataset", [faulty if row == nth(step, number) else row for row in SMALL])
    place = rf"dataset/{step}/train-sound.parquet \(config {step}\), row {number} \({faulty.id}\): "
    with pytest.raises(BadInput, match=place + f"({message})"):
        check_folder(folder)


def test_a_faulty_row_far_down_is_named_by_its_place(tmp_path: Path) -> None:
    many = rows({"stage1_inference": ROW_GROUP_ROWS + 100})
    place = ROW_GROUP_ROWS + 45
    many[place] = replace(many[place], answer="-1")
    with pytest.raises(BadInput, match=rf", row {place} \({many[place].id}\): its answer is -1"):
        check_folder(write(tmp_path / "dataset", many))


def test_a_secret_in_an_id_is_not_shown(tmp_path: Path) -> None:
    folder = write(tmp_path / "dataset", [replace(SMALL[0], id=f"{KEY}/p0001", seed_id=KEY), *SMALL[1:]])
    with pytest.raises(BadInput, match=r"row 0 \(its id is not shown\): id holds a key") as raised:
        check_folder(folder)
    assert KEY not in str(raised.value)


def test_a_step_that_was_taken_out_is_missed(whole: Path, tmp_path: Path) -> None:
    fewer = write(tmp_path / "fewer", [row for row in SMALL if row.columns["stage"] == 1])
    (fewer / PROVENANCE).write_bytes((whole / PROVENANCE).read_bytes())
    with pytest.raises(BadInput, match=r"config stage2_reflection\): holds {} rows by source, provenance.json says {"):
        check_folder(fewer)


def test_an_id_that_two_steps_hold_is_found(tmp_path: Path) -> None:
    first, second = nth("stage1_inference", 2), nth("stage2_reflection", 1)
    twice = replace(second, id=first.id, seed_id=first.seed_id)
    folder = write(tmp_path / "dataset", [twice if row == second else row for row in SMALL])
    with pytest.raises(
        BadInput, match=rf"config stage2_reflection\), row 1 \({first.id}\): another row has the same id"
    ):
        check_folder(folder)


@pytest.mark.parametrize(("column", "value"), [("flag", "new 5"), ("overlap", "equal")])
def test_a_row_in_a_file_of_other_rows_is_found(folder: Path, column: str, value: str) -> None:
    rewrites = pq.read_table(folder / REWRITE)
    values = pa.array([None] * 3 + [value] + [None] * 5, pa.string())
    pq.write_table(rewrites.set_column(rewrites.schema.get_field_index(column), column, values), folder / REWRITE)
    (folder / CARD).write_text(dataset_card(FolderFacts.read(folder)))  # so that its counts are not what is found
    with pytest.raises(BadInput, match=rf"{REWRITE} .*row 3 .*: its flag is .*, so it is in the wrong file"):
        check_folder(folder)


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return change


def edit_provenance(**facts: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        provenance = json.loads((folder / PROVENANCE).read_text())
        (folder / PROVENANCE).write_text(json.dumps(provenance | facts))

    return change


def edit_table(name: str, edited: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    return lambda folder: pq.write_table(edited(pq.read_table(folder / name)), folder / name)


def append(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: write_bytes(folder / name, (folder / name).read_bytes() + content)


def write_bytes(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def spoil(folder: Path) -> None:
    """Turn the bits of the pages, and leave the footer as it is."""
    content = (folder / REWRITE).read_bytes()
    write_bytes(folder / REWRITE, content[:4] + bytes(byte ^ 255 for byte in content[4:3000]) + content[3000:])


def link_away(folder: Path) -> None:
    (folder / CHART).rename(folder.parent / "elsewhere.png")
    (folder / CHART).symlink_to("../../elsewhere.png")


def as_bytes(table: pa.Table) -> pa.Table:
    return table.set_column(LAYOUT.schema.get_field_index("teacher"), "teacher", table["teacher"].cast(pa.binary()))


# Something done to a good folder, and what is said of it.
FOLDER_FAULTS: list[tuple[Callable[[Path], object], str]] = [
    (edit(CARD, "num_examples: 25", "num_examples: 26"), "README.md: config default: .*26.* the files hold .*25"),
    (edit(CARD, "num_examples: 9", "num_examples: 8"), "README.md: config stage1_rewrite: .*8.* the files hold .*9"),
    (edit(CARD, "dtype: int32", "dtype: int64"), "README.md: config default: dataset_info"),
    (
        edit(CARD, "config_name: stage2_rewrite", "config_name: other"),
        "README.md: its configs do not match the fil",
    ),
    (edit(CARD, "  default: true\n", ""), "README.md: its configs do not match the files"),
    (
        edit(CARD, "dataset_info:\n", "dataset_info:\n- config_name: more\n"),
        "config more: dataset_info names a config",
    ),
    (lambda folder: (folder / CARD).write_text("# No YAML"), "README.md: no card with configs and dataset_info"),
    (edit(CARD, "configs:", "configs: ["), "README.md: no card with configs and dataset_info"),
    (lambda folder: (folder / CARD).unlink(), "README.md: missing"),
    (lambda folder: (folder / CHART).unlink(), r"funnel.png: missing"),
    (lambda folder: (folder / PROVENANCE).unlink(), "provenance.json: missing"),
    (lambda folder: (folder / REWRITE).unlink(), "README.md: its configs do not match the files"),
    (lambda folder: write_bytes(folder / ".env", b"x"), r"\.env: not part of a dataset folder"),
    (
        lambda folder: write_bytes(folder / "stage1_rewrite/more.parquet", b"x"),
        "more.parquet: not part of a dataset fol",
    ),
    (lambda folder: (folder / "link").symlink_to(folder), "link: not part of a dataset folder"),
    (link_away, "funnel.png: not a plain file"),
    (edit_table(REWRITE, lambda table: table.slice(1)), r"README.md: config default: dataset_info says .*25"),
    (edit_table(REWRITE, lambda table: table.slice(0, 0)), r"\(config stage1_rewrite\): contains no rows"),
    (edit_table(REWRITE, lambda table: table.drop_columns(["review"])), "they differ in: review: string"),
    (edit_table(REWRITE, lambda table: table.append_column("more", table["id"])), "they differ in: more: string"),
    (edit_table(REWRITE, lambda table: table.select(table.schema.names[::-1])), "they differ in: their order"),
    (edit_table(REWRITE, as_bytes), "they differ in: teacher: binary, teacher: string"),
    (spoil, r"\(config stage1_rewrite\): not a readable parquet file"),
    (lambda folder: write_bytes(folder / REWRITE, b"PAR1"), r"\(config stage1_rewrite\): not a readable parquet file"),
    (edit_provenance(simulated=True), "provenance.json: the data is simulated; use --allow-simulated"),
    (edit_provenance(funnel={"rows": {}}), r"\(config stage1_inference\): holds .* provenance.json says {}"),
    (
        edit_provenance(personas={"source": "proj-persona/PersonaHub", "local": False}),
        "README.md: its licence, apache-2.0, contradicts the personas' licence, cc-by-nc-sa-4.0",
    ),
    (edit_provenance(funnel={"rows": []}), r"\(config stage1_inference\): holds"),
    (edit_provenance(funnel=None), "provenance.json: not a provenance file"),
    (edit(PROVENANCE, "{", ""), "provenance.json: not a provenance file"),
    (append(PROVENANCE, b" " * 10_000 + TOKEN.encode()), "provenance.json: not a provenance file"),
    (append(CARD, f"My key is {KEY}.".encode()), r"README.md: holds a key \(sk-...\) at byte"),
    (append(CARD, f"See {Path.cwd()}/runs".encode()), "README.md: holds the current path at byte"),
    (append(CHART, TOKEN.encode()), r"funnel.png: holds a Hub token \(hf_...\) at byte"),
    (edit_provenance(teacher=f"{Path.home()}"), "provenance.json: holds the path of the home folder at byte"),
    (lambda folder: (folder / "sft/train.parquet").unlink(), "README.md: its configs do not match the files"),
    (
        edit_table("rl/train.parquet", lambda table: table.drop_columns(["solution"])),
        r"rl/train.parquet \(config rl\): its columns .* differ in: solution: string",
    ),
    (lambda folder: write_bytes(folder / "rl/train.parquet", b"PAR1"), r"\(config rl\): not a readable parquet file"),
    (
        lambda folder: write_bytes(folder / "preference/train.parquet", (folder / REWRITE).read_bytes()),
        "preference/train.parquet: not part of a dataset folder",
    ),
]


@pytest.mark.parametrize(("fault", "message"), FOLDER_FAULTS)
def test_a_faulty_folder_is_refused_by_name(folder: Path, fault: Callable[[Path], object], message: str) -> None:
    fault(folder)
    with pytest.raises(BadInput, match=message) as raised:
        check_folder(folder)
    assert str(folder) in str(raised.value) and "\n" not in str(raised.value)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    for folder, message in ((tmp_path / "no", "no such folder"), (tmp_path, "contains no rows")):
        with pytest.raises(BadInput, match=message):
            check_folder(folder)


def test_simulated_data_passes_only_where_it_is_allowed(tmp_path: Path) -> None:
    simulated = [replace(row, teacher="simulated-teacher") for row in rows({"stage1_inference": 2})]
    folder = write(tmp_path / "dataset", simulated, replace(RECIPE, teacher="simulated-teacher"))
    with pytest.raises(BadInput, match="simulated"):
        check_folder(folder)
    assert check_folder(folder, allow_simulated=True)


VALUES = [
    ("OPENAI_API_KEY", "not-shaped-like-a-key", "the value of OPENAI_API_KEY"),
    ("HF_TOKEN", "hf_alice", "the value of HF_TOKEN"),
    ("OPENROUTER_API_KEY", "not-shaped-like-a-key", "the value of OPENROUTER_API_KEY"),
    ("OPENAI_API_KEY", "EMPTY", None),  # what open endpoints take, and any text may say
]


@pytest.mark.parametrize(("name", "value", "what"), VALUES)
def test_the_keys_in_use_are_found_whatever_their_shape(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, what: str | None
) -> None:
    monkeypatch.setenv(name, value)
    secrets = Secrets()
    leak = secrets.in_column(pa.array(["fine", None, f"it is {value}"]))
    assert (leak and (leak.place, leak.what)) == (what and (2, what))
    (tmp_path / "file").write_bytes(b"\xff\x00" + value.encode())
    leak = secrets.in_file(tmp_path / "file")
    assert (leak and (leak.place, leak.what)) == (what and (2, what))


INNOCENT = [
    "A risk-averse task-oriented-and-very-dependable-manager asks sk-short and hf_models",
    f"the cube{Path.home()} of 8, and {Path.home()}s",
    "https://huggingface.co/datasets/openai/gsm8k and ../home",
]


@pytest.mark.parametrize("text", INNOCENT)
def test_ordinary_texts_are_no_leaks(text: str) -> None:
    assert Secrets().in_column(pa.array([text])) is None


@pytest.mark.parametrize("shift", [-100, -40, -20, -1, 0, 5_000])
def test_a_key_across_two_pieces_of_a_large_file_is_found(tmp_path: Path, shift: int) -> None:
    place = 2 * leaks.PIECE_BYTES + shift
    (tmp_path / "large").write_bytes(b"." * place + TOKEN.encode() + b"." * 10_000)
    leak = Secrets().in_file(tmp_path / "large")
    assert leak and leak.place == place


def test_real_problems_and_answers_pass(tmp_path: Path, data: Path) -> None:
    shape, real = nth("stage1_inference", 0), []
    with (data / "math" / "train.jsonl").open(encoding="utf-8") as lines:
        for number, line in enumerate(islice(lines, 1_000)):
            problem, id = json.loads(line), f"math-train-{number:05}"
            if answer := extract(problem["solution"]):
                texts = {"problem": problem["problem"], "response": problem["solution"], "answer": answer}
                real.append(replace(shape, id=id, seed_id=id, source="math", **texts))
    assert f"default: {len(real):,} rows load" in check_folder(write(tmp_path / "dataset", real))
