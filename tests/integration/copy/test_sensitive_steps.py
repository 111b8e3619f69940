"""What PostgreSQL says of a step that fails as a whole may quote a value; hidden where a column is sensitive."""

from __future__ import annotations

import pytest

from isthmus.errors import IsthmusError
from tests.integration.copy.carrying import World, oid

MAPPING = """
    isthmus: 1
    collections:
      People:
        fields: {{secret: {{type: text, sensitive: {sensitive}}}}}
        indexes:
          - {{columns: [secret], where: "secret::integer > 5"}}
"""


@pytest.mark.parametrize("sensitive", [True, False])
def test_index_condition_that_fails_on_a_value_tells_it_only_where_it_may(world: World, sensitive: bool) -> None:
    world.write({"People": [{"_id": oid(1), "secret": "hunter-two"}]})
    with pytest.raises(IsthmusError) as caught:
        world.copy(MAPPING.format(sensitive=str(sensitive).lower()))
    told = f"{caught.value} {caught.value.hint}"
    assert ("hunter" in told) is not sensitive
    assert ("22P02" in told) is sensitive
    assert "hunter" not in " ".join(world.notes)
