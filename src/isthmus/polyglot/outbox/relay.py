"""The relay: takes committed events out of the outbox and applies them to MongoDB, in order for each document.

A round is one transaction in PostgreSQL: keys are taken, their events applied one after the other, and what came of
each is written down. Where the process dies, or a server, the next round, or another relay, finds the same events open
and recognises what was applied. Several relays share the work without knowing of each other.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import psycopg

from isthmus.connect.postgres import explain, meaning, trouble
from isthmus.errors import TargetError
from isthmus.polyglot.outbox import claims
from isthmus.polyglot.outbox.apply import Applier, MongoAway
from isthmus.polyglot.outbox.backoff import Patience
from isthmus.polyglot.outbox.event import Event
from isthmus.polyglot.outbox.faults import LIVES_ELSEWHERE, Refusal
from isthmus.polyglot.outbox.sessions import need_outbox, open_session
from isthmus.polyglot.outbox.waking import Waking
from isthmus.polyglot.outbox.writes import Later, strange
from isthmus.state.source_ids import show
from isthmus.work.stages import reached

_log = logging.getLogger(__name__)

_CLEAN_EVERY_SECONDS = 60.0
_TIDY_EVERY_SECONDS = 5.0
_ROUND_SECONDS = 5.0
_SILENCE_SECONDS = 60.0
_AWAY = Patience(first_seconds=0.2, longest_seconds=10.0)


@dataclass(frozen=True)
class Settings:
    """How a relay works.

    Attributes:
        patience: With events that are refused.
        poll_seconds: How often it looks when it hears nothing.
        keep_seconds: How long events that were applied are kept.
        grace_seconds: How late a write may come that was sent before: a delete is looked at once more after so long.
        drain: Whether it ends when nothing is left that it can do.
    """

    patience: Patience = field(default_factory=Patience)
    poll_seconds: float = 5.0
    keep_seconds: float = 7 * 86_400.0
    grace_seconds: float = 60.0
    drain: bool = False


@dataclass
class Done:
    """What a relay did.

    Attributes:
        applied: Events it applied, also those that it found applied already.
        refused: Attempts that MongoDB refused.
        parked: Events that it parked.
        cleaned: Events that it forgot.
        drained: Whether it ended because nothing was left that it could do.
    """

    applied: int = 0
    refused: int = 0
    parked: int = 0
    cleaned: int = 0
    drained: bool = False


class Relay:
    """One relay.

    Args:
        conninfo: The database with the outbox; may lead through a pooler in transaction mode.
        direct: An address on which it may listen; None: it looks only.
        applier: Writes into MongoDB.
        settings: How it works.
        stop: Ends it, after the event in hand.
    """

    def __init__(
        self, conninfo: str, direct: str | None, applier: Applier, settings: Settings, stop: threading.Event
    ) -> None:
        self._conninfo = conninfo
        self._direct = direct
        self._applier = applier
        self._settings = settings
        self._stop = stop
        self._connection: psycopg.Connection[Any] | None = None
        self._clean_at = self._tidy_at = 0.0
        self._troubles: dict[str, tuple[int, float]] = {}
        self.done = Done()

    def run(self) -> Done:
        """Work until the stop is set, or nothing is left when it drains; trouble of either server is waited for.

        Raises:
            TargetError: PostgreSQL refuses what waiting does not mend (`target-refused`, `outbox-missing`).
        """
        try:
            with Waking(self._direct, self._stop) as waking:
                while not self._stop.is_set():
                    waking.begin()
                    try:
                        if self._round() or self._stop.is_set():
                            continue
                        if self._settings.drain and not claims.left(self._session())[0]:
                            self.done.drained = True
                            break
                        idle_seconds = self._idle_seconds()
                    except (MongoAway, TargetError, psycopg.Error) as fault:
                        self._wait_for(fault)
                        continue
                    waking.wait(idle_seconds)
        finally:
            self._drop()
        return self.done

    def _round(self) -> int:
        """Do what is due; return how many events were settled or refused.

        Raises:
            MongoAway, TargetError, psycopg.Error: A server is in trouble.
        """
        connection = self._session()
        if "MongoDB" in self._troubles:  # no transaction is held open while it is away
            self._applier.answers()
        handled = self._apply_some(connection)
        self._well("MongoDB")
        self._well("PostgreSQL")
        if not handled or time.monotonic() >= self._tidy_at:
            self._confirm_some(connection)
            self._clean(connection)
        return handled

    def _apply_some(self, connection: psycopg.Connection[Any]) -> int:
        applied: list[int] = []
        refused: list[tuple[Event, Refusal]] = []
        away: MongoAway | None = None
        parked = 0
        with connection.transaction():
            taken = claims.claim(connection, silence_seconds=_SILENCE_SECONDS)
            elsewhere = claims.elsewhere(connection, {events[0].collection for events in taken.values()})
            reached("outbox.claimed")
            enough_at = time.time() + _ROUND_SECONDS  # the wall's clock: it goes on while a machine sleeps
            try:
                for events in taken.values():
                    for event in events:
                        if self._stop.is_set() or time.time() > enough_at:
                            break
                        if event.collection in elsewhere:
                            refused.append((event, LIVES_ELSEWHERE))
                            continue  # those behind it are refused the same way
                        outcome = self._applier.apply(event)
                        if isinstance(outcome, Later):
                            outcome = "already" if claims.knows(connection, event, outcome) else strange(outcome)
                        if isinstance(outcome, Refusal):
                            refused.append((event, outcome))
                            break
                        applied.append(event.id)
            except MongoAway as fault:
                away = fault
            claims.settle(connection, applied, grace_seconds=self._settings.grace_seconds)
            for event, why in refused:
                parked += claims.refuse(connection, event, why, self._settings.patience)
            reached("outbox.before-commit")
        reached("outbox.after-commit")
        self.done.applied += len(applied)
        self.done.refused += len(refused)
        self.done.parked += parked
        for event, why in refused:
            self._tell_refusal(event, why)
        if away is not None:
            raise away
        return len(applied) + len(refused)

    def _confirm_some(self, connection: psycopg.Connection[Any]) -> None:
        with connection.transaction():
            events = claims.claim_confirm(connection)
            for event in events:
                self._applier.confirm(event)
            if events:
                claims.confirmed(connection, events)

    def _clean(self, connection: psycopg.Connection[Any]) -> None:
        self._tidy_at = time.monotonic() + _TIDY_EVERY_SECONDS
        if time.monotonic() < self._clean_at:
            return
        cleaned = claims.clean(connection, keep_seconds=self._settings.keep_seconds)
        self.done.cleaned += cleaned
        if cleaned == 0:
            self._clean_at = time.monotonic() + _CLEAN_EVERY_SECONDS

    def _idle_seconds(self) -> float:
        due = claims.due_seconds(self._session())
        return self._settings.poll_seconds if due is None else min(self._settings.poll_seconds, max(due, 0.05))

    def _session(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = open_session(self._conninfo)
            need_outbox(self._connection)
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.close()

    def _wait_for(self, fault: MongoAway | TargetError | psycopg.Error) -> None:
        """Wait for a server that is in trouble, longer each time.

        Raises:
            TargetError: Waiting does not mend it.
        """
        if isinstance(fault, MongoAway):
            who, words = "MongoDB", str(fault)
        elif isinstance(fault, TargetError):
            if not fault.retryable:
                raise fault
            who, words = "PostgreSQL", fault.message
        else:
            if meaning(fault) != "transient":
                raise trouble(fault, "let the relay work", explain(fault)) from None
            who, words = "PostgreSQL", explain(fault)
        if who == "PostgreSQL":
            self._drop()
        tries, since = self._troubles.get(who, (0, time.monotonic()))
        self._troubles[who] = (tries + 1, since)
        if tries == 0:
            _log.warning("%s is in trouble: %s. Trying again until it is well.", who, words.rstrip("."))
        self._stop.wait(_AWAY.wait_seconds(tries + 1))

    def _well(self, who: str) -> None:
        found = self._troubles.pop(who, None)
        if found is not None:
            _log.warning("%s is well again, after %.1f s.", who, time.monotonic() - found[1])

    def _tell_refusal(self, event: Event, why: Refusal) -> None:
        refusals = event.attempts + 1
        parks = why.final or self._settings.patience.parks(refusals)
        if refusals > 1 and not parks:
            return
        what = f"Event {event.id} ({event.operation} of {event.collection}, _id {show(event.document_id)})"
        if parks:
            _log.warning("%s is parked, with all later ones of the document: %s: %s", what, why.fault, why.words)
        else:
            _log.warning("%s is refused and tried again: %s: %s", what, why.fault, why.words)
