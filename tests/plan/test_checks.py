"""What compiling finds: every mistake of a pipeline in one report, before any operator runs or any call is made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest

from dataflow.core import Filter, Generate, In, Map, OperatorABC, Out, Prompt
from dataflow.core.errors import CompileError, DataFlowError
from dataflow.core.generate import Source
from dataflow.core.prompt import PromptABC
from dataflow.operators.core_text import (
    EmbeddingGenerator,
    FormatStrPromptedGenerator,
    PandasOperator,
    PromptedFilter,
    PromptedGenerator,
    PromptedRefiner,
    ScoreFilter,
)
from dataflow.pipeline import PipelineABC
from dataflow.prompts.core_text import FormatStrPrompt
from dataflow.serving import APILLMServing, LocalLLMServing
from dataflow.storage import DummyStorage, FileStorage, MemoryStorage
from dataflow.testing import ScriptedServing
from dataflow.testing.server import FaultyServer

RAN: list[str] = []
"""The operators that ran; compiling leaves it empty."""


class Shout(Map):
    """Make a text loud."""

    input_key = In("question")
    output_key = Out("loud")

    def map(self, text: str) -> str:
        RAN.append("Shout")
        return text.upper()


class Tidy(Map):
    """Tidy a text in place."""

    input_key = In("question")
    output_key = Out(like="input_key")

    def map(self, text: str) -> str:
        RAN.append("Tidy")
        return text.strip()


class Judge(Generate):
    """Judge an answer."""

    prompt_template: PromptABC | None = None
    default_prompt: ClassVar[Prompt] = Prompt("Is {answer} right for {question}?")
    input_question_key = In("question")
    input_answer_key = In("answer")
    output_key = Out("verdict")


class Short(Filter):
    """Keep short texts."""

    input_key = In("question")
    output_label_key = Out(optional=True, type="int")

    def keep(self, text: str) -> bool:
        RAN.append("Short")
        return len(text) < 9


class Makes(Source):
    """Make three rows."""

    output_key = Out("made")

    def total(self) -> int:
        return 3


class Counts(OperatorABC):
    """Count words, as operators of 1.x are written."""

    def run(self, storage: Any, input_key: str, output_key: str = "count", input_more_keys: Any = ()) -> str:
        RAN.append("Counts")
        frame = storage.read("dataframe")
        frame[output_key] = frame[input_key].str.len()
        storage.write(frame)
        return output_key


class Looks(OperatorABC):
    """Look at the table and leave it as it is."""

    adds_columns = False

    def run(self, storage: Any, input_key: str = "question") -> None:
        RAN.append("Looks")


class Steps(PipelineABC):
    """Operators one after another."""

    def __init__(self, source: Path | str, cache: Path, *steps: tuple[Any, dict[str, Any]]) -> None:
        super().__init__()
        self.storage = FileStorage(str(source), cache_path=str(cache), file_name_prefix="p")
        self.steps = steps

    def forward(self) -> None:
        for operator, keys in self.steps:
            operator.run(self.storage.step(), **keys)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    rows = [{"question": f"what is {i}?", "answer": str(i), "level": i, "tags": ["a"]} for i in range(4)]
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    RAN.clear()


def mistakes(source: Path | str, *steps: tuple[Any, dict[str, Any]], **compiling: Any) -> list[str]:
    """All that is wrong with these steps."""
    folder = Path(source).parent if source else Path("unused")
    pipeline = Steps(source, folder / "cache", *steps)
    try:
        pipeline.compile(**compiling)
    except CompileError as error:
        return [str(m) for m in error.mistakes]
    finally:
        assert RAN == []
        assert not (folder / "cache").exists()
    return []


def test_four_mistakes_are_one_report(source: Path, server: FaultyServer) -> None:
    llm = APILLMServing(server.url)
    ask = Judge(llm_serving=llm, prompt_template=Prompt("Is {anser} right?"))
    pipeline = Steps(
        source,
        source.parent / "cache",
        (Shout(), {"input_key": "qestion"}),
        (ask, {}),
        (ScoreFilter(min_score=3), {"input_key": "answer"}),
        (Shout(), {"output_key": "level"}),
        (Counts(), {"input_key": "loud"}),
    )
    with pytest.raises(CompileError) as caught:
        pipeline.compile()
    assert RAN == []
    assert server.calls == 0
    assert [f.name for f in source.parent.iterdir()] == ["in.jsonl"]
    assert str(caught.value).splitlines() == [
        "Steps does not compile: 4 mistakes. Nothing has run.",
        "  1. step 1 Shout: input_key='qestion' is not a column here; there are question, answer, level, tags."
        " Did you mean 'question'?",
        "  2. step 2 Judge: prompt_template: the slot {anser} of Prompt is named by no input port;"
        " there are answer, question. Did you mean 'answer'?",
        "  3. step 3 ScoreFilter: input_key='answer' holds text, where number is read. Columns of type number: level.",
        "  4. step 4 Shout: output_key='level' would overwrite the column that the data set has and no step has read;"
        " there are question, answer, level, tags, loud, verdict."
        " Name another column, or compile(allow_overwrite=['level'])",
    ]
    assert isinstance(caught.value, KeyError)
    assert [(m.step, m.operator) for m in caught.value.mistakes] == [
        (1, "Shout"), (2, "Judge"), (3, "ScoreFilter"), (4, "Shout"),
    ]  # fmt: skip


LLM = ScriptedServing("3")

MISTAKES: dict[str, tuple[list[tuple[Any, dict[str, Any]]], list[str]]] = {
    "an unknown run key": (
        [(Shout(), {"imput_key": "question"})],
        ["step 1 Shout: has no key 'imput_key'; it has input_key, output_key. Did you mean 'input_key'?"],
    ),
    "a key that names no column": (
        [(Shout(), {"input_key": 3})],
        ["step 1 Shout: needs input_key, the name of a column; 3 is none"],
    ),
    "a list of columns for one": (
        [(Shout(), {"input_key": ["question"]})],
        ["step 1 Shout: needs input_key, the name of a column; ['question'] is none"],
    ),
    "an unknown key of a free-form operator": (
        [(Counts(), {"input_kye": "question"})],
        ["step 1 Counts: missing a required argument: 'input_key'. Did you mean 'input_key'?"],
    ),
    "a further key of a free-form operator": (
        [(Counts(), {"input_key": "question", "ouput_key": "n"})],
        ["step 1 Counts: got an unexpected keyword argument 'ouput_key'. Did you mean 'output_key'?"],
    ),
    "a missing key of a free-form operator": (
        [(Counts(), {})],
        ["step 1 Counts: missing a required argument: 'input_key'."],
    ),
    "a wrong column of a free-form operator": (
        [(Counts(), {"input_key": "qestion"})],
        ["step 1 Counts: input_key='qestion' is not a column here; there are question, answer, level, tags."
         " Did you mean 'question'?"],
    ),
    "a wrong column in a list": (
        [(Counts(), {"input_key": "question", "input_more_keys": ["level", "tag"]})],
        ["step 1 Counts: input_more_keys='tag' is not a column here; there are question, answer, level, tags."
         " Did you mean 'tags'?"],
    ),
    "the default column is not there": (
        [(PromptedGenerator(LLM), {})],
        ["step 1 PromptedGenerator: input_key='raw_content' is not a column here;"
         " there are question, answer, level, tags."],
    ),
    "a list where text is read": (
        [(Shout(), {"input_key": "tags"})],
        ["step 1 Shout: input_key='tags' holds list[text], where text is read."
         " Columns of type text: question, answer."],
    ),
    "no column of the type": (
        [(Tidy(), {}), (ScoreFilter(), {"input_key": "tags"})],
        ["step 2 ScoreFilter: input_key='tags' holds list[text], where number is read. Columns of type number: level."],
    ),
    "an earlier output of another type": (
        [(Shout(), {}), (ScoreFilter(), {"input_key": "loud"})],
        ["step 2 ScoreFilter: input_key='loud' holds text, where number is read. Columns of type number: level."],
    ),
    "an output that nobody has read": (
        [(Shout(), {}), (Shout(), {"input_key": "answer"})],
        ["step 2 Shout: output_key='loud' would overwrite the column that step 1 Shout writes and no step has read;"
         " there are question, answer, level, tags, loud. Name another column, or compile(allow_overwrite=['loud'])"],
    ),
    "a label over a column": (
        [(Short(), {"output_label_key": "tags"})],
        ["step 1 Short: output_label_key='tags' would overwrite the column that the data set has and no step has read;"
         " there are question, answer, level, tags. Name another column, or compile(allow_overwrite=['tags'])"],
    ),
    "rows made of a table that has some": (
        [(Makes(llm_serving=LLM), {})],
        ['step 1 Makes: storage: the operator makes rows out of nothing, but the table has 4; start it from ""'],
    ),
    "a slot that no keyword names": (
        [(FormatStrPromptedGenerator(LLM, prompt_template=FormatStrPrompt("{a} and {b}")), {"a": "question"})],
        ["step 1 FormatStrPromptedGenerator: prompt_template: the slot {b} of FormatStrPrompt is named by no input port;"
         " there are a."],
    ),
    "one wrong key does not make later steps wrong": (
        [(Shout(), {"inptu_key": "question", "output_key": "mine"}), (Shout(), {"input_key": "mine"}),
         (Judge(llm_serving=LLM), {"input_anser_key": "answer"}), (Shout(), {"input_key": "verdict", "output_key": "v"}),
         (Counts(), {"output_key": "n"}), (Looks(), {"input_key": "n"})],
        ["step 1 Shout: has no key 'inptu_key'; it has input_key, output_key. Did you mean 'input_key'?",
         "step 3 Judge: has no key 'input_anser_key'; it has input_question_key, input_answer_key, output_key."
         " Did you mean 'input_answer_key'?",
         "step 5 Counts: missing a required argument: 'input_key'."],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(source: Path, name: str) -> None:
    steps, found = MISTAKES[name]
    assert mistakes(source, *steps) == found


ALLOWED: dict[str, list[tuple[Any, dict[str, Any]]]] = {
    "refining in place": [(Tidy(), {}), (Tidy(), {}), (PromptedRefiner(LLM), {"input_key": "question"})],
    "overwriting what was read": [
        (Shout(), {}),
        (Shout(), {"input_key": "answer", "output_key": "question"}),
    ],
    "an int where a number is read": [(ScoreFilter(min_score=1), {"input_key": "level"})],
    "anything for a prompt": [(PromptedGenerator(LLM), {"input_key": "tags"})],
    "a column that a function may have added": [
        (PandasOperator([lambda f: f]), {}),
        (Shout(), {"input_key": "new"}),
    ],
    "a column of a free-form operator": [
        (Counts(), {"input_key": "question"}),
        (Looks(), {"input_key": "count"}),
    ],
    "columns by position": [(Shout(), {}), (ScoreFilter(), {"input_key": "level"})],
    "a score made before": [
        (PromptedFilter(LLM), {"input_key": "answer"}),
        (ScoreFilter(), {"input_key": "eval"}),
    ],
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_no_mistake(source: Path, name: str) -> None:
    assert mistakes(source, *ALLOWED[name]) == []


def test_overwriting_can_be_allowed(source: Path) -> None:
    steps = [(Shout(), {}), (Shout(), {"input_key": "answer"}), (Shout(), {"output_key": "level"})]
    assert len(mistakes(source, *steps)) == 2
    assert len(mistakes(source, *steps, allow_overwrite=["loud"])) == 1
    assert mistakes(source, *steps, allow_overwrite=["loud", "level"]) == []


def test_what_was_allowed_stays_allowed_for_the_run(source: Path, tmp_path: Path) -> None:
    pipeline = Steps(source, tmp_path / "c", (Shout(), {}), (Shout(), {"input_key": "answer"}))
    pipeline.compile(allow_overwrite=["loud"])
    assert pipeline.run(progress=False).table["loud"].to_list() == ["0", "1", "2", "3"]


def test_an_operator_that_looks_only_hides_no_mistake(source: Path) -> None:
    assert len(mistakes(source, (Looks(), {}), (Shout(), {"input_key": "new"}))) == 1


def test_rows_are_made_at_the_start_only(source: Path) -> None:
    made = (Makes(llm_serving=LLM), {})
    assert mistakes("", made) == []
    assert mistakes("", made, (Makes(llm_serving=LLM), {"output_key": "more"})) == [
        'step 2 Makes: storage: the operator makes rows out of nothing, but the table has some; start it from ""'
    ]


@pytest.mark.parametrize("name", ["away.jsonl", "none/*.jsonl"])
def test_a_missing_source_is_a_mistake(tmp_path: Path, name: str) -> None:
    (found,) = mistakes(tmp_path / name, (Shout(), {}))
    assert found.startswith("FileStorage: ")
    assert name in found
    assert "is not there" in found


def test_a_serving_that_cannot_answer_is_a_mistake(
    source: Path, monkeypatch: pytest.MonkeyPatch, server: FaultyServer
) -> None:
    monkeypatch.delenv("DF_API_KEY", raising=False)
    away = APILLMServing("https://example.com/v1/chat/completions")
    ask = {"input_key": "question"}
    assert mistakes(
        source,
        (PromptedGenerator(away), ask),
        (PromptedGenerator(APILLMServing("localhost:8000/v1")), {**ask, "output_key": "b"}),
        (EmbeddingGenerator(away), {**ask, "output_key": "c"}),
        (PromptedGenerator(APILLMServing(server.url)), {**ask, "output_key": "d"}),
    ) == [
        "step 1 PromptedGenerator: llm_serving: the environment variable DF_API_KEY holds no key for example.com;"
        " set it, or name another with key_name_of_api_key",
        "step 2 PromptedGenerator: llm_serving: api_url='localhost:8000/v1' is no http address",
        "step 3 EmbeddingGenerator: embedding_serving: the environment variable DF_API_KEY holds no key for"
        " example.com; set it, or name another with key_name_of_api_key",
    ]
    monkeypatch.setenv("DF_API_KEY", "secret")
    assert mistakes(source, (PromptedGenerator(away), ask)) == []
    assert server.calls == 0


def test_an_unknown_model_of_this_machine_is_a_mistake(source: Path) -> None:
    serving = LocalLLMServing("Qwen2.5-Coder-0.5B-Instrct")
    (found,) = mistakes(source, (PromptedGenerator(serving), {"input_key": "question"}))
    assert found.startswith(
        "step 1 PromptedGenerator: llm_serving: model_name='Qwen2.5-Coder-0.5B-Instrct' is neither"
    )
    assert found.endswith("Did you mean 'qwen2.5-coder-0.5b-instruct'?")


class Written(PipelineABC):
    """A pipeline whose `forward` is written by the test."""

    def __init__(self, source: Path, do: Any, **storages: Any) -> None:
        super().__init__()
        self.storage = FileStorage(str(source), cache_path=str(source.parent / "cache"), file_name_prefix="p")
        self.do = do
        for name, storage in storages.items():
            setattr(self, name, storage)

    def forward(self) -> None:
        self.do(self)


def one_step(p: Any) -> None:
    step = p.storage.step()
    Shout().run(step)
    Tidy().run(step)


def elsewhere(p: Any) -> None:
    Shout().run(FileStorage(p.storage.first_entry_file_name).step())


def elsewhere_free(p: Any) -> None:
    Counts().run(FileStorage(p.storage.first_entry_file_name).step(), input_key="question")


REFUSED: dict[str, tuple[Any, str]] = {
    "two operators on one step": (one_step, "step 1 Tidy: storage: Shout already runs on this step"),
    "no step": (lambda p: Shout().run(p.storage), "call storage.step() before"),
    "reading rows": (lambda p: p.storage.step().read("dataframe"), "forward() reads the table itself"),
    "writing rows": (lambda p: p.storage.step().write([]), "forward() reads the table itself"),
    "a storage that is no attribute": (
        elsewhere,
        "Shout.run was given a storage that compile() does not know",
    ),
    "the same, free-form": (elsewhere_free, "Counts.run was given a storage that compile() does not know"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_forward_must_not_do(source: Path, name: str) -> None:
    do, message = REFUSED[name]
    with pytest.raises(DataFlowError) as caught:
        Written(source, do).compile()
    assert message in str(caught.value)
    assert RAN == []
    assert [f.name for f in source.parent.iterdir()] == ["in.jsonl"]


def test_a_failed_compile_leaves_the_storage_usable(source: Path) -> None:
    pipeline = Written(source, one_step)
    real = pipeline.storage
    with pytest.raises(CompileError):
        pipeline.compile()
    assert pipeline.storage is real
    assert real.operator_step == -1
    assert not pipeline.compiled


def test_a_pipeline_without_storage_says_so(source: Path) -> None:
    class None_(PipelineABC):
        def forward(self) -> None: ...

    with pytest.raises(DataFlowError, match=r"None_ has no storage; set self\.storage"):
        None_().compile()
    with pytest.raises(NotImplementedError, match="does not define forward"):
        PipelineABC().forward()


def test_a_forward_that_does_nothing_has_nothing_to_run(source: Path) -> None:
    pipeline = Written(source, lambda p: None)
    pipeline.compile()
    with pytest.raises(DataFlowError, match="runs no operator"):
        pipeline.run(progress=False)


@pytest.mark.parametrize("storage", [MemoryStorage([{"question": "a"}]), DummyStorage()])
def test_a_table_in_memory_cannot_be_compiled(storage: Any) -> None:
    class Held(PipelineABC):
        def __init__(self) -> None:
            super().__init__()
            self.storage = storage

        def forward(self) -> None:
            Shout().run(self.storage.step())

    with pytest.raises(DataFlowError, match=r"keeps no files|has no storage"):
        Held().compile()


def test_each_storage_is_a_way_of_its_own(source: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"name": "x"}\n')
    second = FileStorage(str(other), cache_path=str(tmp_path / "cache"), file_name_prefix="q")

    def do(p: Any) -> None:
        Shout().run(p.storage.step())
        Shout().run(p.second.step(), input_key="name")
        Tidy().run(p.storage.step(), input_key="loud")

    pipeline = Written(source, do, second=second, same=second)
    plan = pipeline.compile()
    assert [[c.step for c in f.calls] for f in plan.flows] == [[1, 2], [1]]
    assert [s["operator"] for s in plan.steps()] == ["Shout", "Tidy", "Shout"]
    run = pipeline.run(progress=False)
    assert run.records == [{"name": "x", "loud": "X"}]
    assert (tmp_path / "cache/p_step2.jsonl").read_text().count("WHAT") == 4

    pipeline = Written(source, lambda p: Shout().run(p.second.step(), input_key="nam"), second=second)
    with pytest.raises(CompileError, match=r"there are name\. Did you mean 'name'"):
        pipeline.compile()


def test_two_storages_must_not_write_the_same_files(source: Path, tmp_path: Path) -> None:
    same = FileStorage(str(source), cache_path=str(tmp_path / "cache"), file_name_prefix="p")

    def do(p: Any) -> None:
        Shout().run(p.storage.step())
        Shout().run(p.same.step())

    with pytest.raises(
        CompileError, match="FileStorage: file_name_prefix='p': another storage of this pipeline"
    ):
        Written(source, do, same=same).compile()


def test_a_storage_cannot_start_from_what_another_will_write(source: Path, tmp_path: Path) -> None:
    """A table left there by an earlier run would be taken for it."""
    left = tmp_path / "cache/p_step1.jsonl"
    left.parent.mkdir()
    left.write_text('{"question": "old"}\n')
    second = FileStorage(str(left), cache_path=str(tmp_path / "cache"), file_name_prefix="q")

    def do(p: Any) -> None:
        Shout().run(p.storage.step())
        Shout().run(p.second.step())

    with pytest.raises(CompileError, match="is written by this very pipeline"):
        Written(source, do, second=second).compile()


def test_a_prompt_of_the_wrong_class_is_refused_where_the_operator_is_made() -> None:
    class Foreign(PromptABC):
        """Not allowed anywhere."""

    with pytest.raises(
        TypeError, match=r"\[FormatStrPromptedGenerator\] Invalid prompt_template type: .*Foreign"
    ):
        FormatStrPromptedGenerator(LLM, prompt_template=Foreign())


def test_returned_keys_can_be_handed_on(source: Path) -> None:
    """What `run` returns while compiling is what it returns when run."""
    seen: list[Any] = []

    def do(p: Any) -> None:
        loud = Shout().run(p.storage.step())
        count = Counts().run(p.storage.step(), input_key=loud)
        seen.append((loud, count, Looks().run(p.storage.step(), input_key=count)))

    pipeline = Written(source, do)
    pipeline.compile()
    pipeline.run(progress=False)
    assert seen[0][:2] == ("loud", "count")


def test_the_checked_table_is_the_table_that_comes(source: Path, tmp_path: Path) -> None:
    steps = [
        (Tidy(), {}),
        (PromptedFilter(LLM), {"input_key": "answer", "output_key": "score"}),
        (EmbeddingGenerator(LLM), {"input_key": "question", "output_key": "vector"}),
        (Short(), {"input_key": "answer", "output_label_key": "short"}),
    ]
    pipeline = Steps(source, tmp_path / "c", *steps)
    plan = pipeline.compile()
    table = pipeline.run(progress=False).table
    assert plan.flows[0].schema == table.schema
    assert table.schema["vector"] == pl.List(pl.Float32)
