"""The subcommands of `personamath`, a module each, of the same name.

A module has `DESCRIPTION` (what its `--help` teaches), `add_arguments`, and `run`, which returns the exit status. The
lines of `personamath --help` are in `cli`.
"""
