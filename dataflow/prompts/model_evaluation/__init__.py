"""Prompts that judge the answers of other models."""
