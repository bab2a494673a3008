"""`PipelineABC`: storages, servings and operators in `__init__`, one pass over them in `forward`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflow.core.background import replaying
from dataflow.core.errors import StorageError

if TYPE_CHECKING:
    import polars as pl

    from dataflow.pipeline.nodes import OperatorNode
    from dataflow.pipeline.tuning import Suggestion
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

    def compile(
        self, allow_overwrite: Collection[str] = (), *, optimise: bool | Collection[str] = True
    ) -> Plan:
        """Check the whole pipeline, and make `forward()` run compiled from now on. Nothing runs, no call is made.

        Args:
            allow_overwrite: columns that may be overwritten though nothing has read them.
            optimise: which rewrites are made, all or none or those named (`dataflow.plan.optimise.REWRITES`). None
                changes the table that comes out.

        Raises:
            CompileError: all mistakes in one report.
        """
        self._allowed, self._optimise = tuple(allow_overwrite), optimise
        self._plan = self._compiled()
        self.forward = self._compiled_forward  # type: ignore[method-assign]
        return self._plan

    def _compiled(self, **how: Any) -> Plan:
        from dataflow.pipeline.compiled import compile_pipeline

        settled = {"optimise": getattr(self, "_optimise", True)}
        return compile_pipeline(self, getattr(self, "_allowed", ()), **(settled | how))

    @property
    def compiled(self) -> bool:
        return getattr(self, "_plan", None) is not None

    def plan(self) -> Plan:
        """The checked plan; `print` it to see stages, columns, rewrites and, after a preview, the expected cost."""
        return self.compile(getattr(self, "_allowed", ()), optimise=getattr(self, "_optimise", True))

    def preview(self, rows: int = 5, *, progress: bool = False) -> Run:
        """Run the first few source rows. What they cost is not paid again by the full run."""
        return self.run(limit=rows, progress=progress)

    def tune(self, keep: float = 0.8, rows: int = 2000, *, progress: bool = False) -> list[Suggestion]:
        """Run a sample, and find for each filter the thresholds that keep a wished share of the rows that reach it.

        Args:
            keep: the share, 0-1, that each filter by itself shall keep.
            rows: source rows of the sample, the first ones.
            progress: show the sample run.
        """
        from dataflow.pipeline.tuning import suggestions

        sample = self.run(limit=rows, progress=progress)
        return suggestions(self.plan().flows[-1].calls, sample.summary["steps"], keep)

    def run(
        self,
        resume_step: int = 0,
        keep_steps: bool = False,
        progress: bool = True,
        limit: int | None = None,
        retry_failed: bool = False,
        *,
        target_rows: int | None = None,
        max_candidates: int | None = None,
        max_error_rate: float | None = None,
        budget: float | None = None,
        replay: str | Path | None = None,
        on_rows: Callable[[pl.DataFrame], object] | None = None,
    ) -> Run:
        """Run compiled: checked, streamed, resumable. Run it again after a crash, and nothing is paid for twice.

        Args:
            resume_step: skip that many steps, and start from the table that the last of them left.
            keep_steps: write the table after every step, as eager mode does; nothing is then rewritten.
            progress: show rows, calls, tokens and cost while it runs, where there is a terminal.
            limit: source rows at most.
            retry_failed: try the rows again that an earlier run set aside as failed.
            target_rows: stop when so many rows have come through: the table is the first so many, in order.
            max_candidates: source rows begun at most for `target_rows`.
            max_error_rate: the share of failed rows, 0-1, beyond which a step stops the run.
            budget: US dollars that the run may cost, restarts of it included; a call is sent only where it fits.
            replay: a recording (`dataflow record`) that answers all calls; none is made.
            on_rows: called with rows of the final table as soon as they are through, in no fixed order; after a
                crash it may be given rows again.

        Raises:
            CompileError: before anything runs.
            RunStopped: a serving cannot answer, or a limit was met; run again to go on.
        """
        from dataflow.runtime.execute import Options, run_plan

        options = Options(
            limit, keep_steps, retry_failed, progress, target_rows, max_candidates, max_error_rate, budget,
            Path(replay) if replay else None, on_rows,
        )  # fmt: skip
        if resume_step:
            self._require_step(resume_step)
        rewrites = {"optimise": False} if keep_steps else {}
        token = replaying.set(replay is not None)
        try:
            plan = self._compiled(resume_step=resume_step, limit=limit, **rewrites)
            return run_plan(plan, options)
        finally:
            replaying.reset(token)

    def stream(self, *, progress: bool = False, **options: Any) -> AsyncIterator[pl.DataFrame]:
        """Run compiled, and read the rows of the final table as they come through: `async for frame in …`.

        Takes the options of `run` but `on_rows`. A slow reader holds the run back. Leaving the loop stops the run
        like Ctrl-C does: what is paid for is saved, and running again goes on from there; leave it by `aclose()` or
        `contextlib.aclosing`, for an abandoned stream ends only with the event loop.

        Raises:
            CompileError: before anything runs.
            RunStopped: as `run` does.
        """
        from dataflow.pipeline.streaming import stream

        return stream(self.run, progress=progress, **options)

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
