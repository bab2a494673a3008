"""The functions that tasks take."""

from __future__ import annotations

from typing import Any

from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text
from dataflow.core.generate import Generate, build
from dataflow.core.ports import In, Out
from dataflow.core.prompt import prompt_restrict
from dataflow.core.protocols import Request
from dataflow.core.replies import clip, parse_json
from dataflow.operators.conversations._functions import checked
from dataflow.operators.conversations._replies import any_null, listed
from dataflow.prompts.conversations import FuncGeneratePrompt


@prompt_restrict(FuncGeneratePrompt)
class FunctionGenerator(Generate):
    """Design the functions that the sub-tasks of each task take: one model call a row.

    The cell is a list, one item a sub-task: `sub_task` and `func_list`, whose items have `name`, `description`,
    `parameters` and `responses` (name to JSON schema) and `required`. A reply of another shape is asked for once more.
    A row fails where a schema is no valid JSON schema (draft 2020-12), refers to another one, or requires a parameter
    that there is not, where two functions share a name, or where there is none.
    """

    input_composition_task_key = In(doc="the task as a whole")
    input_sub_tasks_keys = In(doc="the columns of its sub-tasks", type="any", many=True)
    output_key = Out("functions", "the sub-tasks with their functions", type="json")

    def skips(self, row: tuple[Any, ...]) -> bool:
        return any_null(row)

    def request(self, task: Any, sub_tasks: list[Any]) -> Request:
        return build(FuncGeneratePrompt(), {"task": as_text(task), "sub_tasks": listed(sub_tasks)})

    def parse(self, reply: str) -> list[dict[str, Any]]:
        plan = parse_json(reply)
        try:
            return checked(plan)
        except ReplyError as error:
            raise ReplyError(f"{error}, in the reply {clip(reply)}") from error
