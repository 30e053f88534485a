"""Notes every request it sees, as uvicorn with h11 reads it."""

import hashlib
import json
import os

LOG = os.open(os.environ["SEEN_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    whole = False
    while not whole:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        body += message.get("body", b"")
        whole = not message.get("more_body", False)
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    seen = {
        "method": scope["method"],
        "target": target.decode("latin-1"),
        "headers": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in scope["headers"]],
        "length": len(body),
        "whole": whole,
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    os.write(LOG, json.dumps(seen).encode() + b"\n")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"seen\n"})
