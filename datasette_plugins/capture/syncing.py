"""The sync button: an exchange with the hub in the background, its plain result, and the conflicts to settle here."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from datasette.utils.asgi import Response

from collect.hlc import local, shown
from collect.peers import Peers
from collect.revision import DELETED
from collect.station import Station
from collect.undoing import IMPORT, UNDO, last_to_undo, presses, undo
from datasette_plugins.capture.importing import ROUTES as IMPORTING
from datasette_plugins.capture.jobs import Job, jobs_of
from datasette_plugins.capture.practice import PracticeError, is_practice
from datasette_plugins.capture.sitting import title_of
from datasette_plugins.desk import desk_of
from datasette_plugins.ui.language import language_of, say
from forms.problems import CunceError, Problem

if TYPE_CHECKING:
    from collect.projection import Conflict

_SHOWN = 40  # conflicts on one page
_SAVES = 30
_GUIDE = ("/-/sync", "/-/import", "/-/list/household", "/-/care")  # where each screen of the guide leads
_KEYS = (
    ("care.keys_form", (
        ("Enter / Tab", "capture.key_next"), ("Shift+Tab", "capture.key_back"), ("1 – 9", "capture.key_pick"),
        ("A – Z", "capture.key_letter"), ("Alt+N", "capture.key_add"), ("Ctrl+S", "capture.key_save"),
        ("F1", "capture.keys"),
    )),
    ("care.keys_list", (
        ("← ↑ ↓ →", "lists.key_move"), ("Enter", "lists.key_edit"), ("Esc", "lists.key_leave"),
        ("Space / Shift", "lists.key_choose"), ("Ctrl+A", "lists.key_all"), ("E", "lists.key_many"),
        ("Alt+↓", "lists.key_filter"), ("O", "lists.key_open"), ("Ctrl+Z", "lists.key_undo"),
    )),
    ("care.keys_all", (("/", "lists.key_find"), ("Ctrl+Z", "care.undo_last"), ("1 / 2", "lists.key_settle"))),
)  # fmt: skip


async def sync(datasette: Any, request: Any) -> Any:
    """The sync page (GET); begin an exchange, or join a hub first (POST)."""
    if request.method == "POST":
        fields = await request.post_vars()
        place, invitation, author = (str(fields.get(name) or "").strip() for name in ("folder", "invitation", "author"))
        _begin(datasette, place, invitation, author)
        return Response.redirect(datasette.urls.path("/-/sync"), status=303)
    language = language_of(request)
    context = await desk_of(datasette).run(lambda station: _context(station, language))
    job = jobs_of(datasette).last
    context |= {"job": job if job is not None and job.kind == "sync" else None, "language": language}
    return Response.html(await datasette.render_template("capture/sync.html", context, request=request))


def _begin(datasette: Any, place: str, invitation: str, author: str) -> None:
    folder = desk_of(datasette).station.folder

    def work(job: Job) -> Any:
        if is_practice(desk_of(datasette).station):
            raise PracticeError(Problem("PLUGINS_PRACTICE_NO_SYNC"))
        from sync import exchange
        from sync.identity import read_invitation
        from sync.joining import hub_of, join, over_folder, over_network

        def progress(step: exchange.Progress) -> None:
            job.advance(step.done, step.total, step.size)

        if invitation:
            joined = join(folder, read_invitation(invitation), progress=progress)
            if author:
                desk_of(datasette).station.set_author(author)
            job.problems = joined.later
            return joined.outcome
        with Station.open(folder) as station, closing(Peers(folder, clock=station.clock)) as peers:
            hub = hub_of(peers)
            if place:
                return exchange.run(station, over_folder(station, hub, Path(place)), progress=progress)
            with over_network(station, hub) as transport:
                return exchange.run(station, transport, progress=progress)

    jobs_of(datasette).start(Job("sync"), work)


def _context(station: Station, language: str) -> dict[str, Any]:
    with closing(Peers(station.folder, clock=station.clock)) as peers:
        hubs = peers.hubs()
    own = station.journal.held().get(station.id, 0)
    conflicts = station.conflicts()
    return {
        "hubs": [{"name": hub.name, "address": hub.address, "held": min(hub.held, own),
                  "waiting": max(own - hub.held, 0), "at": local(hub.exchanged_at)[:16] if hub.exchanged_at else ""}
                 for hub in hubs],
        "sticks": sticks(),
        "author": station.author,
        "conflicts": [_conflict(station, each, language) for each in conflicts[:_SHOWN]],
        "more": max(len(conflicts) - _SHOWN, 0),
    }  # fmt: skip


def sticks() -> list[str]:
    """Return folders where sticks usually appear, those that are there now: drive letters, /media, /run/media."""
    found = [Path(f"{letter}:/") for letter in "DEFGHIJKLMN"] if Path("C:/").is_absolute() else []
    for base in (Path("/media"), Path("/run/media"), Path("/Volumes")):
        try:
            found += [inner for user in base.iterdir() for inner in (user, *user.iterdir())] if base.is_dir() else []
        except OSError:
            continue
    return [str(path) for path in found if path.is_dir()]


def _conflict(station: Station, conflict: Conflict, language: str) -> dict[str, Any]:
    ledger = station.projection.ledgers[conflict.table]
    column = next((c for c in ledger.table.columns if c.name == conflict.field), None)
    languages = ledger.form.languages
    tongue = next((name for name in languages if f"({language})" in name), "")
    words = column.choices(tongue) if column is not None and column.question.itemset is not None else {}

    def said(value: Any) -> str:
        if conflict.field == DELETED:
            return say("queue.deleted" if value else "queue.kept", language)
        if value in (None, ""):
            return say("queue.emptied", language)
        return "、".join(words.get(part, part) for part in str(value).split()) if words else str(value)

    row = next(iter(station.attachments.open(f"{conflict.table}.csv").lookup("_id", conflict.record)), {})
    question = say("queue.whether", language) if column is None else column.question.label.plain(tongue)
    return {
        "table": conflict.table, "record": conflict.record, "field": conflict.field, "title": row.get("label", ""),
        "ledger": title_of(ledger.form, language), "question": question or conflict.field,
        "ways": [
            {"words": said(each.value), "author": each.author, "at": local_time(each.time),
             "mine": each.revision.station == station.id, "revision": str(each.revision),
             "shown": each.value == conflict.shown}
            for each in conflict.candidates
        ],
    }  # fmt: skip


def local_time(time: int) -> str:
    """A moment of the journal's clock to the minute."""
    return shown(time)[:16].replace("T", " ")


async def settle(datasette: Any, request: Any) -> Any:
    """Settle one conflict with the value chosen."""
    fields = await request.post_vars()
    key = tuple(fields.get(name) for name in ("table", "record", "field"))

    def work(station: Station) -> bool:
        for conflict in station.conflicts():
            if (conflict.table, conflict.record, conflict.field) == key:
                for each in conflict.candidates:
                    if str(each.revision) == fields.get("revision"):
                        station.settle(conflict, each.value, author=station.author or station.name)
                        return True
        return False

    done = await desk_of(datasette).run(work) if request.method == "POST" else False
    said = say("queue.settled" if done else "queue.gone", language_of(request))
    datasette.add_message(request, said, datasette.INFO if done else datasette.WARNING)
    return Response.redirect(datasette.urls.path("/-/sync#conflicts"), status=303)


async def stop(datasette: Any, request: Any) -> Any:
    """Ask the running job to stop where it can."""
    job = jobs_of(datasette).last
    if request.method == "POST" and job is not None:
        job.stopping = True
    back = str((await request.post_vars()).get("back") or "/") if request.method == "POST" else "/"
    safe = back if back.startswith("/-/") else "/"
    return Response.redirect(datasette.urls.path(safe), status=303)


async def job(datasette: Any, request: Any) -> Any:
    """How far the running job has come, for the page's script."""
    last = jobs_of(datasette).last
    if last is None:
        return Response.json({"running": False})
    return Response.json({
        "running": last.running, "done": last.done, "total": last.total, "size": last.size,
        "left": last.seconds_left,
    }, headers={"cache-control": "no-store"})  # fmt: skip


async def saves(datasette: Any, request: Any) -> Any:
    """The last saves (GET), and undoing one of them, by its id or the very last, and back to the page it was asked
    from (POST)."""
    language = language_of(request)
    if request.method == "POST":
        fields = await request.post_vars()
        chosen, back = str(fields.get("save") or ""), str(fields.get("back") or "")
        kind, said, done = await desk_of(datasette).run(lambda station: _undo(station, chosen, language))
        for words in said:
            datasette.add_message(request, words, kind(datasette))
        return Response.redirect(_returning(back, done) or datasette.urls.path("/-/saves"), status=303)
    context = {"saves": await desk_of(datasette).run(lambda station: _saves(station, language))}
    return Response.html(await datasette.render_template("capture/saves.html", context, request=request))


def _returning(back: str, done: str) -> str:
    """The address of one of our pages, which then offers to take back what was done; "" for any other."""
    path, _, query = back.partition("?")
    if path != "/" and not path.startswith(("/-/household/", "/-/list/")):
        return ""
    kept = [(name, value) for name, value in parse_qsl(query) if name not in ("redo", "done", "undone")]
    query = urlencode([*kept, *([("redo", done)] if done else [])])
    return f"{path}?{query}" if query else path


def _undo(station: Station, save: str, language: str) -> tuple[Any, list[str], str]:
    """Undo a save, or the last; return the kind of the messages, what they say, and the save that was made."""
    last = None if save else last_to_undo(station)
    chosen = save or (last.save if last else "")
    try:
        done = undo(station, chosen, author=station.author or station.name, partly=chosen.startswith(IMPORT))
    except CunceError as error:
        return (lambda datasette: datasette.ERROR), [problem.words(language) for problem in error.problems[:5]], ""
    said = [say("care.redone" if done.save.count(UNDO) % 2 == 0 else "care.undone", language, count=len(done.records))]
    said += [problem.words(language) for problem in list(done.kept.values())[:5]]
    if len(done.kept) > 5:
        said.append(say("care.undone_not", language, count=len(done.kept)))
    return (lambda datasette: datasette.WARNING if done.kept else datasette.INFO), said, done.save


def _saves(station: Station, language: str) -> list[dict[str, Any]]:
    found = []
    for press in presses(station, limit=_SAVES):
        ledger = station.projection.ledgers.of(press.table)
        row = next(iter(station.attachments.open(f"{press.table}.csv").lookup("_id", press.record)), {})
        imported = press.save.removeprefix("undo:").startswith(IMPORT)
        found.append({
            "save": press.save, "author": press.author, "at": local(press.at)[:16], "records": press.records,
            "ledger": title_of(ledger.form, language) if ledger else press.table, "label": row.get("label", ""),
            "what": say(f"care.{press.kind}", language), "imported": imported,
            "undone": press.undone, "undoes": press.undoes,
        })  # fmt: skip
    return found


async def guide(datasette: Any, request: Any) -> Any:
    """The guide of four screens, and the card of keys to print."""
    language = language_of(request)
    screens = [
        {"title": say(f"care.guide{n}", language), "lines": say(f"care.guide{n}_lines", language).split("|"),
         "href": href, "go": say(f"care.guide{n}_go", language)}
        for n, href in enumerate(_GUIDE, start=1)
    ]  # fmt: skip
    keys = [(say(title, language), [(key, say(what, language)) for key, what in rows]) for title, rows in _KEYS]
    context = {"screens": screens, "keys": keys}
    return Response.html(await datasette.render_template("capture/guide.html", context, request=request))


ROUTES = (
    *IMPORTING,
    (r"/-/sync/?$", sync),
    (r"/-/sync/settle$", settle),
    (r"/-/sync/stop$", stop),
    (r"/-/capture/-/job$", job),
    (r"/-/saves/?$", saves),
    (r"/-/guide/?$", guide),
)
