"""Talks to the application through the gateway; says `fine` when everything was as it must be."""

import asyncio
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedOK, InvalidStatus


async def main(port, key):
    uri = f"ws://app.localhost:{port}/live"
    keyed = {"Authorization": f"Bearer {key}"}
    there = {"host": "127.0.0.1", "port": port}
    try:
        async with connect(uri, **there):
            raise AssertionError("nobody was let in")
    except InvalidStatus as refused:
        assert refused.response.status_code == 401, refused
    async with connect(uri, additional_headers=keyed, **there) as socket:
        for message in ["hello", "", "žluťoučký 🐎", b"\x00\xff" * 5, "x" * 100_000, b"y" * 1_000_000]:
            await socket.send(message)
            assert await socket.recv() == message
        await socket.send(["in ", "three ", "pieces"])
        assert await socket.recv() == "in three pieces"
        await socket.send("count")
        assert [await socket.recv() for _ in range(100)] == [str(n) for n in range(100)]
        delay = await (await socket.ping())
        assert delay < 5, delay
        await socket.send("bye")
        try:
            await socket.recv()
            raise AssertionError("it goes on")
        except ConnectionClosedOK as closed:
            assert closed.rcvd.reason == "as you wish", closed
    many = [connect(uri, additional_headers=keyed, **there) for _ in range(20)]
    sockets = await asyncio.gather(*(one.__aenter__() for one in many))
    for number, socket in enumerate(sockets):
        await socket.send(str(number))
    assert [await socket.recv() for socket in sockets] == [str(n) for n in range(20)]
    await asyncio.gather(*(socket.close() for socket in sockets))
    print("fine")


asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
