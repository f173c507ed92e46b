"""The machine by capability. `base` says what a host can be asked; `linux` is real, `sandbox` is a laptop
in a folder.
"""
