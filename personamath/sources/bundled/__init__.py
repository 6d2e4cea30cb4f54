"""Personas and math problems written for this project: the defaults that the package carries."""
