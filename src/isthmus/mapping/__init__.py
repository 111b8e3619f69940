"""The mapping: the YAML file that says what goes where, and everything that follows from it without a database.

It decides the language (`model`), its reading with positions (`file`), the conversions (`types`), the tables
(`tables`), their SQL (`ddl`) and the plan the core runs (`plan`). It leaves connections, data and servers to others.
Importing the package is cheap; pydantic and the YAML reader are imported with the first mapping that is loaded.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isthmus.mapping.model import Mapping

__all__ = ["Mapping", "load_mapping", "parse_mapping"]


def load_mapping(path: str | PathLike[str]) -> Mapping:
    """Read and check a mapping file.

    Args:
        path: The file, UTF-8 YAML 1.2.

    Returns:
        The checked, normalised mapping.

    Raises:
        MappingError: The file cannot be read or says something wrong; `problems` holds every finding with file, line
            and path, in the order of the file. Trying again helps only after the file was changed.
    """
    from isthmus.mapping import file

    return file.load_mapping(path)


def parse_mapping(text: str | bytes, *, file_name: str = "mapping.yaml") -> Mapping:
    """Check a mapping given as text; otherwise like `load_mapping`.

    Args:
        text: The whole YAML text; bytes must be UTF-8.
        file_name: Name used in messages; no file is opened.
    """
    from isthmus.mapping import file

    return file.parse_mapping(text, file_name=file_name)


def __getattr__(name: str) -> object:
    if name == "Mapping":
        from isthmus.mapping.model import Mapping

        return Mapping
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
