"""Open a MongoDB server by its URL, and put what the driver says about it into words of our own.

Login, TLS and read options are those of pymongo, in the URL. Decides which of the server's errors pass by themselves.
The driver quotes addresses and options, so none of its texts leaves this module before secrets are taken out.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pymongo import MongoClient
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    CursorNotFound,
    InvalidName,
    OperationFailure,
    PyMongoError,
)

from isthmus.connect.absent import question_seconds, wait_told, what_to_check
from isthmus.connect.secrets import hide
from isthmus.errors import ConfigError, SourceError, Where

T = TypeVar("T")

Document = dict[str, Any]

OLDEST_SERVER = (4, 4)

_HINT = "Give mongodb://USER@HOST/DATABASE or mongodb+srv://USER@HOST/DATABASE."
_WEAK_READS = frozenset({"local", "available"})
_CORRECT = "Correct it or take it out."
# Names that are options and no piece of a password that was typed without its percent-encoding.
_OPTION = re.compile(
    r"tls\w*|ssl\w*|auth\w+|read\w+|srv\w+|server\w+|retry\w+|\w+MS|\w+PoolSize|\w+Seconds|\w+Representation|\w+Connection"
    r"|compressors|loadBalanced|replicaSet",
    re.IGNORECASE,
)
_MESSAGE_CHARACTERS = 300

UNAUTHORIZED = 13
_LOGIN = frozenset({18, 8000})
LOST_CURSOR = frozenset({43, 136, 175, 206, 237, 239})
"""The cursor or its session is gone, not the data: CursorNotFound, CappedPositionLost, QueryPlanKilled, NoSuchSession,
CursorKilled, SnapshotTooOld (MongoDB, `src/mongo/base/error_codes.yml`)."""
_PASSING = LOST_CURSOR | {
    6,  # HostUnreachable
    7,  # HostNotFound
    24,  # LockTimeout
    46,  # LockBusy
    50,  # MaxTimeMSExpired
    63,  # StaleShardVersion
    89,  # NetworkTimeout
    91,  # ShutdownInProgress
    112,  # WriteConflict
    133,  # FailedToSatisfyReadPreference
    134,  # ReadConcernMajorityNotAvailableYet
    150,  # StaleEpoch
    189,  # PrimarySteppedDown
    202,  # NetworkInterfaceExceededTimeLimit
    246,  # SnapshotUnavailable
    262,  # ExceededTimeLimit
    365,  # TemporarilyUnavailable
    384,  # ConnectionPoolExpired
    9001,  # SocketException
    10107,  # NotWritablePrimary
    11600,  # InterruptedAtShutdown
    11601,  # Interrupted
    11602,  # InterruptedDueToReplStateChange
    13388,  # StaleConfig
    13435,  # NotPrimaryNoSecondaryOk
    13436,  # NotPrimaryOrSecondary
}


class MongoServer:
    """A server, or a cluster, that answered.

    Args:
        client: Connected client; closed by `close`.
        database: The database that the URL names, if any.
        display: Hosts, for people.
        secrets: What must not be printed.

    Attributes:
        client: For reading; safe to use from several threads.
        database: The database that the URL names, if any.
        display: Hosts, for people.
    """

    def __init__(
        self, client: MongoClient[Document], database: str | None, display: str, secrets: tuple[str, ...]
    ) -> None:
        self.client = client
        self.database = database
        self.display = display
        self._secrets = secrets

    def ask(self, what: str, question: Callable[[], T], *, collection: str | None = None) -> T:
        """Return the answer to one question.

        Args:
            what: What is asked for, as the end of `The server did not …`.
            question: Asks the driver.
            collection: Named in the error.

        Raises:
            SourceError: As `trouble` says.
        """
        try:
            return question()
        except PyMongoError as error:
            raise self.trouble(error, what, collection=collection) from None

    def trouble(self, error: PyMongoError, what: str, *, collection: str | None = None) -> SourceError:
        """Turn the driver's error into one that says who must act and whether trying again can help.

        The result is `source-unreachable` (retryable), `source-login`, `source-right`, `source-interrupted`
        (retryable) or `source-refuses`.
        """
        return _trouble(error, what, self.explain(error), self.display, collection)

    def explain(self, error: PyMongoError) -> str:
        """Return what the driver or the server says, on one line, shortened and without secrets."""
        return _explain(error, self._secrets)

    def close(self) -> None:
        """Close every connection. Safe to repeat."""
        self.client.close()


def open_server(text: str, *, patience_seconds: float | None = None) -> MongoServer:
    """Connect to the server of a URL and look at its version. Logs what it waits for, if that lasts.

    Args:
        text: `mongodb://…` or `mongodb+srv://…`.
        patience_seconds: How long who asks would wait for a server that is away. One question looks for a server as
            long, but for two seconds at least and ten at most; `serverSelectionTimeoutMS` in the URL goes before it.

    Raises:
        ConfigError: The URL cannot be used (`bad-source`); what it holds is never repeated with a password in it.
        SourceError: The server cannot be reached, refuses the login or is older than 4.4 (`source-too-old`).
    """
    text = re.sub(r"\A\s*[A-Za-z+]+(?=://)", lambda scheme: scheme[0].strip().lower(), text)
    secrets = _secrets(text)
    options: dict[str, Any] = {
        "appname": "isthmus",
        "tz_aware": False,
        # What the server says of itself may hold what Python's types cannot, such as a far date in a validator.
        "datetime_conversion": "DATETIME_AUTO",
        "unicode_decode_error_handler": "replace",
    }
    known = {option.casefold() for option in re.findall(r"[?&]([^=&#]+)=", text)}
    if "appname" in known:
        del options["appname"]
    if "serverselectiontimeoutms" not in known:
        options["serverSelectionTimeoutMS"] = int(question_seconds(patience_seconds) * 1000)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = _client(text, options, secrets)
    for warning in caught:
        if issubclass(warning.category, DeprecationWarning) or "compression" in str(warning.message):
            continue
        client.close()
        message = f"The source's address has {_complaint(str(warning.message), text)}."
        raise ConfigError(message, code="bad-source", hint=_CORRECT)
    level = str(client.read_concern.level or "majority")
    if level in _WEAK_READS:
        client.close()
        message = f"The source's address says readConcernLevel={level}: what is read so may be undone on the server."
        raise ConfigError(message, code="bad-source", hint="Take it out; Isthmus reads what a majority has.")
    try:
        server = MongoServer(client, _database(client), _hosts(text), secrets)
        with wait_told(server.display, client.options.server_selection_timeout):
            _check_version(server)
    except BaseException:
        client.close()
        raise
    return server


def _client(text: str, options: dict[str, Any], secrets: tuple[str, ...]) -> MongoClient[Document]:
    try:
        return MongoClient(text, **options)
    except (PyMongoError, ValueError, TypeError, OSError) as error:
        if isinstance(error, ConfigurationError) and text.startswith("mongodb+srv:") and "DNS" in str(error):
            message = f"The source's host name cannot be resolved: {_explain(error, secrets)}"
            raise SourceError(message, code="source-unreachable", hint="Check the name and the network.") from None
        # The driver quotes what it could not parse, which may be a piece of a password.
        named = _safe_words(error, text)
        encoded = "Write special characters of the password percent-encoded (@ as %40, / as %2F)."
        raise ConfigError(
            "The source's address cannot be used as it is; its text is not repeated here because it may hold a"
            f" password. The driver calls it {type(error).__name__}{named}.",
            code="bad-source",
            hint=_CORRECT if named else f"{encoded} {_HINT}",
        ) from None


def _database(client: MongoClient[Document]) -> str | None:
    try:
        return client.get_default_database().name
    except ConfigurationError:
        return None
    except InvalidName:
        message = "The source's address names a database that MongoDB cannot have."
        raise ConfigError(message, code="bad-name", hint=_HINT) from None


def _hosts(text: str) -> str:
    """Return the hosts of a URL that the driver took."""
    authority = re.split(r"[/?]", text.split("://", 1)[1], maxsplit=1)[0]
    return authority.rpartition("@")[2]


def _complaint(warning: str, text: str) -> str:
    """Return what a warning of the driver says of a URL's options, as what the address has."""
    found = re.match(r"(Unknown option|Duplicate URI option):? '?(\w+)", warning)
    if found is None:
        return f"an option with a value that pymongo does not take{_safe_words(warning, text)}"
    if found[1].startswith("Unknown"):
        return f"the option {found[2]}, which pymongo does not know"
    return f"the option {found[2]} twice"


def _safe_words(error: Exception | str, text: str) -> str:
    """Return the name of the option or file that an error speaks of, where it is certain that it is one."""
    if isinstance(error, OSError) and error.filename is not None:
        return f" for the file {error.filename}"
    said = str(error).casefold()
    options = [
        (name, value)
        for name, value in re.findall(r"[?&]([^=&#]+)=([^&#]*)", text.rpartition("@")[2])
        if _OPTION.fullmatch(name)
    ]
    # Some of the driver's texts name the option, others only its value.
    for words in zip(*options, strict=True):
        for (name, _), word in zip(options, words, strict=True):
            if word and re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", said):
                return f" for {name}"
    return ""


def _secrets(text: str) -> tuple[str, ...]:
    """Return what stands between the first `:` and the last `@`, as it is written.

    Before the options as well as in all of it: a password may hold a `?`, and an option an `@`.
    """
    found = {
        match[1]
        for part in (text, text.partition("?")[0])
        if (match := re.match(r"[A-Za-z0-9+.-]+://[^:/@]*:(.+)@", part, re.DOTALL)) is not None
    }
    return tuple(sorted(found))


def _check_version(server: MongoServer) -> None:
    try:
        info: Mapping[str, Any] = server.client.server_info()
    except ConfigurationError as error:
        words = server.explain(error)
        if "requires at least" in words:
            raise _too_old(server, words) from None
        message = f"The source's address does not suit the server at {server.display}: {words}"
        raise ConfigError(message, code="bad-source", hint="Correct the option that is spoken of.") from None
    except PyMongoError as error:
        raise server.trouble(error, "answer") from None
    version = tuple(int(part) for part in list(info.get("versionArray", (0, 0)))[:2])
    if version < OLDEST_SERVER:
        raise _too_old(server, f"it is MongoDB {info.get('version', 'of an unknown version')}")
    try:
        server.client.admin.command("ping")
    except PyMongoError as error:
        raise server.trouble(error, "answer") from None


def _too_old(server: MongoServer, what: str) -> SourceError:
    return SourceError(
        f"The server at {server.display} cannot be read: {what}; Isthmus needs MongoDB 4.4 or newer.",
        code="source-too-old",
        hint="Dump the database with the tools of its version and give the folder.",
    )


def _explain(error: PyMongoError, secrets: tuple[str, ...]) -> str:
    text = hide(str(error), secrets)
    text = re.split(r", full error: |, Timeout: | \(configured timeouts", text, maxsplit=1)[0]
    text = " ".join(text.split())
    return text if len(text) <= _MESSAGE_CHARACTERS else text[: _MESSAGE_CHARACTERS - 1] + "…"


def _trouble(error: PyMongoError, what: str, words: str, display: str, collection: str | None) -> SourceError:
    where = Where(collection=collection)
    code = error.code if isinstance(error, OperationFailure) else None
    if isinstance(error, ConnectionFailure):
        return SourceError(
            f"The MongoDB server at {display} does not answer: {words}",
            code="source-unreachable",
            where=where,
            hint=f"{what_to_check(words)} Then run the same command again; a copy goes on behind what it committed.",
            retryable=True,
        )
    if code in _LOGIN:
        return SourceError(
            f"The MongoDB server at {display} refuses the login: {words}",
            code="source-login",
            where=where,
            hint="Check user, password and authSource in the source's address.",
        )
    if code == UNAUTHORIZED:
        return SourceError(
            f"The user of the source's address may not {what}: {words}",
            code="source-right",
            where=where,
            hint="Give it the role `read` on the database.",
        )
    if code in _PASSING or isinstance(error, CursorNotFound):
        return SourceError(
            f"The MongoDB server at {display} broke off when it was asked to {what}: {words}",
            code="source-interrupted",
            where=where,
            hint="Run the same command again; a copy goes on behind what it committed.",
            retryable=True,
        )
    if isinstance(error, InvalidName):
        return SourceError(f"This name is none that MongoDB takes: {words}", code="bad-name", where=where)
    return SourceError(
        f"The MongoDB server at {display} did not {what}: {words}",
        code="source-refuses",
        where=where,
        hint="Once the cause is gone, run the same command again; a copy goes on behind what it committed.",
    )
