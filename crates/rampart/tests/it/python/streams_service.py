"""Takes long uploads as they come, and tells listeners what happens when it happens."""

import asyncio
import hashlib
import sys

from aiohttp import web

listeners = set()


async def upload(request):
    digest, size = hashlib.sha256(), 0
    async for piece in request.content.iter_chunked(1 << 16):
        digest.update(piece)
        size += len(piece)
    return web.json_response({"size": size, "sha256": digest.hexdigest()})


async def events(request):
    answer = web.StreamResponse(headers={"content-type": "text/event-stream", "cache-control": "no-cache"})
    await answer.prepare(request)
    queue = asyncio.Queue()
    listeners.add(queue)
    try:
        await answer.write(b"data: welcome\n\n")
        while True:
            await answer.write(b"data: %s\n\n" % await queue.get())
    finally:
        listeners.discard(queue)


async def tell(request):
    text = await request.read()
    for queue in listeners:
        queue.put_nowait(text)
    return web.json_response({"listeners": len(listeners)})


async def wait(request):
    """A long poll: the answer comes with the next thing told."""
    queue = asyncio.Queue()
    listeners.add(queue)
    try:
        return web.Response(body=await queue.get())
    finally:
        listeners.discard(queue)


app = web.Application()
app.router.add_put("/upload", upload)
app.router.add_get("/events", events)
app.router.add_post("/tell", tell)
app.router.add_get("/wait", wait)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
