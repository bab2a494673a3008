"""Prompts for questions and answers that take reasoning."""
