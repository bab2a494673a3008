"""Files of models: in a folder of one's own, or from the Hub."""

from __future__ import annotations

from pathlib import Path

from dataflow.core.errors import MissingDependency
from dataflow.operators._lib.scoring.held import Key


def file_of(key: Key, name: str) -> str:
    """The path of a file of a model, fetched from the Hub if need be.

    Raises:
        OSError: There is none.
    """
    local = Path(key.name)
    if local.is_dir():
        if not (local / name).is_file():
            raise OSError(f"there is no {name} in {local}")
        return str(local / name)
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ImportError:
        raise MissingDependency("huggingface_hub", "hub", "Fetching a model") from None

    try:
        return str(hf_hub_download(key.name, name, cache_dir=key.cache_dir))
    except (HfHubHTTPError, HFValidationError) as error:
        raise OSError(str(error)) from error
