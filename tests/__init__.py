"""The tests: a package that mirrors `agent`, beside contract, cases, lab, browser and bench."""
