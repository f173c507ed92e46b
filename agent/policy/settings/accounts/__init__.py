"""Accounts and signing in: who may do what on a laptop, when, and how well their passwords hold."""
