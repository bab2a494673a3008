"""A MariaDB server of its own for tests, from Debian's packages mariadb-server-core and mariadb-client-core."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers.postgres import free_port

USER, PASSWORD = "root", "hunter2"
_NOBODY = 65534
_PLACES = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


def programs() -> tuple[str, str] | None:
    """The server and the program that makes its system tables."""
    server, install = (shutil.which(n, path=_PLACES) for n in ("mariadbd", "mariadb-install-db"))
    return (server, install) if server and install else None


@contextmanager
def server(programs: tuple[str, str]) -> Iterator[dict[str, Any]]:
    """What pymysql connects to; the server and its data go at the end."""
    folder = Path(tempfile.mkdtemp(prefix="my-", dir="/tmp"))
    folder.chmod(0o755)
    data, port = folder / "data", free_port()
    data.mkdir()
    who: dict[str, Any] = {"user": _NOBODY, "group": _NOBODY} if os.getuid() == 0 else {}
    for path in (folder, data) if who else ():
        os.chown(path, _NOBODY, _NOBODY)
    first = folder / "first.sql"
    first.write_text(f"ALTER USER '{USER}'@'localhost' IDENTIFIED BY '{PASSWORD}';\nFLUSH PRIVILEGES;\n")
    common = ["--no-defaults", f"--datadir={data}"]
    subprocess.run(
        [programs[1], *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        capture_output=True,
        timeout=120,
        cwd="/",
        **who,
    )
    running = subprocess.Popen(
        [
            programs[0],
            *common,
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--socket={folder}/sock",
            f"--init-file={first}",
            f"--pid-file={folder}/pid",
            "--innodb-buffer-pool-size=32M",
            "--innodb-flush-log-at-trx-commit=0",
            "--secure-file-priv=",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        **who,
    )
    address = {"unix_socket": f"{folder}/sock", "user": USER, "password": PASSWORD}
    try:
        _wait(address, running)
        yield address | {"port": port}
    finally:
        running.kill()
        running.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(address: dict[str, Any], running: subprocess.Popen[bytes]) -> None:
    import pymysql

    last: Exception | None = None
    for _ in range(300):
        try:
            pymysql.connect(**address).close()
        except pymysql.MySQLError as error:
            last = error
        else:
            return
        if running.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"mariadbd did not start: {last}")
