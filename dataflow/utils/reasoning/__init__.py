"""Import paths that scripts of open-dataflow 1.x use for reasoning."""
