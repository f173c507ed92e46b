"""Named attacks, each with its positive control. Importing this package lists them all in
`tests.trust.evil.table`.
"""

from tests.trust.evil.attacks import commands, content, files, memory, orders, repository, roles, sessions

__all__ = ["commands", "content", "files", "memory", "orders", "repository", "roles", "sessions"]
