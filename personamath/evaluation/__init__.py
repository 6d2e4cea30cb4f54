"""Score a checkpoint: tasks for lm-eval, and the scores in its results."""
