"""The subcommands of `personamath`, a module each, of the same name.

A module has `HELP` (a line), `DESCRIPTION` (what `--help` teaches), `add_arguments`, and `run`, which gives the exit
status.
"""
