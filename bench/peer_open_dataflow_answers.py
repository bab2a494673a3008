"""open-dataflow's comparison of answers: runs inside its environment, and prints seconds and verdicts as JSON.

What its ground-truth filter does, without the table around it: its extractor, then math-verify on the two texts. word2number has no wheel and is left out:
numbers in words stay words.
"""

from __future__ import annotations

import json
import sys
import time
import types
from pathlib import Path

from math_verify import parse, verify

_words = types.ModuleType("word2number")
_words.w2n = types.SimpleNamespace(word_to_num=int)
sys.modules["word2number"] = _words

from dataflow.utils.reasoning.AnswerExtraction import AnswerExtractor, StringCleaner, UnitTextManager  # noqa: E402


def main() -> None:
    pairs = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    extractor = AnswerExtractor(StringCleaner(UnitTextManager()))
    started = time.perf_counter()
    told = [same(extractor, reference, answer) for reference, answer in pairs]
    print(json.dumps({"seconds": time.perf_counter() - started, "told": told}))


def same(extractor: AnswerExtractor, reference: str, answer: str) -> bool:
    found = extractor.extract_answer(f"So the result is $\\boxed{{{answer}}}$.", None)
    try:
        return bool(verify(parse(str(reference)), parse(str(found))))
    except Exception:  # noqa: BLE001  # its filter tells no difference either
        return False


if __name__ == "__main__":
    main()
