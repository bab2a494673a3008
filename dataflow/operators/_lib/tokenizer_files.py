"""The tokenizers of models, as they lie on this machine."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from dataflow.core.errors import ConfigError, MissingDependency

_FILE = "tokenizer.json"


@lru_cache(maxsize=4)
def load(tokenizer: str) -> Any:
    """The tokenizer of a file, a folder or a name, without truncation and padding.

    Raises:
        ConfigError: it is not there, or cannot be read.
        MissingDependency: tokenizers is not installed.
    """
    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError:
        raise MissingDependency("tokenizers", "local", "Counting tokens") from None
    path = find(tokenizer)
    if path is None:
        raise ConfigError(f"the tokenizer {absent(tokenizer)}")
    try:
        made = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise ConfigError(f"{path} is no tokenizer: {error}") from error
    made.no_truncation()
    made.no_padding()
    return made


def find(tokenizer: str) -> Path | None:
    """The file of a tokenizer: itself, in that folder, or in the Hugging Face cache; null where it is in none."""
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


def absent(tokenizer: str) -> str:
    """Says that it is not there."""
    return f"{tokenizer!r} is no file, no folder with {_FILE}, and no model in the Hugging Face cache"
