"""Models through SGLang, in a server process of its own; for why, see `dataflow.serving.vllm`.

Not exercised in this project's tests against the real package: they run a stand-in that speaks the same protocol.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import orjson

from dataflow.core.errors import ConfigError
from dataflow.core.protocols import EmbedBackend, Reply, Request, Scope
from dataflow.serving.supervised import EngineServing, flags, weights

_SERVER = ("tp_size", "dp_size", "mem_fraction_static", "stream_interval")
"""Settings of the server; the others go into each request."""
_FIELDS = {
    "sgl_max_new_tokens": "max_tokens",
    "sgl_min_new_tokens": "min_tokens",
    "sgl_structural_tag": "response_format",
}
_SHAPES = ("sgl_json_schema", "sgl_regex", "sgl_ebnf", "sgl_structural_tag")


class LocalModelLLMServing_sglang(EngineServing):  # noqa: N801
    """A chat model through SGLang on this machine's GPUs, in an engine process of its own.

    Args:
        hf_model_name_or_path: a model of the Hugging Face hub, or a folder.
        hf_cache_dir: where downloads are kept; the hub's own cache where left out.
        hf_local_dir: a folder that holds the model, or where it is to be downloaded.
        sgl_tp_size: GPUs that share the model.
        sgl_dp_size: copies of the model.
        sgl_mem_fraction_static: share of the GPU's memory for weights and cache, 0 to 1.
        sgl_max_new_tokens: the longest reply, in tokens; `sgl_min_new_tokens` the shortest.
        sgl_stop: texts that end a reply; `sgl_stop_token_ids` tokens that do.
        sgl_temperature: 0 asks for the likeliest reply, and equal prompts are asked once.
        sgl_top_k: tokens to choose among; -1 for all.
        sgl_n: 1: a row has one reply.
        sgl_json_schema: a JSON schema that every reply must meet, as an object or as text; one given with a call goes
            first. At most one of it, `sgl_regex`, `sgl_ebnf` and `sgl_structural_tag` may be given.
        sgl_custom_params: passed to the custom logit processors of the server.
        sgl_stream_interval: tokens between two looks at a running reply, an argument of the server.
        sgl_logit_bias: token id to what is added to its logit.
        max_workers: prompts sent to the engine at a time.
        start_timeout_s: seconds until it must answer, a first download included.
        server_command: the command to run in place of SGLang's; `{host}` and `{port}` are put in.
        server_args: further arguments of SGLang's server.

    Raises:
        ConfigError: settings that exclude each other, or that one reply a row cannot have.
        MissingDependency: at the first call, where SGLang is not installed and no `server_command` is given.
        ServingError: at the first call, where the engine does not come up; quotes the end of its log.
    """

    package: ClassVar[str] = "sglang"

    def __init__(
        self,
        hf_model_name_or_path: str | None = None,
        hf_cache_dir: str | None = None,
        hf_local_dir: str | None = None,
        sgl_tp_size: int = 1,
        sgl_dp_size: int = 1,
        sgl_mem_fraction_static: float = 0.9,
        sgl_max_new_tokens: int = 2048,
        sgl_stop: str | Sequence[str] | None = None,
        sgl_stop_token_ids: Sequence[int] | None = None,
        sgl_temperature: float = 1.0,
        sgl_top_p: float = 1.0,
        sgl_top_k: int = -1,
        sgl_min_p: float = 0.0,
        sgl_frequency_penalty: float = 0.0,
        sgl_presence_penalty: float = 0.0,
        sgl_repetition_penalty: float = 1.0,
        sgl_min_new_tokens: int = 0,
        sgl_n: int = 1,
        sgl_json_schema: str | Mapping[str, Any] | None = None,
        sgl_regex: str | None = None,
        sgl_ebnf: str | None = None,
        sgl_structural_tag: str | Mapping[str, Any] | None = None,
        sgl_ignore_eos: bool = False,
        sgl_skip_special_tokens: bool = True,
        sgl_spaces_between_special_tokens: bool = True,
        sgl_no_stop_trim: bool = False,
        sgl_custom_params: Mapping[str, Any] | None = None,
        sgl_stream_interval: int | None = None,
        sgl_logit_bias: Mapping[str, float] | None = None,
        *,
        max_workers: int = 128,
        start_timeout_s: float = 1800.0,
        server_command: Sequence[str] | None = None,
        server_args: Sequence[str] = (),
    ) -> None:
        # the settings of a request by their names; the signature is long enough to be written only once
        given = {name: value for name, value in locals().items() if name.startswith("sgl_")}
        self.shape, self.schema = _shape(given), _object(sgl_json_schema, "sgl_json_schema")
        model, download = weights(hf_model_name_or_path, hf_local_dir, hf_cache_dir)
        name = hf_model_name_or_path or model
        command = server_command or (*_command(model, name), *_engine_flags(given), *download, *server_args)
        timing: dict[str, Any] = {"start_timeout_s": start_timeout_s, "needs_package": server_command is None}
        super().__init__(name, command, _sampling(given), max_workers, **timing)

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        return {**super().fingerprint, "schema": self.schema}

    async def ask(self, request: Request, scope: Scope, row: str = "0", sample: int = 0) -> Reply:
        if request.schema is not None and self.shape not in (None, "sgl_json_schema"):
            raise ConfigError(
                f"{self.shape} and the call's JSON schema cannot both shape the reply; leave one out"
            )
        if request.schema is None and self.schema is not None:
            request = Request(request.messages, self.schema)
        return await super().ask(request, scope, row, sample)

    def make_embed(self) -> EmbedBackend:
        raise ConfigError(
            f"{type(self).__name__} gives no embeddings: an engine that chats does not embed. Start SGLang with "
            "--is-embedding and use APILLMServing, or use LocalModelLLMServing_vllm or LocalEmbeddingServing"
        )


def _one_reply(n: int, spaces: bool) -> None:
    if n != 1:
        raise ConfigError(f"sgl_n={n}: a row has one reply; for several, repeat the row before this step")
    if not spaces:
        raise ConfigError(
            "sgl_spaces_between_special_tokens=False: the server's chat protocol has no such setting"
        )


def _shape(given: Mapping[str, Any]) -> str | None:
    """The one setting that shapes every reply, by name."""
    shapes = [name for name in _SHAPES if given[name] is not None]
    if len(shapes) > 1:
        raise ConfigError(f"{' and '.join(shapes)} cannot both shape the reply; leave all but one out")
    return shapes[0] if shapes else None


def _sampling(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a request by the names of SGLang's chat protocol; what is left out, the server knows."""
    _one_reply(given["sgl_n"], given["sgl_spaces_between_special_tokens"])
    fields = {_FIELDS.get(name, name.removeprefix("sgl_")): value for name, value in given.items()}
    left = {*_SERVER, "n", "json_schema", "spaces_between_special_tokens"}
    fields["temperature"] = float(fields["temperature"])
    fields["response_format"] = _object(given["sgl_structural_tag"], "sgl_structural_tag")
    return {name: value for name, value in fields.items() if value is not None and name not in left}


def _command(model: str, name: str) -> tuple[str, ...]:
    return (
        sys.executable, "-m", "sglang.launch_server", "--model-path", model, "--served-model-name", name,
        "--host", "{host}", "--port", "{port}",
    )  # fmt: skip


def _engine_flags(given: Mapping[str, Any]) -> list[str]:
    return flags({name.replace("_", "-"): given[f"sgl_{name}"] for name in _SERVER})


def _object(value: str | Mapping[str, Any] | None, name: str) -> Mapping[str, Any] | None:
    try:
        found = orjson.loads(value) if isinstance(value, str) else value
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{name} is no JSON: {error}") from error
    if found is not None and not isinstance(found, Mapping):
        raise ConfigError(f"{name} must be a JSON object, not {type(found).__name__}")
    return found
