"""Any records of JSON values survive."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.core.frames import records
from dataflow.storage import FileSource, write_frames
from dataflow.storage.shapes import frame_of

TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=8)
NAMES = st.text(st.characters(exclude_categories=("Cs",)), max_size=4)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
ROWS = st.lists(st.dictionaries(NAMES, VALUES, min_size=1, max_size=3), min_size=1, max_size=5)


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
@settings(max_examples=150, deadline=None)
@given(rows=ROWS)
def test_any_json_survives(
    tmp_path_factory: pytest.TempPathFactory, kind: str, rows: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("h") / f"t.{kind}"
    frame = frame_of(rows)
    write_frames(path, [frame], frame.schema)
    assert repr(records(FileSource(path).frame())) == repr(full(rows))


@settings(max_examples=150, deadline=None)
@given(rows=ROWS)
def test_any_json_of_other_makes_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("h") / "t.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in rows))
    assert repr(records(FileSource(path).frame())) == repr(full(rows))


def full(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    keys = dict.fromkeys(k for r in rows for k in r)
    return [{k: r.get(k) for k in keys} for r in rows]
