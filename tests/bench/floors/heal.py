"""Floor of healing: watch a folder (argument 1), and put "right" back into each file that is not so."""

import ctypes
import os
import sys

folder = sys.argv[1]
RIGHT = b"right\n"
MODIFY, ATTRIB, CLOSE_WRITE, MOVED_FROM, MOVED_TO, CREATE, DELETE = 2, 4, 8, 0x40, 0x80, 0x100, 0x200
libc = ctypes.CDLL(None, use_errno=True)
names = sorted(os.listdir(folder))
watch = libc.inotify_init1(os.O_CLOEXEC)
mask = MODIFY | ATTRIB | CLOSE_WRITE | MOVED_FROM | MOVED_TO | DELETE
if watch < 0 or libc.inotify_add_watch(watch, folder.encode(), mask) < 0:
    sys.exit("cannot watch")
os.write(1, b"ready\n")


def content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


while os.read(watch, 65536):
    for name in names:
        path = f"{folder}/{name}"
        if content(path) == RIGHT:
            continue
        fd = os.open(f"{folder}/.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.write(fd, RIGHT)
        os.fsync(fd)
        os.close(fd)
        os.rename(f"{folder}/.new", path)
