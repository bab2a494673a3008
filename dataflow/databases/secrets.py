"""Keeps passwords out of messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SECRET = re.compile(r"pass|secret|token|key", re.IGNORECASE)
_IN_URL = re.compile(r"(?<=://)([^/\s:@]*):[^@\s/]*@")


def without(info: Mapping[str, Any], message: str) -> str:
    """A message without the secrets of a connection."""
    for name, value in info.items():
        if isinstance(value, str) and len(value) > 2 and _SECRET.search(name):
            message = message.replace(value, "***")
    return _IN_URL.sub(r"\1:***@", message)
