"""Tests of agent/sync."""
