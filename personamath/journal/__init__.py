"""Remembering every answer: the journal of a run directory."""
