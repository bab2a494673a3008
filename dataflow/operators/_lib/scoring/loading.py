"""Loading models and tokenizers; no code of a model's repository is ever run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from dataflow.core.errors import MissingDependency, ServingError
from dataflow.operators._lib.scoring.files import file_of
from dataflow.operators._lib.scoring.held import Key, Loaded

try:
    torch: Any = import_module("torch")
    transformers: Any = import_module("transformers")
except ImportError as error:
    raise MissingDependency(str(error.name), "hf", "Scoring by a model") from None

OFFSET_POSITIONS = ("roberta", "xlm-roberta", "camembert", "xlm-roberta-xl", "mpnet", "longformer")
"""Models whose first position is that after the padding token's number."""
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "model.pth")
_HEAD = "embeddings.word_embeddings.weight"


def causal(key: Key, device: str) -> Loaded:
    """A language model that foretells the next token."""
    return _auto(transformers.AutoModelForCausalLM, key, device)


def classifier(key: Key, device: str) -> Loaded:
    """A model with one output a label, or one alone that is a score."""
    loaded = _auto(transformers.AutoModelForSequenceClassification, key, device)
    loaded.labels = {int(i): str(n) for i, n in loaded.network.config.id2label.items()}
    return loaded


def encoder(key: Key, device: str) -> Loaded:
    """A model that gives a vector a token."""
    return _auto(transformers.AutoModel, key, device, whole=False)  # some have no pooler, which is not asked


def _auto(maker: Any, key: Key, device: str, *, whole: bool = True) -> Loaded:
    """A network of a class that the library knows; one that lacks weights must not score with random ones."""
    given: dict[str, Any] = {
        "cache_dir": key.cache_dir,
        "trust_remote_code": False,
        "output_loading_info": True,
    }
    network, told = _fetched(key, lambda: maker.from_pretrained(key.name, **given))
    absent = sorted({n for n, _ in network.named_parameters()} & set(told["missing_keys"]))
    if whole and absent:
        raise ServingError(
            f"the model {key.name!r} has no weights for {', '.join(absent)}: it is no {key.kind}"
        )
    return ready(key, network, network.config, device)


def ready(key: Key, network: Any, config: Any, device: str) -> Loaded:
    """A network with its tokenizer, in the precision and on the device asked for."""
    tokenizer = _fetched(
        key,
        lambda: transformers.AutoTokenizer.from_pretrained(
            key.name, cache_dir=key.cache_dir, trust_remote_code=False
        ),
    )
    network = network.to(device=device, dtype=getattr(torch, key.dtype or "float32")).eval()
    limit = min(tokenizer.model_max_length, _positions(config))
    marks = (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id, 0)
    return Loaded(tokenizer, network, device, limit, next(m for m in marks if m is not None))


def _positions(config: Any) -> int:
    """How many tokens a network has places for."""
    most = getattr(config, "max_position_embeddings", None) or 1 << 30
    if config.model_type in OFFSET_POSITIONS:
        return int(most) - (getattr(config, "pad_token_id", None) or 0) - 1
    return int(most)


def _fetched(key: Key, fetch: Callable[[], Any]) -> Any:
    """What comes of loading files; an error that says which model it is where they are not to be had."""
    try:
        return fetch()
    except ImportError as error:
        raise MissingDependency(str(error.name or "sentencepiece"), "hf", key.name) from error
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ServingError(f"the model {key.name!r} cannot be loaded: {error}") from error


def deberta_head(key: Key, device: str) -> Loaded:
    """DeBERTa v3 with layers of its own on the first token's vector; where it names no sizes it has those of the base model."""
    return _with_head(key, device, transformers.DebertaV2Model, DEBERTA_V3_BASE, pooled=False)


def bert_head(key: Key, device: str) -> Loaded:
    """BERT with layers of its own on the pooled vector."""
    return _with_head(key, device, transformers.BertModel, {}, pooled=True)


DEBERTA_V3_BASE: Mapping[str, Any] = {
    "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072, "vocab_size": 128_100,
    "max_position_embeddings": 512, "layer_norm_eps": 1e-7, "type_vocab_size": 0, "relative_attention": True,
    "max_relative_positions": -1, "position_buckets": 256, "norm_rel_ebd": "layer_norm", "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"], "position_biased_input": False,
}  # fmt: skip


class WithHead(torch.nn.Module):  # type: ignore[misc]
    """An encoder and linear layers with ReLU between them, on one vector a text."""

    def __init__(self, body: Any, layers: list[tuple[Any, Any]], *, pooled: bool) -> None:
        super().__init__()
        self.body, self.pooled = body, pooled
        self.layers = torch.nn.ModuleList([_linear(weight, bias) for weight, bias in layers])

    def forward(self, **inputs: Any) -> Any:
        out = self.body(**inputs)
        x = out.pooler_output if self.pooled else out.last_hidden_state[:, 0]
        for i, layer in enumerate(self.layers):
            x = layer(torch.relu(x) if i else x)
        return x


def _linear(weight: Any, bias: Any) -> Any:
    made = torch.nn.Linear(weight.shape[1], weight.shape[0])
    made.load_state_dict({"weight": weight, "bias": torch.zeros(weight.shape[0]) if bias is None else bias})
    return made


def _with_head(key: Key, device: str, body_class: Any, sizes: Mapping[str, Any], *, pooled: bool) -> Loaded:
    """A network put together of an encoder that is known and the layers found among the weights."""
    told = _fetched(key, lambda: json.loads(Path(file_of(key, "config.json")).read_text("utf-8")))
    config = body_class.config_class.from_dict({**sizes, **told})
    state = _fetched(key, lambda: weights_of(key))
    prefix = next((name.removesuffix(_HEAD) for name in state if name.endswith(_HEAD)), None)
    if prefix is None:
        raise ServingError(f"the model {key.name!r} cannot be loaded: its weights have no {_HEAD}")
    inner = {n.removeprefix(prefix): w for n, w in state.items() if n.startswith(prefix)}
    outer = [n for n in state if prefix and not n.startswith(prefix) and state[n].ndim == 2]
    if not outer:
        raise ServingError(
            f"the model {key.name!r} cannot be loaded: its weights have no layers after {prefix!r}"
        )
    body = body_class(config)
    inner.pop("embeddings.position_ids", None)  # a constant that older files hold
    _fetched(key, lambda: body.load_state_dict(inner))
    layers = [(state[n], state.get(n.removesuffix("weight") + "bias")) for n in sorted(outer, key=_natural)]
    loaded = ready(key, WithHead(body, layers, pooled=pooled), config, device)
    loaded.labels = {int(i): str(n) for i, n in (told.get("id2label") or {}).items()}
    return loaded


def _natural(name: str) -> list[Any]:
    return [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", name)]


def weights_of(key: Key) -> dict[str, Any]:
    """The weights by name, from the first kind of file that there is."""
    faults = []
    for name in WEIGHTS:
        try:
            path = file_of(key, name)
        except OSError as error:
            faults.append(str(error))
            continue
        if name.endswith(".safetensors"):
            return dict(import_module("safetensors.torch").load_file(path))
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    raise OSError("; ".join(faults))


LOADERS: Mapping[str, Callable[[Key, str], Loaded]] = {
    f.__name__: f for f in (causal, classifier, encoder, deberta_head, bert_head)
}
