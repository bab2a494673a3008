"""Files written past the system's cache hold every byte in order, also where the system does not allow it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.storage import atomic
from dataflow.storage.atomic import writing

PIECE = 1 << 14
SIZES = st.lists(st.sampled_from([0, 1, 511, 4096, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE]), max_size=6)


def written(path: Path, sizes: list[int]) -> bytes:
    """What was written to a file in pieces of these sizes."""
    data = [bytes([65 + at]) * size for at, size in enumerate(sizes)]
    with writing(path, "") as file:
        for part in data:
            assert file.write(part) == len(part)
    return b"".join(data)


@settings(max_examples=40, deadline=None)
@given(SIZES)
def test_every_byte(tmp_path_factory: pytest.TempPathFactory, sizes: list[int]) -> None:
    path = tmp_path_factory.mktemp("direct") / "f"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(atomic, "_PIECE", PIECE)
        assert written(path, sizes) == path.read_bytes()


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="this system has no O_DIRECT")
@pytest.mark.parametrize("call", ["open", "write"])
def test_where_the_file_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    import fcntl

    real = getattr(os, call)
    refused = []

    def refusing(first: Any, *more: Any) -> Any:
        flags = more[0] if call == "open" else fcntl.fcntl(first, fcntl.F_GETFL)
        if flags & os.O_DIRECT:
            refused.append(call)
            raise OSError(errno.EINVAL, "no direct writes here")
        return real(first, *more)

    monkeypatch.setattr(atomic, "_PIECE", PIECE)
    monkeypatch.setattr(os, call, refusing)
    path = tmp_path / "f"
    made = written(path, [PIECE * 2 + 5, 7])
    monkeypatch.undo()
    assert path.read_bytes() == made
    assert refused == [call] or call == "write"  # a file system may have refused before


def test_other_faults_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(atomic, "_PIECE", PIECE)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="no space"):
        written(tmp_path / "f", [PIECE])
