"""Speech to text."""

from __future__ import annotations

from typing import Any, Literal

from dataflow.core.asking import Ask
from dataflow.core.generate import Generate
from dataflow.core.ports import In, Out
from dataflow.core.protocols import Request
from dataflow.operators._lib.media import about, asked, part


class Speech2TextGenerator(Generate):
    """Write down what is said in each recording, by a model that hears: one call a row.

    A recording is a path, an http address or a data URL. Null gives null without a call; a recording that is blank or
    cannot be read fails its row, and costs no other row anything.
    """

    system_prompt: str = "You are a helpful assistant"
    """What the model is told it is and does."""
    user_prompt: str = "Write down what is said in this recording, word for word, and nothing else."
    """What is asked about each recording; a serving that answers lists asks by a prompt of its own."""
    form: Literal["audio_url", "input_audio"] = "audio_url"
    """How the sound is sent: as vLLM and SGLang read it, or as OpenAI does, which takes local wav and mp3 files."""

    input_key = In("raw_content", "the recording: path, address or data URL", type="any")
    output_key = Out("generated_content", "the text spoken")

    def request(self, recording: Any) -> Request:
        return about(part(self.form, recording), self.user_prompt, self.system_prompt)

    async def answer(self, ask: Ask, recording: Any) -> str:
        return await asked(ask, self.request(recording), recording, self.system_prompt)
