"""The least that the same work can cost: bare programs, run as `python -I -S FILE` (or compiled with cc)."""
