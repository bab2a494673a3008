"""Tokenizers of models that are on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from dataflow.core.errors import ConfigError, MissingDependency
from dataflow.core.frames import clean

_FILE = "tokenizer.json"
_BATCH = 1024


def count(text: str, tokenizer: str, *, special_tokens: bool = False) -> int:
    """The tokens of a text."""
    return len(load(tokenizer).encode(clean(text), add_special_tokens=special_tokens))


def counts(texts: pl.Series, tokenizer: str, *, special_tokens: bool = False) -> pl.Series:
    """The tokens of each text; null of null."""
    loaded, known = load(tokenizer), texts.is_not_null()
    found: list[int] = []
    for part in texts.filter(known).to_frame().iter_slices(_BATCH):
        made = loaded.encode_batch_fast(part.to_series().to_list(), add_special_tokens=special_tokens)
        found += map(len, made)
    every = pl.Series(texts.name, [None] * len(texts), pl.Int64)
    return every.scatter(known.arg_true(), found) if found else every


@lru_cache(maxsize=4)
def load(tokenizer: str) -> Any:
    """The tokenizer of a file, a folder or a name, without truncation and padding."""
    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError:
        raise MissingDependency("tokenizers", "local", "Counting tokens") from None
    path = find(tokenizer)
    if path is None:
        raise ConfigError(f"tokenizer: {absent(tokenizer)}")
    try:
        made = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise ConfigError(f"tokenizer: {path} is no tokenizer: {error}") from error
    made.no_truncation()
    made.no_padding()
    return made


def find(tokenizer: str) -> Path | None:
    """Its `tokenizer.json`; null if it is not on this machine."""
    path = Path(tokenizer).expanduser()
    for file in (path, path / _FILE):
        if file.is_file():
            return file
    try:
        from huggingface_hub import try_to_load_from_cache
    except ModuleNotFoundError:
        return None
    try:
        found = try_to_load_from_cache(tokenizer, _FILE)
    except ValueError:  # no name that the hub could have
        return None
    return Path(found) if isinstance(found, str) else None


def missing(setting: str, tokenizer: str) -> Iterator[tuple[str, str]]:
    """For an operator's `check`: that the tokenizer which a setting names is not on this machine."""
    if find(tokenizer) is None:
        yield setting, f": {absent(tokenizer)}"


def absent(tokenizer: str) -> str:
    """What is said of a tokenizer that is not there."""
    return f"{tokenizer!r} is no file, no folder with {_FILE}, and no model in the Hugging Face cache"
