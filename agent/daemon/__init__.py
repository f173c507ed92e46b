"""The resident supervisor, the workers it starts, and the wiring that joins ports to implementations.

What the resident process imports (everything here but worker.py and workers/) stays free of heavy modules:
tests/daemon/test_lean.py asks a running supervisor for its ``sys.modules``.
"""
