"""For tests of operators and pipelines, ours and everybody's: cases, promises, scripted and faulty model servers.

Importing this loads none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.core.lazy import lazy

if TYPE_CHECKING:
    from dataflow.testing.cases import FAILED as FAILED
    from dataflow.testing.cases import Case as Case
    from dataflow.testing.cases import Table as Table
    from dataflow.testing.cases import expands as expands
    from dataflow.testing.cases import keeps as keeps
    from dataflow.testing.cases import maps as maps
    from dataflow.testing.cases import replies as replies
    from dataflow.testing.cases import run_rows as run_rows
    from dataflow.testing.conformance import check_operator as check_operator
    from dataflow.testing.faults import Faults as Faults
    from dataflow.testing.faulty_serving import FaultyServing as FaultyServing
    from dataflow.testing.process import ServerProcess as ServerProcess
    from dataflow.testing.server import FaultyServer as FaultyServer
    from dataflow.testing.serving import ScriptedServing as ScriptedServing

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "FAILED": "cases",
        "Case": "cases",
        "Faults": "faults",
        "FaultyServer": "server",
        "FaultyServing": "faulty_serving",
        "ScriptedServing": "serving",
        "ServerProcess": "process",
        "Table": "cases",
        "check_operator": "conformance",
        "expands": "cases",
        "keeps": "cases",
        "maps": "cases",
        "replies": "cases",
        "run_rows": "cases",
    },
)
