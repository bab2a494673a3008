"""The contracts: ports, operators and their kinds, prompts, errors."""
