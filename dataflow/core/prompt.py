"""Prompt templates: text with `{slots}`, a system part, the shape of the reply; and which ones an operator takes."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, ClassVar, TypeVar, Union

from pydantic import BaseModel

from dataflow.core.errors import ConfigError, did_you_mean

_SLOT = re.compile(r"\{([A-Za-z_]\w*)\}")
_CLOSING_TAG = re.compile(r"</\w+>")

C = TypeVar("C", bound=type)


class PromptABC:
    """The root of every prompt: `build_prompt` turns values into the text that is sent."""

    def build_prompt(self, *args: Any, **values: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define build_prompt")


class DIYPromptABC(PromptABC):
    """The root of users' own prompts, which every operator takes."""


class Prompt(PromptABC):
    """A template whose `{slots}` are the short names of an operator's input ports.

    Only `{name}` is a slot; every other brace is text. A value is put in as it is: braces in it are never
    filled again, and a closing tag of the template inside it is defused, so data cannot end their fence.

    Raises:
        ConfigError: a slot without a value, by `build_prompt`.
    """

    template: str = ""
    """What is asked, as the user's message."""
    system: str | None = None
    """What the model is told it is."""
    reply: type[BaseModel] | None = None
    """The shape of a structured reply."""

    def __init__(
        self, template: str | None = None, system: str | None = None, reply: type[BaseModel] | None = None
    ) -> None:
        self.template = self.template if template is None else template
        self.system = self.system if system is None else system
        self.reply = self.reply if reply is None else reply

    @property
    def slots(self) -> tuple[str, ...]:
        """The names to be filled in, template and system part together, in order."""
        return tuple(dict.fromkeys(_SLOT.findall(self.template) + _SLOT.findall(self.system or "")))

    @property
    def version(self) -> str:
        """Changes whenever the words or the reply's shape do."""
        schema = repr(self.schema())
        return blake2b(
            "\0".join([self.template, self.system or "", schema]).encode(), digest_size=8
        ).hexdigest()

    def schema(self) -> Mapping[str, Any] | None:
        return self.reply.model_json_schema() if self.reply else None

    def build_prompt(self, **values: Any) -> str:
        return fill(self.template, values)

    def build_system_prompt(self, **values: Any) -> str | None:
        return fill(self.system, values) if self.system else None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.template[:60]!r})"


def fill(template: str, values: Mapping[str, Any]) -> str:
    """The template with each `{slot}` replaced by its value, in one pass."""
    fences = set(_CLOSING_TAG.findall(template))

    def put(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            raise ConfigError(
                f"no value for the slot {{{name}}}; there are {', '.join(values) or 'none'}.{did_you_mean(name, values)}"
            )
        text = str(values[name])
        for tag in fences:
            text = text.replace(tag, "<\\" + tag[1:])
        return text

    return _SLOT.sub(put, template)


def prompt_restrict(*allowed: type[PromptABC]) -> Callable[[C], C]:
    """Let an operator's `prompt_template` be null, one of these prompts, or a user's own (`DIYPromptABC`).

    Sets `ALLOWED_PROMPTS` on the class and checks the argument when an operator is made.

    Raises:
        TypeError: when an operator is made with another prompt; the message lists those allowed.
    """

    def decorate(cls: C) -> C:
        cls.ALLOWED_PROMPTS = tuple(allowed)  # type: ignore[attr-defined]
        made = cls.__init__  # type: ignore[misc]
        signature = inspect.signature(made)

        @functools.wraps(made)
        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            given = _given_prompt(signature, getattr(type(self), "model_fields", {}), (self, *args), kwargs)
            check_prompt(type(self), given)
            made(self, *args, **kwargs)

        cls.__init__ = init  # type: ignore[misc]
        if "prompt_template" in signature.parameters:
            cls.__annotations__["prompt_template"] = Union[(*allowed, DIYPromptABC, None)]
        return cls

    return decorate


def _given_prompt(
    signature: inspect.Signature, fields: Mapping[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if "prompt_template" in kwargs:
        return kwargs["prompt_template"]
    if fields:
        return dict(zip(fields, args[1:], strict=False)).get("prompt_template")
    return signature.bind_partial(*args, **kwargs).arguments.get("prompt_template")


def check_prompt(cls: type, prompt: object) -> None:
    """Raise `TypeError` unless the operator class takes this prompt."""
    allowed: tuple[type, ...] = getattr(cls, "ALLOWED_PROMPTS", ())
    if prompt is None or isinstance(prompt, (*allowed, DIYPromptABC)):
        return
    names = "\n".join(f"  - {p.__module__}.{p.__qualname__}" for p in (*allowed, DIYPromptABC))
    got = prompt if isinstance(prompt, type) else type(prompt)
    hint = " (the class itself; pass an instance)" if isinstance(prompt, type) else ""
    raise TypeError(
        f"[{cls.__name__}] Invalid prompt_template type: {got.__module__}.{got.__qualname__}{hint}. Allowed:\n{names}"
    )


class HasPrompts:
    """What operators share: the prompts they take."""

    ALLOWED_PROMPTS: ClassVar[tuple[type, ...]] = (PromptABC, DIYPromptABC)
