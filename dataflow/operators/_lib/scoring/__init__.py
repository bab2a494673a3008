"""Scores of texts by models in this process: loaded once, shared, asked in batches of like length."""
