"""Bookbag: the agent that looks after a student's laptop in a one-to-one programme."""

__version__ = "0.1.0"
