"""What executes a plan: local streaming, the run directory, statistics, the report."""
