"""Rows from files and the Hub: seed problems, personas, and questions to compare with."""
