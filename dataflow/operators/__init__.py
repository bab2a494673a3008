"""The operators, a package a domain. Import them from their domain: `from dataflow.operators.core_text import …`."""
