"""Resolve what this project needs into `requirements.lock`: every version pinned, every file by its hash.

`requirements-torch.txt` is apart: of torch the tests need the build for CPUs alone, a fraction of the size of the one
that the resolver would choose with all that it depends on.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXTRAS = (
    "local",
    "pandas",
    "excel",
    "remote",
    "hub",
    "sql",
    "postgres",
    "math",
    "code",
    "text2sql",
    "text",
    "pii",
    "chemistry",
)


def main() -> None:
    """Needs uv, which the lock file itself brings."""
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    command = [
        str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header",
        "--no-annotate", "--no-emit-index-url", "--python-version", "3.11", "--group", "dev", *extras,
        "--output-file", "requirements.lock", "pyproject.toml",
    ]  # fmt: skip
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
