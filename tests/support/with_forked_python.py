"""Run a command whose PYTHON is the `python` of tests/support/fork_server.py, for scripts that start many programs."""

import os
import subprocess
import sys

if __name__ == "__main__":
    sys.exit(subprocess.call(sys.argv[1:], env=os.environ | {"PYTHON": sys.executable}))
