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
    host = host_of(url)
    return host in ("localhost", "::1") or host.startswith("127.")


def host_of(url: str) -> str:
    """The host of an http address; empty where it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port  # raises where it is no number
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.scheme in ("http", "https") and port != 0 else ""


@cache
def _table() -> dict[str, tuple[float, float]]:
    text = resources.files(__package__).joinpath("prices.json").read_text()
    return {name: (float(p), float(c)) for name, (p, c) in json.loads(text)["models"].items()}
