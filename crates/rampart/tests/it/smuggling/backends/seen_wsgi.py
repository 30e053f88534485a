"""Notes every request it sees, as gunicorn reads it."""

import hashlib
import json
import os

LOG = os.open(os.environ["SEEN_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def app(environ, start_response):
    body = environ["wsgi.input"].read()
    headers = [
        [name[5:].replace("_", "-"), value]
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    if "CONTENT_LENGTH" in environ:
        headers.append(["content-length", environ["CONTENT_LENGTH"]])
    seen = {
        "method": environ["REQUEST_METHOD"],
        "target": environ["RAW_URI"],
        "headers": headers,
        "length": len(body),
        "whole": True,
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    os.write(LOG, json.dumps(seen).encode() + b"\n")
    start_response("200 OK", [("Content-Length", "5")])
    return [b"seen\n"]
