"""Databases that model-written SQL runs on: connectors, their manager, schemas, results and queries."""
