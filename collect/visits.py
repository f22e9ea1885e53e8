"""Visits: which households are due by the visit form's rule, in the order one walks, and what is done this month."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from collect.database import Connection, connect, quoted
from forms.definition import Form
from forms.tables import table_name

if TYPE_CHECKING:
    from collect.ledgers import Ledger
    from collect.station import Station

PERIODS = {"month": 1, "quarter": 3, "half": 6, "year": 12}  # months
_NUMBERS = re.compile(r"\d+")
_WRITTEN = re.compile("[〇一二三四五六七八九]?十[一二三四五六七八九]?|[〇一二三四五六七八九]")
_CHINESE = {character: number for number, character in enumerate("〇一二三四五六七八九")}


@dataclass(frozen=True, slots=True)
class Oftener:
    """Households visited oftener: those in a ledger, or (`field`, `code`) those with a code in an answer of theirs."""

    table: str
    period: str
    field: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class VisitRule:
    """How often households are visited: `period` for all, `oftener` for some; out of the visit form's settings.

    `ledger::period`: month, quarter, half or year. `ledger::visits`: `needy_household month; household_type=monitored
    month`, a ledger about households or an answer of the household with the period it is visited in. `table`: the
    ledger of visits, `households`: that of the visited, `link` and `when`: columns of a visit.
    """

    table: str
    households: str
    link: str
    when: str
    period: str
    oftener: tuple[Oftener, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """A household to be visited: `period` it must be visited once in, `why` (ledgers or codes that ask for it),
    `last`: date of the last visit or ""."""

    record: str
    name: str
    village: str
    group: str
    number: str
    address: str
    period: str
    why: tuple[str, ...]
    last: str


@dataclass(frozen=True, slots=True)
class Done:
    """A visit made this month."""

    record: str
    household: str
    name: str
    village: str
    on: str
    by: str


@dataclass(frozen=True, slots=True)
class VisitsDue:
    """What is due today, in the order of the route, the visits made this month (newest first), and who counts at all.

    `due_month`: how many of the due are in the rule of a month; `by_village`: code -> (due, visited this month).
    """

    rule: VisitRule | None
    due: tuple[Due, ...] = ()
    done: tuple[Done, ...] = ()
    households: int = 0
    by_village: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def rule_of(forms: Iterable[Form], ledgers: Mapping[str, Ledger]) -> VisitRule | None:
    """Return the rule of the first form that has `ledger::period` and asks for a household and a moment, or None."""
    for form in forms:
        period = form.settings.get("ledger::period", "")
        ledger = ledgers.get(table_name(form))
        if period not in PERIODS or ledger is None:
            continue
        link = next((c for c in ledger.table.columns if _about(c.source, ledgers, form)), None)
        when = next((c for c in ledger.table.columns if c.question.data_type in ("dateTime", "date")), None)
        if link is None or when is None:
            continue
        households = link.source.removesuffix(".csv")
        oftener = tuple(_oftener(form.settings.get("ledger::visits", ""), households))
        return VisitRule(ledger.name, households, link.name, when.name, period, oftener)
    return None


def visits_due(station: Station, today: date, villages: Sequence[str] | None = None) -> VisitsDue:
    """Return who is due on a day, in the order of village, group and house number; `villages`: codes, None for all.

    A household is due when nobody has visited it since the current month, quarter ... began; of several rules the
    one that asks for most counts. Households that have left or were merged are not visited.
    """
    ledgers = station.projection.ledgers
    rule = rule_of(station.forms(), ledgers)
    if rule is None:
        return VisitsDue(None)
    with closing(connect(station.folder / "township.db", readonly=True)) as db:
        # One snapshot, however many queries.
        db.execute("BEGIN").close()
        households = _households(db, ledgers[rule.households], villages)
        visited = dict(db.rows(_LAST.format(link=quoted(rule.link), when=quoted(rule.when), table=quoted(rule.table))))
        wished = _wished(db, rule, ledgers)
        done = _done(db, rule, ledgers[rule.table], today, households)
    due = []
    begins = {period: period_start(today, period).isoformat() for period in PERIODS}
    for record, row in households.items():
        period, why = _hardest(rule, wished[record]) if record in wished else (rule.period, ())
        last = str(visited.get(record) or "")[:10]
        if last < begins[period]:
            due.append(Due(record, *row, period, why, last))
    due.sort(key=lambda one: (one.village, natural(one.group), natural(one.number), one.name, one.record))
    return VisitsDue(rule, tuple(due), done, len(households), _by_village(due, done, households))


def period_start(today: date, period: str) -> date:
    """Return the first day of the calendar month, quarter, half or year that a day is in."""
    months = PERIODS[period]
    return date(today.year, (today.month - 1) // months * months + 1, 1)


_LAST = "SELECT {link}, max(substr({when}, 1, 10)) FROM {table} WHERE {link} IS NOT NULL GROUP BY {link}"


def _about(source: str, ledgers: Mapping[str, Ledger], form: Form) -> bool:
    """Whether a question chooses from the ledger that the form is about (`ledger::parent`), or from any ledger."""
    table = source.removesuffix(".csv")
    return table in ledgers and table != "village" and form.settings.get("ledger::parent", table) == table


def _oftener(text: str, households: str) -> Iterator[Oftener]:
    for part in re.split(r"[;；\n]+", text):
        words = part.split()
        if len(words) != 2 or words[1] not in PERIODS:
            continue
        name, sign, code = words[0].partition("=")
        yield Oftener(households, words[1], name, code) if sign else Oftener(name, words[1])


def _households(
    db: Connection, ledger: Ledger, villages: Sequence[str] | None
) -> dict[str, tuple[str, str, str, str, str]]:
    """Record -> name, village, group, number, address of the households that are there."""
    asked = ["group_name", "household_number", "address"]
    columns = ", ".join(quoted(name) if name in ledger.columns else "NULL" for name in asked)
    naming = quoted("head_name") if "head_name" in ledger.columns else ledger.label_sql()
    where = [f"{quoted('state')} IS NULL"] if "state" in ledger.columns else []
    if villages is not None:
        where.append(f"_village IN ({', '.join('?' * len(villages))})")
    condition = f"WHERE {' AND '.join(where)}" if where else ""
    sql = f"SELECT _id, {naming}, _village, {columns} FROM {quoted(ledger.name)} {condition}"  # noqa: S608
    rows = db.rows(sql, tuple(villages or ()))
    return {row[0]: tuple([str(value or "") for value in row[1:]]) for row in rows}  # type: ignore[misc]


def _wished(db: Connection, rule: VisitRule, ledgers: Mapping[str, Ledger]) -> dict[str, list[Oftener]]:
    """Which rules beyond the general one each household falls under."""
    found: dict[str, list[Oftener]] = {}
    for one in rule.oftener:
        ledger = ledgers.get(one.table)
        if ledger is None:
            continue
        if one.field:
            if one.field not in ledger.columns:
                continue
            sql = (
                f"SELECT _id FROM {quoted(one.table)} "  # noqa: S608
                f"WHERE ' ' || {quoted(one.field)} || ' ' LIKE '% ' || ? || ' %'"
            )
            rows = db.rows(sql, (one.code,))
        else:
            link = next(
                (c.name for c in ledger.table.columns if c.source.removesuffix(".csv") == rule.households), ""
            )
            if not link:
                continue
            sql = f"SELECT DISTINCT {quoted(link)} FROM {quoted(one.table)} WHERE {quoted(link)} IS NOT NULL"  # noqa: S608
            rows = db.rows(sql)
        for (record,) in rows:
            found.setdefault(record, []).append(one)
    return found


def _done(
    db: Connection, rule: VisitRule, ledger: Ledger, today: date, households: Mapping[str, Sequence[str]]
) -> tuple[Done, ...]:
    by = quoted("grid_worker") if "grid_worker" in ledger.columns else "_updated_by"
    when, link = quoted(rule.when), quoted(rule.link)
    sql = (
        f"SELECT _id, {link}, substr({when}, 1, 10), {by} FROM {quoted(rule.table)} "  # noqa: S608
        f"WHERE substr({when}, 1, 7) = ? ORDER BY {when} DESC, _id DESC"
    )
    rows = db.rows(sql, (f"{today:%Y-%m}",))
    return tuple(
        Done(record, home, households[home][0], households[home][1], on, str(who or ""))
        for record, home, on, who in rows
        if home in households
    )


def _hardest(rule: VisitRule, wished: Sequence[Oftener]) -> tuple[str, tuple[str, ...]]:
    """The shortest period that any rule asks for, and which rules ask for it."""
    period = min((rule.period, *(one.period for one in wished)), key=PERIODS.__getitem__)
    asking = [one.code or one.table for one in wished if one.period == period and period != rule.period]
    return period, tuple(dict.fromkeys(asking))


def _by_village(
    due: Iterable[Due], done: Iterable[Done], households: Mapping[str, Sequence[str]]
) -> dict[str, tuple[int, int]]:
    waiting: dict[str, int] = {}
    for one in due:
        waiting[one.village] = waiting.get(one.village, 0) + 1
    visited: dict[str, set[str]] = {}
    for each in done:
        visited.setdefault(each.village, set()).add(each.household)
    codes = sorted({row[1] for row in households.values()})
    return {code: (waiting.get(code, 0), len(visited.get(code, ()))) for code in codes}


@lru_cache(maxsize=4096)
def natural(text: str) -> tuple[Any, ...]:
    """Return a key that puts 2组 and 二组 before 10组; what has no number comes last."""
    if text.isdecimal():
        return (False, (int(text),), "")
    written = _WRITTEN.sub(_chinese, text)
    numbers = tuple(int(found) for found in _NUMBERS.findall(written))
    return (not numbers, numbers, "" if numbers else text)


def _chinese(found: re.Match[str]) -> str:
    """A Chinese number below a hundred in digits."""
    text = found[0]
    if "十" not in text:
        return "".join(str(_CHINESE[character]) for character in text)
    tens, _, ones = text.partition("十")
    return str((_CHINESE[tens] if tens else 1) * 10 + (_CHINESE[ones] if ones else 0))
