"""`python -m tests.bench`: the budgets of the design, each figure beside a floor or peer."""
