"""proxy.py PORT: an HTTP proxy whose every connection leads to that port of its own pod, whatever name was asked for."""

import asyncio
import sys

port = int(sys.argv[1])


async def copy(reader, writer):
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()


async def connect(reader, writer):
    request = await reader.readuntil(b"\r\n\r\n")
    if not request.startswith(b"CONNECT "):
        writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        return
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
    await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer), return_exceptions=True)


async def main():
    server = await asyncio.start_server(connect, "0.0.0.0", 3128)
    await server.serve_forever()


asyncio.run(main())
