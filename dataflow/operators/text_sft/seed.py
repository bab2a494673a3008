"""Instruction data out of texts, to a user's own wishes."""

from __future__ import annotations

from typing import Any

from dataflow.core.frames import as_text
from dataflow.core.generate import Generate
from dataflow.core.ports import In, Out
from dataflow.core.prompt import prompt_restrict
from dataflow.core.protocols import Request
from dataflow.operators._lib.replies import read_object
from dataflow.prompts.text_sft import InstructionPair, SFTGeneratorSeedPrompt


@prompt_restrict(SFTGeneratorSeedPrompt)
class SFTGeneratorSeed(Generate):
    """Make an instruction and its answer out of each text: one model call a row.

    The texts and all other columns stay. The reply is JSON, bare, fenced or inside prose; a reply without an
    instruction and an answer fails its row. A blank text gives null, without a call.
    """

    custom_prompt: str
    """What the samples shall be like: their kind, level, style or language."""

    input_key = In("raw_content", "what the sample is made of")
    output_instruction_key = Out("instruction", "what the user asks")
    output_output_key = Out("output", "the answer")

    def skips(self, row: tuple[Any, ...]) -> bool:
        return row[0] is None or not as_text(row[0]).strip()

    def request(self, text: Any) -> Request:
        prompt = SFTGeneratorSeedPrompt(self.custom_prompt)
        return Request.of(prompt.build_prompt(content=as_text(text)), prompt.system, prompt.schema())

    def parse(self, reply: str) -> tuple[str, str]:
        made = read_object(reply, InstructionPair)
        return made.instruction.strip(), made.output
