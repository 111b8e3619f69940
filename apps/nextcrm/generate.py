"""Make a NextCRM database in MongoDB's form, and the truth about what is planted in it.

    python -m apps.nextcrm.generate --profile as-run DUMP/nextcrm
    python -m apps.nextcrm.generate --profile busy --documents 1000000 mongodb://127.0.0.1:27017/nextcrm --truth F

Seeded: the same profile, size and seed give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from apps.generating.command import open_sink, truth_path, writing
from apps.nextcrm.generator.build import WRITTEN, generate, profile_of, smallest
from apps.nextcrm.generator.profiles import AS_RUN

DOCUMENTS = 1_000_000


def main(arguments: list[str] | None = None) -> int:
    """Make the database that the arguments ask for; exits 2 where they are wrong, 1 where it cannot be written."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.documents is not None and given.profile != "busy":
        parser.error(f"--documents is of the profile busy; as-run has {sum(AS_RUN.values()):,}")
    if given.documents is not None and given.documents < 1:
        parser.error("--documents is at least 1")
    file = truth_path(parser, given.to, given.truth)
    profile = profile_of(given.profile, given.documents or DOCUMENTS)
    with writing(parser, file) as stack:
        sink = open_sink(parser, stack, given.to, "nextcrm", WRITTEN, replace=given.replace)
        truth = generate(profile, given.seed, sink)
        truth.write(file)
    total = sum(sum(part.values()) for part in (truth.read, truth.left_behind, truth.renamed))
    sys.stderr.write(f"{total:,} documents, {len(truth.planted):,} things planted; the truth: {file}\n")
    if given.documents is not None and sum(profile.sizes.values()) > given.documents:
        sys.stderr.write(f"{given.documents:,} were asked for; what is planted needs more.\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m apps.nextcrm.generate",
        description="Make a NextCRM database in MongoDB's form, and the truth about what is planted in it.",
        epilog="Exit codes: 0 made; 1 it could not be written, the message says why; 2 wrong arguments, or documents"
        " are there already.",
    )
    parser.add_argument("to", help="folder for a dump (the database's own), or mongodb://HOST/DATABASE")
    parser.add_argument("--profile", choices=("as-run", "busy"), default="as-run", help="default: as-run")
    parser.add_argument(
        "--documents", type=int, help=f"of busy, about so many in all, at least {smallest()}; default: {DOCUMENTS:,}"
    )
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument("--truth", type=Path, help="file for the truth; default: TO with the ending .truth.json")
    parser.add_argument("--replace", action="store_true", help="delete NextCRM's collections that are there already")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
