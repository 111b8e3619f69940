"""Two empty databases for trying out, with the tables of all schemas, until they are told to end; then nothing is left.

python -m apps.panamia.demo.servers FILE
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
from contextlib import ExitStack, suppress
from pathlib import Path

from isthmus.errors import ConfigError

from ..service.embedded import Addresses, embedded_servers
from ..service.settings import read_settings
from .running import demo, step

_MODULE = "apps.panamia.demo.servers"


def main(arguments: list[str] | None = None) -> int:
    """Start both, write where they are, and end them when asked to."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        prog=f"python -m {_MODULE}",
        description="Start an empty PostgreSQL with the tables of all schemas, and an empty MongoDB wire server.",
        epilog="Ctrl-C ends both, and SIGTERM does. Exit codes: 0 ended; 2 they cannot start, the message says why;"
        " 130 ended before they were there.",
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        help="written once both are there, for a shell to read: POSTGRES_URL, MONGODB_URI and DATABASE_URL;"
        " gone behind them",
    )
    file: Path = parser.parse_args(arguments).file
    return demo(_MODULE, [], lambda stack, _: _serve(stack, file))


def _serve(stack: ExitStack, file: Path) -> None:
    _check(file)
    stack.callback(file.unlink, missing_ok=True)  # behind the servers' end
    empty = read_settings({"USE_MEMORY_POSTGRES": "true", "USE_MEMORY_MONGODB": "true"})
    with step("two databases, and the migrations"):
        there = stack.enter_context(embedded_servers(empty))
    whole = file.with_name(f"{file.name}.partial")
    whole.unlink(missing_ok=True)
    whole.touch(0o600)
    whole.write_text(_for_a_shell(there), encoding="utf-8")
    whole.replace(file)
    print(f"Both run; {file} says where. Ctrl-C ends them.", flush=True)
    with suppress(KeyboardInterrupt):
        signal.pause()


def _check(file: Path) -> None:
    """Tell of a file that cannot be written before anything is started."""
    if file.exists():
        hint = "Servers run there, or were killed: then remove the file."
        raise ConfigError(f"{file} is there already.", code="demo", hint=hint)
    if not os.access(file.parent, os.W_OK):
        hint = None if file.parent.exists() else f"mkdir {file.parent}"
        raise ConfigError(f"{file} cannot be written.", code="demo", hint=hint)


def _for_a_shell(there: Addresses) -> str:
    found = {"POSTGRES_URL": there.postgres, "MONGODB_URI": there.mongodb, "DATABASE_URL": there.target}
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in found.items())


if __name__ == "__main__":
    raise SystemExit(main())
