# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "personamath",
# ]
#
# [tool.hf-jobs]
# flavor = "cpu-basic"
# timeout = "24h"
# secrets = ["HF_TOKEN", "OPENAI_API_KEY"]
# ///
"""Make a dataset folder: `personamath augment`, as a script that needs no installation.

uv run recipes/augment.py --config augment-paper-v1 --output runs/v1

After any interruption, the same command continues and pays for no answer twice. See docs/jobs.md.
"""

import sys

from personamath.commands.cli import main

if __name__ == "__main__":
    sys.exit(main(["augment", *sys.argv[1:]]))
