"""The part of vllm.exceptions that is used."""


class VLLMClientError(Exception):
    """Caused by a request; not a ValueError."""


class VLLMValidationError(VLLMClientError):
    """A request that cannot be served."""
