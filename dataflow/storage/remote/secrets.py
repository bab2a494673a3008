"""What of an address may be shown, and errors of other packages told without the secrets in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from dataflow.core.errors import DataFlowError, MissingSource, StorageError

HIDDEN = "***"
_PASSWORD = re.compile(r"^([^:/@#]*):(?!\d+/)([^@#]+)@")
_SECRET = r"pass|pwd|secret|token|key|sig|cred|auth"  # noqa: S105 - names, no values
_PARAMETER = re.compile(rf"([?&][^=&#]*(?:{_SECRET})[^=&#]*=)([^&#]*)", re.IGNORECASE)


def shown(name: str) -> str:
    """The address without the password, and without the values of parameters that name a secret."""
    scheme, colon, rest = name.partition("://")
    if not colon:
        return name
    place, mark, fragment = rest.partition("#")
    place = _PARAMETER.sub(rf"\1{HIDDEN}", _PASSWORD.sub(rf"\1:{HIDDEN}@", place))
    return f"{scheme}://{place}{mark}{fragment}"


def secrets_of(name: str, options: Mapping[str, Any]) -> set[str]:
    """The secrets of an address and of storage options, as they may turn up in messages."""
    place = name.partition("://")[2].partition("#")[0]
    found = {m[1] for m in _PARAMETER.findall(place)} | set(_in_options(options))
    if password := _PASSWORD.match(place):
        found.add(password[2])
    return {form for secret in found for form in (secret, unquote(secret)) if form}


def _in_options(options: Mapping[str, Any]) -> Iterator[str]:
    for key, value in options.items():
        if isinstance(value, Mapping):
            yield from _in_options(value)
        elif isinstance(value, str) and re.search(_SECRET, str(key), re.IGNORECASE):
            yield value


@contextmanager
def telling(doing: str, name: str, options: Mapping[str, Any]) -> Iterator[None]:
    """Raise whatever another package raises as a `StorageError` that says what was being done, and no secret.

    Raises:
        MissingSource: the other package found nothing.
        StorageError: anything else.
    """
    try:
        yield
    except DataFlowError:
        raise
    except Exception as error:  # noqa: BLE001 - the packages of back ends share no kind of error
        plain = str(error) or type(error).__name__
        text = plain
        for secret in secrets_of(name, options):
            text = text.replace(secret, HIDDEN)
        kind = MissingSource if isinstance(error, FileNotFoundError) else StorageError
        raise kind(f"{doing} {shown(name)} failed: {text}") from (error if text == plain else None)
