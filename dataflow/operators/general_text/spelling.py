"""The refiner that corrects spelling."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path

from pydantic import Field

from dataflow.core.errors import ConfigError, MissingDependency
from dataflow.operators._lib.text_refiner import TextRefiner

DICTIONARY = "frequency_dictionary_en_82_765.txt"
# what must not come before is asked after the first letter, by which the search then skips ahead
WORD = r"[A-Za-z](?<![\w@'’/\\&#].)(?<!\w[.-].)[A-Za-z]{2,}(?:-[A-Za-z]{3,})*(?![\w@'’/\\(]|[.:-]\w|:/)"
WORDS = re.compile(rf"(?P<word>{WORD})|[hHwW](?:[tT]{{2}}[pP][sS]?://|[wW]{{2}}\.)\S+")
SENTENCE_ENDS = ".!?:\n\r"
QUOTES = " \t\"'“”‘’([*_#>-"


class SpellingCorrectionRefiner(TextRefiner):
    """Put the closest word of a dictionary for each misspelt English word.

    Of words equally close the most frequent is taken. Case and punctuation stay. Left alone are words that the
    dictionary has or has nothing close to, words under three letters, those in capitals or with a capital within
    a sentence, which are names, and what holds digits, apostrophes or other alphabets, URLs and addresses among
    them. In words of up to four letters one letter is corrected at most.
    """

    max_edit_distance: int = Field(2, ge=0)
    """Letters that may be wrong in one word: put in, left out, changed, or two of them swapped."""
    prefix_length: int = Field(7, ge=2)
    """Letters of a word by which the dictionary is indexed; it must exceed `max_edit_distance`."""
    dictionary_path: str = DICTIONARY
    """A file of lines `word count`; where there is no such file, the one of this name that comes with symspellpy."""

    def model_post_init(self, _: object) -> None:
        if self.prefix_length <= self.max_edit_distance:
            raise ConfigError("prefix_length must exceed max_edit_distance")

    def map(self, text: str) -> str:
        correct = _corrector(self.dictionary_path, self.max_edit_distance, self.prefix_length)
        return WORDS.sub(lambda found: _corrected(found, correct), text)


def _corrected(found: re.Match[str], correct: Callable[[str], str]) -> str:
    word = found[0]
    if not found["word"]:
        return word
    if not word.islower() and not (word[1:].islower() and _starts_sentence(found.string, found.start())):
        return word
    made = "-".join(map(correct, word.lower().split("-")))
    return made if word.islower() else made[0].upper() + made[1:]


def _starts_sentence(text: str, at: int) -> bool:
    while at and text[at - 1] in QUOTES:
        at -= 1
    return not at or text[at - 1] in SENTENCE_ENDS


@cache
def _corrector(dictionary: str, distance: int, prefix: int) -> Callable[[str], str]:
    """What corrects a word in lower case; the dictionary is loaded once for all operators."""
    try:
        import symspellpy
    except ModuleNotFoundError:
        raise MissingDependency("symspellpy", "text", "Spelling correction") from None
    path = Path(dictionary)
    if not path.is_file():
        path = Path(symspellpy.__file__).parent / dictionary
    speller = symspellpy.SymSpell(distance, prefix)
    if not path.is_file() or not speller.load_dictionary(path, 0, 1, encoding="utf-8"):
        raise ConfigError(f"dictionary_path: there is no file {dictionary!r}, and symspellpy has none")

    @lru_cache(1 << 17)
    def correct(word: str) -> str:
        found = speller.lookup(
            word, symspellpy.Verbosity.TOP, min(distance, 1 if len(word) <= 4 else distance)
        )
        return str(found[0].term) if found else word

    return correct
