"""Writes a planted database: `python -m tests.planted crm OUT --seed 1 --documents 1000`."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.planted import crm, random_database
from tests.planted.random_database import ORDINARY_SETTINGS, Settings
from tests.planted.write import write_dump


def main() -> None:
    """Write a database and its truth, and say where they are."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description="Write a database with planted truth.")
    parser.add_argument("generator", choices=["crm", "random"])
    parser.add_argument("out", type=Path, metavar="OUT", help="folder for dump/<database>/ and truth.json")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes (1)")
    parser.add_argument("--documents", type=int, default=1000, help="about so many in all collections together (1000)")
    parser.add_argument("--gzip", action="store_true", help="compress the files of the dump")
    random_only = parser.add_argument_group("of random databases")
    random_only.add_argument("--collections", type=int, default=ORDINARY_SETTINGS.collections)
    random_only.add_argument("--references", type=int, default=ORDINARY_SETTINGS.references)
    random_only.add_argument("--orphan-rate", type=float, default=ORDINARY_SETTINGS.orphan_rate)
    random_only.add_argument("--stray-rate", type=float, default=ORDINARY_SETTINGS.stray_rate)
    random_only.add_argument("--reuse-rate", type=float, default=ORDINARY_SETTINGS.reuse_rate)
    random_only.add_argument("--tidy", action="store_true", help="nothing odd, nothing that PostgreSQL refuses")
    given = parser.parse_args()
    if given.generator == "crm":
        database = crm.generate(seed=given.seed, documents=given.documents)
    else:
        settings = Settings(
            collections=given.collections,
            documents=given.documents,
            references=given.references,
            orphan_rate=given.orphan_rate,
            stray_rate=given.stray_rate,
            reuse_rate=given.reuse_rate,
            odd=not given.tidy,
        )
        database = random_database.generate(seed=given.seed, settings=settings)
    written = write_dump(database, given.out, compressed=given.gzip)
    print(f"{sum(one.documents for one in database.truth.collections)} documents: {written.dump}")
    print(f"{len(database.truth.references)} references and all counts: {written.truth}")


if __name__ == "__main__":
    main()
