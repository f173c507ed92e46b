"""The layers of a locked laptop, one file each, over the same small ports on a real machine and in a folder.

In this order: who may log in at all (`login_gate`), what the machine starts (`boot_target`), who is there now
(`sessions`), other consoles (`consoles`). Each layer is journaled by whoever locks: `observe` first, durably,
then `close`; `restore` gets back what `observe` said.
"""
