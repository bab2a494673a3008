"""The logger of scripts written for open-dataflow 1.x. The library itself logs by module and adds no handlers."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

SUCCESS = 25


class DataFlowLogger(logging.Logger):
    """A logger with the extra level `SUCCESS`, between INFO and WARNING."""

    def success(self, message: str, *args: Any, **settings: Any) -> None:
        if self.isEnabledFor(SUCCESS):
            self._log(SUCCESS, message, args, **settings)


def get_logger(level: int | str | None = None) -> DataFlowLogger:
    """The logger `DataFlow`: below ERROR to stdout, the rest to stderr; its level from DF_LOGGING_LEVEL."""
    logging.addLevelName(SUCCESS, "SUCCESS")
    known = logging.Logger.manager.loggerDict.get("DataFlow")
    if not isinstance(known, DataFlowLogger):
        known = DataFlowLogger("DataFlow")
        known.propagate = False
        logging.Logger.manager.loggerDict["DataFlow"] = known
        for stream, wanted in ((sys.stdout, _below_error), (sys.stderr, _error)):
            known.addHandler(_handler(stream, wanted))
    known.setLevel(level if level is not None else os.environ.get("DF_LOGGING_LEVEL", "INFO"))
    return known


def _handler(stream: Any, wanted: Any) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.addFilter(wanted)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    return handler


def _below_error(record: logging.LogRecord) -> bool:
    return record.levelno < logging.ERROR


def _error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR
