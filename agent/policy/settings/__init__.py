"""What a school means: one file per setting, in a folder for each group; ``screen_lock/after.py`` is
screen-lock.after.
"""
