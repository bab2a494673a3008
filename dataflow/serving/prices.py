"""What tokens cost: a small table of list prices, used where a serving is not told its own."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from urllib.parse import urlsplit


def price_of(model: str, url: str = "") -> tuple[float, float]:
    """US dollars for a million prompt and a million completion tokens; nothing on this machine or if unknown."""
    if is_local(url):
        return 0.0, 0.0
    return _table().get(model.rpartition("/")[2], (0.0, 0.0))


def is_local(url: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


@cache
def _table() -> dict[str, tuple[float, float]]:
    text = resources.files(__package__).joinpath("prices.json").read_text()
    return {name: (float(p), float(c)) for name, (p, c) in json.loads(text)["models"].items()}
