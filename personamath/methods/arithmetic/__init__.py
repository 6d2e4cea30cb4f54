"""The arithmetic of a solution in words: its equalities, and whether they hold."""
