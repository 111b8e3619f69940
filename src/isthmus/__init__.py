"""Isthmus carries a MongoDB database to PostgreSQL and proves that nothing was lost.

Importing this package imports nothing else; each part is imported where it is used, so that the command line starts
fast.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__: str


def __getattr__(name: str) -> object:
    """Look the version up when it is asked for, in the metadata of the installed distribution."""
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("isthmus")
        except PackageNotFoundError:
            return "0+unknown"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
