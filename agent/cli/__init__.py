"""`bookbag`: one verb per file, talking only to the typed client. Modules whose name begins with `_` are not
verbs.

A verb has ``SUMMARY``, ``add_arguments(parser)`` and ``run(args) -> exit code``.
"""
