"""Asking through the OpenAI Batch API: half the price, answers within a day, in files of many requests.

What is covered: requests go out in waves (`waves.py`), split by the API's limits (`lines.py`) and by an allowance of
enqueued tokens (`queue.py`). A batch that expired or was cancelled, and every line that failed, is asked again, a few
times. Which request is in which batch is written down before the batch is created (`record.py`). If nobody confirmed a
creation, the provider's list is searched for the batch (`api.py`). So a run that is killed at any point finds its
batches again and submits none twice. What is not covered: batch APIs of another form than OpenAI's, and cancelling what
was submitted.
"""

from personamath.teachers.batch.teacher import LINE_ATTEMPTS, BatchTeacher

__all__ = ["LINE_ATTEMPTS", "BatchTeacher"]
