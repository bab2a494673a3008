"""The prompts of the operators for Text-to-SQL."""

from dataflow.prompts.text2sql.answers import (
    Text2SQLCotGeneratorPrompt,
    Text2SQLPromptGeneratorPrompt,
    Text2VecSQLPromptGeneratorPrompt,
)
from dataflow.prompts.text2sql.queries import (
    SelectSQLGeneratorPrompt,
    SelectVecSQLGeneratorPrompt,
    SQLVariationGeneratorPrompt,
)
from dataflow.prompts.text2sql.questions import (
    Text2SQLCorrespondenceFilterPrompt,
    Text2SQLQuestionGeneratorPrompt,
    Text2VecSQLQuestionGeneratorPrompt,
)

__all__ = [
    "SQLVariationGeneratorPrompt",
    "SelectSQLGeneratorPrompt",
    "SelectVecSQLGeneratorPrompt",
    "Text2SQLCorrespondenceFilterPrompt",
    "Text2SQLCotGeneratorPrompt",
    "Text2SQLPromptGeneratorPrompt",
    "Text2SQLQuestionGeneratorPrompt",
    "Text2VecSQLPromptGeneratorPrompt",
    "Text2VecSQLQuestionGeneratorPrompt",
]
