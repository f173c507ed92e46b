"""From a school's document to the machine's state: read, rank, compile, plan, apply, heal, undo.

Nothing is imported here: the lean audit and the desk need different halves of this room.
"""
