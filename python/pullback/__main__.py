"""``python -m pullback``: the command."""

import sys

from ._pullback import main


def command() -> int:
    """The command, with the arguments of this process."""
    return main(["pullback", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(command())
