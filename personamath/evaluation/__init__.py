"""Scoring a checkpoint: tasks for lm-eval, and what its results say."""
