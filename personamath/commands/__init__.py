"""The subcommands of `personamath`, one module each, named after the subcommand.

Each module has `DESCRIPTION` (the text of its `--help`), `add_arguments`, and `run`, which returns the exit status.
`cli` holds the lines of `personamath --help`.
"""
