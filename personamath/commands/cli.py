"""The command line. Each subcommand parses, calls the library and prints; see `personamath.commands`."""

import argparse
import sys
from collections.abc import Sequence

from personamath import __version__
from personamath.commands import augment, demo, diff, journal, opinion, plan, publish, push, report, scores, tasks
from personamath.errors import Interrupted, PersonaMathError

DESCRIPTION = """\
PersonaMath (arXiv 2410.01504): math problems augmented through personas and reflection.

  personamath demo                       try everything on a simulated teacher, no key, no network
  personamath plan --help                see what a dataset will cost
  personamath augment --help             make a dataset with a real teacher
  personamath journal RUN                see what was asked and answered
  personamath opinion RUN                have flagged rewrites solved again
  personamath publish --help             make a version of it on the Hub
  personamath diff OLD NEW               compare two versions
  personamath report RUN                 a page of what is in a dataset, with every row
  personamath scores RESULTS             read what lm-eval made of a model with `personamath tasks`
  personamath push --help                make a version of a fine-tuned model
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Exit status 0: done; 1: an error; 2: usage; 3: incomplete, run again; 130, 143: interrupted."""
    parser = argparse.ArgumentParser(
        prog="personamath", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"personamath {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (demo, plan, augment, journal, opinion, publish, diff, report, tasks, scores, push):
        subparser = commands.add_parser(
            command.__name__.rpartition(".")[2],
            help=command.HELP,
            description=command.DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run, parser=subparser)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except PersonaMathError as error:
        print(f"personamath: {error}", file=sys.stderr)
        return 128 + error.signal_number if isinstance(error, Interrupted) else 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
