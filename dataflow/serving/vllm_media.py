"""Models that see and hear through vLLM, in a server process of its own; for why, see `dataflow.serving.vllm`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from dataflow.core import background
from dataflow.core.protocols import Message, Request
from dataflow.serving.media import audio_part, text_part
from dataflow.serving.vision import MediaServing, VisionServing
from dataflow.serving.vllm import VllmServing, engine, sampling

TRANSCRIBE = "Write down what is said in this recording."


class LocalVLMServing_vllm(VisionServing, VllmServing):  # noqa: N801
    """A model that reads pictures through vLLM on this machine's GPUs, in an engine process of its own.

    Args:
        vllm_limit_mm_per_prompt: pictures that one prompt may have.
        trust_remote_code: whether the model's own code may run.
        batch_size: prompts sent to the engine at a time; about twice as many pictures are held in memory.

    The other settings and what is raised are as in `LocalModelLLMServing_vllm`.
    """

    def __init__(
        self,
        hf_model_name_or_path: str | None = None,
        hf_cache_dir: str | None = None,
        hf_local_dir: str | None = None,
        vllm_tensor_parallel_size: int = 1,
        vllm_temperature: float = 0.2,
        vllm_top_p: float = 0.9,
        vllm_max_tokens: int = 1024,
        vllm_top_k: int = 40,
        vllm_repetition_penalty: float = 1.0,
        vllm_seed: int | None = None,
        vllm_max_model_len: int | None = None,
        vllm_gpu_memory_utilization: float = 0.9,
        vllm_limit_mm_per_prompt: int = 1,
        trust_remote_code: bool = True,
        enable_thinking: bool | None = True,
        batch_size: int = 128,
        *,
        start_timeout_s: float = 1800.0,
        server_command: Sequence[str] | None = None,
        server_args: Sequence[str] = (),
    ) -> None:
        media = {
            "limit-mm-per-prompt": _limit("image", vllm_limit_mm_per_prompt),
            "trust-remote-code": trust_remote_code,
        }
        super().__init__(
            hf_model_name_or_path,
            sampling(
                vllm_temperature, vllm_top_p, vllm_max_tokens, vllm_top_k,
                vllm_repetition_penalty, vllm_seed, enable_thinking,
            ),
            engine(vllm_tensor_parallel_size, vllm_max_model_len, vllm_gpu_memory_utilization) | media,
            workers=batch_size,
            start_timeout_s=start_timeout_s,
            cache=hf_cache_dir,
            local=hf_local_dir,
            server_command=server_command,
            server_args=server_args,
        )  # fmt: skip


class LocalModelLALMServing_vllm(MediaServing, VllmServing):  # noqa: N801
    """A model that hears through vLLM on this machine's GPUs, in an engine process of its own.

    `generate_from_input` takes recordings: paths (wav, mp3, flac, ogg, m4a, told by their bytes), http addresses or data
    URLs. A recording that cannot be read fails its row and no other.

    Args:
        user_prompt: what is asked about each recording; the system prompt goes before it.
        max_workers: recordings sent to the engine at a time; about twice as many are held in memory.

    The other settings and what is raised are as in `LocalModelLLMServing_vllm`.
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
        user_prompt: str = TRANSCRIBE,
        max_workers: int = 32,
        start_timeout_s: float = 1800.0,
        server_command: Sequence[str] | None = None,
        server_args: Sequence[str] = (),
    ) -> None:
        self.user_prompt = user_prompt
        super().__init__(
            hf_model_name_or_path,
            sampling(
                vllm_temperature, vllm_top_p, vllm_max_tokens, vllm_top_k, vllm_repetition_penalty, vllm_seed
            ),
            engine(vllm_tensor_parallel_size, vllm_max_model_len, vllm_gpu_memory_utilization)
            | {"limit-mm-per-prompt": _limit("audio", 1)},
            workers=max_workers,
            start_timeout_s=start_timeout_s,
            cache=hf_cache_dir,
            local=hf_local_dir,
            server_command=server_command,
            server_args=server_args,
        )

    async def agenerate_from_input(
        self,
        user_inputs: list[str],
        system_prompt: str = "You are a helpful assistant",
        json_schema: dict[str, Any] | None = None,
    ) -> list[str | None]:
        requests = [Request(self._heard(sound, system_prompt), json_schema) for sound in user_inputs]
        return await background.arun(self._all(requests))

    def _heard(self, sound: str, system: str) -> tuple[Message, ...]:
        turns: list[Message] = [{"role": "system", "content": system}] if system else []
        content = [audio_part(sound), text_part(self.user_prompt)]
        return (*turns, {"role": "user", "content": content})


def _limit(kind: str, count: int) -> str:
    return orjson.dumps({kind: count}).decode()
