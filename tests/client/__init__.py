"""Tests of agent/client.py."""
