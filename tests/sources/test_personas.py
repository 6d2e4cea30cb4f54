import gzip
import json
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personamath.errors import BadInput, PersonaMathWarning
from personamath.methods.draw import draw
from personamath.records import Persona
from personamath.sources.personas import BUNDLED, PersonaSource, read_personas

gzipped = partial(gzip.compress, mtime=0)  # the same bytes in every process, which names the cases after them

ISCO_08 = {
    "Managers",
    "Professionals",
    "Technicians and Associate Professionals",
    "Clerical Support Workers",
    "Services and Sales Workers",
    "Skilled Agricultural, Forestry and Fishery Workers",
    "Craft and Related Trades Workers",
    "Plant and Machine Operators and Assemblers",
    "Elementary Occupations",
    "Armed Forces Occupations",
}


def test_the_bundled_personas_spread_over_all_occupations_and_none() -> None:
    personas = read_personas(BUNDLED)
    classes = Counter(persona.occupation for persona in personas)
    assert len(personas) >= 220
    assert set(classes) == ISCO_08 | {"No occupation"}
    assert min(classes.values()) >= 20


def test_a_file_is_jsonl_or_text(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"persona": "A cook"}\n{"persona": "A pilot", "occupation": "Professionals"}\n')
    (tmp_path / "p.txt").write_text("A cook\n\nA pilot\n")
    assert read_personas(str(tmp_path / "p.jsonl")) == [Persona(0, "A cook"), Persona(1, "A pilot", "Professionals")]
    assert [persona.description for persona in read_personas(str(tmp_path / "p.txt"))] == ["A cook", "A pilot"]


FORMS = [
    ("p.txt", "A cook\r\nA pilot\r\n".encode("utf-16")),
    ("p.txt.gz", gzipped(b"A cook\nA pilot\n")),
    ("p.csv", b"persona;occupation\r\nA cook;\r\nA pilot;Professionals\r\n"),
    ("p.tsv.gz", gzipped("persona\nA cook\nA pilot\n".encode("utf-8-sig"))),
    ("p.json", b'{"persona": ["A cook", "A pilot"]}'),
]


@pytest.mark.parametrize(("name", "content"), FORMS)
def test_a_file_may_have_any_form_that_problems_have(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    cook, pilot = read_personas(str(tmp_path / name))
    assert (cook, pilot.description) == (Persona(0, "A cook", None), "A pilot")


def test_repeated_personas_are_one(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("A cook\nA pilot\nA cook\n")
    assert [persona.index for persona in read_personas(str(tmp_path / "p.txt"))] == [0, 1]


def test_half_a_surrogate_pair_leaves_a_persona_out_by_name(tmp_path: Path) -> None:
    rows = [{"persona": "A cook"}, {"persona": "A \ud83d"}, {"persona": "A pilot", "occupation": "\udc00"}]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    message = r"^2 personas left out: half a surrogate pair \(.*p\.jsonl:2.*, .*p\.jsonl:3.*\)$"
    with pytest.warns(PersonaMathWarning, match=message):
        assert read_personas(str(tmp_path / "p.jsonl")) == [Persona(0, "A cook")]


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("A cook\n\ufeffA cook\n", encoding="utf-8-sig")
    (tmp_path / "p.jsonl").write_text('{"persona": "A cook"}\n', encoding="utf-8-sig")
    assert read_personas(str(tmp_path / "p.txt")) == read_personas(str(tmp_path / "p.jsonl")) == [Persona(0, "A cook")]


BAD = [
    ("p.txt", "\n\n", "no personas"),
    ("p.jsonl", "", "p.jsonl: contains no rows"),
    ("p.jsonl", '{"name": "A cook"}\n', "p.jsonl:1: no column 'persona'; known are name"),
    ("p.jsonl", '{"persona": "A co', "p.jsonl:1"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD)
def test_bad_files_are_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(BadInput, match=message):
        read_personas(str(tmp_path / name))


def test_a_text_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("A café owner\n".encode("latin-1"))
    with pytest.raises(BadInput, match=r"latin\.txt:1: not UTF-8; save the file as UTF-8"):
        read_personas(str(tmp_path / "latin.txt"))


@pytest.mark.parametrize("source", ["nowhere.jsonl", "nowhere.txt", "bundle"])
def test_a_source_that_is_not_there_is_refused(source: str) -> None:
    with pytest.raises(BadInput, match="no such file"):
        read_personas(source)


ON_THE_HUB = [
    ("proj-persona/PersonaHub", ("proj-persona/PersonaHub", "persona", "train", None)),
    ("proj-persona/PersonaHub@v1", ("proj-persona/PersonaHub", "persona", "train", "v1")),
    ("me/people@refs/pr/3:old:test", ("me/people", "old", "test", "refs/pr/3")),
]


@pytest.mark.parametrize(("text", "place"), ON_THE_HUB)
def test_a_dataset_on_the_hub_is_read_as_written(text: str, place: tuple[str | None, ...]) -> None:
    source = PersonaSource.parse(text)
    assert source.splits[0][:4] == place and source.published == text
    assert PersonaSource.parse(source.label).splits[0].revision is None


WRONG = [
    ("me/people@", "no revision after the @: write me/people@REVISION"),
    ("me/people:", "nothing between or after two colons: write me/people[:CONFIG[:SPLIT]]"),
    ("me/people:a:b:c", "too many colons: write me/people[:CONFIG[:SPLIT]]"),
    ("people", "no such file; write bundled, the path of a file, or for a dataset on the Hub OWNER/NAME"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_wrong_form_is_refused_with_the_right_one(text: str, message: str) -> None:
    with pytest.raises(BadInput) as error:
        PersonaSource.parse(text)
    assert message in str(error.value) and f"personas {text!r}" in str(error.value)


PERSONAS = [Persona(index, f"Person {index}", f"class {index % 11}") for index in range(220)]


@given(st.text(), st.integers(0, 100), st.integers(0, 100), st.sampled_from(["uniform", "by-occupation"]))
def test_a_larger_k_keeps_the_earlier_draws_and_repeats_nobody(question_id: str, few: int, more: int, by: str) -> None:
    few, more = sorted((few, more))
    drawn = draw(PERSONAS, question_id, more, 42, by)  # type: ignore[arg-type]
    assert draw(PERSONAS, question_id, few, 42, by) == drawn[:few]  # type: ignore[arg-type]
    assert len(set(drawn)) == more


def test_draws_differ_by_question_and_by_random_seed() -> None:
    draws = {tuple(draw(PERSONAS, id, 5, seed, "uniform")) for id in ("a", "b") for seed in (1, 2)}
    assert len(draws) == 4


def test_uniform_draws_reach_everyone_about_equally_often() -> None:
    counts = Counter(persona for n in range(4_400) for persona in draw(PERSONAS, f"q{n}", 5, 42, "uniform"))
    assert len(counts) == 220
    assert min(counts.values()) > 60 and max(counts.values()) < 145  # 100 each; these are five standard deviations


@pytest.mark.parametrize("k", [11, 22])
def test_draws_by_occupation_take_every_class_equally_often(k: int) -> None:
    classes = Counter(persona.occupation for persona in draw(PERSONAS, "q", k, 42, "by-occupation"))
    assert set(classes.values()) == {k // 11} and len(classes) == 11


def test_too_few_personas_are_refused() -> None:
    with pytest.raises(BadInput, match="15 rewrites need 15 personas, but there are only 10"):
        draw(PERSONAS[:10], "q", 15, 42, "uniform")


def test_draws_by_occupation_need_occupations() -> None:
    with pytest.raises(BadInput, match="occupation"):
        draw([Persona(0, "A cook")], "q", 1, 42, "by-occupation")


def test_the_bundled_personas_are_not_persona_hubs(data: Path) -> None:
    lines = (data / "personas.jsonl").read_text().splitlines()
    hub = {json.loads(line)["persona"].strip().casefold().rstrip(".") for line in lines}
    assert not hub & {persona.description.casefold().rstrip(".") for persona in read_personas(BUNDLED)}
