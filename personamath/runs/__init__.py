"""Runs: from a recipe and a teacher to the rows of a dataset."""
