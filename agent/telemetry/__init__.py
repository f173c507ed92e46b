"""What a laptop reports, and how a family can see all of it: records, collectors, the last gate, the spool,
OTLP.

Nothing here opens a connection. Nothing is collected unless signed policy names the record.
"""
