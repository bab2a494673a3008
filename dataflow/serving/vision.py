"""Servings for pictures: a question about each, about several at once, or about all in one call."""

from __future__ import annotations

import asyncio
import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

from dataflow.core import background
from dataflow.core.errors import CallError, ConfigError
from dataflow.core.protocols import Message, Reply, Request, Scope
from dataflow.serving.api import APILLMServing
from dataflow.serving.base import Serving
from dataflow.serving.media import has_media, image_part, inlined, text_part

DESCRIBE = "Describe the image in detail."
_FIXED_TEMPERATURE = re.compile(r"(?:.*/)?(?:o\d|gpt-5)(?:-|$)")


class MediaServing(Serving):
    """A serving whose messages may have pictures and sound in them, by path: files are read when their turn comes.

    A file that is not there, or is none of its kind, fails its row and no other.
    """

    def _begin(self) -> None:
        super()._begin()
        # not all the files of a column at once: no more than keep the calls busy
        self._held = asyncio.Semaphore(2 * self.policy.workers)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k != "_held"}

    async def ask(self, request: Request, scope: Scope, row: str = "0", sample: int = 0) -> Reply:
        if not has_media(request):
            return await super().ask(request, scope, row, sample)
        async with self._held:
            read = await asyncio.to_thread(inlined, request)
            return await super().ask(read, scope, row, sample)


class VisionServing(MediaServing):
    """The calls about pictures of open-dataflow 1.x. Lists come back in order, with null for a row that failed.

    Pictures are paths (png, jpeg, gif, webp and the like, told by their bytes, 25 MB at most), http addresses or
    data URLs. `model` and `timeout` (seconds without a byte) are those of the serving where left out.
    """

    model_name: str
    timeouts: tuple[float, float]

    def _begin(self) -> None:
        super()._begin()
        self._others: dict[tuple[str, float], Self] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k != "_others"}

    def generate_from_input(
        self,
        user_inputs: list[str],
        system_prompt: str = DESCRIBE,
        json_schema: dict[str, Any] | None = None,
    ) -> list[str | None]:
        """One reply a picture, to the question that `system_prompt` is."""
        return super().generate_from_input(user_inputs, system_prompt, json_schema)

    async def agenerate_from_input(
        self,
        user_inputs: list[str],
        system_prompt: str = DESCRIBE,
        json_schema: dict[str, Any] | None = None,
    ) -> list[str | None]:
        requests = [Request(about([image], system_prompt), json_schema) for image in user_inputs]
        return await background.arun(self._all(requests))

    def chat_with_one_image(
        self, image_path: str, text_prompt: str, model: str | None = None, timeout: float | None = None
    ) -> str:
        """The reply to one question about one picture.

        Raises:
            CallError: the picture cannot be read, or the call failed.
        """
        return self._one(about([image_path], text_prompt), model, timeout)

    def generate_from_input_one_image(
        self,
        image_paths: Sequence[str],
        text_prompts: Sequence[str],
        system_prompt: str = "",
        model: str | None = None,
        timeout: float | None = None,
        json_schema: Mapping[str, Any] | None = None,
    ) -> list[str | None]:
        """One reply a picture, each to its own question."""
        _same_length(image_paths=image_paths, text_prompts=text_prompts)
        pairs = zip(image_paths, text_prompts, strict=True)
        return self._many(
            [about([i], t, system=system_prompt) for i, t in pairs], model, timeout, json_schema
        )

    def analyze_images_with_gpt(
        self,
        image_paths: Sequence[str],
        image_labels: Sequence[str],
        system_prompt: str = "",
        model: str | None = None,
        timeout: float | None = None,
    ) -> str:
        """One reply about several pictures, each with a label before it.

        Raises:
            CallError: a picture cannot be read, or the call failed.
        """
        return self._one(about(image_paths, "", image_labels, system_prompt), model, timeout)

    def generate_from_input_multi_images(
        self,
        list_of_image_paths: Sequence[Sequence[str]],
        list_of_image_labels: Sequence[Sequence[str]],
        user_prompts: Sequence[str] | str | None = None,
        system_prompt: str = "",
        model: str | None = None,
        timeout: float | None = None,
        json_schema: Mapping[str, Any] | None = None,
    ) -> list[str | None]:
        """One reply a list of pictures. A text in the place of `user_prompts` is the system prompt, as it was there."""
        if isinstance(user_prompts, str):
            system_prompt = user_prompts
        asked = None if isinstance(user_prompts, str) else user_prompts
        prompts = [""] * len(list_of_image_paths) if asked is None else asked
        _same_length(
            list_of_image_paths=list_of_image_paths,
            list_of_image_labels=list_of_image_labels,
            user_prompts=prompts,
        )
        rows = zip(list_of_image_paths, prompts, list_of_image_labels, strict=True)
        return self._many([about(i, p, n, system_prompt) for i, p, n in rows], model, timeout, json_schema)

    def cleanup(self) -> None:
        super().cleanup()
        while self._others:
            self._others.popitem()[1].cleanup()

    def _one(self, messages: tuple[Message, ...], model: str | None, timeout: float | None) -> str:
        (reply,) = self._many([messages], model, timeout, None)
        if reply is None:
            raise CallError(self.errors[0])
        return reply

    def _many(
        self,
        conversations: Sequence[tuple[Message, ...]],
        model: str | None,
        timeout: float | None,
        schema: Mapping[str, Any] | None,
    ) -> list[str | None]:
        serving = self._with(model or self.model_name, timeout or self.timeouts[1])
        replies = background.run(background.arun(serving._all([Request(c, schema) for c in conversations])))
        self.errors = serving.errors
        return replies

    def _with(self, model: str, timeout: float) -> Self:
        """This serving with another model or time limit; kept until `cleanup`."""
        if (model, timeout) == (self.model_name, self.timeouts[1]):
            return self
        if (model, timeout) not in self._others:
            other = copy.copy(self)
            other.model_name, other.timeouts = model, (self.timeouts[0], timeout)
            self._others[model, timeout] = other
        return self._others[model, timeout]


class APIVLMServing_openai(VisionServing, APILLMServing):  # noqa: N801
    """Questions about pictures to any endpoint that speaks OpenAI's protocol.

    One call a row; a row that fails is null and its error in `errors`, and costs no other row anything.

    Args:
        api_url: the base that ends in `/v1`, or the chat-completions address.
        key_name_of_api_key: the environment variable that holds the key; an endpoint on this machine needs none.
        model_name: a model that reads pictures.
        max_workers: calls in flight at most; about twice as many pictures are held in memory.
        timeout: seconds without a byte of an answer.
        temperature: 0 asks for the likeliest reply. Not sent to models that take none (o1, o3, o4, gpt-5 …).
        max_retries: as in `APILLMServing`.
        configs: merged into every payload.
    """

    def __init__(
        self,
        api_url: str = "https://api.openai.com/v1",
        key_name_of_api_key: str = "DF_API_KEY",
        model_name: str = "o4-mini",
        max_workers: int = 10,
        timeout: float = 1800,
        temperature: float | None = 0.0,
        *,
        max_retries: int = 5,
        **configs: Any,
    ) -> None:
        if _FIXED_TEMPERATURE.match(model_name):
            temperature = None
        super().__init__(
            api_url,
            key_name_of_api_key,
            model_name,
            temperature,
            max_workers,
            max_retries,
            read_timeout=float(timeout),
            **configs,
        )


def about(
    images: Sequence[object], question: str, labels: Sequence[str] | None = None, system: str = ""
) -> tuple[Message, ...]:
    """The messages that ask about pictures, each after its label; the question comes last.

    Raises:
        ConfigError: there are labels, and not one a picture.
    """
    if labels is not None:
        _same_length(images=images, labels=labels)
    content: list[dict[str, Any]] = []
    for i, image in enumerate(images):
        if labels is not None and labels[i]:
            content.append(text_part(labels[i]))
        content.append(image_part(image))
    if question:
        content.append(text_part(question))
    turns: list[Message] = [{"role": "system", "content": system}] if system else []
    return (*turns, {"role": "user", "content": content})


def _same_length(**columns: Sequence[object]) -> None:
    if len({len(c) for c in columns.values()}) > 1:
        counts = ", ".join(f"{len(c)} {name}" for name, c in columns.items())
        raise ConfigError(f"the lists must be of one length: {counts}")
