"""Programs that measure what the promises cost. `python -m bench` runs all; `python -m bench NAME` one."""
