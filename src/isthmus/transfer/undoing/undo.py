"""Take back what copies brought into tables that exist: the entry of the package.

Everything is looked at in one transaction, which then removes the rows and what is known of them, or is given up. While
it removes, nobody else writes to the tables nor refers to their rows anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import psycopg

from isthmus.connect.postgres import connect, explain, trouble
from isthmus.errors import TargetError
from isthmus.mapping import Mapping
from isthmus.mapping.tables import build_schema
from isthmus.state.lease import Lease
from isthmus.state.migrate import check_state, migrate, state_exists
from isthmus.state.reports import require_run
from isthmus.state.runs import latest_run
from isthmus.state.switches import keep_from_switching, refuse_switched
from isthmus.transfer.beginning.preflight import check_server, raise_findings
from isthmus.transfer.job import Options
from isthmus.transfer.undoing.forgetting import forget, last_run
from isthmus.transfer.undoing.opening import WHAT, Asked, check_definitions, open_taking
from isthmus.transfer.undoing.others import forget_before, look_at_others
from isthmus.transfer.undoing.pairs import look_at_pairs
from isthmus.transfer.undoing.references import count_references, find_references, let_wait
from isthmus.transfer.undoing.referring import look_at_referring, read_keys
from isthmus.transfer.undoing.removing import remove_rows
from isthmus.transfer.undoing.result import End, UndoResult
from isthmus.transfer.undoing.rows import look_at_rows
from isthmus.transfer.undoing.scope import collections_of, refuse_run
from isthmus.transfer.undoing.taking import Taking
from isthmus.work.interrupted import Interrupted
from isthmus.work.progress import Progress
from isthmus.work.retry import Retry
from isthmus.work.stages import reached


def undo_copy(
    mapping: Mapping,
    conninfo: str,
    *,
    mapping_text: str,
    only: Sequence[str] = (),
    live: bool = False,
    leave_new_rows: bool = False,
    retry_seconds: float = 60.0,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    result: UndoResult | None = None,
) -> UndoResult:
    """Take back the rows that copies brought and nobody has written to since, or say what stands in the way.

    Writes to the target only, under the run lease and in one transaction: whatever ends it, either all is done or
    nothing. Run again, it finds nothing left to do.

    Args:
        mapping: The mapping that the rows were carried with.
        conninfo: Target, as libpq takes it.
        mapping_text: The mapping file's text.
        only: Entries or source collections; empty for all.
        live: Whether rows are removed; else nothing is written.
        leave_new_rows: Whether rows that others wrote into these tables since the first copy are left where they are;
            else they stand in the way.
        retry_seconds: How long others who use the tables are waited for.
        progress: Told which step is at work.
        stop: Set it to end before the next step; nothing is done then.
        result: Gets what it came to so far, also when the call raises.

    Raises:
        IsthmusError: It cannot be done; nothing was removed.
    """
    result = result if result is not None else UndoResult("live" if live else "dry-run")
    began = time.monotonic()
    lease = Lease(conninfo)
    try:
        undo = Asked(
            mapping,
            mapping_text,
            conninfo,
            collections_of(mapping, only),
            live,
            leave_new_rows,
            Options(retry_seconds=retry_seconds),
            progress or Progress(),
            stop or threading.Event(),
            result,
        )
        result.collections = undo.collections
        lease.acquire()
        _try_until_free(undo, lease)
    except Interrupted:
        result.outcome = "interrupted"
    except psycopg.Error as fault:
        words = explain(fault, values=not build_schema(mapping).sensitive)
        raise trouble(fault, "take back what was copied", words) from None
    finally:
        lease.release()
        result.seconds = time.monotonic() - began
    return result


def _try_until_free(undo: Asked, lease: Lease) -> None:
    retry = Retry(undo.options.retry_seconds)
    while True:
        try:
            _once(undo, lease)
        except TargetError as fault:
            if fault.code != "tables-in-use":
                raise
            retry.again(fault, undo.stop, undo.progress.note)
        else:
            return


def _once(undo: Asked, lease: Lease) -> None:
    """Look, and remove when that is asked for and nothing stands in the way. One transaction, on its own connection."""
    result = undo.result
    result.begin()
    with connect(undo.conninfo, autocommit=True) as connection:
        check_state(connection)
        if not state_exists(connection):
            require_run(connection)
        raise_findings([*check_server(connection), *check_definitions(connection)], WHAT)
        if undo.live:
            keep_from_switching(connection, undo.collections)
            migrate(connection)
            known = latest_run(connection)
            refuse_run(known)
            if known is not None:
                lease.adopt(known.id)
        with connection.transaction(force_rollback=not undo.live):
            migrate(connection)  # of a dry run: forgotten with the rest
            known = latest_run(connection)
            refuse_run(known)
            refuse_switched(connection, undo.collections)
            if undo.live and known is not None:
                lease.assert_held(connection, known.id)
            taking = open_taking(undo, lease, connection, known)
            outcome = _look(undo, taking)
            if undo.live and outcome == "clear":
                _remove(undo, taking)
                outcome = "done"
            taking.sides.job.check_stop()
            reached("undo.before-commit")
        result.outcome = outcome
        reached("undo.after-commit")


def _look(undo: Asked, taking: Taking) -> End:
    """Look at everything; return `clear`, `nothing` or `in-the-way`."""
    result = undo.result
    for words, step in (
        ("Looking at rows", look_at_rows),
        ("Looking at references", find_references),
        ("Looking at pairs", look_at_pairs),
    ):
        taking.sides.job.check_stop()
        undo.progress.stage(words)
        step(taking)
    count_references(taking)
    taking.sides.job.check_stop()
    undo.progress.stage("Looking at rows of others")
    look_at_others(taking, leave=undo.leave_new_rows)
    taking.sides.job.check_stop()
    undo.progress.stage("Looking at foreign keys")
    look_at_referring(taking, read_keys(taking.sides.connection, [fed.there.oid for fed in taking.tables]))
    for counts in (result.removed, result.stayed, result.deleted, result.waiting):
        for name in [name for name, count in counts.items() if not count]:
            del counts[name]
    if result.in_the_way:
        return "in-the-way"
    carried = last_run(taking.sides.connection, taking.sides.existing.schema, undo.collections)
    return "clear" if result.removed or result.stayed or carried is not None else "nothing"


def _remove(undo: Asked, taking: Taking) -> None:
    taking.sides.job.check_stop()
    undo.progress.stage("Removing rows")
    let_wait(taking)
    reached("undo.waiting")
    remove_rows(taking)
    reached("undo.removed")
    undo.result.undo = forget(taking)
    forget_before(taking)
