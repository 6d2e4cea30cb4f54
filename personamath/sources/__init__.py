"""Rows from files and the Hub: seed problems, personas, questions to compare with."""
