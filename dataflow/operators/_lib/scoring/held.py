"""Models in memory: one of a name, device and precision, however many operators ask it."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from dataflow.core.errors import MissingDependency

log = logging.getLogger(__name__)


class Key(NamedTuple):
    """What makes two operators share a model."""

    kind: str
    """How it is loaded; a key of `loading.LOADERS`."""
    name: str
    """On the Hub, or the path of a folder."""
    cache_dir: str | None
    device: str
    dtype: str | None


@dataclass
class Loaded:
    """A model that is ready to be asked."""

    tokenizer: Any
    network: Any
    device: str = "cpu"
    limit: int = 512
    """Tokens that it can read at once."""
    pad: int = 0
    """The token that fills the gaps of a batch."""
    labels: dict[int, str] = field(default_factory=dict)
    """What the outputs of a classifier are called."""


class HeldModel:
    """A model that is loaded when it is first asked, and stays until `cleanup` or until no operator has it any more."""

    holds_model: ClassVar[bool] = True

    def __init__(self, key: Key) -> None:
        self.key = key
        self._lock = threading.RLock()
        self._loaded: Loaded | None = None

    @contextmanager
    def in_use(self) -> Iterator[Loaded]:
        """The loaded model, for this thread alone: batches side by side would only fight for memory."""
        with self._lock:
            if self._loaded is None:
                self._loaded = _load(self.key)
            yield self._loaded

    @property
    def is_loaded(self) -> bool:
        return self._loaded is not None

    def cleanup(self) -> None:
        """Free the memory; the next use loads the model again."""
        with self._lock:
            if self._loaded is None:
                return
            self._loaded = None
            gc.collect()
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_available():
            torch.cuda.empty_cache()

    def __reduce__(self) -> tuple[Callable[..., HeldModel], tuple[Key]]:
        return held, (self.key,)

    def __repr__(self) -> str:
        return f"HeldModel({self.key.name!r}, {'loaded' if self.is_loaded else 'not loaded'})"


_models: weakref.WeakValueDictionary[Key, HeldModel] = weakref.WeakValueDictionary()
_registering = threading.Lock()


def held(key: Key) -> HeldModel:
    """The model of that key; all who ask while anyone has it get the same."""
    with _registering:
        model = _models.get(key)
        if model is None:
            model = _models[key] = HeldModel(key)
        return model


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingDependency("torch", "hf", "Scoring by a model") from None
    return torch


def device_of(wanted: str) -> str:
    """The device asked for; the CPU, with a line in the log, where there is no such accelerator."""
    torch = _torch()
    kind = wanted.partition(":")[0]
    there = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}.get(kind)
    if there is None or there():
        return wanted
    log.info("there is no device %r here: the model runs on the CPU", wanted)
    return "cpu"


def _load(key: Key) -> Loaded:
    if key.kind == "fast_text":
        from dataflow.operators._lib.scoring.fast_text import fast_text

        return fast_text(key, "cpu")
    _torch()
    from dataflow.operators._lib.scoring.loading import LOADERS  # loads transformers

    device = device_of(key.device)
    loaded = LOADERS[key.kind](key, device)
    log.info("loaded %s on %s", key.name, device)
    return loaded
