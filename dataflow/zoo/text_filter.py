"""Rules alone turn crawled pages into a corpus for pre-training, and instruction data into answers of a fit length."""

from __future__ import annotations

from dataflow.operators.general_text import (
    BlocklistFilter,
    CapitalWordsFilter,
    CharNumberFilter,
    ColonEndFilter,
    ContentNullFilter,
    CurlyBracketFilter,
    HtmlEntityFilter,
    HtmlUrlRemoverRefiner,
    LineEndWithEllipsisFilter,
    LineStartWithBulletpointFilter,
    LineWithJavascriptFilter,
    LoremIpsumFilter,
    MeanWordLengthFilter,
    MinHashDeduplicateFilter,
    NoPuncFilter,
    RemoveEmojiRefiner,
    RemoveExtraSpacesRefiner,
    SentenceNumberFilter,
    SpecialCharacterFilter,
    SymbolWordRatioFilter,
    UniqueWordsFilter,
    WatermarkFilter,
    WordNumberFilter,
)
from dataflow.pipeline import PipelineABC
from dataflow.storage import FileStorage
from dataflow.zoo._examples import INSTRUCTIONS, PAGES


class PTTextFilter_CPUPipeline(PipelineABC):  # noqa: N801  # named as the other published pipelines
    """Clean crawled pages by rules: no model, no key.

    Marks of the web go first, then what is measured line by line, then the rest; white space keeps its line feeds until
    no rule needs them any more. Near duplicates are looked for last, among the texts that are left.

    Args:
        source: a table with the column `raw_content`.
        cache_path: where tables and report go.
    """

    def __init__(self, *, source: str = PAGES, cache_path: str = "./cache") -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="pt_text_filter", cache_type="jsonl"
        )
        self.not_null = ContentNullFilter()
        self.no_emoji = RemoveEmojiRefiner()
        self.no_html = HtmlUrlRemoverRefiner()
        self.javascript_lines = LineWithJavascriptFilter(threshold=3)
        self.bullet_lines = LineStartWithBulletpointFilter(threshold=0.9)
        self.ellipsis_lines = LineEndWithEllipsisFilter(threshold=0.3)
        self.colon_end = ColonEndFilter()
        self.sentences = SentenceNumberFilter(min_sentences=3, max_sentences=7500)
        self.one_spaced = RemoveExtraSpacesRefiner()
        self.words = WordNumberFilter(min_words=20, max_words=100_000)
        self.chars = CharNumberFilter(threshold=100)
        self.word_length = MeanWordLengthFilter(min_length=3, max_length=10)
        self.symbols = SymbolWordRatioFilter(threshold=0.4)
        self.entities = HtmlEntityFilter()
        self.punctuation = NoPuncFilter(threshold=112)
        self.special = SpecialCharacterFilter()
        self.watermark = WatermarkFilter(watermarks=("Copyright", "Watermark", "Confidential"))
        self.brackets = CurlyBracketFilter(threshold=0.025)
        self.capitals = CapitalWordsFilter(threshold=0.2, use_tokenizer=False)
        self.lorem_ipsum = LoremIpsumFilter(threshold=3e-8)
        self.unique_words = UniqueWordsFilter(threshold=0.1)
        self.blocklist = BlocklistFilter()
        self.near_duplicates = MinHashDeduplicateFilter(num_perm=128, threshold=0.9, use_n_gram=True, ngram=5)

    def forward(self) -> None:
        self.clean()
        self.near_duplicates.run(self.storage.step(), input_key="raw_content")

    def clean(self) -> None:
        """All rules, one after the other."""
        for operator in (
            self.not_null, self.no_emoji, self.no_html, self.javascript_lines, self.bullet_lines, self.ellipsis_lines,
            self.colon_end, self.sentences, self.one_spaced, self.words, self.chars, self.word_length, self.symbols,
            self.entities, self.punctuation, self.special, self.watermark, self.brackets, self.capitals,
            self.lorem_ipsum, self.unique_words, self.blocklist,
        ):  # fmt: skip
            operator.run(self.storage.step(), input_key="raw_content")


class SFTTextFilter_CPUPipeline(PipelineABC):  # noqa: N801
    """Keep instruction data whose answers are of a fit length.

    Args:
        source: a table with the columns `instruction` and `output`.
        cache_path: where tables and report go.
    """

    def __init__(self, *, source: str = INSTRUCTIONS, cache_path: str = "./cache") -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="sft_text_filter", cache_type="jsonl"
        )
        self.words = WordNumberFilter(min_words=20, max_words=1000)

    def forward(self) -> None:
        self.words.run(self.storage.step(), input_key="output")
