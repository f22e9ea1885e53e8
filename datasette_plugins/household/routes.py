"""Routes of the household page, its actions, and of the visits that are due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode

from datasette.utils.asgi import NotFound, Response
from uuid6 import uuid7

from collect.household import HouseholdError, head_of, present
from collect.saving import SaveError
from collect.undoing import undo as undo_save
from datasette_plugins.capture.sitting import author_of, title_of
from datasette_plugins.desk import desk_of
from datasette_plugins.household import deeds
from datasette_plugins.household.book import HOUSEHOLD, household_form, page
from datasette_plugins.household.visiting import quick_visit, visits_page
from datasette_plugins.ui.language import language_of, say
from forms.problems import CunceError, Problem

if TYPE_CHECKING:
    from collect.station import Station

_HEADERS = {"cache-control": "no-store"}


async def household(datasette: Any, request: Any) -> Any:
    """The page of one household."""
    record, lang = request.url_vars["record"], language_of(request)
    context = await _looked(datasette, record, lambda station: page(station, record, lang))
    done = request.args.get("done") or ""
    return await _page(datasette, request, "page", {**context, "done": done, "undone": request.args.get("undone")})


async def deed(datasette: Any, request: Any) -> Any:
    """An action: its form (GET), what it would do (POST), and doing it (POST with `confirm`)."""
    record, name, lang = request.url_vars["record"], request.url_vars["deed"], language_of(request)
    if name not in deeds.DEEDS:
        raise NotFound(name)
    given = await _given(request) if request.method == "POST" else {key: [request.args[key]] for key in request.args}
    asked = request.method == "POST"

    def work(station: Station) -> dict[str, Any]:
        context = _deed_context(station, record, name, given, lang)
        if not asked or (name in ("move", "merge") and not given.get("target")):
            context["problems"] = _missing(context, lang) if asked else []
            return context
        try:
            proposal = deeds.propose(station, record, name, given, lang)
            confirm = given.get("confirm", [""])[0]
            if confirm == proposal.token:
                return {"save": deeds.carry_out(station, proposal, author_of(station))}
            stale = [Problem("PLUGINS_HOUSEHOLD_STALE").words(lang)] if confirm else []
            return {**context, "proposal": proposal, "problems": stale}
        except HouseholdError as error:
            return {**context, "problems": [problem.words(lang) for problem in error.problems]}

    context = await _looked(datasette, record, work)
    if "save" in context:
        path = f"/-/household/{quote(record, safe='')}?{urlencode({'done': context['save']})}"
        return Response.redirect(datasette.urls.path(path), status=303)
    return await _page(datasette, request, "deed", context)


async def undo(datasette: Any, request: Any) -> Any:
    """Take back a save that was just made, from the page that said so."""
    if request.method != "POST":
        raise NotFound("undo")
    given = {name: values[0] for name, values in (await _given(request)).items()}
    lang = language_of(request)

    def work(station: Station) -> str:
        try:
            undo_save(station, given.get("save", ""), author=author_of(station))
        except CunceError as error:
            return "；".join(problem.words(lang) for problem in error.problems)
        return say("household.undone", lang)

    told = await desk_of(datasette).run(work)
    back = given.get("back", "/")
    back = back if back.startswith(("/-/household/", "/-/visits")) else "/"
    return Response.redirect(datasette.urls.path(f"{back}?{urlencode({'undone': told})}"), status=303)


async def add(datasette: Any, request: Any) -> Any:
    """Begin an entry of a ledger about this household: a draft with village and household filled in."""
    record, form_id = request.url_vars["record"], request.args.get("form") or ""

    def work(station: Station) -> str:
        if form_id not in {form.form_id for form in station.forms()}:
            raise NotFound(form_id)
        opened = station.opened(HOUSEHOLD, record)
        instance = station.instance(form_id)
        instance.fill(_prefilled(station, form_id, record, opened.village, request.args.get("person") or ""))
        form = instance.program.form
        draft = str(uuid7())
        station.drafts.put(
            draft, form_id, form.version, None, instance.answers(relevant_only=False), village=opened.village,
            author=author_of(station), title=instance.instance_name.strip() or title_of(form, "zh"), expected=0,
        )  # fmt: skip
        return f"/-/capture/{quote(form_id, safe='')}?{urlencode({'draft': draft, 'village': opened.village})}"

    return Response.redirect(datasette.urls.path(await _looked(datasette, record, work)), status=303)


async def visits(datasette: Any, request: Any) -> Any:
    """The visits that are due (GET), and the quick entry of one (POST)."""
    lang, args = language_of(request), request.args
    given = {name: values[0] for name, values in (await _given(request)).items()} if request.method == "POST" else {}
    village, group = (given.get(name) or args.get(name) or "" for name in ("in_village", "in_group"))
    at = int(args["at"]) if (args.get("at") or "").isdigit() else 0

    def work(station: Station) -> dict[str, Any]:
        problems: list[str] = []
        if given:
            try:
                saved = quick_visit(station, given)
                row = next(station.projection.labelled(HOUSEHOLD, "_id", given.get("household", "")), {})
                return {"save": saved.revisions[0].save, "name": str(row.get("head_name") or row.get("label", ""))}
            except CunceError as error:
                problems = [problem.words(lang) for problem in error.problems]
        context = visits_page(station, station.clock.now().date(), lang, village=village, group=group, at=at)
        return {**context, "problems": problems, "given": given, "author": author_of(station)}

    context = await desk_of(datasette).run(work)
    if "save" in context:
        query = {"done": context["save"], "name": context["name"], "in_village": village, "in_group": group}
        path = f"/-/visits?{urlencode({name: value for name, value in query.items() if value})}"
        return Response.redirect(datasette.urls.path(path), status=303)
    told = {name: args.get(name) or "" for name in ("done", "name", "undone")}
    return await _page(datasette, request, "visits", {**context, **told})


def _deed_context(station: Station, record: str, name: str, given: deeds.Given, lang: str) -> dict[str, Any]:
    found = household_form(station)
    if found is None:
        raise NotFound(HOUSEHOLD)
    _, shape = found
    answers = station.opened(HOUSEHOLD, record).answers
    members = next(child for child in station.projection.children(HOUSEHOLD) if child.table.key == shape.members)
    relations = members.fields["relation"].choices(deeds_language(members.form, lang))
    here = [{"id": row["_id"], "name": row.get("name", "")} for row in present(shape, answers)]
    head = head_of(shape, answers)
    text = given.get("q", [""])[0]
    return {
        "record": record, "path": f"/-/household/{quote(record, safe='')}", "deed": name,
        "name": answers.get("head_name") or record, "people": here, "head": head["_id"] if head else "",
        "relations": {code: words for code, words in relations.items() if code != "02"}, "q": text,
        "targets": deeds.targets(station, record, text), "given": given,
        "today": station.clock.now().date().isoformat(),
        "proposal": None, "problems": [],
    }  # fmt: skip


def deeds_language(form: Any, lang: str) -> str:
    """Return what a form calls the page's language."""
    from collect.ledgers import language

    return language(form, lang)


def _missing(context: dict[str, Any], lang: str) -> list[str]:
    return [] if context["targets"] else [Problem("PLUGINS_HOUSEHOLD_TARGET").words(lang)]


def _prefilled(station: Station, form_id: str, record: str, village: str, person: str) -> dict[str, str]:
    """Answers of a new entry: the village, the household, the person, the visitor, where the form asks for them."""
    ledger = next(each for each in station.projection.ledgers.values() if each.form.form_id == form_id)
    found = {ledger.village_field: village} if ledger.village_field else {}
    for column in ledger.table.columns:
        if column.source == f"{HOUSEHOLD}.csv":
            found.setdefault(column.name, record)
        elif person and column.source == f"{HOUSEHOLD}_member.csv":
            found[column.name] = person
        elif column.name == "grid_worker":
            found[column.name] = author_of(station)
    return found


async def _looked(datasette: Any, record: str, work: Any) -> Any:
    """Work on the station; a record that is not there is no page."""

    def at_the_desk(station: Station) -> Any:
        if household_form(station) is None:
            raise NotFound(HOUSEHOLD)
        return work(station)

    try:
        return await desk_of(datasette).run(at_the_desk)
    except SaveError as error:
        raise NotFound(record) from error


async def _given(request: Any) -> dict[str, list[str]]:
    return parse_qs((await request.post_body()).decode("utf-8", "replace"), keep_blank_values=True)


async def _page(datasette: Any, request: Any, name: str, context: dict[str, Any]) -> Any:
    html = await datasette.render_template(f"household/{name}.html", context, request=request)
    return Response.html(html, headers=_HEADERS)


ROUTES = (
    (r"/-/visits$", visits),
    (r"/-/household/-/undo$", undo),
    (r"/-/household/(?P<record>[^/]+)$", household),
    (r"/-/household/(?P<record>[^/]+)/add$", add),
    (r"/-/household/(?P<record>[^/]+)/do/(?P<deed>[a-z]+)$", deed),
)
