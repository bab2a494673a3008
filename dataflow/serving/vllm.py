"""Models through vLLM, in a server process of its own.

The offline classes of open-dataflow 1.x are that process as well: continuous batching over rows that come one by one,
CUDA out of the pipeline's process, a restart when the engine dies, and no tie to a version of vLLM's Python classes.
Sampling settings go into each request, so servings that differ in nothing else share an engine.

Not exercised in this project's tests against the real package: they run a stand-in that speaks the same protocol.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from dataflow.serving.supervised import EngineServing, flags, weights


class VllmServing(EngineServing):
    """A model behind a vLLM server on this machine. Its subclasses have the settings of open-dataflow 1.x.

    Args:
        name: a model of the Hugging Face hub, or a folder.
        cache: where downloads are kept; the hub's own cache where left out.
        local: a folder that holds the model, or where it is to be downloaded.
        requests: merged into every payload, null values left out.
        server: vLLM's server arguments, null values left out.
        server_command: the command to run in place of vLLM's; `{host}` and `{port}` are put in.
        server_args: further arguments of vLLM's server, as they are.
    """

    package: ClassVar[str] = "vllm"

    def __init__(
        self,
        name: str | None,
        requests: Mapping[str, Any],
        server: Mapping[str, Any],
        *,
        workers: int,
        start_timeout_s: float,
        cache: str | None = None,
        local: str | None = None,
        server_command: Sequence[str] | None = None,
        server_args: Sequence[str] = (),
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        model, download = weights(name, local, cache)
        command = server_command or (
            sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", model,
            "--served-model-name", name or model, "--host", "{host}", "--port", "{port}",
            *flags(server), *download, *server_args,
        )  # fmt: skip
        super().__init__(
            name or model,
            command,
            {key: value for key, value in requests.items() if value is not None},
            workers,
            host=host,
            port=port,
            start_timeout_s=start_timeout_s,
            needs_package=server_command is None,
        )


class LocalModelLLMServing_vllm(VllmServing):  # noqa: N801
    """A chat or embedding model through vLLM on this machine's GPUs, in an engine process of its own.

    Args:
        hf_model_name_or_path: a model of the Hugging Face hub, or a folder.
        hf_cache_dir: where downloads are kept; the hub's own cache where left out.
        hf_local_dir: a folder that holds the model, or where it is to be downloaded.
        vllm_tensor_parallel_size: GPUs that share the model.
        vllm_temperature: 0 asks for the likeliest reply, and equal prompts are asked once.
        vllm_max_tokens: the longest reply, in tokens.
        vllm_top_k: tokens to choose among; -1 for all.
        vllm_seed: where the sampling of each reply starts; drawn anew where left out.
        vllm_max_model_len: tokens of prompt and reply together; the model's own limit where left out.
        vllm_gpu_memory_utilization: share of the GPU's memory to take, 0 to 1.
        enable_thinking: told to the chat template of models that can think; null leaves it out.
        max_workers: prompts sent to the engine at a time.
        start_timeout_s: seconds until it must answer, a first download included.
        server_command: the command to run in place of vLLM's; `{host}` and `{port}` are put in.
        server_args: further arguments of vLLM's server.

    Raises:
        MissingDependency: at the first call, where vLLM is not installed and no `server_command` is given.
        ServingError: at the first call, where the engine does not come up; quotes the end of its log.
    """

    def __init__(
        self,
        hf_model_name_or_path: str | None = None,
        hf_cache_dir: str | None = None,
        hf_local_dir: str | None = None,
        vllm_tensor_parallel_size: int = 1,
        vllm_temperature: float = 0.7,
        vllm_top_p: float = 0.9,
        vllm_max_tokens: int = 1024,
        vllm_top_k: int = 40,
        vllm_repetition_penalty: float = 1.0,
        vllm_seed: int | None = None,
        vllm_max_model_len: int | None = None,
        vllm_gpu_memory_utilization: float = 0.9,
        *,
        enable_thinking: bool | None = True,
        max_workers: int = 128,
        start_timeout_s: float = 1800.0,
        server_command: Sequence[str] | None = None,
        server_args: Sequence[str] = (),
    ) -> None:
        super().__init__(
            hf_model_name_or_path,
            sampling(
                vllm_temperature,
                vllm_top_p,
                vllm_max_tokens,
                vllm_top_k,
                vllm_repetition_penalty,
                vllm_seed,
                enable_thinking,
            ),
            engine(vllm_tensor_parallel_size, vllm_max_model_len, vllm_gpu_memory_utilization),
            workers=max_workers,
            start_timeout_s=start_timeout_s,
            cache=hf_cache_dir,
            local=hf_local_dir,
            server_command=server_command,
            server_args=server_args,
        )


class LocalHostLLMAPIServing_vllm(VllmServing):  # noqa: N801
    """A chat model behind a vLLM server that this starts on this machine, at a port of your choice.

    Args:
        max_workers: prompts sent to the server at a time.
        vllm_server_port: the port it should have; a free one where that is taken, as by another such server.
        vllm_server_host: the address it listens at. Others can reach it unless that is a loopback address.
        vllm_server_start_timeout: seconds until it must answer, a first download included.

    The other settings and what is raised are as in `LocalModelLLMServing_vllm`.
    """

    def __init__(
        self,
        hf_model_name_or_path: str | None = None,
        hf_cache_dir: str | None = None,
        max_workers: int = 16,
        vllm_server_port: int = 12345,
        vllm_server_host: str = "127.0.0.1",
        vllm_tensor_parallel_size: int = 1,
        vllm_temperature: float = 0.7,
        vllm_top_p: float = 0.9,
        vllm_max_tokens: int = 1024,
        vllm_top_k: int = 40,
        vllm_max_model_len: int | None = None,
        vllm_gpu_memory_utilization: float = 0.9,
        vllm_server_start_timeout: float = 120,
        *,
        server_command: Sequence[str] | None = None,
        server_args: Sequence[str] = (),
    ) -> None:
        super().__init__(
            hf_model_name_or_path,
            sampling(vllm_temperature, vllm_top_p, vllm_max_tokens, vllm_top_k),
            engine(vllm_tensor_parallel_size, vllm_max_model_len, vllm_gpu_memory_utilization),
            workers=max_workers,
            start_timeout_s=float(vllm_server_start_timeout),
            cache=hf_cache_dir,
            server_command=server_command,
            server_args=server_args,
            host=vllm_server_host,
            port=vllm_server_port,
        )


def sampling(
    temperature: float,
    top_p: float,
    max_tokens: int,
    top_k: int,
    repetition_penalty: float | None = None,
    seed: int | None = None,
    thinking: bool | None = None,
) -> dict[str, Any]:
    """Sampling settings by their names in a request."""
    return {
        "temperature": float(temperature),
        "top_p": top_p,
        "max_tokens": max_tokens,
        "top_k": top_k,
        "repetition_penalty": repetition_penalty,
        "seed": seed,
        "chat_template_kwargs": None if thinking is None else {"enable_thinking": thinking},
    }


def engine(tensor_parallel: int, max_model_len: int | None, memory: float) -> dict[str, Any]:
    """Engine settings by their names on vLLM's command line."""
    return {
        "tensor-parallel-size": tensor_parallel,
        "max-model-len": max_model_len,
        "gpu-memory-utilization": memory,
    }
