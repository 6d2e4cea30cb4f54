"""Scores: lm-eval's results and samples, read, with bootstrap intervals, and compared."""

from personamath.evaluation.scores.comparison import Comparison, compare_runs, incomparable
from personamath.evaluation.scores.grid import GridTask, Method, caveats, compare_grid, read_grid
from personamath.evaluation.scores.reading import read_results
from personamath.evaluation.scores.records import (
    FACTS,
    MAIN_METRIC,
    DataSource,
    Item,
    Score,
    ScoredModel,
    ScoredRun,
    TaskRun,
)

__all__ = [
    "FACTS",
    "MAIN_METRIC",
    "Comparison",
    "DataSource",
    "GridTask",
    "Item",
    "Method",
    "Score",
    "ScoredModel",
    "ScoredRun",
    "TaskRun",
    "caveats",
    "compare_grid",
    "compare_runs",
    "incomparable",
    "read_grid",
    "read_results",
]
