"""The simulated schedule of the overlap measurement, held against what any schedule must take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.overlap import SLOTS, STEPS, simulated

LATENCY = st.floats(0.001, 10)
ROW = st.lists(LATENCY, min_size=STEPS, max_size=STEPS)


def test_a_row_waits_for_its_own_calls() -> None:
    assert simulated([1.0, 2.0, 3.0, 4.0, 5.0]) == 15.0


@pytest.mark.parametrize(("rows", "rounds"), [(1, 1), (SLOTS, 1), (SLOTS + 1, 2), (3 * SLOTS, 3)])
def test_equal_rows_go_through_in_rounds(rows: int, rounds: int) -> None:
    assert simulated([0.5] * STEPS * rows) == 0.5 * STEPS * rounds


@given(st.lists(ROW, min_size=1, max_size=3 * SLOTS))
def test_no_schedule_beats_the_slots_or_the_longest_row(rows: list[list[float]]) -> None:
    took = simulated([latency for row in rows for latency in row])
    total, longest = sum(map(sum, rows)), max(map(sum, rows))
    assert took >= max(longest, total / SLOTS) * (1 - 1e-9)
    assert took <= longest + total / SLOTS
