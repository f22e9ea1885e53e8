"""Routes of data entry: pages, and what the form page's script asks; all work is done on the station's thread."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote, urlencode

from datasette.utils.asgi import NotFound, Response

from collect.saving import SaveError
from datasette_plugins.capture import finding, location, media, start
from datasette_plugins.capture.lookup import fitting
from datasette_plugins.capture.practice import practising
from datasette_plugins.capture.sitting import Key, OvertakenError, SettledError, Sitting, sittings_of, title_of
from datasette_plugins.capture.viewing import plain
from datasette_plugins.desk import desk_of
from datasette_plugins.lists.checking import checks_of
from datasette_plugins.ui.language import language_of, words
from datasette_plugins.ui.side_by_side import pairs
from forms.problems import CunceError

_MOST = 2_000_000  # bytes of one request
_PAGE = "/-/capture/"
_HEADERS = {"cache-control": "no-store"}


async def home(datasette: Any, request: Any) -> Any:
    """The start page: what to enter, what was left unfinished, what the township does not have yet."""
    text = request.args.get("q", "").strip()
    language = language_of(request)
    faulty = checks_of(datasette).known(start.MAIN)
    alike = len(await pairs(datasette, request.actor))
    desk = desk_of(datasette)
    context = await desk.run(lambda station: start.page(station, text, language, faulty=faulty, alike=alike))
    context["discarded"] = request.args.get("discarded") or ""
    return await _page(datasette, request, "start", context)


async def find(datasette: Any, request: Any) -> Any:
    """Records by name, pinyin, number or phone, as a piece of the start page."""
    text, language = request.args.get("q", "").strip(), language_of(request)
    hits = await desk_of(datasette).run(lambda station: finding.hits(station, text, language))
    return await _page(datasette, request, "found", {"text": text, "hits": hits, "limit": finding.MOST})


async def drafts(datasette: Any, request: Any) -> Any:
    """Discard a draft from the start page, or take that back."""
    if request.method != "POST":
        return _refused(405)
    fields = await request.post_vars()
    draft, do = str(fields.get("draft") or ""), str(fields.get("do") or "")
    try:
        await desk_of(datasette).run(lambda station: start.settle_draft(station, draft, do))
        sittings_of(datasette).close(draft)
    except CunceError as error:
        datasette.add_message(request, error.problems[0].words(language_of(request)), datasette.ERROR)
        draft = ""
    told = f"?{urlencode({'discarded': draft})}" if draft and do != "restore" else ""
    return Response.redirect(datasette.urls.path(f"/{told}#drafts"), status=303)


async def practise(datasette: Any, request: Any) -> Any:
    """Begin a practice beside this program, and a page that leads there."""
    if request.method != "POST":
        return Response.redirect(datasette.urls.path("/"), status=303)
    try:
        address = await asyncio.to_thread(practising(datasette).address)
    except CunceError as error:
        datasette.add_message(request, error.problems[0].words(language_of(request)), datasette.ERROR)
        return Response.redirect(datasette.urls.path("/"), status=303)
    return await _page(datasette, request, "practice", {"address": address})


async def form(datasette: Any, request: Any) -> Any:
    """The form page: a new record, a record to change, or a draft to go on with."""
    form_id, record = request.url_vars["form"], request.url_vars.get("record") or ""
    args, language = request.args, language_of(request)
    key = Key(args.get("draft") or "", form_id, record, args.get("village") or "", args.get("language") or "")
    desk = desk_of(datasette)
    if form_id not in await desk.run(lambda station: {form.form_id for form in station.forms()}):
        raise NotFound(form_id)
    if not key.draft:
        draft = await desk.run(lambda station: sittings_of(datasette).begin(station, key))
        return Response.redirect(datasette.urls.path(_form_path(key, draft=draft)), status=303)
    villages = await desk.run(lambda station: start.villages_to_choose(station, key))
    if villages:
        choices = [{"name": one.name, "href": _form_path(key, village=one.code)} for one in villages]
        title = await desk.run(lambda station: title_of(station.form(form_id), language))
        return await _page(datasette, request, "village", {"villages": choices, "form_title": title})
    try:
        context = await desk.run(lambda station: sittings_of(datasette).open(station, key, language).page())
    except SettledError as settled:
        return Response.redirect(datasette.urls.path(settled.where or "/"), status=303)
    except (SaveError, ValueError) as error:
        raise NotFound(record or key.draft) from error
    context["script_words"] = {name: said[language] for name, said in words().items() if name.startswith("capture.js.")}
    return await _page(datasette, request, "form", context)


async def change(datasette: Any, request: Any) -> Any:
    """One change or several to a draft, kept before it is answered; what else changed on the page."""

    def work(sitting: Sitting, body: dict[str, Any]) -> dict[str, Any]:
        return sitting.change(int(body["counter"]), body["changes"])

    return await _work(datasette, request, work)


async def save(datasette: Any, request: Any) -> Any:
    """Save a draft as a record, or say what keeps it from being saved."""
    return await _work(datasette, request, lambda sitting, body: sitting.save(int(body["counter"])))


async def discard(datasette: Any, request: Any) -> Any:
    """Throw a draft away."""
    return await _work(datasette, request, lambda sitting, body: sitting.discard())


async def options(datasette: Any, request: Any) -> Any:
    """The choices of one question that fit what is typed."""
    args, language = request.args, language_of(request)

    def work(station: Any) -> dict[str, Any]:
        sitting = sittings_of(datasette).open(station, _key_of(args), language)
        found, more = fitting(sitting.instance.choices(args["ref"]), args.get("q") or "")
        return {"options": [{"name": choice.name, "label": choice.label} for choice in found], "more": more}

    try:
        return _json(await desk_of(datasette).run(work))
    except (CunceError, KeyError, ValueError):
        return _refused(400)
    except SettledError:
        return _json({"conflict": True, "gone": True}, 409)


async def keep_file(datasette: Any, request: Any) -> Any:
    """Keep a photo or file that was picked for a question; its name, and where it was taken."""
    if request.method != "POST" or request.headers.get("x-cunce") != "capture":
        return _refused(405)
    language = language_of(request)
    try:
        return _json(await media.receive(datasette, request, _key_of(request.args), language))
    except CunceError as error:
        status = 503 if error.retryable else 400
        return _json({"problems": [plain(problem, language) for problem in error.problems]}, status)
    except SettledError:
        return _json({"conflict": True, "gone": True}, 409)
    except (KeyError, ValueError):
        return _refused(400)


async def place(datasette: Any, request: Any) -> Any:
    """What place a pasted text names."""
    try:
        return _json(location.read(request.args.get("text") or "", request.args.get("datum") or ""))
    except CunceError as error:
        return _json({"problems": [plain(problem, language_of(request)) for problem in error.problems]}, 400)


async def ground(datasette: Any, request: Any) -> Any:
    """What the page's map shows of a village."""
    village = request.args.get("village") or ""
    return _json(await desk_of(datasette).read(lambda station: location.ground(station, village)))


async def saved(datasette: Any, request: Any) -> Any:
    """What was saved, and what may come next."""
    form_id, record = request.url_vars["form"], request.url_vars["record"]
    language = language_of(request)
    context = await desk_of(datasette).run(lambda station: start.saved(station, form_id, record, language))
    if context is None:
        raise NotFound(record)
    context["warnings"] = [plain(each, language) for each in sittings_of(datasette).warnings(record)]
    return await _page(datasette, request, "saved", context)


async def _work(datasette: Any, request: Any, work: Any) -> Any:
    """Do `work(sitting, body)` for a request of the page's script; every refusal says why in words."""
    if request.method != "POST":
        return _refused(405)
    body = await _body(request)
    if body is None:
        return _refused(400)
    language = language_of(request)

    def at_the_desk(station: Any) -> dict[str, Any]:
        found: dict[str, Any] = work(sittings_of(datasette).open(station, _key_of(body), language), body)
        return found

    try:
        return _json(await desk_of(datasette).run(at_the_desk))
    except OvertakenError as overtaken:
        return _json({"conflict": True, "counter": overtaken.counter}, 409)
    except SettledError as settled:
        if settled.where:
            return _json({"saved": datasette.urls.path(settled.where), "counter": 0})
        return _json({"conflict": True, "gone": True}, 409)
    except CunceError as error:
        # 503: the page keeps what it has and asks again by itself.
        status = 503 if error.retryable else 400
        return _json({"problems": [plain(problem, language) for problem in error.problems]}, status)
    except (KeyError, TypeError, ValueError):
        return _refused(400)


async def _body(request: Any) -> dict[str, Any] | None:
    """A JSON object sent by our own script: other sites can send neither this content type nor this header unasked."""
    if request.headers.get("x-cunce") != "capture":
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return None
    if int(request.headers.get("content-length") or 0) > _MOST:
        return None
    try:
        body = json.loads(await request.post_body())
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _key_of(values: Any) -> Key:
    """The key of a draft in a request; raises KeyError and ValueError for one that is not whole."""
    return Key(*(str(values[name] if name in ("draft", "form") else values.get(name) or "") for name in Key._fields))


def _form_path(key: Key, *, draft: str = "", village: str = "") -> str:
    query = {"draft": draft or key.draft, "village": village or key.village, "language": key.language}
    path = _PAGE + quote(key.form, safe="") + (f"/{quote(key.record, safe='')}" if key.record else "")
    return f"{path}?{urlencode({name: value for name, value in query.items() if value})}"


def _json(data: dict[str, Any], status: int = 200) -> Any:
    return Response.json(data, status=status, headers=_HEADERS)


def _refused(status: int) -> Any:
    return _json({"problems": []}, status)


async def _page(datasette: Any, request: Any, name: str, context: dict[str, Any]) -> Any:
    html = await datasette.render_template(f"capture/{name}.html", context, request=request)
    return Response.html(html, headers=_HEADERS)


async def to_start(datasette: Any, request: Any) -> Any:
    """`/-/capture` is the start page."""
    return Response.redirect(datasette.urls.path("/"), status=303)


ROUTES = (
    (r"/$", home),
    (r"/-/capture/?$", to_start),
    (r"/-/capture/-/find$", find),
    (r"/-/drafts$", drafts),
    (r"/-/practice$", practise),
    (r"/-/capture/-/change$", change),
    (r"/-/capture/-/save$", save),
    (r"/-/capture/-/discard$", discard),
    (r"/-/capture/-/options$", options),
    (r"/-/capture/-/media$", keep_file),
    (r"/-/capture/-/place$", place),
    (r"/-/capture/-/ground$", ground),
    (r"/-/capture/-/saved/(?P<form>[^/]+)/(?P<record>[^/]+)$", saved),
    (r"/-/capture/(?P<form>[^/]+)(?:/(?P<record>[^/]+))?$", form),
)
