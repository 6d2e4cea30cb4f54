"""A model on the Hub: its card, its files, its checks, its results, its push."""
