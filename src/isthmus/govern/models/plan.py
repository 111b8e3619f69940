"""Statements that lead from one catalog to another, as far as any do, in the order in which they can be executed. Pure.

They are found from what is there: after each phase whoever executes them reads the catalog again and asks anew.
"""

from __future__ import annotations

from isthmus.govern.catalog.model import Catalog
from isthmus.govern.models.columns_of import Casts, changed_columns, gone_columns, new_columns, own_sequences
from isthmus.govern.models.comments_of import comments
from isthmus.govern.models.indexes_of import indexes
from isthmus.govern.models.rules_of import constraints
from isthmus.govern.models.sequences import sequences
from isthmus.govern.models.step import Found, Style
from isthmus.govern.models.tables_of import changed_tables, gone_tables, new_tables
from isthmus.govern.models.triggers_of import triggers
from isthmus.govern.models.types_of import drop_schemas, functions, gone_functions, schemas, types


def plan(before: Catalog, after: Catalog, style: Style, casts: Casts = lambda _old, _new: "") -> Found:
    """Return what leads from one catalog to another.

    Args:
        before: What is there.
        after: What is wanted.
        style: How it is to be done.
        casts: How values of one type become another's.
    """
    found = Found()
    schemas(found, before, after)
    triggers(found, before, after)
    changed_tables(found, before, after, style)
    sequences(found, before, after, standing=own_sequences(after, before))
    new_columns(found, before, after, style)
    changed_columns(found, before, after, style, casts)
    constraints(found, before, after, style)
    indexes(found, before, after, style)
    new_tables(found, before, after)
    gone_columns(found, before, after)
    gone_tables(found, before, after)
    gone_functions(found, before, after)
    types(found, before, after, style)
    functions(found, before, after, style)
    drop_schemas(found, before, after)
    comments(found, before, after)
    found.steps.sort(key=lambda one: one.phase)
    return found
