"""What is said when the mapping file is not there: what was looked for, and which mappings stand nearby."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.errors import MappingError
from isthmus.mapping import load_mapping


def refused(path: Path) -> MappingError:
    with pytest.raises(MappingError) as caught:
        load_mapping(path)
    error = caught.value
    assert (error.code, error.exit_code, str(error).count(str(path))) == ("no-file", 2, 1), error
    return error


def test_near_name_is_suggested_else_all_that_stand_there(tmp_path: Path) -> None:
    for name in ("mapping.yaml", "other.yml", "notes.txt"):
        (tmp_path / name).write_text("isthmus: 1\n")
    error = refused(tmp_path / "maping.yaml")
    assert (error.message, error.hint) == ("There is no such mapping file.", "Did you mean `mapping.yaml`?")
    assert refused(tmp_path / "quite-another").hint == "Known: `mapping.yaml`, `other.yml`."


def test_folder_is_told_with_the_mappings_in_it(tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_text("isthmus: 1\n")
    error = refused(tmp_path)
    assert (error.message, error.hint) == ("This is a folder; a mapping is a YAML file.", "Known: `mapping.yaml`.")


def test_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "none" / "mapping.yaml").hint == f"There is no folder {tmp_path / 'none'} either."
    hint = str(refused(tmp_path / "mapping.yaml").hint)
    assert hint == f"No YAML file is in {tmp_path}. Name the mapping's path, or make one: isthmus map SOURCE -o FILE."
