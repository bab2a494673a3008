"""Prompt templates, a module a domain: data more than code."""
