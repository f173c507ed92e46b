"""An OTLP receiver on the school's server that keeps every byte of every connection, heads and all.

``python recorder.py ADDRESS PORT FILE``: answers each POST with "taken" and appends what came to FILE.
"""

from __future__ import annotations

import http.server
import sys


class Recorder(http.server.BaseHTTPRequestHandler):
    """Writes down, then says yes."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[3], "ab") as file:
            file.write(self.requestline.encode() + b"\n" + bytes(self.headers) + body + b"\n")
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Recorder).serve_forever()
