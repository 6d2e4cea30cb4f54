"""The command line. Each subcommand is a module of this package that parses, calls the library and prints.

One with `PASSES_ON = True` gets the options that it does not declare as `passed_on`.

`options.show` prints a result for programs, if the command has the option --json.

Only the subcommand that runs is imported, so that `personamath --help` is quick.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, NoReturn, TextIO

from personamath import __version__
from personamath.commands.parser import USAGE, Parser
from personamath.commands.terminal import json_result, say_error, say_warning
from personamath.errors import Interrupted, PersonaMathError, PersonaMathWarning
from personamath.files import in_one_line, nearest

COMMANDS = {
    "demo": "try everything on recorded answers: no key, no network",
    "prompts": "print a method's prompts, or write them to files to edit",
    "plan": "estimate what a dataset will cost",
    "augment": "make a dataset with a teacher",
    "journal": "count or export the answers of a run",
    "opinion": "let the teacher solve flagged rewrites again",
    "report": "make a web page of a dataset, with every row",
    "mix": "cut datasets to equal size, to compare methods",
    "compare": "compare runs of different methods, with intervals",
    "publish": "publish a version of a dataset on the Hub",
    "diff": "compare two versions of a dataset",
    "train": "fine-tune a model on a dataset, or train it further by rewards",
    "tasks": "print the folder of the lm-eval tasks",
    "scores": "print lm-eval's scores with intervals",
    "push": "publish a version of a fine-tuned model on the Hub",
}
DESCRIPTION = """\
PersonaMath (arXiv 2410.01504): augment math problems, fine-tune on them, score and publish.

commands, in the order a project uses them:

{commands}

See `personamath COMMAND --help` for each command.
"""


# As a shell reports a program that SIGPIPE ended, which is what most programs do when nobody reads on.
NOBODY_READS = 128 + 13


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Exit status 0: done; 1: an error; 2: usage; 3: incomplete, run again; 130, 143: interrupted; 141: nobody reads the
    output on, as after `| head`.
    """
    try:
        try:
            return _main(arguments)
        finally:
            sys.stdout.flush()  # at the end of the process an error here would be a traceback
    except BrokenPipeError:
        _drop_output()
        return NOBODY_READS
    except KeyboardInterrupt:  # before a run could take the signal, e.g. while modules are imported
        return 130
    except OSError as error:  # a full disk, read-only storage: nothing in the program is wrong
        _drop_output()
        place = error.filename or "cannot write the output"
        with suppress(OSError):
            say_error(f"{place}: {error.strerror or in_one_line(error)}")
        return 1


def _drop_output() -> None:
    """Send what is left of the output nowhere: Python would try again at its end, and fail with a traceback."""
    with suppress(OSError, ValueError):  # a stand-in for a file has no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _main(arguments: Sequence[str] | None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] not in COMMANDS:
        _without_command(given)
    # Arrow's own allocator keeps the memory that it has freed.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    name = given[0]
    command = import_module(f"personamath.commands.{name}")
    parser = Parser(f"personamath {name}", command.DESCRIPTION)
    command.add_arguments(parser)
    parser.set_defaults(parser=parser)
    options, unknown = parser.parse_known_args(given[1:])
    if getattr(command, "PASSES_ON", False):
        options.passed_on = unknown
    else:
        parser.refuse(unknown)
    return _run(command, options)


def _run(command: Any, options: argparse.Namespace) -> int:
    try:
        with _warnings_in_a_line(), json_result(getattr(options, "json", False)) as options.show:
            return int(command.run(options))
    except PersonaMathError as error:
        say_error(error)
        return 128 + error.signal_number if isinstance(error, Interrupted) else 1


@contextmanager
def _warnings_in_a_line() -> Iterator[None]:
    """Print each warning of the library, even if it was printed before, and without its place in the code."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, PersonaMathWarning):
                say_warning(message)
            else:
                others(message, category, filename, lineno, file, line)

        warnings.simplefilter("always", PersonaMathWarning)
        warnings.showwarning = show
        yield


def _without_command(given: Sequence[str]) -> NoReturn:
    """Print the help, the version, or a usage error, for a call that names no command."""
    lines = "\n".join(f"  {name:<10} {says}" for name, says in COMMANDS.items())
    parser = Parser("personamath", DESCRIPTION.format(commands=lines))
    parser.add_argument("--version", action="version", version=f"personamath {__version__}")
    parser.add_argument("command", nargs="?", metavar="COMMAND", help="one of the commands above")
    options, unknown = parser.parse_known_args(given)
    parser.refuse(unknown)
    name = options.command
    if name is None:
        parser.print_help(sys.stderr)
        sys.exit(USAGE)
    parser.error(f"no command {name!r}; {nearest(name, COMMANDS)}")


if __name__ == "__main__":
    sys.exit(main())
