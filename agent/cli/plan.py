"""`bookbag plan`: what applying would change on this laptop, and nothing else."""

from __future__ import annotations

import argparse

from agent.cli import _changes
from agent.cli._arguments import layout_of
from agent.cli._reply import show
from agent.client import Client

SUMMARY = "what would change on this laptop, without changing it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace) -> int:
    """Exit 0: nothing; 2: changes pending; 4: trouble."""
    return show(args, Client(layout_of(args)).plan(), _changes.changes)
