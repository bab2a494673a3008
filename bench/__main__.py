"""Run the measurements: `python -m bench` all of them, `python -m bench overhead` one."""

from __future__ import annotations

import importlib
import sys

ALL = ("overhead", "kill", "imports")


def main() -> None:
    names = sys.argv[1:] or list(ALL)
    for name in names:
        if name not in ALL:
            sys.exit(f"no measurement {name!r}; there are {', '.join(ALL)}")
        sys.argv = [name]
        importlib.import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main()
