"""A WebSocket application of its own: sends back what it gets, counts when asked to."""

import asyncio
import sys

from websockets.asyncio.server import serve


async def talk(socket):
    async for message in socket:
        if message == "count":
            for number in range(100):
                await socket.send(str(number))
        elif message == "bye":
            await socket.close(1000, "as you wish")
        else:
            await socket.send(message)


async def main(port):
    async with serve(talk, "127.0.0.1", port, max_size=2**22) as server:
        await server.serve_forever()


asyncio.run(main(int(sys.argv[1])))
