"""fastText classifiers: small models that read a text as a bag of words and parts of words."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from dataflow.core.errors import MissingDependency, ServingError
from dataflow.core.frames import clean
from dataflow.operators._lib.scoring.held import Key, Loaded


class FastTextModel:
    """A fastText classifier."""

    def __init__(self, path: str) -> None:
        try:
            fasttext: Any = import_module("fasttext")
        except ImportError:
            raise MissingDependency("fasttext-predict", "text", "Scoring by a fastText model") from None
        self._model = fasttext.load_model(path)

    def probabilities(self, text: str) -> dict[str, float]:
        """The probability of each label, without its `__label__`."""
        names, shares = self._model.predict(" ".join(clean(text).split()), k=-1)
        return {n.removeprefix("__label__"): float(p) for n, p in zip(names, shares, strict=True)}


def fast_text(key: Key, device: str) -> Loaded:
    """A fastText file, or the `model.bin` of a folder or a repository of the Hub."""
    path = key.name if Path(key.name).is_file() else _file(key)
    try:
        return Loaded(None, FastTextModel(path), "cpu")
    except ValueError as error:
        raise ServingError(f"the model {key.name!r} cannot be loaded: {error}") from error


def _file(key: Key) -> str:
    from dataflow.operators._lib.scoring.files import file_of

    try:
        return file_of(key, "model.bin")
    except OSError as error:
        raise ServingError(f"the model {key.name!r} cannot be loaded: {error}") from error
