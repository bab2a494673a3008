"""Compiling: the symbolic storage that traces forward(), the checks, the plan."""
