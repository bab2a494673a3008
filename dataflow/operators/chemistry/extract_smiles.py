"""Structures drawn out of papers."""

from __future__ import annotations

import json
from typing import Any

from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text, dumps
from dataflow.core.generate import Generate, build
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import DIYPromptABC, Prompt, PromptABC, prompt_restrict
from dataflow.core.protocols import Request
from dataflow.core.replies import clip, parse_json
from dataflow.operators._lib.monomers import FIELDS, records_of
from dataflow.prompts.chemistry import ExtractSmilesFromTextPrompt

_DEFAULT = ExtractSmilesFromTextPrompt()
_TEXT = Prompt("\n\n<content>\n{content}\n</content>")


@prompt_restrict(ExtractSmilesFromTextPrompt)
class ExtractSmilesFromTextGenerator(Generate):
    """Draw the SMILES of monomers out of each text: one model call a row.

    The monomers wanted are a list of abbreviations, or of records with an `abbreviation`; null or an empty list asks
    for all that the text names. The cell is a list of `abbreviation`, `full_name` and `smiles`, empty text where one
    is not told. A null text gives null; a reply without such a list fails the row.
    """

    prompt_template: ExtractSmilesFromTextPrompt | DIYPromptABC | None = None
    """What is asked; a text that takes no `content` gets it put after it."""

    input_content_key = In("text", "the text")
    input_abbreviation_key = In("abbreviations", "the monomers wanted", type="any", optional=True)
    output_key = Out("synth_smiles", "the list of monomers", type="json")

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or _DEFAULT

    def slot_names(self, binding: Binding) -> set[str]:
        return {"content", "abbreviation", "target_monomers"}

    def request(self, content: str, wanted: Any = None) -> Request:
        names = dumps(_names(wanted))
        slots = {"content": as_text(content), "abbreviation": names, "target_monomers": names}
        request = build(self.prompt, slots)
        if isinstance(self.prompt, Prompt) and "content" in self.prompt.slots:
            return request
        *turns, last = request.messages
        asked = {**last, "content": last["content"] + _TEXT.build_prompt(**slots)}
        return Request((*turns, asked), request.schema)

    def parse(self, reply: str) -> list[dict[str, str]]:
        found = _list_in(reply)
        kept = records_of(found)
        if found is None or (found and not kept):
            raise ReplyError(f"no list of monomers in the reply {clip(reply)}")
        return kept


def _names(wanted: Any) -> list[str]:
    """The abbreviations wanted, from a list of texts or of records, or its JSON text."""
    if isinstance(wanted, str):
        try:
            wanted = json.loads(wanted)
        except ValueError:
            wanted = [wanted]
    items = wanted if isinstance(wanted, list) else [] if wanted is None else [wanted]
    named = (i.get("abbreviation") if isinstance(i, dict) else i for i in items)
    return [str(n).strip() for n in named if n is not None and str(n).strip()]


def _list_in(reply: str) -> list[Any] | None:
    """The list in a reply: bare, within an object, or as JSON text within JSON."""
    try:
        once = json.loads(reply)
    except ValueError:
        once = None
    found = parse_json(once if isinstance(once, str) else reply)
    if isinstance(found, list):
        return found
    if FIELDS[0] in found:
        return [found]
    return next((v for v in found.values() if isinstance(v, list)), None)
