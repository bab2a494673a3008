"""The import paths of open-dataflow 1.x; see `dataflow.databases`."""
