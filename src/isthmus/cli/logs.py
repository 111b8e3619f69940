"""What the layers below log while a command works, as lines on standard error: how far a thing is that lasts."""

from __future__ import annotations

import logging


class _Lines(logging.Handler):
    """Prints every record without secrets; loads the console only when there is something to print."""

    def emit(self, record: logging.LogRecord) -> None:
        from isthmus.cli.output import err
        from isthmus.connect.secrets import hide

        err.print(hide(record.getMessage()), markup=False)


def show_logs() -> None:
    """Show what isthmus logs from now on. Safe to repeat."""
    logger = logging.getLogger("isthmus")
    if not any(isinstance(one, _Lines) for one in logger.handlers):
        logger.addHandler(_Lines())
    logger.setLevel(logging.INFO)
    drivers = logging.getLogger("psycopg")
    if not drivers.handlers:  # else Python prints what the driver itself ignored, such as a pipeline that was cancelled
        drivers.addHandler(logging.NullHandler())
