"""Compute the dataset card. Every number comes from the folder, so the folder alone is enough to render it again."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any, NamedTuple

import yaml

from personamath.folder.answered import answered
from personamath.folder.citations import citations
from personamath.folder.counts import Lengths, by_step, in_order, measure
from personamath.folder.funnel_chart import passed
from personamath.folder.layout import CHART, OF_THE_TEACHER, PROVENANCE, Files, Layout, StepFile
from personamath.folder.licenses import check_license, decide, persona_license, problem_license
from personamath.folder.markdown import code, fenced, table
from personamath.folder.overlap import RULES
from personamath.folder.provenance import MATH_OVERLAP, layout_of, prompt_names
from personamath.folder.reading import read_provenance
from personamath.folder.rendering import render
from personamath.folder.teacher_terms import terms_of
from personamath.folder.teachers import column_text, has_roles, models, share_table
from personamath.folder.train_commands import train_commands
from personamath.folder.trainer_configs import RL
from personamath.folder.used_sources import (
    ALL,
    labels,
    made_from,
    misnamed,
    origin,
    published_names,
    rows_of_paper,
    source_datasets,
    used_problems,
)
from personamath.methods.method import Outline
from personamath.methods.prompts import Prompt
from personamath.methods.reasoning import COLUMN
from personamath.methods.work import PASSED
from personamath.sources.problems import SOURCES

# The Hub's size categories, by their upper bounds.
SIZE_CATEGORIES = {
    1_000: "n<1K",
    10_000: "1K<n<10K",
    100_000: "10K<n<100K",
    1_000_000: "100K<n<1M",
    10_000_000: "1M<n<10M",
    100_000_000: "10M<n<100M",
    1_000_000_000: "100M<n<1B",
}
FOLDER = "path/to/this/folder"
"""The name of a dataset that is not published, in code on its card."""
# Enough of an example's reasoning to see what it is.
SHOWN_OF_REASONING = 500


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """The contents and the origin of a dataset folder."""

    layout: Layout
    files: Files
    provenance: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "FolderFacts":
        """Count the parquet files and read provenance.json."""
        provenance = read_provenance(folder)
        layout = layout_of(provenance, folder / PROVENANCE)
        return cls(layout, measure(folder, layout), provenance)


def dataset_card(
    facts: FolderFacts,
    repo_id: str | None = None,
    version: str | None = None,
    changelog: str | None = None,
    license: str | None = None,
) -> str:
    """Render README.md of a dataset folder: the YAML header that `datasets` reads, and the text for readers.

    Without `repo_id` and `version` it is the card of an unpublished folder. `changelog` is Markdown. `license` is the
    publisher's choice where the parts leave one; raises `BadInput` if it contradicts the licence of a part.
    """
    provenance, files, outline = facts.provenance, by_step(facts.files.steps), facts.layout.outline
    decision = decide(provenance)
    license = decision.license if license is None else check_license(license, decision)
    published = published_names(provenance)
    name = _name(provenance, outline, repo_id)
    reworded = {step.name for step in outline.steps if step.rewrites}
    papers, recipe = rows_of_paper(provenance, outline.method), provenance["recipe"]
    roles = has_roles(recipe)
    trainers = {file.config.name: file for file in facts.files.trainers}
    return render(
        "dataset.md.jinja",
        {"origin": origin, "license": problem_license},
        **provenance,
        name=name,
        outline=outline,
        how=how(outline, provenance["recipe"]),
        prompt_names=prompt_names(provenance),
        replaced_prompts=_replaced_prompts(provenance),
        answered=answered(provenance["funnel"].get("answered_by", []), code),
        columns=_columns(facts, published, roles=roles),
        teachers=share_table(provenance, outline) if roles else None,
        completions={model: terms_of(model) for model in models(recipe)},
        metadata=yaml.safe_dump(_metadata(facts, license, name), sort_keys=False, allow_unicode=True).strip(),
        repo_id=repo_id,
        version=version,
        changelog=changelog,
        license=license,
        decision=decision,
        persona_license=provenance["personas"] and persona_license(provenance["personas"]),
        published=set(published.values()),
        misnamed=misnamed(provenance),
        english=_is_english(provenance),
        made_from=made_from(provenance),
        citations=citations(provenance),
        traced=_traced(files),
        rows=sum(file.rows for file in files),
        configs=_config_rows(facts),
        trainers=trainers,
        train_commands=train_commands(trainers, repo_id or FOLDER),
        example=_before_after(files, reworded),
        dataset_path=repo_id or FOLDER,
        voted=_voted(facts),
        config_texts={name: config.says for name, config in outline.configs.items()}
        | {step.name: step.says for step in outline.steps},
        examples={file.step: _example(file, facts.layout) for file in files},
        chart=CHART,
        provenance_file=PROVENANCE,
        contamination=MATH_OVERLAP,
        overlaps=_overlaps(files, outline) if provenance["benchmarks"] else None,
        rewritten=sum(file.rows for file in files if file.step in reworded),
        changed=_changed_problems(files, reworded),
        flagged=sum(file.rows for file in facts.files.steps if file.part.flagged),
        no_rows=" (no rows, so it cannot be loaded)",
        funnel_table=_funnel_table(provenance["funnel"]["requests"], outline),
        composition=_composition(files, outline, provenance, papers),
        papers=papers,
        lengths=_lengths(files, outline),
        levels=_by_config(files, [_named(file.levels, "Level {}".format) for file in files], outline),
        subjects=_by_config(files, [_named(file.subjects, code) for file in files], outline),
        occupations=_occupations((provenance["personas"] or {}).get("rows_by_occupation", {})),
    )


def how(outline: Outline, recipe: Mapping[str, Any]) -> str:
    """Describe how a method makes its rows, with the recipe's settings filled in."""
    return Prompt(outline.how).fill(**{name: str(value) for name, value in recipe.items()})


def _replaced_prompts(provenance: Mapping[str, Any]) -> dict[str, str]:
    """Describe each prompt that the recipe has in place of the method's own, by its name."""
    replaced = {}
    for name, prompt in provenance.get("prompts", {}).items():
        if "replaces" in prompt:
            file, origin = provenance["recipe"]["prompts"][name].get("file"), prompt["replaces"]["origin"]
            where = f"the recipe's file {code(file)}" if file else "the recipe"
            theirs = f", so it is not that of {origin}" if origin else ""
            replaced[name] = f"from {where}. It replaces the method's own{theirs}"
    return replaced


def _name(provenance: Mapping[str, Any], outline: Outline, repo_id: str | None) -> str:
    """Return the dataset's display name; without a repository, only data like the paper's has the paper's name."""
    if repo_id:
        return repo_id.rpartition("/")[2]
    is_papers = provenance["personas"] and all(source.published for source in used_problems(provenance))
    return "PersonaMathQA" if is_papers else f"PersonaMath-{outline.method}"


def _is_english(provenance: Mapping[str, Any]) -> bool:
    """Whether the rows are known to be English: the language of other problems and prompts is not recorded."""
    is_known = all(source.published or source.bundled for source in used_problems(provenance))
    return is_known and not _replaced_prompts(provenance)


def _columns(facts: FolderFacts, published: Mapping[str, str], *, roles: bool) -> dict[str, str]:
    """Describe the columns by what is in this dataset."""
    provenance, columns = facts.provenance, dict(facts.layout.columns)
    seed = code(facts.files.steps[0].example.seed_id)
    names = " or ".join(dict.fromkeys(code(source.name) for source in used_problems(provenance)))
    columns["id"] = (
        f"Begins with the id of its seed problem: {seed} is a seed problem, and the ids of rows made from it begin "
        f"with {code(facts.files.steps[0].example.seed_id + '/')}."
    )
    if printed := [step.answer_in for step in facts.layout.steps if step.answer_in]:
        columns["response"] = "The solution to train on."
        columns["answer"] = f"Reference final answer; the answer in `{printed[0]}` equals it."
    columns["source"] = f"Source of the seed problem: {names}."
    if not {"gsm8k", "math"} & set(published.values()):
        columns["level"] = "The seed problem's level; null if its source gives none."
        columns["subject"] = "The seed problem's subject; null if its source gives none."
    if not facts.layout.outline.kinds:
        columns |= dict.fromkeys(OF_THE_TEACHER, "Null: no model was asked.")
    return columns | ({"teacher": column_text(provenance["recipe"])} if roles else {})


def _changed_problems(files: Sequence[StepFile], reworded: Collection[str]) -> list[str]:
    """Return the steps, by their first row, whose problems are others than their seed problems on purpose."""
    examples = {file.step: file.example for file in files if file.step not in reworded}
    return [step for step, example in examples.items() if example.problem != example.seed_problem]


def _traced(files: Sequence[StepFile]) -> tuple[str, int] | None:
    """Return an id of a seed problem and the row that its number means; None if a source may have ids of its own."""
    seed = files[0].example.seed_id
    number = seed.rpartition("-")[2]
    has_numbers = all(source in SOURCES for file in files for source in file.sources)
    return (seed, int(number)) if has_numbers and number.isdecimal() else None


def _metadata(facts: FolderFacts, license: str, name: str) -> dict[str, Any]:
    simulated, asked = facts.provenance["simulated"], bool(facts.layout.outline.kinds)
    rows = sum(file.rows for file in facts.files.steps)
    return {
        "pretty_name": name + (" (simulated)" if simulated else ""),
        "license": license,
        **({"language": ["en"]} if _is_english(facts.provenance) else {}),
        "task_categories": ["text-generation", "question-answering"],
        "size_categories": [next(name for bound, name in SIZE_CATEGORIES.items() if rows < bound)],
        "annotations_creators": ["machine-generated" if asked else "found"],
        "source_datasets": source_datasets(facts.provenance),
        "tags": [
            *("math", "reasoning"),
            *(["persona"] if facts.provenance["personas"] else []),
            *(["synthetic"] if asked else []),
            *(["simulated"] if simulated else []),
        ],
        "configs": facts.layout.card_configs(facts.files),
        "dataset_info": facts.layout.dataset_info(facts.files),
    }


def _config_rows(facts: FolderFacts) -> dict[str, int]:
    members = facts.layout.members
    return {name: sum(file.rows for file in members(name, facts.files.steps)) for name in facts.layout.configs}


def _voted(facts: FolderFacts) -> list[str]:
    """Return the steps with rows that the config `rl` leaves out because their answers are votes."""
    steps = {file.step for file in facts.files.steps}
    return [step.name for step in facts.layout.steps if step.name in steps and not RL.takes(step)]


class Cell(NamedTuple):
    """A text in the table on top of the card, under its title."""

    title: str
    text: str


class BeforeAfter(NamedTuple):
    """A row on top of the card: its seed problem beside its own problem, or its problem beside its solution."""

    before: Cell
    after: Cell
    solution: str | None


def _before_after(files: Sequence[StepFile], reworded: Collection[str]) -> BeforeAfter | None:
    """Return the first row of the first step that rewords problems, or else of the first step; None without rows."""
    files = [file for file in files if file.rows]
    rewrite = next((file.example for file in files if file.step in reworded), None)
    if rewrite:
        persona = rewrite.columns.get("persona")
        after = Cell(f"Rewritten for: {persona}" if persona else "Rewritten", rewrite.problem)
        return BeforeAfter(Cell("A seed problem", rewrite.seed_problem), after, rewrite.response)
    if files:
        row = files[0].example
        return BeforeAfter(Cell("A problem", row.problem), Cell("Its solution", row.response), None)
    return None


def _example(file: StepFile, layout: Layout) -> str:
    """Show the first row of a step, field by field."""
    values = {name: file.example.column(name) for name in layout.columns}
    if isinstance(reasoning := values.get(COLUMN), str):  # often ten times as long as all the rest
        values[COLUMN] = shorten(reasoning, SHOWN_OF_REASONING, placeholder=" ...")
    return fenced("\n".join(f"{name}: {'null' if value is None else value}" for name, value in values.items()))


def _funnel_table(requests: Mapping[str, Mapping[str, int]], outline: Outline) -> str:
    rows = []
    for kind in outline.kinds:
        outcomes = requests[kind.name]
        dropped = [(-count, reason) for reason, count in outcomes.items() if reason not in PASSED]
        reasons = ", ".join(f"{-count:,} {reason}" for count, reason in sorted(dropped))
        numbers = (f"{sum(outcomes.values()):,}", f"{passed(outcomes):,}")
        rows.append([outline.label(kind), kind.says, *numbers, reasons or "none"])
    return table(["request", "the teacher is asked to", "asked", "passed", "dropped"], rows, text_columns=(0, 1, 4))


def _composition(
    files: Sequence[StepFile], outline: Outline, provenance: Mapping[str, Any], papers: Mapping[str, tuple[str, ...]]
) -> str:
    """Return a table of rows by source and step, with the paper's counts where it reports them."""
    counts = {file.step: file.sources for file in files}
    sources = list(provenance["funnel"]["problems"]["seed_problems"])
    named = labels(provenance)
    steps = [step.name for step in outline.steps]
    rows = []
    for label in [*sources, *([ALL] if len(sources) > 1 else [])]:
        of = sources if label == ALL else [label]
        ours = [sum(counts.get(step, Counter())[source] for source in of) for step in steps]
        name = named[label] if label in published_names(provenance) else ALL if label == ALL else code(label)
        rows.append([f"{name}, this version" if papers else name, *(f"{count:,}" for count in (*ours, sum(ours)))])
        if label in papers:
            rows.append([f"{name}, the paper", *papers[label]])
    return table(["rows", *(step.label for step in outline.steps), "all"], rows)


def _lengths(files: Sequence[StepFile], outline: Outline) -> str:
    rows = []
    for file in files:
        for column, words in (("problem", file.problem_words), ("response", file.response_words)):
            found = Lengths.of(words)
            numbers = (found.least, found.low, found.median, found.high, found.most)
            rows.append(
                [
                    f"`{column}` of {outline.step(file.step).label}",
                    *(f"{number:,}" for number in numbers),
                    f"{found.mean:,.1f}",
                ]
            )
    return table(["words", "least", "5 %", "median", "95 %", "most", "mean"], rows)


def _overlaps(files: Sequence[StepFile], outline: Outline) -> str:
    """Return a table of rows by overlap with test problems and by step."""
    rows = [[f"`{rule}`", *(f"{file.overlaps[rule]:,}" for file in files)] for rule in RULES]
    rows.append(["none", *(f"{file.rows - file.overlaps.total():,}" for file in files)])
    return table(["overlap", *(outline.step(file.step).label for file in files)], rows)


def _named(counts: Mapping[Any, int], name: Callable[[Any], str]) -> Counter[str]:
    return Counter({name(value): count for value, count in counts.items()})


def _by_config(files: Sequence[StepFile], counts: Sequence[Counter[str]], outline: Outline) -> str | None:
    """Return a table of rows by a property of their seed problem, one column per config; None if no row has it."""
    configs = {name: config.steps for name, config in outline.configs.items()} or {
        step.name: (step.name,) for step in outline.steps
    }
    columns: dict[str, Counter[str]] = {name: Counter() for name in configs}
    for file, counted in zip(files, counts, strict=True):
        for name, steps in configs.items():
            if file.step in steps:
                columns[name].update(counted)
    values = sorted({value for counted in columns.values() for value in counted}, key=in_order)
    rows = [[value, *(f"{counted[value]:,}" for counted in columns.values())] for value in values]
    return table(["rows", *columns], rows) if rows else None


def _occupations(rows: Mapping[str, int]) -> str | None:
    return table(["occupation", "rows"], [[code(name), f"{count:,}"] for name, count in rows.items()]) if rows else None
