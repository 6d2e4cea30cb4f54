"""Asking a teacher: over HTTP, through the Batch API, or with vLLM in this process."""
