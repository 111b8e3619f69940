"""What tests of deploys share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.govern.deployed import Project


@pytest.fixture
def project(tmp_path: Path, database: str) -> Project:
    """Return an empty folder of migrations in the flat layout, and an empty database."""
    return Project(tmp_path, database)
