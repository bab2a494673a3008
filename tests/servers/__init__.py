"""Servers of databases that tests start for themselves."""
