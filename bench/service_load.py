"""Ask a service the same thing over and over: `python -m bench.service_load PORT PATH HOLDS CLIENTS REQUESTS USERS`.

Each client has one connection that stays open, and sends the next request when the answer is read. Writes one JSON
line: seconds in all, and how long each answer took. Answers other than 200, or that do not hold HOLDS, end it: one that
lacks what was asked for is fast.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time


async def _client(port: int, path: str, holds: bytes, tokens: list[str], took: list[float]) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    size = 0
    for token in tokens:
        request = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: authjs.session-token={token}\r\n\r\n"
        began = time.perf_counter()
        writer.write(request.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode(errors="replace"))
        length = next(
            int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        )
        answer = await reader.readexactly(length)
        if holds not in answer:
            raise SystemExit(answer.decode(errors="replace"))
        took.append(time.perf_counter() - began)
        size += length
    writer.close()
    return size


async def _main(port: int, path: str, holds: bytes, clients: int, requests: int, users: int) -> None:
    took: list[float] = []
    shares = [
        [f"session-{(number * 7_919 + client * 31) % users}" for number in range(requests // clients)]
        for client in range(clients)
    ]
    began = time.perf_counter()
    sizes = await asyncio.gather(*(_client(port, path, holds, share, took) for share in shares))
    print(json.dumps({"seconds": time.perf_counter() - began, "bytes": sum(sizes), "took": took}))


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), sys.argv[2], sys.argv[3].encode(), *map(int, sys.argv[4:])))
