"""What an evaluation came to: lm-eval's results and samples, read, bounded by an interval, and compared."""

from personamath.scores.reading import read_results
from personamath.scores.records import ANSWERED, MAIN_METRIC, DataSource, Item, Score, ScoredRun, TaskRun

__all__ = ["ANSWERED", "MAIN_METRIC", "DataSource", "Item", "Score", "ScoredRun", "TaskRun", "read_results"]
