"""Asking a teacher: over HTTP, at an endpoint or at a server of the run's own, or through the Batch API."""
