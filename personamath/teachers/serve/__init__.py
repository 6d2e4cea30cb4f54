"""Serving the teacher for the time of a run: `vllm serve` as a child process, asked over HTTP like any endpoint.

What is covered: the command line (`command.py`), the child from its start to its end (`server.py`), and that none of
its processes outlives the run (`guard.py`). What is not: several engines or machines; serve these yourself and name
each address.
"""

from personamath.teachers.serve.command import check_arguments
from personamath.teachers.serve.teacher import SERVED, ServedTeacher

__all__ = ["SERVED", "ServedTeacher", "check_arguments"]
