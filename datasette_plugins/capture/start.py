"""The start page's content: what to do next, how far the work has come, drafts, ledgers; and what follows saving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from collect import preferences
from collect.hlc import moment_of
from collect.peers import Peers
from datasette_plugins.capture.finding import MOST, hits, lately
from datasette_plugins.capture.practice import is_practice
from datasette_plugins.capture.progress import Progress, progress
from datasette_plugins.capture.sitting import Key, title_of, village_question
from datasette_plugins.ui.language import say
from forms.definition import Form
from forms.reader import shipped
from forms.tables import table_name

if TYPE_CHECKING:
    from collect.projection import Conflict
    from collect.station import Station, Village

MAIN = "household"  # the ledger that the big button is for


def page(station: Station, text: str, language: str, *, faulty: int | None = None, alike: int = 0) -> dict[str, Any]:
    """Return the context of capture/start.html; `text`: what is searched for, or ""; `faulty`: how many households
    have errors, as far as that was looked at; `alike`: pairs that may be duplicates."""
    known = progress(station)
    ledgers = sorted((_ledger(station, form, known.counts, language) for form in station.forms()), key=_order)
    drafts = [_draft(station, draft, language) for draft in station.drafts.list()]
    main = next((ledger for ledger in ledgers if ledger["form_id"] == MAIN), None)
    return {
        "text": text,
        "hits": hits(station, text, language),
        "limit": MOST,
        "lately": lately(station, language),
        "main_form": main or (ledgers[0] if ledgers else None),
        "default_village": preferences.read(station.folder).village,
        "ledgers": ledgers,
        "progress": known,
        "todo": list(_todo(station, known, len(drafts), faulty, alike)),
        "drafts": drafts,
        "practice_offered": not is_practice(station),
    }


def _todo(station: Station, known: Progress, drafts: int, faulty: int | None, alike: int) -> Iterator[dict[str, Any]]:
    """What to do next, the most pressing first: key of the words, number, where it is done."""
    mine = conflicts_of(station)
    if mine:
        yield {"key": "conflicts", "count": len(mine), "href": "/-/sync#conflicts", "kind": "danger"}
    if drafts:
        yield {"key": "drafts", "count": drafts, "href": "#drafts", "kind": "warning"}
    if faulty:
        yield {"key": "errors", "count": faulty, "href": f"/-/list/{MAIN}?status=errors", "kind": "danger"}
    if alike:
        yield {"key": "suspects", "count": alike, "href": "/-/suspects", "kind": "warning"}
    if known.rule and known.due:
        yield {"key": "visits", "count": known.due, "href": "/-/visits", "kind": "info"}
    if not known.households and not drafts:
        yield {"key": "guide", "count": 0, "href": "/-/guide", "kind": "info"}
    joined, waiting, days = unsent(station)
    if joined and waiting:
        kind = "warning" if days else "info"
        yield {"key": "unsent", "count": waiting, "days": days, "href": "/-/sync", "kind": kind}
    if not joined and not is_practice(station):
        yield {"key": "join", "count": 0, "href": "/-/sync", "kind": "info"}
    if not preferences.read(station.folder).backup_folder and not is_practice(station):
        yield {"key": "backup", "count": 0, "href": "/-/care", "kind": "info"}
    if faulty is None and known.households:
        yield {"key": "check", "count": 0, "href": f"/-/list/{MAIN}?status=errors", "kind": "info"}


def conflicts_of(station: Station) -> tuple[Conflict, ...]:
    """Return the conflicts that concern who works here: a way that was saved on this machine, or under their name."""
    return tuple(
        conflict for conflict in station.conflicts()
        if any(each.revision.station == station.id or each.author == station.author for each in conflict.candidates)
    )


def settle_draft(station: Station, draft: str, do: str) -> None:
    """Discard a draft or take it back; raises DraftError for one that is not there."""
    if do == "restore":
        station.drafts.restore(draft)
    else:
        station.drafts.discard(draft)


def villages_to_choose(station: Station, key: Key) -> tuple[Village, ...]:
    """Return the villages to choose from before a form is filled in that does not ask for one; empty otherwise."""
    if key.record or key.village or len(station.villages) < 2 or village_question(station.form(key.form)) is not None:
        return ()
    return station.villages


def saved(station: Station, form_id: str, record: str, language: str) -> dict[str, Any] | None:
    """Return the context of capture/saved.html, None for a record that is not there."""
    form = station.form(form_id)
    table = table_name(form)
    row = next(station.projection.labelled(table, "_id", record), None)  # `village.csv` is the list of codes
    if row is None:
        return None
    name = next((village.name for village in station.villages if village.code == row["_village"]), "")
    path = f"/-/capture/{quote(form_id, safe='')}"
    return {
        "record_name": row["label"] or record,
        "form_title": title_of(form, language),
        "village": {"name": name} if name else None,
        "again": f"{path}?{urlencode({'village': row['_village']})}" if row["_village"] else path,
        "edit": f"{path}/{quote(record, safe='')}",
        "household": f"/-/household/{quote(record, safe='')}" if table == MAIN else row.get("household") and
        f"/-/household/{quote(row['household'], safe='')}",
        "ledger": f"/-/list/{quote(table, safe='')}",
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


def _ledger(station: Station, form: Form, counts: Mapping[str, int], language: str) -> dict[str, Any]:
    table = table_name(form)
    return {
        "form_id": form.form_id,
        "title": title_of(form, language),
        "count": counts.get(table, 0),
        "new": f"/-/capture/{quote(form.form_id, safe='')}",
        "browse": f"/-/list/{quote(table, safe='')}",
        "more": [
            {"title": say(f"ledger.{child.name}", language), "count": counts.get(child.name, 0),
             "browse": f"/-/list/{quote(child.name, safe='')}"}
            for child in station.shelf.tables(form) if child.name == f"{MAIN}_member"
        ],
    }  # fmt: skip


def _order(ledger: Mapping[str, Any]) -> tuple[bool, bool, int, str]:
    """The household ledger first, then ours, the fullest first."""
    form_id = ledger["form_id"]
    return form_id != MAIN, form_id not in shipped(), -ledger["count"], ledger["title"]


def _draft(station: Station, draft: Any, language: str) -> dict[str, Any]:
    form = next((form for form in station.forms() if form.form_id == draft.form_id), None)
    names = {village.code: village.name for village in station.villages}
    path = f"/-/capture/{quote(draft.form_id, safe='')}" + (f"/{quote(draft.record, safe='')}" if draft.record else "")
    query = {"draft": draft.id, **({"village": draft.village} if draft.village else {})}
    when = datetime.fromisoformat(draft.updated_at).astimezone()
    return {
        "id": draft.id,
        "name": draft.title,
        "title": title_of(form, language) if form else draft.form_id,
        "record": draft.record,
        "village": names.get(draft.village, ""),
        "when": f"{when:%m-%d %H:%M}",
        "href": f"{path}?{urlencode(query)}",
    }
