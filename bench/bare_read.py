"""Reads collections of a server and does nothing with them: `python -m bench.bare_read URL COLLECTION…`.

pymongo alone, raw batches in the order of `_id`, each of about 4 MiB as in a copy; no reply is looked into. Prints what
it came to as JSON: bytes, seconds, processor time of this process from the first query to the last reply.
"""

from __future__ import annotations

import json
import sys
import time

from pymongo import MongoClient

_INDEX = [("_id", 1)]
_REPLY_DOCUMENTS = 15_000  # of about 268 bytes


def main() -> None:
    """Read every collection to its end."""
    url, *collections = sys.argv[1:]
    with MongoClient[dict[str, object]](url) as client:
        client.admin.command("ping")
        database = client.get_default_database()
        size = 0
        began_at, cpu_began = time.monotonic(), time.process_time()
        for name in collections:
            cursor = database[name].find_raw_batches({}, sort=_INDEX, hint=_INDEX, batch_size=_REPLY_DOCUMENTS)
            for reply in cursor:
                size += len(reply)
        spent = {"seconds": time.monotonic() - began_at, "cpu_seconds": time.process_time() - cpu_began, "bytes": size}
    print(json.dumps(spent))


if __name__ == "__main__":
    main()
