"""Make a NextCRM database in MongoDB's form, and the truth about what is planted in it.

    python -m apps.nextcrm.generate --profile as-run DUMP/nextcrm
    python -m apps.nextcrm.generate --profile busy --documents 1000000 mongodb://127.0.0.1:27017/nextcrm --truth F

Seeded: the same profile, size and seed give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from apps.nextcrm.generator.build import generate, profile_of
from apps.nextcrm.generator.sinks import DumpFolder, Server


def main(arguments: list[str] | None = None) -> int:
    """Make the database that the arguments ask for; exits 2 where they are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m apps.nextcrm.generate",
        description="Make a NextCRM database in MongoDB's form, and the truth about what is planted in it.",
    )
    parser.add_argument("to", help="folder for a dump (the database's own), or mongodb://HOST/DATABASE")
    parser.add_argument("--profile", choices=("as-run", "busy"), default="as-run", help="default: as-run")
    parser.add_argument("--documents", type=int, default=1_000_000, help="of busy, in all; default: 1,000,000")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument("--truth", type=Path, help="file for the truth; default: TO with the ending .truth.json")
    given = parser.parse_args(arguments)
    if given.documents < 1:
        parser.error("--documents is at least 1")
    live = "://" in given.to
    if live and given.truth is None:
        parser.error("--truth is needed where the database goes to a server")
    profile = profile_of(given.profile, given.documents)
    with Server(given.to) if live else DumpFolder(Path(given.to)) as sink:
        truth = generate(profile, given.seed, sink)
    path = given.truth or Path(f"{given.to.rstrip('/')}.truth.json")
    truth.write(path)
    total = sum(truth.read.values()) + sum(truth.left_behind.values())
    sys.stderr.write(f"{total:,} documents, {len(truth.planted):,} things planted; the truth: {path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
