"""Backward questions: one number of a problem is hidden, the problem's answer is given, and the number is asked for.

regions     which parts of a text are prose, math or neither
numbers     the numbers that may be hidden
sentences   where sentences begin and end, and which one asks
masking     a problem with one number hidden
questions   the two forms of a backward question
"""
