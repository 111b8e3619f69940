"""Send a service requests from a file: `python -m bench.petsitting_load PORT FILE CLIENTS`.

Each line of the file is a JSON list: method, path, token of a session, body. Each client has one connection that stays
open, and sends the next request when the answer is read. Writes one JSON line: seconds in all, how long each answer
took, how often each status was. Answers of 500 and above end it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any


async def _client(port: int, requests: list[Any], took: list[float], statuses: Counter[str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for method, path, token, body in requests:
        lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"origin: http://127.0.0.1:{port}"]
        if token is not None:
            lines.append(f"cookie: authjs.session-token={token}")
        if body is not None:
            lines += ["content-type: application/json", f"content-length: {len(body.encode())}"]
        began = time.perf_counter()
        writer.write(("\r\n".join([*lines, "", ""]) + (body or "")).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        status = head.split(b" ", 2)[1].decode()
        length = next(
            int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        )
        answer = await reader.readexactly(length)
        took.append(time.perf_counter() - began)
        if status >= "500" or status == "422":
            raise SystemExit(f"{method} {path}: {status} {answer.decode(errors='replace')}")
        statuses[status] += 1
    writer.close()


async def _main(port: int, file: Path, clients: int) -> None:
    took: list[float] = []
    statuses: Counter[str] = Counter()
    requests = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    began = time.perf_counter()
    await asyncio.gather(*(_client(port, requests[client::clients], took, statuses) for client in range(clients)))
    print(json.dumps({"seconds": time.perf_counter() - began, "took": took, "statuses": statuses}))


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
