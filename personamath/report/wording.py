"""Small rules for sentences that are put together from parts."""


def sentence(text: str) -> str:
    """Begin a text with a capital letter."""
    return text[:1].upper() + text[1:]


def number_of(count: int, noun: str) -> str:
    """Say how many there are: `1 row`, `1,234 rows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def ended(text: str) -> str:
    """End a sentence with a full stop, unless it has its own end."""
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."
