"""Corpora and instruction data filtered by rules and by models that score, and study material made of what is left."""

from __future__ import annotations

from typing import Any

from dataflow.operators.general_text import IDCardFilter, LanguageFilter, WordNumberFilter
from dataflow.operators.text_pt import PairQualFilter, Phi4QAGenerator, QuratingFilter
from dataflow.operators.text_pt.qurating import QUALITIES
from dataflow.operators.text_sft import DeitaQualityFilter, SFTGeneratorSeed, SuperfilteringFilter
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage
from dataflow.zoo._examples import INSTRUCTIONS, PAGES
from dataflow.zoo.text_filter import PTTextFilter_CPUPipeline


class PTTextFilter_GPUPipeline(PTTextFilter_CPUPipeline):  # noqa: N801  # named as the other published pipelines
    """Clean crawled pages by language, by rules, and by a model that tells good texts from bad ones.

    Rules come first, for they cost next to nothing; the model reads what is left. Near duplicates are looked for last.

    Args:
        language: the language kept.
        min_quality: the lowest score kept of the model of quality.
        quality_model: a folder or a name of the Hugging Face Hub; PairQual for English where left out.
        device: where the model runs; the CPU where there is no such accelerator.
        source: a table with the column `raw_content`.
        cache_path: where tables and report go.
    """

    prefix = "pt_text_filter_gpu"

    def __init__(
        self,
        *,
        language: str = "en",
        min_quality: float = 2,
        quality_model: str = "",
        device: str = "cuda",
        source: str = PAGES,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__(source=source, cache_path=cache_path)
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix=self.prefix, cache_type="jsonl"
        )
        self.language = LanguageFilter(language)
        self.quality = PairQualFilter(min_quality, 10_000, model_name=quality_model, device=device)

    def forward(self) -> None:
        self.filtered()

    def filtered(self) -> None:
        """All filters, the model's after those that cost nothing."""
        self.language.run(self.storage.step(), input_key="raw_content")
        self.clean()
        self.near_duplicates.run(self.storage.step(), input_key="raw_content")
        self.quality.run(self.storage.step(), input_key="raw_content")


class PTTextSynthetic_GPUPipeline(PTTextFilter_GPUPipeline):  # noqa: N801
    """Filter crawled pages, tell each again as questions and answers, and keep what QuRating finds good.

    Args:
        llm_serving: the model that asks and answers; `gpt-4o-mini` where left out.
        min_quality: the lowest score of a page kept, of the model of quality.
        min_score: the lowest of each of the four scores of QuRating, as far as 9.
        quality_model: a folder or a name of the Hugging Face Hub; PairQual for English where left out.
        qurating_model: the same for QuRating.
        device: where the models run; the CPU where there is no such accelerator.
        source: a table with the column `raw_content`.
        cache_path: where tables, journal and report go.
    """

    prefix = "pt_text_synthetic"

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        min_quality: float = -2,
        min_score: float = 0,
        quality_model: str = "",
        qurating_model: str = "princeton-nlp/QuRater-1.3B",
        device: str = "cuda",
        source: str = PAGES,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__(
            min_quality=min_quality,
            quality_model=quality_model,
            device=device,
            source=source,
            cache_path=cache_path,
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.no_cards = IDCardFilter(threshold=3)
        self.tell = Phi4QAGenerator(self.llm_serving)
        self.rate = QuratingFilter(
            dict.fromkeys(QUALITIES, min_score),
            dict.fromkeys(QUALITIES, 9),
            model_name=qurating_model,
            device=device,
        )

    def forward(self) -> None:
        self.no_cards.run(self.storage.step(), input_key="raw_content")
        self.filtered()
        self.tell.run(self.storage.step(), input_key="raw_content", output_key="generated_content")
        self.rate.run(self.storage.step(), input_key="generated_content")


class SFTTextFilter_GPUPipeline(PipelineABC):  # noqa: N801
    """Keep instruction data whose answers are of a fit length, follow from the instruction, and are good.

    Args:
        ifd_model: the causal model of the instruction-following difficulty.
        quality_model: the scorer of Deita.
        device: where the models run; the CPU where there is no such accelerator.
        source: a table with the columns `instruction` and `output`.
        cache_path: where tables and report go.
    """

    def __init__(
        self,
        *,
        ifd_model: str = "gpt2",
        quality_model: str = "hkust-nlp/deita-quality-scorer",
        device: str = "cuda",
        source: str = INSTRUCTIONS,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="sft_text_filter_gpu", cache_type="jsonl"
        )
        self.words = WordNumberFilter(min_words=20, max_words=1000)
        self.difficulty = SuperfilteringFilter(0.5, 1.0, model_name=ifd_model, device=device)
        self.quality = DeitaQualityFilter(2.5, 10_000, model_name=quality_model, device=device)

    def forward(self) -> None:
        pair = {"input_instruction_key": "instruction", "input_output_key": "output"}
        self.words.run(self.storage.step(), input_key="output")
        self.difficulty.run(self.storage.step(), **pair)
        self.quality.run(self.storage.step(), **pair)


class SFTTextSynthetic_GPUPipeline(PTTextFilter_GPUPipeline):  # noqa: N801
    """Filter crawled pages, make an instruction and an answer of each, and keep the good ones.

    Args:
        llm_serving: the model that makes the samples; `gpt-4o-mini` where left out.
        custom_prompt: what the samples shall be like.
        min_quality: the lowest score of a page kept, of the model of quality.
        page_model: a folder or a name of the Hugging Face Hub; PairQual for English where left out.
        ifd_model: the causal model of the instruction-following difficulty.
        quality_model: the scorer of Deita.
        device: where the models run; the CPU where there is no such accelerator.
        source: a table with the column `raw_content`.
        cache_path: where tables, journal and report go.
    """

    prefix = "sft_text_synthetic"

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        custom_prompt: str = "Questions that a curious adult would ask, with full answers.",
        min_quality: float = -2,
        page_model: str = "",
        ifd_model: str = "gpt2",
        quality_model: str = "hkust-nlp/deita-quality-scorer",
        device: str = "cuda",
        source: str = PAGES,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__(
            min_quality=min_quality,
            quality_model=page_model,
            device=device,
            source=source,
            cache_path=cache_path,
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.make = SFTGeneratorSeed(self.llm_serving, custom_prompt)
        self.answer_words = WordNumberFilter(min_words=20, max_words=5000)
        self.difficulty = SuperfilteringFilter(0.5, 10_000, model_name=ifd_model, device=device)
        self.good = DeitaQualityFilter(2.5, 10_000, model_name=quality_model, device=device)

    def forward(self) -> None:
        pair = {"input_instruction_key": "instruction", "input_output_key": "output"}
        self.filtered()
        self.make.run(self.storage.step(), input_key="raw_content")
        self.answer_words.run(self.storage.step(), input_key="output")
        self.difficulty.run(self.storage.step(), **pair)
        self.good.run(self.storage.step(), **pair)
