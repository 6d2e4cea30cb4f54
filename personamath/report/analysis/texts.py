"""Compare the vocabulary and the lengths of the questions with the original problems and other datasets."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from personamath.report.analysis.comparison import Comparison
from personamath.report.analysis.intervals import LEAST
from personamath.report.analysis.paper import PAPER
from personamath.report.analysis.result import Analysis, Cell, Chart, LeftOut, Series, Table
from personamath.report.analysis.rows import RunData

if TYPE_CHECKING:
    import numpy as np

WORD = re.compile(r"[a-z]+(?:['’][a-z]+)?")
RESAMPLES = 20
RNG_SEED = 2410
# Points of each curve of word types over words.
POINTS = 24
# Longest curve, as a multiple of the smallest set's words; next to a longer one the smallest set would look like a dot.
LONGEST_CURVE = 5
BIN_WORDS = 5
# Share of all questions in bins of equal width; one wide bin holds the rest.
SHOWN_SHARE = 0.99
# Fewer questions would leave most bins of a density with one question or none.
LEAST_FOR_A_DENSITY = 100


def question_sets(data: RunData, compare: Sequence[Comparison]) -> dict[str, list[str]]:
    """Return the questions of the original problems, of our rows and of other datasets, by name."""
    if data.seeds is not None:
        original = [seed.question for seed in data.seeds]
    else:
        original = list({row.seed_id: row.seed_problem for row in data.rows}.values())
    others = {other.name: list(other.questions) for other in compare}
    return {"original": original, "ours": [row.problem for row in data.rows]} | others


def too_few(sets: Mapping[str, Sequence[str]], least: int = LEAST) -> str | None:
    """Say which set has too few questions for statistics; None if all have enough."""
    small = [f"{len(some):,} of {name}" for name, some in sets.items() if len(some) < least]
    return f"it needs {least} questions or more of each, and there are {' and '.join(small)}" if small else None


def vocabulary(data: RunData, compare: Sequence[Comparison]) -> Analysis | LeftOut:
    """Compute word types and type-token ratio of the questions: the paper's figure 3, and at equal numbers of words."""
    import numpy as np

    name, title = "vocabulary", "Vocabulary"
    if few := too_few(question_sets(data, compare)):
        return LeftOut(name, title, few)
    corpora = {label: Corpus.of(questions) for label, questions in question_sets(data, compare).items()}
    equal = min(len(corpus.words) for corpus in corpora.values())
    if equal == 0:
        return LeftOut(name, title, "a set of questions has no words in Latin letters")
    rows: list[tuple[Cell, ...]] = []
    series = []
    at_equal = {}
    for label, corpus in corpora.items():
        last = min(len(corpus.words), LONGEST_CURVE * equal)
        sizes = np.unique(np.geomspace(min(100, equal), last, POINTS).astype(int))
        grown = np.array([corpus.growth(rng, sizes) for rng in generators()])
        low, mean, high = np.percentile(grown, 2.5, axis=0), grown.mean(0), np.percentile(grown, 97.5, axis=0)
        series.append(Series(label, *(tuple(map(float, part)) for part in (sizes, mean, low, high))))
        resampled = [float(corpus.growth(rng, np.array([equal]))[0]) for rng in generators()]
        types = len(np.unique(corpus.words))
        at_equal[label] = float(np.mean(resampled)) / equal
        ends = np.percentile(resampled, [2.5, 97.5]) / equal
        rows.append(
            (
                label,
                len(corpus.starts),
                len(corpus.words),
                types,
                types / len(corpus.words),
                at_equal[label],
                *map(float, ends),
            )
        )
    ratio = at_equal["ours"] / at_equal["original"]
    return Analysis(
        name,
        title,
        f"At {equal:,} words of each, our questions have {ratio:.2f} times the word types of the original problems"
        + "".join(
            f", and {at_equal['ours'] / at_equal[other.name]:.2f} times those of {other.name}" for other in compare
        )
        + ".",
        Table(
            ("questions", "number", "words", "word types", "type-token ratio", f"at {equal:,} words", "low", "high"),
            tuple(rows),
        ),
        Chart("lines", "words read", "word types", tuple(series)),
        f"Figure 3 of {PAPER}. A word is a run of letters in lower case; formulas and numbers are not counted. The "
        "type-token ratio falls as a text grows, so compare ratios only at an equal number of words. For those ratios "
        f"and for the curves, the questions are shuffled {RESAMPLES} times; the table and the chart show the mean and "
        "the 2.5 and 97.5 percentiles.",
    )


def question_lengths(data: RunData, compare: Sequence[Comparison]) -> Analysis | LeftOut:
    """Compute the densities of the questions' lengths, each with area 1: the paper's figure 5."""
    import numpy as np

    name, title = "question-lengths", "Lengths of the questions"
    if few := too_few(question_sets(data, compare), LEAST_FOR_A_DENSITY):
        return LeftOut(name, title, few)
    lengths = {
        name: np.array([len(question.split()) for question in questions])
        for name, questions in question_sets(data, compare).items()
    }
    together = np.concatenate(list(lengths.values()))
    last = int(np.ceil((np.quantile(together, SHOWN_SHARE) + 1) / BIN_WORDS)) * BIN_WORDS
    edges = [*range(0, last + 1, BIN_WORDS)]
    if together.max() >= last:
        edges.append(int(together.max()) + 1)
    densities = {name: np.histogram(some, edges, density=True)[0] for name, some in lengths.items()}
    bins = list(pairwise(edges))
    shown = [place for place, (_, end) in enumerate(bins) if end <= last]
    series = [
        Series(name, tuple((bins[at][0] + bins[at][1]) / 2 for at in shown), tuple(float(density[at]) for at in shown))
        for name, density in densities.items()
    ]
    rows: list[tuple[Cell, ...]] = [
        (start, end - 1, *(float(density[at]) for density in densities.values()))
        for at, (start, end) in enumerate(bins)
    ]
    medians = ", ".join(f"{np.median(some):.0f} words ({name})" for name, some in lengths.items())
    return Analysis(
        name,
        title,
        f"Median lengths: {medians}.",
        Table(("words from", "to", *densities), tuple(rows)),
        Chart("lines", "words in the question", "density", tuple(series)),
        f"Figure 5 of {PAPER}: the share of questions per word of length. The area under each curve is 1, including "
        "the wide last bin of the table. Words are separated by white space; the paper does not state its unit.",
    )


def lengths_by_step(data: RunData) -> Analysis:
    """Compute the lengths of problems and responses by step, next to those of the seed problems."""
    import numpy as np

    texts: dict[str, list[str]] = {"seed problems": list({row.seed_id: row.seed_problem for row in data.rows}.values())}
    for step in dict.fromkeys(row.step for row in data.rows):
        label = data.step_label(step)
        texts[f"problem, {label}"] = [row.problem for row in data.rows if row.step == step]
        texts[f"response, {label}"] = [row.response for row in data.rows if row.step == step]
    rows: list[tuple[Cell, ...]] = []
    for name, some in texts.items():
        words = np.array([len(text.split()) for text in some])
        percentiles = map(int, np.quantile(words, [0.05, 0.5, 0.95], method="nearest"))
        rows.append((name, len(some), float(words.mean()), *(percentiles if len(some) >= LEAST else [None] * 3)))
    rewritten = [len(row.problem.split()) for row in data.rows if row.step in data.rewriting]
    return Analysis(
        "lengths",
        "Lengths before and after",
        f"Seed problems have {rows[0][2]:.0f} words on average"
        + (f", rewrites {sum(rewritten) / len(rewritten):.0f}." if rewritten else "."),
        Table(("texts", "number", "mean words", "5th percentile", "median", "95th percentile"), tuple(rows)),
        None,
        f"Words are separated by white space. Percentiles of fewer than {LEAST} texts are left out.",
    )


def generators() -> list["np.random.Generator"]:
    """Return one generator for each shuffle of the questions; the same ones at each call."""
    import numpy as np

    return [np.random.default_rng([RNG_SEED, resample]) for resample in range(RESAMPLES)]


class Corpus(NamedTuple):
    """Questions as one array of word numbers."""

    words: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    starts: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    """Position of each question's first word."""
    sizes: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    """Number of words of each question."""

    @classmethod
    def of(cls, questions: Sequence[str]) -> "Corpus":
        """Number the words of the questions."""
        import numpy as np

        numbers: dict[str, int] = {}
        split = [[numbers.setdefault(word, len(numbers)) for word in WORD.findall(text.lower())] for text in questions]
        sizes = np.array([len(words) for words in split], dtype=np.int64)
        flat = np.array([number for words in split for number in words], dtype=np.int64)
        return cls(flat, np.cumsum(sizes) - sizes, sizes)

    def growth(
        self, rng: "np.random.Generator", sizes: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    ) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        """Count the word types among the first `sizes` words, with the questions in random order."""
        import numpy as np

        order = rng.permutation(len(self.starts))
        enough = int(np.searchsorted(np.cumsum(self.sizes[order]), sizes.max())) + 1
        order = order[:enough]
        taken = self.sizes[order]
        offsets = np.repeat(self.starts[order] - (np.cumsum(taken) - taken), taken)
        stream = self.words[offsets + np.arange(int(taken.sum()))]
        _, first = np.unique(stream, return_index=True)
        return np.searchsorted(np.sort(first), sizes)
