"""An engine whose reply is the request's body, as JSON; run as `python echo_engine.py --port N …`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

from dataflow.testing.server import FaultyServer

PACKAGE = """
import argparse, runpy, sys
parser = argparse.ArgumentParser()
for name in {options!r}:
    parser.add_argument(name, required=name in {required!r})
for name in {switches!r}:
    parser.add_argument(name, action="store_true")
given = parser.parse_args()
sys.argv = ["echo", "--port", given.port]
runpy.run_path({echo!r}, run_name="__main__")
"""


def echo(body: dict[str, Any]) -> str:
    return orjson.dumps(body).decode()


def stand_in(folder: Path, module: str, options: list[str], required: list[str], switches: list[str]) -> None:
    """Write a package whose module takes these arguments and no others, and serves the echo."""
    *packages, name = module.split(".")
    home = folder.joinpath(*packages)
    home.mkdir(parents=True)
    for i in range(len(packages)):
        folder.joinpath(*packages[: i + 1], "__init__.py").write_text("")
    text = PACKAGE.format(
        options=options, required=required, switches=switches, echo=str(Path(__file__).resolve())
    )
    (home / f"{name}.py").write_text(text)


if __name__ == "__main__":
    with FaultyServer(reply=echo, port=int(sys.argv[sys.argv.index("--port") + 1])):
        sys.stdin.buffer.read()
