"""Runs isthmus in processes forked from one that has loaded it: a session is not half a second of imports.

Each is a process of its own: it has its own number, descriptors, environment and folder, may be killed and leaves with
its exit code through the interpreter's own end. What it cannot show is what happens while modules are loaded, and that
each module loads what it needs; for that tests start the command itself (`tests/integration/cli`).

`python -m tests.forkserver SOCKET` is the process that is forked from. It has one thread and no connections.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_LOADED = (
    *("isthmus.cli.main", "isthmus.connect.target", "isthmus.mapping.checks.check", "isthmus.mapping.file"),
    *(
        "isthmus.sources.archive.source",
        "isthmus.sources.extended_json.source",
        "isthmus.sources.live.source",
        "isthmus.state.ids",
    ),
    *("isthmus.cli.bars", "isthmus.cli.decommission", "isthmus.cli.documents", "isthmus.cli.opening"),
    *("isthmus.cli.run_log", "isthmus.cli.sensitive", "isthmus.cli.so_far", "isthmus.cli.target"),
    *("isthmus.govern.changes.check", "isthmus.govern.deploying.deploy", "isthmus.govern.drifting.drift"),
    *("isthmus.govern.models.from_models", "isthmus.survey.propose.propose", "isthmus.survey.run"),
    *("isthmus.transfer.letters.retry", "isthmus.transfer.run", "isthmus.verify.reference"),
    *("isthmus.cli.verified", "isthmus.verify.report.accounted", "isthmus.verify.run"),
    *("pydantic.type_adapter", "pymongo", "rich.console", "rich.progress", "rich.table"),
    *("ruamel.yaml", "tests.chaos.runner"),
)
_LARGEST_REQUEST = 150_000


def possible() -> bool:
    """Tell whether this system can; where it cannot, tests start the command."""
    if not hasattr(os, "pidfd_open"):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


class Forked:
    """A process, to be used as one of `subprocess.Popen`.

    Args:
        entry: `isthmus`, or `runner` with its plan as the first argument; see `tests.chaos.runner`.
        arguments: What follows the name of the command.
        cwd: Folder it works in.
        env: All its environment.
        output: Descriptor of its standard output; None makes a pipe.
        errors: Descriptor of its standard error; None: that of the output.

    Attributes:
        pid: Its number.
        returncode: Exit code, negative for a signal; None while it is not known to have ended.
        stdout: What it writes, when a pipe was made.
    """

    def __init__(
        self,
        entry: str,
        arguments: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        output: int | None = None,
        errors: int | None = None,
    ) -> None:
        self.returncode: int | None = None
        self.stdout: io.FileIO | None = None
        self._read, write = os.pipe()
        ours: list[int] = [write, os.open(os.devnull, os.O_RDONLY)]
        if output is None:
            end, output = os.pipe()
            ours.append(output)
            self.stdout = io.FileIO(end)
        request = {"entry": entry, "arguments": list(arguments), "cwd": str(cwd), "env": dict(env)}
        try:
            _server().send(request, [write, ours[1], output, output if errors is None else errors])
        finally:
            for descriptor in ours:
                os.close(descriptor)
        self._told, self._output = b"", bytearray()
        number = self._line(60.0)
        assert number is not None, "nothing was forked"
        self.pid = int(number)

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._end(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; TimeoutExpired as `subprocess` has it."""
        code = self._end(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """Read its output to the end and wait."""
        ends_at = None if timeout is None else time.monotonic() + timeout
        if self.stdout is not None and not self.stdout.closed:
            while _readable(self.stdout.fileno(), ends_at):
                data = self.stdout.read(65_536)
                if not data:
                    break
                self._output += data
            else:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            self.stdout.close()
        self.wait(None if ends_at is None else max(0.0, ends_at - time.monotonic()))
        return self._output.decode(), None

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _end(self, seconds: float | None) -> int | None:
        if self.returncode is None:
            code = self._line(seconds)
            if code is not None:
                self.returncode = int(code)
                os.close(self._read)
        return self.returncode

    def _line(self, seconds: float | None) -> str | None:
        """Return the next line that the server tells of this process, or None when it comes too late."""
        ends_at = None if seconds is None else time.monotonic() + seconds
        while b"\n" not in self._told:
            if not _readable(self._read, ends_at):
                return None
            more = os.read(self._read, 100)
            assert more, "the process that others are forked from has ended"
            self._told += more
        line, _, self._told = self._told.partition(b"\n")
        return line.decode("ascii")


def run(
    entry: str,
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout: float,
    output: int | None = None,
    errors: int | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a process to its end, as `subprocess.run` does; what no descriptor is given for is read and returned."""
    made = [os.memfd_create("output"), os.memfd_create("errors")]
    given = [made[0] if output is None else output, made[1] if errors is None else errors]
    try:
        process = Forked(entry, arguments, cwd=cwd, env=env, output=given[0], errors=given[1])
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
            process.wait(60)
        return subprocess.CompletedProcess(list(arguments), code, *map(_content, made))
    finally:
        for descriptor in made:
            os.close(descriptor)


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _readable(descriptor: int, ends_at: float | None) -> bool:
    poll = select.poll()  # select() takes no descriptor above 1,023
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if ends_at is None else max(0.0, ends_at - time.monotonic()) * 1_000))


class _Server:
    """The process that others are forked from, seen from a test session."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forkserver", str(theirs.fileno())],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def send(self, request: dict[str, Any], descriptors: list[int]) -> None:
        """Ask for a process."""
        text = json.dumps(request).encode()
        assert len(text) <= _LARGEST_REQUEST
        socket.send_fds(self._socket, [text], descriptors)

    def close(self) -> None:
        """End it; what it forked goes on."""
        self._socket.close()
        self._process.wait(60)


_running: list[_Server] = []


def _server() -> _Server:
    if not _running:
        _running.append(_Server())
        atexit.register(_running[0].close)
    return _running[0]


def _serve(control: socket.socket) -> dict[str, Any] | None:
    """Fork for every request and tell of every end; in a forked process return the request, at the end None."""
    tell: dict[int, tuple[int, int]] = {}  # descriptor of a process -> its number, where to tell of its end
    poll = select.poll()
    poll.register(control, select.POLLIN)
    while True:
        for ready, _ in poll.poll():
            if ready in tell:
                number, told = tell.pop(ready)
                poll.unregister(ready)
                code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
                with contextlib.suppress(BrokenPipeError):
                    os.write(told, f"{code}\n".encode())
                os.close(told)
                os.close(ready)
                continue
            text, descriptors, _, _ = socket.recv_fds(control, _LARGEST_REQUEST, 4)
            if not text:
                return None
            number = os.fork()
            if number == 0:
                control.close()
                for watched, (_, other) in tell.items():
                    os.close(watched)
                    os.close(other)
                os.close(descriptors[0])
                return {**json.loads(text), "descriptors": descriptors[1:]}
            for descriptor in descriptors[1:]:
                os.close(descriptor)
            watched = os.pidfd_open(number)
            poll.register(watched, select.POLLIN)
            tell[watched] = (number, descriptors[0])
            with contextlib.suppress(BrokenPipeError):
                os.write(descriptors[0], f"{number}\n".encode())


def _become(request: dict[str, Any]) -> None:
    """Be the process that was asked for: nothing is left of the one that it was forked from but what is loaded."""
    import warnings

    for descriptor, given in enumerate(request["descriptors"]):
        os.dup2(given, descriptor)
    for given in set(request["descriptors"]):
        os.close(given)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  as the interpreter opens them
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    if request["env"].get("PYTHONWARNINGS") == "error":
        warnings.simplefilter("error")


def main() -> None:
    """Load isthmus, then serve; in a forked process run what was asked for."""
    import importlib
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in _LOADED:
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    request = _serve(socket.socket(fileno=int(sys.argv[1])))
    if request is None:
        return
    _become(request)
    if request["entry"] == "runner":
        from tests.chaos import runner

        runner.start(json.loads(request["arguments"][0]), request["arguments"][1:])
    from isthmus.cli.main import main as isthmus

    sys.argv = ["isthmus", *request["arguments"]]
    isthmus()


if __name__ == "__main__":
    main()
