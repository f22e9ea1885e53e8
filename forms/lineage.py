"""Several versions of a form as one set of tables: columns and repeats under today's names, with those they had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from forms.tables import Table


def union(versions: Sequence[tuple[Table, ...]]) -> tuple[Table, ...]:
    """Return the tables that hold the answers of several versions of one form, newest version first.

    A table's columns stand in the newest version's order, then what older ones had and newer ones lack; a column that
    a newer version renamed (`ledger::was`) is held under its new name only, also where it was renamed several times,
    or where the newest version no longer says so. So are the rows of a renamed repeat, and those of the repeats in it.
    """
    merged: dict[str, Table] = {}
    for tables in versions:
        now: dict[str, str] = {"": ""}  # names of this version's tables -> of those that hold their rows
        own = {table.name for table in tables}
        for table in tables:
            # Two tables of one version stay two, whatever newer ones say.
            others = [each for name, each in merged.items() if name not in own and name not in now.values()]
            held = merged.get(table.name) or _place(others, now[table.parent], table.key)
            newer = held or replace(table, parent=now[table.parent], columns=())
            now[table.name] = newer.name
            merged[newer.name] = _joined(newer, table)
    return tuple(_with_older_names(merged))


def renamings(newer: Table, older: Table) -> dict[str, str]:
    """Return old name -> new name of a table's columns that a newer version renamed (`ledger::was`)."""
    own, before = {column.name for column in newer.columns}, {column.name for column in older.columns}
    return {
        column.was: column.name
        for column in newer.columns
        if column.was and column.was in before and column.was not in own
    }


def pairs(older: Sequence[Table], newer: Sequence[Table]) -> tuple[tuple[Table, Table], ...]:
    """Return the tables of two versions that belong together, (older, newer): of one name or place, or renamed."""
    found = {table.name: table for table in union([tuple(newer), tuple(older)])}
    before = {table.name: table for table in older}
    result = []
    for table in newer:
        names = (table.name, *found[table.name].older_names)
        result += [(before[name], table) for name in names if name in before][:1]
    return tuple(result)


def _place(known: Sequence[Table], parent: str, key: str) -> Table | None:
    """The table that has, or else had, a key in the row above (or is the form's own)."""
    below = [table for table in known if table.parent == parent]
    has = (table for table in below if table.key == key)
    return next(has, None) or next((table for table in below if key in table.older_keys), None)


def _joined(newer: Table, older: Table) -> Table:
    """The table with what an older version had besides, and with the names that it and its columns had then."""
    columns, aliases = list(newer.columns), dict(newer.aliases)
    own = {column.name.lower(): column.name for column in columns}
    sql = {stored.name.lower() for stored in newer.stored}
    for column in older.columns:
        now = own.get(column.name.lower()) or newer.aliases.get(column.name)
        if now is None and not any(stored.name.lower() in sql for stored in column.stored):
            columns.append(column)
            now = column.name
        if now is not None and column.was:
            aliases.setdefault(column.was, now)
    # A name that a column has now is nobody's older name.
    taken = {column.name for column in columns}
    older_columns = {old: now for old, now in aliases.items() if old not in taken}
    keys = dict.fromkeys((*newer.older_keys, older.key, older.was))
    names = dict.fromkeys((*newer.older_names, older.name))
    return replace(
        newer, columns=tuple(columns), aliases=older_columns,
        older_keys=tuple(key for key in keys if key not in ("", newer.key)),
        older_names=tuple(name for name in names if name != newer.name),
    )  # fmt: skip


def _with_older_names(merged: Mapping[str, Table]) -> list[Table]:
    """The tables with every name that they had, also in versions which are not here: parents come first.

    A name that a table has now is nobody's older name, and of two that had it the first one keeps it.
    """
    found: dict[str, Table] = {}
    taken = set(merged)
    for table in merged.values():
        siblings = {other.key for other in merged.values() if other.parent == table.parent}
        keys = tuple(key for key in table.older_keys if key not in siblings)
        above = (found[table.parent],) if table.parent else ()
        spelled = (f"{name}_{key}" for it in above for name in (it.name, *it.older_names) for key in (table.key, *keys))
        names = [name for name in dict.fromkeys((*table.older_names, *spelled)) if name not in taken]
        taken.update(names)
        found[table.name] = replace(table, older_keys=keys, older_names=tuple(names))
    return list(found.values())
