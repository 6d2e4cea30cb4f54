"""Reinforcement learning with the grader's verdict as the reward (GRPO), from a fine-tuned checkpoint.

`recipes/grpo.py` is the entry point.
"""
