"""One round with a source: look for news, bring it into the spool, deliver what waits. Unprivileged; nothing
here is believed.

Root verifies everything again from the spool (`agent.trust`), so a fault in this room can delay news and
never forge it.
"""
