"""Names that the driver could take for parameters: a percent sign in a collection, table, column or junction.

Oracle: the copy comes to its end with books that balance, whatever finish has to settle on the way.
"""

from __future__ import annotations

import pytest

from tests.integration.copy.carrying import World, balanced, oid

NAMES = {
    "collection": ("100%s t", "things", "n", "p"),
    "table": ("Things", "100%s t", "n", "p"),
    "column": ("Things", "things", "a%s b", "p"),
    "junction": ("Things", "things", "n", "pa%sirs"),
}


@pytest.mark.parametrize("where", NAMES)
@pytest.mark.parametrize("action", ["dead_letter", '"null"'])
def test_percent_sign(world: World, where: str, action: str) -> None:
    collection, table, column, junction = NAMES[where]
    required = action == "dead_letter"
    mapping = f"""
        isthmus: 1
        collections:
          Other: {{fields: {{n: text}}}}
          '{collection}':
            table: '{table}'
            fields:
              n: {{column: '{column}', type: text, index: true}}
              u: {{type: text, unique: true}}
              r: {{references: '{collection}', on_orphan: {action}, required: {str(required).lower()}}}
              o: {{junction: '{junction}'}}
              j: {{type: jsonb, rewrite: {{"x": '{collection}'}}}}
        junctions:
          '{junction}':
            columns: {{a: '{collection}', b: Other}}
            on_orphan: {"dead_letter" if required else "drop"}
        """
    things = [
        {"_id": n, "n": str(n), "u": str(n // 2), "r": n if n % 3 else 999, "o": [oid(1), oid(2)], "j": {"x": n}}
        for n in range(20)
    ]
    world.write({collection: [*things, {"_id": 3, "n": "again", "r": 1}], "Other": [{"_id": oid(1), "n": "a"}]})
    balanced(world.copy(mapping))
