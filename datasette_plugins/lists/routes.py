"""Routes of the lists on a laptop: the page, its rows, one cell, a change of many, what is remembered, files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote

from datasette.utils.asgi import NotFound, Response

from collect import preferences
from collect.editing import MOST, EditError, opened
from collect.editing import change as edit
from collect.listing import fitting_ids
from collect.undoing import undo as undo_save
from datasette_plugins.capture.dates import whole
from datasette_plugins.capture.sitting import author_of
from datasette_plugins.capture.viewing import plain
from datasette_plugins.desk import desk_of
from datasette_plugins.lists import cells, issuing
from datasette_plugins.lists.asking import Asked, asked, names
from datasette_plugins.lists.checking import checks_of
from datasette_plugins.lists.rows import rows, these
from datasette_plugins.ui.browsing import ledgers_shown
from datasette_plugins.ui.language import language_of, say, words
from datasette_plugins.ui.ledgers import Ledger, Shown
from forms.problems import CunceError
from forms.tables import table_name

if TYPE_CHECKING:
    from collect.station import Station

PIECE = 200  # rows of one answer
_MOST_BYTES = 1_000_000
_SCRIPT = "lists.js."  # what keys of the script's words begin with
_NO_STORE = {"cache-control": "no-store"}
_FIXED = frozenset({"record", "point", "shape", "media", "own"})  # kinds of columns that no cell changes


async def page(datasette: Any, request: Any) -> Any:
    """The page, with its first rows in it."""
    language = language_of(request)
    shown = await _ledger(datasette, request)

    def work(station: Station) -> dict[str, Any]:
        listed = _asked(datasette, station, shown, request, language)
        form = listed.kept.form
        return {
            "title": shown.title,
            "new": "" if shown.parent else f"/-/capture/{quote(form.form_id, safe='')}",
            "data": {**_about(station, listed), **_piece(datasette, station, listed, language, 0)},
            "problems": [plain(problem, language) for problem in listed.problems],
        }

    context = await desk_of(datasette).read(work)
    said = {key.removeprefix(_SCRIPT): word[language] for key, word in words().items() if key.startswith(_SCRIPT)}
    context["data"] |= {"words": said, "path": datasette.urls.path(f"/-/list/{quote(shown.table, safe='')}")}
    html = await datasette.render_template("lists/list.html", context, request=request)
    return Response.html(html, headers=_NO_STORE)


async def piece(datasette: Any, request: Any) -> Any:
    """Some rows of a list, from `offset`; or with `row` that one as it stands now."""
    language, shown = language_of(request), await _ledger(datasette, request)
    offset = int(request.args.get("offset") or 0) if (request.args.get("offset") or "0").isdigit() else 0

    def work(station: Station) -> dict[str, Any]:
        listed = _asked(datasette, station, shown, request, language)
        if request.args.get("row"):
            return {"rows": these(station, listed, [request.args["row"]], language)}
        said = [plain(problem, language) for problem in listed.problems]
        return {**_piece(datasette, station, listed, language, offset), "problems": said}

    return _json(await desk_of(datasette).read(work))


async def ids(datasette: Any, request: Any) -> Any:
    """The records that fit, with their revisions, as many as may be changed at once."""
    language, shown = language_of(request), await _ledger(datasette, request)

    def work(station: Station) -> dict[str, Any]:
        listed = _asked(datasette, station, shown, request, language)
        found = fitting_ids(station.projection.path, listed.wanted, most=MOST + 1)
        return {"rows": dict(found[:MOST]), "more": len(found) > MOST}

    return _json(await desk_of(datasette).read(work))


async def cell(datasette: Any, request: Any) -> Any:
    """How one cell is answered."""
    shown, args = await _ledger(datasette, request), request.args
    language, row = language_of(request), args.get("row") or ""
    column = shown.shown(args.get("column") or "").question
    return await _answered(
        datasette, request, lambda station: cells.cell(station, shown.table, row, column, language)
    )


async def options(datasette: Any, request: Any) -> Any:
    """The choices of a cell that fit what is typed."""
    shown, args = await _ledger(datasette, request), request.args
    row, text = args.get("row") or "", args.get("q") or ""
    column = shown.shown(args.get("column") or "").question
    return await _answered(
        datasette, request, lambda station: cells.options(station, shown.table, row, column, text)
    )


async def change(datasette: Any, request: Any) -> Any:
    """Give one question an answer in one row or many: all or none; what else changed in the rows shown."""
    shown, language = await _ledger(datasette, request), language_of(request)
    body = await _body(request)
    if body is None:
        return _json({"problems": []}, 400)

    def work(station: Station) -> Any:
        listed = _asked(datasette, station, shown, request, language)
        given = {str(row): str(rev) for row, rev in dict(body["rows"]).items()}
        near = [str(row) for row in body.get("near") or ()][:PIECE]
        question = shown.shown(str(body["column"])).question
        value = whole(str(body.get("kind") or ""), str(body["value"]))
        status, answer = 200, dict[str, Any]()
        try:
            edited = edit(station, shown.table, question, given, value, author=author_of(station))
            answer = {"save": edited.save}
        except EditError as error:
            status = 409 if error.moved else 422
            answer = {"refused": cells.refusals(station, shown.table, error, language)}
        return status, {**answer, "rows": these(station, listed, {*given, *near}, language)}

    return await _answered(datasette, request, work)


async def undo(datasette: Any, request: Any) -> Any:
    """Take back a change that was made in a list."""
    shown, language = await _ledger(datasette, request), language_of(request)
    body = await _body(request)
    if body is None:
        return _json({"problems": []}, 400)

    def work(station: Station) -> dict[str, Any]:
        done = undo_save(station, str(body["save"]), author=author_of(station))
        return {"words": say("care.undone", language, count=len(done.records)), "table": shown.table}

    return await _answered(datasette, request, work)


async def remember(datasette: Any, request: Any) -> Any:
    """Keep the columns that were chosen, or a view under its name; a view without a query is forgotten."""
    shown = await _ledger(datasette, request)
    body = await _body(request)
    if body is None:
        return _json({"problems": []}, 400)

    def work(station: Station) -> dict[str, Any]:
        before = preferences.read(station.folder)
        chosen = before.of_list(shown.table)
        if "columns" in body:
            chosen = replace(chosen, columns=tuple(map(str, body["columns"])))
        if str(body.get("view") or "").strip():
            name, query = str(body["view"]).strip()[:60], str(body.get("query") or "")[:4000]
            views = {each: kept for each, kept in chosen.views.items() if each != name}
            chosen = replace(chosen, views={**views, name: query} if query else views)
        preferences.write(station.folder, replace(before, lists={**before.lists, shown.table: chosen}))
        return {"views": dict(chosen.views)}

    return await _answered(datasette, request, work)


async def export(datasette: Any, request: Any) -> Any:
    """The list as a workbook or as CSV."""
    kind = request.url_vars["kind"]
    return await _file(datasette, request, kind, lambda station, listed, language: issuing.exported(
        station, listed, kind, language
    ))  # fmt: skip


async def paper(datasette: Any, request: Any) -> Any:
    """The list as a PDF."""
    return await _file(datasette, request, "pdf", issuing.printed)


async def go(datasette: Any, request: Any) -> Any:
    """To the page of a row's record."""
    shown, row = await _ledger(datasette, request), request.url_vars["row"]

    def work(station: Station) -> str:
        kept = shown.kept
        assert kept is not None
        record = opened(station, shown.table, row).record
        if table_name(kept.form) == "household":
            return f"/-/household/{quote(record, safe='')}"
        return f"/-/capture/{quote(kept.form.form_id, safe='')}/{quote(record, safe='')}"

    try:
        return Response.redirect(datasette.urls.path(await desk_of(datasette).run(work)), status=303)
    except CunceError as error:
        raise NotFound(row) from error


async def check(datasette: Any, request: Any) -> Any:
    """How far the search for errors has come; begun where it was not."""
    shown = await _ledger(datasette, request)
    assert shown.kept is not None
    table = table_name(shown.kept.form)
    found = checks_of(datasette).begin(desk_of(datasette).station, table)
    return _json({"running": found.running, "done": found.done, "total": found.total, "faulty": len(found.faulty)})


def _asked(datasette: Any, station: Station, shown: Ledger, request: Any, language: str) -> Asked:
    query = parse_qs(request.query_string, keep_blank_values=True)
    faulty = None
    if "errors" in query.get("status", ()):
        assert shown.kept is not None
        faulty = checks_of(datasette).begin(station, table_name(shown.kept.form)).words(language)
    return asked(station, shown, query, faulty)


def _piece(datasette: Any, station: Station, listed: Asked, language: str, offset: int) -> dict[str, Any]:
    total, found = rows(station, listed, language, limit=PIECE, offset=offset)
    if listed.status == "errors":
        said = checks_of(datasette).of(table_name(listed.kept.form)).words(language)
        for row in found:
            row["wrong"] = said.get(row["id"], "")
    return {"total": total, "offset": offset, "rows": found}


def _about(station: Station, listed: Asked) -> dict[str, Any]:
    """What the page's script knows of a list besides its rows."""
    shown, kept = listed.shown, listed.kept
    chosen = preferences.read(station.folder).of_list(shown.table)
    order = dict.fromkeys([*(name for name in kept.columns if not name.startswith("_")), "_parent", "_village",
                           "_updated_at", "_updated_by"])  # fmt: skip
    present = [name for name in order if name in kept.columns and not (name == "_village" and kept.village_field)]
    return {
        "columns": [column.name for column in listed.columns],
        "known": [_column(listed, shown.shown(name)) for name in present],
        "filters": list(listed.words),
        "text": listed.text,
        "status": listed.status,
        "sort": ("-" if listed.wanted.descending else "") + listed.wanted.sort,
        "views": dict(chosen.views),
        "villages": names(station),
        "village": kept.village_field or "_village",
    }


def _column(listed: Asked, column: Shown) -> dict[str, Any]:
    question = listed.kept.fields.get(column.question)
    fixed = question is None or column.kind in _FIXED or question.question.calculate is not None
    # A link to another ledger is answered where its list can be searched.
    linked = question is not None and column.kind == "record" and column.name != "_parent"
    return {
        "name": column.name, "label": column.label, "kind": column.kind, "section": column.section,
        "choices": list(column.choices.items()), "fixed": fixed and not linked,
    }  # fmt: skip


async def _ledger(datasette: Any, request: Any) -> Ledger:
    found = await ledgers_shown(datasette, language_of(request))
    shown = found.get(request.url_vars["table"])
    if shown is None or shown.kept is None:
        raise NotFound(request.url_vars["table"])
    return shown


async def _answered(datasette: Any, request: Any, work: Callable[[Station], Any]) -> Any:
    """Do `work` on the station's thread and answer with what it returns; every refusal says why in words."""
    language = language_of(request)
    try:
        found = await desk_of(datasette).run(work)
    except CunceError as error:
        status = 503 if error.retryable else 400
        return _json({"problems": [plain(problem, language) for problem in error.problems[:20]]}, status)
    except (KeyError, TypeError, ValueError):
        return _json({"problems": []}, 400)
    status, answer = found if isinstance(found, tuple) else (200, found)
    return _json(answer, status)


async def _file(
    datasette: Any, request: Any, kind: str, make: Callable[[Station, Asked, str], bytes]
) -> Any:
    language, shown = language_of(request), await _ledger(datasette, request)

    def work(station: Station) -> bytes:
        return make(station, _asked(datasette, station, shown, request, language), language)

    content = await desk_of(datasette).read(work)
    way = "inline" if kind == "pdf" else "attachment"
    headers = {**_NO_STORE, "content-disposition": f"{way}; filename*=UTF-8''{quote(f'{shown.title}.{kind}')}"}
    return Response(content, headers=headers, content_type=issuing.KINDS.get(kind, "application/pdf"))


async def _body(request: Any) -> Mapping[str, Any] | None:
    """A JSON object that our own script has sent: other sites can't send this header unasked."""
    if request.method != "POST" or request.headers.get("x-cunce") != "capture":
        return None
    if int(request.headers.get("content-length") or 0) > _MOST_BYTES:
        return None
    try:
        body = json.loads(await request.post_body())
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _json(data: Mapping[str, Any], status: int = 200) -> Any:
    return Response.json(data, status=status, headers=_NO_STORE)


_LIST = r"/-/list/(?P<table>[^/]+)"
ROUTES = (
    (rf"{_LIST}/?$", page),
    (rf"{_LIST}/-/rows$", piece),
    (rf"{_LIST}/-/ids$", ids),
    (rf"{_LIST}/-/cell$", cell),
    (rf"{_LIST}/-/options$", options),
    (rf"{_LIST}/-/change$", change),
    (rf"{_LIST}/-/undo$", undo),
    (rf"{_LIST}/-/remember$", remember),
    (rf"{_LIST}/-/check$", check),
    (rf"{_LIST}/-/export\.(?P<kind>xlsx|csv)$", export),
    (rf"{_LIST}/-/print\.pdf$", paper),
    (rf"{_LIST}/-/open/(?P<row>[^/]+)$", go),
)
