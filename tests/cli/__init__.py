"""Tests of agent/cli."""
