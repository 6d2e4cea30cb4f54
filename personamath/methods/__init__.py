"""Augmentation methods: what a method is, the tools it works with, and one file or folder for each."""
