"""The operators of core_speech: their cases, their promises, and what they ask."""

from __future__ import annotations

from typing import Any

import pytest
from core_speech_cases import CASES

from dataflow.operators.core_speech.transcription import Speech2TextGenerator
from dataflow.testing import Case, ScriptedServing, check_operator
from dataflow.testing.cases import run_rows


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case: Case) -> None:
    case.check()


def test_promises() -> None:
    check_operator(Speech2TextGenerator(ScriptedServing("so")))


@pytest.mark.parametrize("form", ["audio_url", "input_audio"])
def test_what_is_asked(form: Any) -> None:
    serving = ScriptedServing("so")
    run_rows(
        Speech2TextGenerator(serving, "You hear well.", "Write it down.", form), [{"raw_content": "a.wav"}]
    )
    system, turn = serving.requests[0].messages
    assert system == {"role": "system", "content": "You hear well."}
    assert turn["content"] == [
        {"type": form, form: {"url": "a.wav"}},
        {"type": "text", "text": "Write it down."},
    ]
