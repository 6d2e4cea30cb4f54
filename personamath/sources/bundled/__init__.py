"""Personas and math problems written for this project, and a model's recorded answers to them for the demo."""
