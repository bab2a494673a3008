"""Pipelines that ship with the package: run them as they are, or take them as a pattern."""
