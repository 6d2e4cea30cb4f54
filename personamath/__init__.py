"""PersonaMath (arXiv 2410.01504): math problems augmented through personas and reflection."""

__version__ = "0.1.0"
