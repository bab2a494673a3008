"""For tests of operators and pipelines, ours and everybody's: cases, promises, scripted and faulty model servers."""

from dataflow.testing.cases import FAILED, Case, Table, expands, keeps, maps, replies, run_rows
from dataflow.testing.conformance import check_operator
from dataflow.testing.serving import ScriptedServing

__all__ = [
    "FAILED",
    "Case",
    "ScriptedServing",
    "Table",
    "check_operator",
    "expands",
    "keeps",
    "maps",
    "replies",
    "run_rows",
]
