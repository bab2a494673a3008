"""How good conversations with function calls are."""

from __future__ import annotations

from typing import Any

from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text
from dataflow.core.generate import Judge, build
from dataflow.core.ports import In, Out
from dataflow.core.prompt import prompt_restrict
from dataflow.core.protocols import Request
from dataflow.core.replies import clip, parse_json, parse_score
from dataflow.operators.conversations._replies import transcript
from dataflow.prompts.conversations import ConversationEvalPrompt


@prompt_restrict(ConversationEvalPrompt)
class FuncCallConversationSampleEvaluator(Judge):
    """Score conversations with function calls from 1 to 5 by a model: one call a row.

    A reply without a whole number from 1 to 5 as `score` fails the row.
    """

    input_conversation_key = In("conversations", "the turns of a conversation", type="any")
    output_score_key = Out("score", "the score, 1 to 5", type="int")

    def request(self, conversation: Any) -> Request:
        return build(ConversationEvalPrompt(), {"conversation": transcript(conversation)})

    def parse(self, reply: str) -> Any:
        score = parse_json(reply, dict).get("score")
        if score is None or isinstance(score, (bool, list, dict)):
            raise ReplyError(f"no score in the reply {clip(reply)}")
        return parse_score(as_text(score), *self.scale)
