"""Model-written programs run here, apart from the machine."""

from dataflow.sandbox.programs import Case, Execution, Language, Limits, Program, Verdict
from dataflow.sandbox.sandbox import Sandbox

__all__ = ["Case", "Execution", "Language", "Limits", "Program", "Sandbox", "Verdict"]
