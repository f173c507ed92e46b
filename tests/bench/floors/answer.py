"""The least that systemd can start for a visitor: bare Python answers one connection, from descriptor 3."""

import socket

listening = socket.socket(fileno=3)
listening.setblocking(True)
connection, _ = listening.accept()
connection.recv(65536)
connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
connection.close()
