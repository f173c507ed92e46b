"""What every host must do, as plain functions that need no test runner: they also run inside a lab laptop.

``python3 -m tests.contract.run`` runs them over the real machine it stands on; `tests/contract/test_*.py`
over the sandbox and over real files below a temporary folder.
"""
