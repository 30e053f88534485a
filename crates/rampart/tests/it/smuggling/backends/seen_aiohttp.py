"""Notes every request it sees, as aiohttp reads it."""

import asyncio
import hashlib
import json
import os
import sys

from aiohttp import web

LOG = os.open(os.environ["SEEN_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


async def handle(request):
    whole = True
    try:
        body = await request.read()
    except Exception:
        body, whole = b"", False
    seen = {
        "method": request.method,
        "target": request.raw_path if hasattr(request, "raw_path") else request.path_qs,
        "headers": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in request.raw_headers],
        "length": len(body),
        "whole": whole,
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    os.write(LOG, json.dumps(seen).encode() + b"\n")
    return web.Response(body=b"seen\n")


async def main():
    server = web.Server(handle, keepalive_timeout=600, access_log=None, auto_decompress=False)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]))
    await site.start()
    await asyncio.Event().wait()


asyncio.run(main())
