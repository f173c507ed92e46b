"""Floor of a first apply: COUNT files of fifty bytes in DIR, each as temp, write, fsync, rename."""

import os
import sys

folder, count = sys.argv[1], int(sys.argv[2])
os.makedirs(folder)
for number in range(count):
    path = f"{folder}/{number:04}"
    fd = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(fd, b"file number %04d of the benchmark, fifty bytes long" % number)
    os.fsync(fd)
    os.close(fd)
    os.rename(f"{path}.new", path)
