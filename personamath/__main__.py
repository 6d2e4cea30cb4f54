"""`python -m personamath`: the command line, for environments whose scripts are not on the path."""

import sys

from personamath.commands.cli import main

if __name__ == "__main__":
    sys.exit(main())
