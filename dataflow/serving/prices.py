"""What tokens cost, and how long a reply can be: a small table, used where a serving is not told its own price."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from urllib.parse import urlsplit


def price_of(model: str, url: str = "") -> tuple[float, float]:
    """US dollars for a million prompt and a million completion tokens; nothing on this machine or if unknown."""
    if is_local(url):
        return 0.0, 0.0
    known = _table().get(model.rpartition("/")[2])
    return known[:2] if known else (0.0, 0.0)


def is_priced(model: str, url: str = "") -> bool:
    """Whether the price is known; on this machine it is nothing."""
    return is_local(url) or model.rpartition("/")[2] in _table()


def longest_reply(model: str) -> int | None:
    """The tokens that a model can answer with at most; null where unknown."""
    known = _table().get(model.rpartition("/")[2])
    return known[2] if known else None


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
def _table() -> dict[str, tuple[float, float, int]]:
    text = resources.files(__package__).joinpath("prices.json").read_text()
    return {name: (float(p), float(c), int(n)) for name, (p, c, n) in json.loads(text)["models"].items()}
