"""The start page's content: ledgers and villages with counts, drafts, what the township lacks, and finding records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from collect.hlc import moment_of
from collect.overview import counts_by_village
from collect.peers import Peers
from collect.projection import Conflict
from collect.search import Hit
from datasette_plugins.capture.sitting import Key, title_of, village_question
from forms.definition import Form
from forms.reader import shipped
from forms.tables import table_name, tables_of

if TYPE_CHECKING:
    from collect.station import Station, Village

MOST_HITS = 20
MAIN = "household"  # the ledger that the big button is for


def page(station: Station, text: str, language: str) -> dict[str, Any]:
    """Return the context of capture/start.html; `text`: what is searched for, or ""."""
    forms = station.forms()
    tables = [table_name(form) for form in forms]
    counts = counts_by_village(station.folder / "township.db", tables)
    ledgers = sorted((_ledger(form, counts, language) for form in forms), key=_order)
    drafts = station.drafts.list()
    main = next((ledger for ledger in ledgers if ledger["form_id"] == MAIN), None)
    joined, waiting, days = unsent(station)
    return {
        "text": text,
        "hits": hits(station, text, language),
        "limit": MOST_HITS,
        "main_form": main or (ledgers[0] if ledgers else None),
        "ledgers": ledgers,
        "villages": [_village(village, counts) for village in station.villages],
        "new_in_village": main is not None,
        "drafts": [_draft(station, draft, language) for draft in drafts],
        "conflicts": len(station.conflicts()),
        "conflicts_href": _first_conflict(station.conflicts()),
        "joined": joined,
        "unsent": waiting,
        "unsent_days": days,
    }


def hits(station: Station, text: str, language: str) -> list[dict[str, str]]:
    """Return the records found, each with the page it is changed on."""
    if not text:
        return []
    roots = _roots(station.forms())
    villages = {village.code: village.name for village in station.villages}
    found = station.find(text, limit=MOST_HITS)
    return [_hit(station, hit, roots, villages, language) for hit in found if hit.table in roots]


def villages_to_choose(station: Station, key: Key) -> tuple[Village, ...]:
    """Return the villages to choose from before a form is filled in that does not ask for one; empty otherwise."""
    if key.record or key.village or len(station.villages) < 2 or village_question(station.form(key.form)) is not None:
        return ()
    return station.villages


def saved(station: Station, form_id: str, record: str, language: str) -> dict[str, Any] | None:
    """Return the context of capture/saved.html, None for a record that is not there."""
    form = station.form(form_id)
    table = table_name(form)
    row = next(iter(station.attachments.open(f"{table}.csv").lookup("_id", record)), None)
    if row is None:
        return None
    name = next((village.name for village in station.villages if village.code == row["_village"]), "")
    path = f"/-/capture/{quote(form_id, safe='')}"
    return {
        "record_name": row["label"],
        "form_title": title_of(form, language),
        "village": {"name": name} if name else None,
        "again": f"{path}?{urlencode({'village': row['_village']})}" if row["_village"] else path,
        "edit": f"{path}/{quote(record, safe='')}",
        "household": f"/-/household/{quote(record, safe='')}" if table == MAIN else row.get("household") and
        f"/-/household/{quote(row['household'], safe='')}",
        "ledger": f"/township/{quote(table, safe='')}",
    }


def unsent(station: Station) -> tuple[bool, int, int]:
    """Return whether a township was joined, how many changes it lacks, and for how many days the oldest waits."""
    held = _held(station)
    known = max(held, default=0)
    waiting = station.journal.held().get(station.id, 0) - known
    if waiting <= 0:
        return bool(held), 0, 0
    oldest = station.journal.suffix(station.id, known, limit=1)[0]
    return bool(held), waiting, (station.clock.now() - moment_of(oldest.time)).days


def confirmed(station: Station) -> int:
    """Return the number of this station's last change that the township has confirmed, 0 for none."""
    return max(_held(station), default=0)


def _held(station: Station) -> list[int]:
    if not (station.folder / "peers.db").exists():
        return []
    peers = Peers(station.folder, clock=station.clock)
    try:
        return [hub.held for hub in peers.hubs()]
    finally:
        peers.close()


def _ledger(form: Form, counts: Mapping[str, Mapping[str, int]], language: str) -> dict[str, Any]:
    table = table_name(form)
    return {
        "form_id": form.form_id,
        "title": title_of(form, language),
        "count": sum(tables.get(table, 0) for tables in counts.values()),
        "new": f"/-/capture/{quote(form.form_id, safe='')}",
        "browse": f"/township/{quote(table, safe='')}",
    }


def _order(ledger: Mapping[str, Any]) -> tuple[bool, bool, int, str]:
    """The household ledger first, then ours, the fullest first."""
    form_id = ledger["form_id"]
    return form_id != MAIN, form_id not in shipped(), -ledger["count"], ledger["title"]


def _village(village: Village, counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    query = urlencode({"_village__exact": village.code})
    return {
        "name": village.name,
        "count": counts.get(village.code, {}).get(MAIN, 0),
        "href": f"/township/{MAIN}?{query}",
        "new": f"/-/capture/{MAIN}?{urlencode({'village': village.code})}",
    }


def _draft(station: Station, draft: Any, language: str) -> dict[str, Any]:
    form = next((form for form in station.forms() if form.form_id == draft.form_id), None)
    names = {village.code: village.name for village in station.villages}
    path = f"/-/capture/{quote(draft.form_id, safe='')}" + (f"/{quote(draft.record, safe='')}" if draft.record else "")
    query = {"draft": draft.id, **({"village": draft.village} if draft.village else {})}
    when = datetime.fromisoformat(draft.updated_at).astimezone()
    return {
        "name": draft.title,
        "title": title_of(form, language) if form else draft.form_id,
        "record": draft.record,
        "village": names.get(draft.village, ""),
        "when": f"{when:%m-%d %H:%M}",
        "href": f"{path}?{urlencode(query)}",
    }


def _roots(forms: Iterable[Form]) -> dict[str, tuple[Form, tuple[str, ...]]]:
    """Table -> its form, and the tables between it and the form's own, nearest first."""
    found: dict[str, tuple[Form, tuple[str, ...]]] = {}
    for form in forms:
        parents = {table.name: table.parent for table in tables_of(form)}
        for name, parent in parents.items():
            chain: list[str] = []
            above = parent
            while above:
                chain.append(above)
                above = parents[above]
            found[name] = (form, tuple(chain))
    return found


def _hit(
    station: Station,
    hit: Hit,
    roots: Mapping[str, tuple[Form, tuple[str, ...]]],
    villages: Mapping[str, str],
    language: str,
) -> dict[str, str]:
    form, chain = roots[hit.table]
    table, record, label = hit.table, hit.record, ""
    for above in chain:
        row = next(iter(station.attachments.open(f"{table}.csv").lookup("_id", record)), {})
        table, record = above, str(row.get("_parent") or "")
        label = str(next(iter(station.attachments.open(f"{table}.csv").lookup("_id", record)), {}).get("label", ""))
    about = [title_of(form, language), label, villages.get(hit.village, "")]
    return {
        "name": hit.label,
        "about": " · ".join(part for part in about if part),
        "href": f"/-/household/{quote(record, safe='')}"
        if table == MAIN and form.form_id == MAIN
        else f"/-/capture/{quote(form.form_id, safe='')}/{quote(record, safe='')}",
    }


def _first_conflict(conflicts: tuple[Conflict, ...]) -> str:
    return f"/township/{quote(conflicts[0].table, safe='')}/{quote(conflicts[0].record, safe='')}" if conflicts else ""
