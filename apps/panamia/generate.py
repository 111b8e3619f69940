"""Make a Pana MIA database as it was in MongoDB, the truth about what is planted in it, and the answers of people.

    python -m apps.panamia.generate DUMP/panamia
    python -m apps.panamia.generate --people 200000 mongodb://127.0.0.1:27017/panamia --truth F

Seeded: the same number of people and the same seed give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from textwrap import shorten

from pymongo.errors import PyMongoError

from apps.generating.command import is_server, open_sink
from apps.panamia.generator.build import FEWEST, WRITTEN, generate
from apps.panamia.generator.resolutions import beside, write_resolutions
from apps.panamia.generator.truth import Truth


def main(arguments: list[str] | None = None) -> int:
    """Make the database that the arguments ask for; exits 2 where they are wrong, 1 where it cannot be written."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.people < FEWEST:
        parser.error(f"--people is at least {FEWEST}: fewer have no room for everything that is planted")
    if is_server(given.to) and given.truth is None:
        parser.error("--truth is needed where the database goes to a server")
    truth_path: Path = given.truth or Path(f"{given.to.rstrip('/')}.truth.json")
    resolutions: Path = given.resolutions or beside(truth_path)
    with ExitStack() as stack:
        try:
            for path in (truth_path, resolutions):
                path.parent.mkdir(parents=True, exist_ok=True)
            sink = open_sink(parser, stack, given.to, "panamia", WRITTEN, replace=given.replace)
            truth = stack.enter_context(Truth(truth_path, given.people, given.seed))
            world = generate(given.people, given.seed, sink, truth)
            answers = write_resolutions(resolutions, world.people.instances, world.ids)
        except (OSError, PyMongoError) as fault:
            parser.exit(1, f"{parser.prog}: not written: {shorten(str(fault), 200)}\n")
    sys.stderr.write(
        f"{truth.documents:,} documents of {given.people:,} people, {truth.plants:,} things planted\n"
        f"the truth: {truth_path}\n{answers:,} answers to conflicts: {resolutions}\n"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
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
