"""What each operator of core_speech must do, as cases."""

from __future__ import annotations

from dataflow.operators.core_speech.transcription import Speech2TextGenerator
from dataflow.testing import FAILED, Case, ScriptedServing, maps, replies

CASES: list[Case] = [
    maps(
        Speech2TextGenerator(ScriptedServing(by={"call.wav": "Call me Ishmael."})),
        {"call.wav": "Call me Ishmael.", "noise.wav": FAILED, None: None},
    ),
    replies(Speech2TextGenerator, {"Good day.": "Good day.", "": "", None: FAILED}, row="day.mp3"),
]
