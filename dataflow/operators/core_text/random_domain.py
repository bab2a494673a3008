"""Making up training samples from the names of domains."""

from __future__ import annotations

import re
from random import Random

from pydantic import Field, ValidationError

from dataflow.core.asking import Ask
from dataflow.core.errors import ReplyError
from dataflow.core.frames import dumps
from dataflow.core.generate import Source, build
from dataflow.core.ports import Binding, Out
from dataflow.core.prompt import DIYPromptABC, PromptABC, prompt_restrict
from dataflow.core.protocols import Request
from dataflow.core.replies import clip, parse_json
from dataflow.prompts.general_text import InstructionSample, SFTFromScratchGeneratorPrompt

_SEPARATORS = re.compile(r"[,;\n，；、]")
_DEFAULT = SFTFromScratchGeneratorPrompt()


@prompt_restrict(SFTFromScratchGeneratorPrompt)
class RandomDomainKnowledgeRowGenerator(Source):
    """Make up instruction samples about domains: one model call for each row.

    Every row is asked for another mixture of domain, task, level, form and angle, drawn by `seed` and the row's
    number; the first 4,004 rows of one domain all differ. The cell is the sample as JSON text with `instruction`,
    `input`, `output` and `domain`; a reply without an instruction and an output fails its row.
    """

    output_key = Out("generated_content", "the sample, as JSON text")

    generation_num: int = Field(ge=0)
    """How many rows are made."""
    domain_keys: str
    """The domains, parted by commas, semicolons or line ends."""
    prompt_template: SFTFromScratchGeneratorPrompt | DIYPromptABC | None = None
    """What is asked; a user's own may take `domain_keys` and `brief`."""
    seed: int = 0
    """Changes which mixture each row gets."""

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or _DEFAULT

    def slot_names(self, binding: Binding) -> set[str]:
        return {"domain_keys", "brief"}

    def total(self) -> int:
        return self.generation_num

    async def make(self, ask: Ask, number: int) -> str:
        return await ask.read(self.sample_request(number), self.parse)

    def sample_request(self, number: int) -> Request:
        """What is asked for the row of that number."""
        domains = [d.strip() for d in _SEPARATORS.split(self.domain_keys) if d.strip()]
        domain = Random(f"{self.seed}/{number}").choice(domains or [self.domain_keys])
        return build(self.prompt, {"domain_keys": domain, "brief": self._brief(number)})

    def _brief(self, number: int) -> str:
        draw = Random(self.seed)
        picks = []
        for aspect, options in SFTFromScratchGeneratorPrompt.aspects.items():
            shuffled = draw.sample(options, len(options))
            picks.append(f"{aspect}: {shuffled[number % len(shuffled)]}")
        return f"Sample {number + 1}. {'; '.join(picks)}.\n"

    def parse(self, reply: str) -> str:
        try:
            sample = InstructionSample.model_validate(parse_json(reply, dict))
        except ValidationError as error:
            fault = error.errors()[0]
            raise ReplyError(f"{fault['loc'][0]}: {fault['msg']}, in the reply {clip(reply)}") from error
        if not (sample.instruction.strip() and sample.output.strip()):
            raise ReplyError(f"an empty instruction or output, in the reply {clip(reply)}")
        return dumps(sample)
