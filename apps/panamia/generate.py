"""Make a Pana MIA database as it was in MongoDB, the truth about what is planted in it, and the answers of people.

    python -m apps.panamia.generate DUMP/panamia
    python -m apps.panamia.generate --people 200000 mongodb://127.0.0.1:27017/panamia --truth F

Seeded: the same number of people and the same seed give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from apps.generating.command import open_sink, truth_path, writing
from apps.panamia.generator.build import FEWEST, WRITTEN, generate
from apps.panamia.generator.resolutions import beside, write_resolutions
from apps.panamia.generator.truth import Truth


def main(arguments: list[str] | None = None) -> int:
    """Make the database that the arguments ask for; exits 2 where they are wrong, 1 where it cannot be written."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.people < FEWEST:
        parser.error(f"--people is at least {FEWEST}: fewer have no room for everything that is planted")
    file = truth_path(parser, given.to, given.truth)
    resolutions: Path = given.resolutions or beside(file)
    with writing(parser, file, resolutions) as stack:
        sink = open_sink(parser, stack, given.to, "panamia", WRITTEN, replace=given.replace)
        truth = stack.enter_context(Truth(file, given.people, given.seed))
        world = generate(given.people, given.seed, sink, truth)
        answers = write_resolutions(resolutions, world.people.instances, world.ids)
    sys.stderr.write(
        f"{truth.documents:,} documents of {given.people:,} people, {truth.plants:,} things planted\n"
        f"the truth: {file}\n{answers:,} answers to conflicts: {resolutions}\n"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        prog="python -m apps.panamia.generate",
        description="Make a Pana MIA database as it was in MongoDB, the truth about what is planted in it, and the"
        " answers of people to its conflicts.",
        epilog="Exit codes: 0 made; 1 it could not be written, the message says why; 2 wrong arguments, or documents"
        " are there already.",
    )
    parser.add_argument("to", help="folder for a dump (the database's own), or mongodb://HOST/DATABASE")
    parser.add_argument(
        "--people", type=int, default=1_000, help=f"{FEWEST} or more, about 13 documents each; default: 1,000"
    )
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument(
        "--truth", type=Path, help="file for the truth, with a folder beside it; default: TO.truth.json"
    )
    parser.add_argument(
        "--resolutions", type=Path, help="file for the answers; default: beside the truth, as .resolutions.yaml"
    )
    parser.add_argument("--replace", action="store_true", help="delete Pana MIA's collections that are there already")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
