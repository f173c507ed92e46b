"""Floor of a resident: a loop that answers JSON on a Unix socket (argument: its path)."""

import json
import os
import selectors
import signal
import socket
import sys

with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(sys.argv[1])
    listener.listen()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for _ in selector.select():
            connection, _address = listener.accept()
            connection.sendall(json.dumps({"pid": os.getpid()}).encode())
            connection.close()
