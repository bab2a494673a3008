"""`PipelineABC`: storages, servings and operators in `__init__`, one pass over them in `forward`."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflow.core.errors import StorageError

if TYPE_CHECKING:
    from dataflow.pipeline.nodes import OperatorNode
    from dataflow.plan.plan import Plan
    from dataflow.runtime.runs import Run

log = logging.getLogger(__name__)


class PipelineABC:
    """Set up storages, servings and operators in `__init__`, and run the operators in `forward`.

    As it stands `forward()` runs eagerly: each line works through the whole table and leaves it as a file. After
    `compile()` the same `forward` is checked as a whole and streamed, and a run that was killed goes on from
    where it was.
    """

    def __init__(self) -> None:
        self._plan: Plan | None = None

    def forward(self) -> Any:
        """Call each operator's `run` with `self.storage.step()` and the columns it shall read and write."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def compile(self, allow_overwrite: Collection[str] = ()) -> Plan:
        """Check the whole pipeline, and make `forward()` run compiled from now on. Nothing runs, no call is made.

        Args:
            allow_overwrite: columns that may be overwritten though nothing has read them.

        Raises:
            CompileError: all mistakes in one report.
        """
        from dataflow.pipeline.compiled import compile_pipeline

        self._allowed = tuple(allow_overwrite)
        self._plan = compile_pipeline(self, self._allowed)
        self.forward = self._compiled_forward  # type: ignore[method-assign]
        return self._plan

    @property
    def compiled(self) -> bool:
        return getattr(self, "_plan", None) is not None

    def plan(self) -> Plan:
        """The checked plan; `print` it to see stages, columns and, after a preview, the expected cost."""
        return self.compile(getattr(self, "_allowed", ()))

    def preview(self, rows: int = 5, *, progress: bool = False) -> Run:
        """Run the first few source rows. What they cost is not paid again by the full run."""
        return self.run(limit=rows, progress=progress)

    def run(
        self,
        resume_step: int = 0,
        keep_steps: bool = False,
        progress: bool = True,
        limit: int | None = None,
        retry_failed: bool = False,
    ) -> Run:
        """Run compiled: checked, streamed, resumable. Run it again after a crash, and nothing is paid for twice.

        Args:
            resume_step: skip that many steps, and start from the table that the last of them left.
            keep_steps: write the table after every step, as eager mode does.
            progress: show rows, calls, tokens and cost while it runs, where there is a terminal.
            limit: source rows at most.
            retry_failed: try the rows again that an earlier run set aside as failed.

        Raises:
            CompileError: before anything runs.
            RunStopped: a serving cannot answer; run again when it can.
        """
        from dataflow.pipeline.compiled import compile_pipeline
        from dataflow.runtime.execute import Options, run_plan

        if resume_step:
            self._require_step(resume_step)
        plan = compile_pipeline(self, getattr(self, "_allowed", ()), resume_step=resume_step, limit=limit)
        return run_plan(plan, Options(limit, keep_steps, retry_failed, progress))

    def _require_step(self, step: int) -> None:
        from dataflow.pipeline.compiled import storages_of

        for storage in storages_of(self).values():
            path = Path(storage.path_of(step))
            if not path.exists():
                raise StorageError(
                    f"resume_step={step} starts from the table that step {step} left, but {path} is not there. "
                    "Run without resume_step: what is finished and unchanged is used again by itself."
                )

    def _compiled_forward(self, resume_step: int = 0, **_: Any) -> Run:
        return self.run(resume_step=resume_step, keep_steps=True)

    def draw_graph(self, path: str | Path = "pipeline.html", **_: Any) -> Path:
        """Draw operators and columns as one HTML (or, by its suffix, SVG) file, and name it."""
        from dataflow.plan.draw import graph_html, graph_svg

        plan, target = self.plan(), Path(path)
        steps = plan.steps()
        drawn = graph_svg(steps) if target.suffix == ".svg" else graph_html(steps)
        target.write_text(drawn, encoding="utf-8")
        return target

    @property
    def op_nodes_list(self) -> list[OperatorNode]:
        """The steps as nodes, between one for the input and one for the output."""
        from dataflow.pipeline.nodes import nodes_of

        return nodes_of(self.plan())

    @property
    def llm_serving_list(self) -> list[Any]:
        """The serving of each step that asks a model, null for the others."""
        return [n.llm_serving for n in self.op_nodes_list[1:-1]]

    @property
    def final_keys(self) -> list[str]:
        """The columns of the table that comes out."""
        return list(self.plan().flows[-1].schema)


class BatchedPipelineABC(PipelineABC):
    """The old name for pipelines that work in batches, as every compiled pipeline now does."""

    def _compiled_forward(
        self, resume_step: int = 0, batch_size: int | None = None, resume_from_last: bool = True, **_: Any
    ) -> Run:
        return self.run(resume_step=resume_step, keep_steps=True)


class StreamBatchedPipelineABC(BatchedPipelineABC):
    """The old name for pipelines that stream, as every compiled pipeline now does."""
