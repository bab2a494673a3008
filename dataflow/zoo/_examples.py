"""The small tables that the pipelines of this package read unless they are given another."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parent / "data"

TEXTS = str(DATA / "texts.jsonl")
"""`text`: an article of one paragraph."""
CONVERSATIONS = str(DATA / "conversations.jsonl")
"""`conversations`: a list of turns, each with `from` (`human` or `gpt`) and `value`."""
FUNCTION_CHATS = str(DATA / "function_chats.jsonl")
"""`system`, `chat`: what an assistant is for, and a dialogue with it as text, with `USER:` and `ASSISTANT:`."""
DRAFTS = str(DATA / "drafts.jsonl")
"""`raw_content`: a text with mistakes."""
TERMS = str(DATA / "terms.jsonl")
"""`role`, `term`: who wants to know what."""
BENCH = str(DATA / "bench.jsonl")
"""`question`, `solution`, `answer`: exercises in arithmetic."""
BENCH_ANSWERS = str(DATA / "bench_answers.jsonl")
"""`id`, `question`, `model_answer`, `golden_label`: answers of a model beside the right ones."""
BENCH_TARGETS = str(DATA / "bench_targets.jsonl")
"""`id`, `context`, `question`, `targets`: any of the targets is right."""
BENCH_CHOICE = str(DATA / "bench_choice.jsonl")
"""`id`, `context`, `question`, `choices`, `label`: the label is the number of the right choice, from 0."""
BENCH_CHOICES = str(DATA / "bench_choices.jsonl")
"""`id`, `context`, `question`, `choices`, `labels`: the numbers of all right choices, from 0."""
BENCH_PREFERENCE = str(DATA / "bench_preference.jsonl")
"""`id`, `context`, `question`, `better`, `rejected`: two answers, of which the first is the better one."""
MONOMERS = str(DATA / "monomers.jsonl")
"""`text`, `abbreviations`, `golden_label`: passages about polymers, the monomers wanted, and their SMILES."""
PAGES = str(DATA / "pages.jsonl")
"""`raw_content`: pages as they are crawled, good ones and what the web is full of."""
INSTRUCTIONS = str(DATA / "instructions.jsonl")
"""`instruction`, `output`: requests and answers, some of a word or two."""
MATH_QUESTIONS = str(DATA / "math_questions.jsonl")
"""`instruction`, `output`, `golden_answer`, `source`: problems of mathematics from two data sets, with solutions."""
MATH_SOLUTIONS = str(DATA / "math_solutions.jsonl")
"""`instruction`, `output`, `golden_answer`: solutions in arithmetic, some wrong, repetitive or without a box."""
REASONING_QUESTIONS = str(DATA / "reasoning_questions.jsonl")
"""`instruction`, `golden_answer`: questions of many fields that take reasoning."""
SOURCE_FILES = str(DATA / "source_files.jsonl")
"""`text`, `filename`, `filetype`, `line_count` and more: files of Python's standard library, code and other."""
CODE_SNIPPETS = str(DATA / "code_snippets.jsonl")
"""`raw_code`: functions of Python's standard library."""
CODE_TASKS = str(DATA / "code_tasks.jsonl")
"""`instruction`: what people would have a program do, said loosely."""
HUMAN_EVAL = str(DATA / "human_eval.jsonl")
"""`task_id`, `prompt`, `canonical_solution`, `test`, `entry_point`: problems of HumanEval, with tests."""
TEXT2SQL = str(DATA / "text2sql.jsonl")
"""`db_id`, `question`, `SQL`: questions about the example databases with queries, some of which are wrong."""
