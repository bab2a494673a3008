"""Tests of pipelines use the tiny models of those of operators."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "operators"))
