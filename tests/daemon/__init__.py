"""Tests of agent/daemon."""
