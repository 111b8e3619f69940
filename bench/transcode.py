"""Suite transcode: the core alone, BSON in memory to COPY rows in memory, on one core."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from bench.data import Data
from bench.load import KEY, MAPPING
from bench.machine import say, write
from isthmus._rust import Transcoder
from isthmus.mapping import load_mapping
from isthmus.mapping.plan import compile_plans
from isthmus.sources import open_source

COLLECTION = "tasks"
BLOCK_BYTES = 4 << 20


def measure(data: Data, rounds: int) -> None:
    """Transcode the whole collection `rounds` times in one thread; write one line with the median."""
    transcoder = Transcoder(compile_plans(load_mapping(MAPPING))[COLLECTION], KEY, 0)
    source = open_source(data.folder, database=None)
    whole = source.partitions(COLLECTION, 1)[0]
    blocks = [block.data for block in source.read(whole, after=None, until=None, max_bytes=BLOCK_BYTES)]
    source.close()
    size = sum(len(block) for block in blocks)
    seconds: list[float] = []
    cpu_seconds: list[float] = []
    documents = rows_bytes = 0
    for _ in range(rounds):
        documents = rows_bytes = 0
        began_at, cpu_began = time.monotonic(), time.process_time()
        for block in blocks:
            batch = transcoder.transcode(block)
            documents += batch.accepted
            rows_bytes += sum(batch.size(table) for table in range(len(batch.tables)))
        cpu_seconds.append(time.process_time() - cpu_began)
        seconds.append(time.monotonic() - began_at)
    speeds = [round(size / one / 1e6, 1) for one in cpu_seconds]
    say(f"transcode: {speeds} MB/s of BSON for each second of one processor")
    write(
        "transcode",
        {
            "data": {**data.described(), "collection": COLLECTION, "collection_bytes": size},
            "mb_per_second": round(size / median(seconds) / 1e6, 1),
            "mb_per_cpu_second": round(size / median(cpu_seconds) / 1e6, 1),
            "documents_per_second": round(documents / median(seconds)),
            "row_bytes": rows_bytes,
            "all_mb_per_cpu_second": speeds,
            "mapping": Path(MAPPING).name,
        },
    )
