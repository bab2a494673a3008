"""Databases that are files: which there are, and whether they have changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from dataflow.core.errors import ConfigError

_WHOLE = 64 << 20
_EDGE = 1 << 20


def find_files(
    kind: str, config: Mapping[str, Any], patterns: Sequence[str], *, by_stem: bool = False
) -> dict[str, Path]:
    """The files under `config["root_path"]` by their database id.

    The id is the first folder below the root, or the file's name without its suffix for files directly in the root
    and with `by_stem`; what would be called as another is gets `_1`, `_2`.

    Raises:
        ConfigError: there is no root, it does not exist, or it holds no such file.
    """
    given = config.get("root_path") or config.get("path")
    if not given:
        raise ConfigError(f'{kind}: config needs "root_path", the folder or the file of the databases')
    roots = [Path(r).expanduser() for r in ([given] if isinstance(given, (str, Path)) else given)]
    wanted = config.get("patterns") or patterns
    wanted = [wanted] if isinstance(wanted, str) else list(wanted)
    found: dict[str, Path] = {}
    for root in roots:
        if not root.exists():
            raise ConfigError(f"{kind}: root_path {str(root)!r} does not exist")
        for path in _files(root, wanted):
            parts = path.relative_to(root).parts
            name = parts[0] if len(parts) > 1 and not by_stem else path.stem
            found[_free(name, found)] = path
    if not found:
        raise ConfigError(f"{kind}: no {', '.join(wanted)} below {', '.join(map(str, roots))}")
    return found


def _files(root: Path, patterns: Iterable[str]) -> list[Path]:
    if root.is_file():
        return [root]
    return sorted({p for pattern in patterns for p in root.rglob(pattern) if p.is_file()})


def _free(name: str, taken: Mapping[str, Any]) -> str:
    if name not in taken:
        return name
    return next(n for i in range(1, len(taken) + 2) if (n := f"{name}_{i}") not in taken)


def beside(path: Path, suffix: str) -> Path:
    """The file beside another that has its name and a suffix more: `x.db-wal`."""
    return path.with_name(path.name + suffix)


def quick_stamp(path: Path, suffix: str) -> list[tuple[int, int]]:
    """Size and time of a file and of its log beside it."""
    stats = [p.stat() for p in (path, beside(path, suffix)) if p.exists()]
    return [(s.st_size, s.st_mtime_ns) for s in stats]


def file_stamp(path: Path, suffix: str) -> list[str]:
    """A hash of a file and of its log; of one over 64 MB of its size, time, beginning and end."""
    stats = [(str(p), p.stat()) for p in (path, beside(path, suffix)) if p.exists() and p.stat().st_size]
    return [_stamp(p, s.st_size, s.st_mtime_ns) for p, s in stats]


@lru_cache(maxsize=4096)
def _stamp(path: str, size: int, mtime_ns: int) -> str:
    import hashlib  # of no use to a process of an engine, which would wait for it at its start

    hashed = hashlib.blake2b(digest_size=16)
    with Path(path).open("rb") as file:
        if size <= _WHOLE:
            while block := file.read(_EDGE):
                hashed.update(block)
            return hashed.hexdigest()
        hashed.update(f"{size} {mtime_ns}".encode())
        hashed.update(file.read(_EDGE))
        file.seek(-_EDGE, 2)
        hashed.update(file.read(_EDGE))
    return hashed.hexdigest()
