"""Compares runs of different methods: measures with intervals, and which differences the data can show."""
