"""Models of real architectures, a few thousand weights each, made on the spot: random ones, and flat ones whose scores are known."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import string
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dataflow.testing import Case

ROOT = Path(tempfile.mkdtemp(prefix="dataflow-tiny-"))
atexit.register(shutil.rmtree, ROOT, ignore_errors=True)
POSITIONS = 48
BYTES = 258
"""The vocabulary of the models that read bytes."""
SIZES = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24}


def tiny(name: str) -> str:
    """The folder of a model, made now if it was not yet; its name is that of a function below, with `-flat` or not."""
    pytest.importorskip("transformers", reason="scoring by models needs the extra hf")
    return _made(name)


@functools.cache
def _made(name: str) -> str:
    import torch

    kind, _, flat = name.partition("-")
    torch.manual_seed(sum(map(ord, kind)))
    folder = ROOT / name
    MAKERS[kind](folder, bool(flat))
    return str(folder)


def path_of(name: str) -> str:
    """Where that model will be, once it is made."""
    return str(ROOT / name)


@dataclass(frozen=True)
class ModelCase(Case):
    """A case whose operator asks a tiny model."""

    shown: bool = False

    def check(self) -> None:
        for value in dict(self.op).values():  # type: ignore[call-overload]
            if isinstance(value, str) and value.startswith(str(ROOT)):
                tiny(Path(value).name)
        super().check()


def byte_tokenizer(folder: Path, start: str = "") -> None:
    """A token a byte and no padding token, as GPT-2 has none; with `start` before each text, where it is given."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {c: i for i, c in enumerate([*letters, "<|end|>", "<s>"])}
    made = Tokenizer(models.BPE(vocab, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    if start:
        made.post_processor = processors.TemplateProcessing(
            single=f"{start} $A", special_tokens=[(start, vocab[start])]
        )
    PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|end|>", bos_token="<s>", model_max_length=POSITIONS
    ).save_pretrained(folder)


def letter_tokenizer(folder: Path) -> None:
    """A token a letter, in lower case, between `[CLS]` and `[SEP]`."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    letters = string.ascii_lowercase + string.digits + string.punctuation
    made = Tokenizer(
        models.WordPiece(
            {t: i for i, t in enumerate([*marks, *letters, *("##" + c for c in letters)])}, unk_token="[UNK]"
        )
    )
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=POSITIONS,
    ).save_pretrained(folder)


LETTERS = 4 + 2 * (26 + 10 + 32)


def _random(network: Any) -> Any:
    """Weights large enough that texts fare differently."""
    import torch

    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(0, 0.3) if weight.ndim > 1 else weight.add_(torch.randn_like(weight) * 0.1)
    return network.eval()


def gpt2(folder: Path, flat: bool) -> None:
    """Flat: every token is as likely as any."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=BYTES,
        n_positions=POSITIONS,
        n_embd=16,
        n_layer=2,
        n_head=2,
        bos_token_id=257,
        eos_token_id=256,
    )
    network = _random(GPT2LMHeadModel(config))
    if flat:
        network.transformer.wte.weight.data.zero_()
    network.save_pretrained(folder)
    byte_tokenizer(folder)


def llama(folder: Path, flat: bool) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=BYTES, max_position_embeddings=POSITIONS * 4, bos_token_id=257, eos_token_id=256, **SIZES
    )
    network = _random(LlamaForCausalLM(config))
    if flat:
        network.lm_head.weight.data.zero_()
    network.save_pretrained(folder)
    byte_tokenizer(folder, "<s>")
    _longer(folder, POSITIONS * 4)


def _longer(folder: Path, positions: int) -> None:
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_max_length": positions}))


def qurater(folder: Path, flat: bool) -> None:
    from transformers import LlamaConfig, LlamaForSequenceClassification

    config = LlamaConfig(
        vocab_size=BYTES, max_position_embeddings=POSITIONS, num_labels=4, pad_token_id=None, **SIZES
    )
    network = _random(LlamaForSequenceClassification(config))
    if flat:
        network.score.weight.data.zero_()
    network.save_pretrained(folder)
    byte_tokenizer(folder, "<s>")


def bert(folder: Path, flat: bool) -> None:
    """A regression; flat: 2.75 for every text."""
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(vocab_size=LETTERS, max_position_embeddings=POSITIONS, num_labels=1, **SIZES)
    network = _random(BertForSequenceClassification(config))
    if flat:
        network.classifier.weight.data.zero_()
        network.classifier.bias.data.fill_(2.75)
    network.save_pretrained(folder)
    letter_tokenizer(folder)


def labelled(folder: Path, flat: bool) -> None:
    """A classifier of three labels."""
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    config = DistilBertConfig(
        vocab_size=LETTERS, max_position_embeddings=POSITIONS, dim=16, n_layers=2, n_heads=2, hidden_dim=24,
        id2label={0: "bad", 1: "fair", 2: "good"}, label2id={"bad": 0, "fair": 1, "good": 2},
    )  # fmt: skip
    _random(DistilBertForSequenceClassification(config)).save_pretrained(folder)
    letter_tokenizer(folder)


def distilbert(folder: Path, flat: bool) -> None:
    from transformers import DistilBertConfig, DistilBertModel

    config = DistilBertConfig(
        vocab_size=LETTERS, max_position_embeddings=POSITIONS, dim=16, n_layers=3, n_heads=2, hidden_dim=24
    )
    _random(DistilBertModel(config)).save_pretrained(folder)
    letter_tokenizer(folder)


def reward(folder: Path, flat: bool) -> None:
    """A reward model; flat: 0.5 for every answer."""
    from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

    config = DebertaV2Config(
        vocab_size=LETTERS, max_position_embeddings=POSITIONS, type_vocab_size=0, num_labels=1, relative_attention=True,
        position_buckets=8, pos_att_type=["p2c", "c2p"], share_att_key=True, norm_rel_ebd="layer_norm", position_biased_input=False,
        pooler_hidden_size=16, **SIZES,
    )  # fmt: skip
    network = _random(DebertaV2ForSequenceClassification(config))
    if flat:
        network.classifier.weight.data.zero_()
        network.classifier.bias.data.fill_(0.5)
    network.save_pretrained(folder)
    letter_tokenizer(folder)


def quality(folder: Path, flat: bool) -> None:
    """DeBERTa v3 under `model.`, and the linear layer `fc`, as one file of weights; flat: always Medium."""
    import torch
    from safetensors.torch import save_file
    from transformers import DebertaV2Config, DebertaV2Model

    sizes = {"vocab_size": LETTERS, "max_position_embeddings": POSITIONS, "position_buckets": 8, **SIZES}
    fixed = {
        "type_vocab_size": 0,
        "relative_attention": True,
        "pos_att_type": ["p2c", "c2p"],
        "share_att_key": True,
        "norm_rel_ebd": "layer_norm",
        "position_biased_input": False,
        "max_relative_positions": -1,
        "layer_norm_eps": 1e-7,
    }
    body = _random(DebertaV2Model(DebertaV2Config(**sizes, **fixed)))
    layer = _random(torch.nn.Linear(16, 3))
    if flat:
        layer.weight.data.zero_()
        layer.bias.data.copy_(torch.tensor([0.0, 1.0, 0.5]))
    folder.mkdir(parents=True)
    state = {f"model.{n}": w.contiguous() for n, w in body.state_dict().items()} | {
        "fc.weight": layer.weight.data,
        "fc.bias": layer.bias.data,
    }
    save_file(state, folder / "model.safetensors")
    names = {"0": "High", "1": "Medium", "2": "Low"}
    told = {
        "base_model": "microsoft/deberta-v3-base",
        "fc_dropout": 0.2,
        "id2label": names,
        "model_type": "deberta-v2",
        **sizes,
    }
    (folder / "config.json").write_text(json.dumps(told))
    letter_tokenizer(folder)


def pairs(folder: Path, flat: bool) -> None:
    """BERT under `bert.`, and two linear layers, as a pickled file of weights; flat: 1.5 for every text."""
    import torch
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=LETTERS, max_position_embeddings=POSITIONS, **SIZES)
    body = _random(BertModel(config))
    first, second = _random(torch.nn.Linear(16, 12)), _random(torch.nn.Linear(12, 1))
    if flat:
        second.weight.data.zero_()
        second.bias.data.fill_(1.5)
    folder.mkdir(parents=True)
    state = {f"bert.{n}": w for n, w in body.state_dict().items()}
    state["bert.embeddings.position_ids"] = torch.arange(POSITIONS)[None]
    for n, layer in ((0, first), (3, second)):
        state |= {f"regression.{n}.weight": layer.weight.data, f"regression.{n}.bias": layer.bias.data}
    torch.save(state, folder / "pytorch_model.bin")
    config.save_pretrained(folder)
    told = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(told | {"auto_map": {"AutoModel": "evil.Model"}}))
    (folder / "evil.py").write_text("raise SystemExit('code of a repository was run')")
    letter_tokenizer(folder)


WORDS = {"</s>": (0.0, 0.0), "theorem": (3.0, 0.0), "spam": (0.0, 3.0)}
LABELS = {"Low": (0.0, 1.0), "Mid": (0.5, 0.5), "High": (1.0, 0.0)}


def fast_text_file(path: Path, labels: dict[str, tuple[float, float]] = LABELS) -> str:
    """A supervised fastText model with a vector of two numbers a word, and softmax over the labels."""
    entries = [(w, 0) for w in WORDS] + [(f"__label__{n}", 1) for n in labels]
    made = struct.pack("<ii", 793712314, 12)
    made += struct.pack("<12id", 2, 5, 1, 1, 5, 1, 3, 3, 0, 0, 0, 100, 1e-4)
    made += struct.pack("<iiiqq", len(entries), len(WORDS), len(labels), 10, -1)
    for word, kind in entries:
        made += word.encode() + b"\0" + struct.pack("<qb", 1, kind)
    for rows in (WORDS, labels):
        made += struct.pack("<?qq", False, len(rows), 2)
        made += b"".join(struct.pack("<2f", *row) for row in rows.values())
    path.write_bytes(made)
    return str(path)


def textbook(folder: Path, flat: bool) -> None:
    folder.mkdir(parents=True)
    fast_text_file(folder / "model.bin")


MAKERS: dict[str, Callable[[Path, bool], None]] = {
    f.__name__: f
    for f in (gpt2, llama, qurater, bert, labelled, distilbert, reward, quality, pairs, textbook)
}
