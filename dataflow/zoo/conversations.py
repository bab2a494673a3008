"""Dialogues: with function calls, out of dialogues without; and made up from intents and topics."""

from __future__ import annotations

from typing import Any

from dataflow.operators.conversations import (
    AtomTaskGenerator,
    CompositionTaskFilter,
    ConsistentChatGenerator,
    FuncCallConversationSampleEvaluator,
    FunctionGenerator,
    MultiTurnConversationGenerator,
    ScenarioExpandGenerator,
    ScenarioExtractGenerator,
    SequentialTaskGenerator,
)
from dataflow.operators.core_text import ScoreFilter
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage
from dataflow.zoo._examples import FUNCTION_CHATS

SUB_TASKS = ["atom_task", "subsequent_task"]


class FuncCall_APIPipeline(PipelineABC):  # noqa: N801  # the name that published pipelines use
    """Turn dialogues into conversations in which an assistant calls functions, and keep the good ones.

    Args:
        llm_serving: the model that writes tasks and functions and plays all parts; `gpt-4o-mini` where left out.
        judge_serving: the model that grades the conversations; the same one where left out.
        max_rounds: most replies of the assistant in a conversation.
        strict: whether the values of calls must have been said or returned before.
        min_score: the lowest score kept, 1 to 5.
        source: a table with the column `chat`.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        judge_serving: Any = None,
        *,
        max_rounds: int = 5,
        strict: bool = True,
        min_score: float = 4,
        source: str = FUNCTION_CHATS,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="func_call", cache_type="jsonl"
        )
        self.llm_serving = llm = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.extract = ScenarioExtractGenerator(llm)
        self.expand = ScenarioExpandGenerator(llm)
        self.atom = AtomTaskGenerator(llm)
        self.follow = SequentialTaskGenerator(llm)
        self.check = CompositionTaskFilter(llm)
        self.functions = FunctionGenerator(llm)
        self.play = MultiTurnConversationGenerator(llm, max_rounds=max_rounds, strict=strict)
        self.grade = FuncCallConversationSampleEvaluator(judge_serving or llm)
        self.keep = ScoreFilter(min_score=min_score)

    def forward(self) -> None:
        self.extract.run(self.storage.step(), input_chat_key="chat")
        self.expand.run(self.storage.step(), input_scenario_key="scenario")
        self.atom.run(self.storage.step(), input_scenario_key="modified_scenario")
        self.follow.run(self.storage.step(), input_task_key="atom_task")
        self.check.run(
            self.storage.step(),
            input_composition_task_key="composition_task",
            input_sub_tasks_keys=SUB_TASKS,
        )
        self.functions.run(
            self.storage.step(),
            input_composition_task_key="composition_task",
            input_sub_tasks_keys=SUB_TASKS,
        )
        self.play.run(
            self.storage.step(),
            input_task_key="composition_task",
            input_sub_tasks_keys=SUB_TASKS,
            input_functions_key="functions",
        )
        self.grade.run(self.storage.step())
        self.keep.run(self.storage.step())


class TextConversationSynthesis_APIPipeline(PipelineABC):  # noqa: N801  # the name that published pipelines use
    """Make up dialogues of several turns, from nine intents and their topics.

    Args:
        llm_serving: the model that speaks for both sides; `gpt-4o-mini` where left out.
        num_dialogs_per_intent: how many dialogues are made for each intent.
        num_turns_per_dialog: how many turns the user has in each.
        seed: changes the topics, and who speaks.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        num_dialogs_per_intent: int = 5,
        num_turns_per_dialog: int = 6,
        seed: int = 0,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            "", cache_path=cache_path, file_name_prefix="text_conversation", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.talk = ConsistentChatGenerator(
            self.llm_serving, num_dialogs_per_intent, num_turns_per_dialog, seed=seed
        )

    def forward(self) -> None:
        self.talk.run(self.storage.step())
