"""The subcommands of `personamath`, a module each: `add_parser` describes it, `run` does it."""
