"""Runs: make the rows of a dataset from a recipe and a teacher."""
