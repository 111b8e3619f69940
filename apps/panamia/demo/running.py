"""What demos are made of: parts that run one after another or beside each other, and an end that leaves nothing."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from isthmus.errors import ConfigError, IsthmusError

from ..generator.build import FEWEST
from ..service.embedded import Addresses

_ROOT = Path(__file__).parents[3]
_OURS = ("PG", "POSTGRES_", "MONGODB_", "DATABASE_URL", "ISTHMUS_")
_PATIENCE_SECONDS = 10
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def parser_of(module: str, description: str) -> argparse.ArgumentParser:
    """Return what reads a demo's arguments, with those that all have."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        prog=f"python -m {module}",
        description=description,
        epilog="Exit codes: 0 ended; 2 it cannot start, the message says why; 130 Ctrl-C before it was started.",
    )
    parser.add_argument("--people", type=_people, default=200, help=f"{FEWEST} or more; default: 200")
    parser.add_argument("--port", type=int, default=3000, help="where to listen; default: 3000")
    return parser


def _people(text: str) -> int:
    number = int(text)
    if number < FEWEST:
        raise argparse.ArgumentTypeError(f"at least {FEWEST}")
    return number


def demo(module: str, ports: Iterable[int], serve: Callable[[ExitStack, Path], None]) -> int:
    """Run a demo in a folder of its own, and return its exit code; whatever ends it, nothing is left of it.

    Args:
        module: Its name.
        ports: Where it will listen.
        serve: Does everything; what it opens on the stack is closed behind it.
    """
    for number in _SIGNALS:
        signal.signal(number, _end)
    try:
        _check_free(module, ports)
        with ExitStack() as stack:
            serve(stack, Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="panamia-demo-"))))
            print("Ending, which takes some seconds.", flush=True)
    except IsthmusError as fault:
        print(f"✗ {fault}" + (f"\n  {fault.hint}" if fault.hint else ""), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _end(_number: int, _frame: FrameType | None) -> None:
    for number in _SIGNALS:  # somebody who is in a hurry must not stop the end halfway
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _check_free(module: str, ports: Iterable[int]) -> None:
    """Tell of a port that somebody has before anything is started."""
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                hint = f".venv/bin/python -m {module} --help says how to give another one."
                raise ConfigError(f"Nothing can listen on port {port}.", code="demo", hint=hint) from None


@contextmanager
def step(what: str) -> Generator[None]:
    """Say what is done, and behind the block how long it took."""
    print(f"  … {what}", end="", flush=True)
    began = time.monotonic()
    yield
    print(f"\r  ✓ {what} ({time.monotonic() - began:.1f} s)", flush=True)


def run(module: str, *words: object, there: Addresses | None = None, fine: Collection[int] = (0,)) -> None:
    """Run a module to its end.

    Args:
        module: Its name.
        *words: Its arguments.
        there: The databases that it finds in its environment.
        fine: Exit codes that are as they should be.

    Raises:
        ConfigError: It ends otherwise (code `demo`); the message holds what it said.
    """
    command = [sys.executable, "-m", module, *map(str, words)]
    ran = subprocess.run(  # noqa: S603 - our own parts
        command, cwd=_ROOT, env=environment(there), capture_output=True, text=True, check=False
    )
    if ran.returncode not in fine:
        print()
        said = (ran.stderr or ran.stdout).strip()[-1_500:]
        raise ConfigError(f"{module} {words[0] if words else ''} ended with {ran.returncode}.\n{said}", code="demo")


@contextmanager
def beside(
    module: str, *words: str, variables: Mapping[str, str], log: Path | None = None
) -> Generator[subprocess.Popen[bytes]]:
    """A module that runs as long as the block.

    Args:
        module: Its name.
        *words: Its arguments.
        variables: Its whole environment.
        log: Where what it says goes; None: nowhere.
    """
    with (log or Path(os.devnull)).open("wb") as said:
        process = subprocess.Popen(  # noqa: S603 - our own parts
            [sys.executable, "-m", module, *words],
            cwd=_ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,  # Ctrl-C is for the demo, which ends it when nobody needs it any more
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def relayed(there: Addresses) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """The outbox's relay, as long as the block."""
    return beside("isthmus", "outbox", "run", variables=environment(there))


def environment(there: Addresses | None) -> dict[str, str]:
    """Return the environment of a part: that of the demo, with other databases or none."""
    found = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    if there is not None:
        found |= {"MONGODB_URI": there.mongodb, "POSTGRES_DIRECT_URL": there.target}
    return found
