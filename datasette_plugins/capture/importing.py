"""The import wizard: a file is taken in, its headers are matched, rows tried dry, then imported."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode
from uuid import uuid4
from weakref import WeakKeyDictionary

from datasette.utils.asgi import NotFound, Response

from collect.importer.cells import label
from collect.importer.layout import guess_layout
from collect.importer.ledger import choose_layout, import_ledger
from collect.importer.workbook import read_sheets
from collect.station import Station
from datasette_plugins.capture.jobs import Job, jobs_of
from datasette_plugins.capture.sitting import title_of
from datasette_plugins.desk import desk_of
from datasette_plugins.ui.language import language_of
from forms.problems import CunceError
from forms.tables import tables_of

if TYPE_CHECKING:
    from collect.importer.layout import Layout
    from forms.definition import Form

_MOST = 200 * 1024 * 1024  # bytes, as the importer's own limit
_SAMPLES = 3
_SHOWN = 100  # faults on the page; all of them stand in the workbook that comes back


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was handed in; it lies in a folder of its own until the program ends."""

    token: str
    path: Path

    @property
    def returned(self) -> Path:
        """Where its failed rows go."""
        return self.path.with_name(f"{self.path.stem}_未导入.xlsx")


class _Uploads:
    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="cunce-import-", ignore_cleanup_errors=True)
        self.found: dict[str, Upload] = {}

    def keep(self, name: str, data: bytes) -> Upload:
        token = uuid4().hex
        folder = Path(self.folder.name) / token
        folder.mkdir(mode=0o700)
        upload = Upload(token, folder / (Path(name.replace("\\", "/")).name or "file"))
        upload.path.write_bytes(data)
        self.found[token] = upload
        return upload


_UPLOADS: WeakKeyDictionary[Any, _Uploads] = WeakKeyDictionary()


def _uploads(datasette: Any) -> _Uploads:
    if datasette not in _UPLOADS:
        _UPLOADS[datasette] = _Uploads()
    return _UPLOADS[datasette]


async def begin(datasette: Any, request: Any) -> Any:
    """The wizard's first page: which file."""
    html = await datasette.render_template("capture/import.html", {"upload": None}, request=request)
    return Response.html(html)


async def upload(datasette: Any, request: Any) -> Any:
    """Take in a file that our script sends as it is, its name in a header."""
    size = int(request.headers.get("content-length") or 0)
    if request.method != "POST" or request.headers.get("x-cunce") != "capture" or not 0 < size <= _MOST:
        return Response.json({"problems": []}, status=400)
    name = unquote(request.headers.get("x-name") or "")
    kept = _uploads(datasette).keep(name, await request.post_body())
    return Response.json({"next": datasette.urls.path(f"/-/import/{kept.token}")})


async def columns(datasette: Any, request: Any) -> Any:
    """The wizard's second page: form, sheet, headers and what they stand for (GET); a dry run or the import (POST)."""
    kept = _uploads(datasette).found.get(request.url_vars["token"])
    if kept is None:
        raise NotFound("upload")
    fields = await request.post_vars() if request.method == "POST" else request.args
    form_id, sheet, village = (fields.get(name) or "" for name in ("form", "sheet", "village"))
    language = language_of(request)
    if request.method == "POST":
        mapping = {name.removeprefix("h:"): fields[name] for name in fields if name.startswith("h:")}
        dry = fields.get("do") != "import"
        started = _start(datasette, kept, (form_id, sheet, village), mapping, dry=dry, language=language)
        query = urlencode({"form": form_id, "sheet": sheet, "village": village, **({} if started else {"busy": "1"})})
        return Response.redirect(datasette.urls.path(f"/-/import/{kept.token}?{query}"), status=303)
    context = await desk_of(datasette).run(lambda station: _context(station, kept, form_id, sheet, language))
    job = jobs_of(datasette).last
    mine = job if job is not None and job.token == kept.token else None
    context |= {"upload": kept, "job": mine, "village": village, "busy": bool(request.args.get("busy"))}
    context |= {"shown": _SHOWN, "returned": kept.returned.exists(), "language": language}
    return Response.html(await datasette.render_template("capture/import.html", context, request=request))


def _start(
    datasette: Any, kept: Upload, chosen: tuple[str, str, str], mapping: dict[str, str], *, dry: bool, language: str
) -> bool:
    form_id, sheet, village = chosen
    folder = desk_of(datasette).station.folder

    def work(job: Job) -> Any:
        kept.returned.unlink(missing_ok=True)
        with Station.open(folder) as station:
            return import_ledger(
                station, form_id, kept.path, author=station.author or station.name, village=village or None,
                mapping=mapping or None, returned=kept.returned, language=language, progress=job.advance,
                sheet=sheet, dry_run=dry, go_on=lambda: not job.stopping,
            )  # fmt: skip

    return jobs_of(datasette).start(Job("dry" if dry else "import", kept.token), work)


def _context(station: Station, kept: Upload, form_id: str, sheet: str, language: str) -> dict[str, Any]:
    forms = station.forms()
    context: dict[str, Any] = {
        "forms": [{"id": form.form_id, "title": title_of(form, language)} for form in forms],
        "form_id": form_id, "sheet": sheet, "sheets": (), "columns": (), "problems": (), "rows": 0,
        "villages": station.villages if len(station.villages) > 1 else (),
    }  # fmt: skip
    try:
        sheets = read_sheets(kept.path)
        context["sheets"] = [each.name for each in sheets]
        form, layout = _best(station, kept, form_id, sheet)
    except CunceError as error:
        context["problems"] = [problem.words(language) for problem in error.problems]
        wanted = [each for each in context["sheets"] and sheets if sheet in ("", each.name)]
        guess = next((found for each in wanted if (found := guess_layout(each)) is not None), None)
        if guess is None or not forms:
            return context
        form, layout = station.form(form_id or forms[0].form_id), guess
    context |= {"form_id": form.form_id, "sheet": layout.sheet.name, "rows": sum(1 for _ in layout.data_rows())}
    return context | {"columns": _columns(layout), "questions": _questions(form)}


def _best(station: Station, kept: Upload, form_id: str, sheet: str) -> tuple[Form, Layout]:
    """The form named, or the one most of whose questions the file speaks of; raises ImportFileError."""
    if form_id:
        return station.form(form_id), choose_layout(station, form_id, kept.path, sheet=sheet)
    found: list[tuple[Form, Layout]] = []
    problem: CunceError | None = None
    for form in sorted(station.forms(), key=lambda form: form.form_id != "household"):
        try:
            found.append((form, choose_layout(station, form.form_id, kept.path, sheet=sheet)))
        except CunceError as error:
            problem = problem or error
    if not found and problem is not None:
        raise problem
    return max(found, key=lambda pair: pair[1].matched)


def _columns(layout: Layout) -> list[dict[str, Any]]:
    rows = list(layout.data_rows())[:_SAMPLES]
    return [
        {
            "header": header,
            # Two columns of one name are told apart by the headers above them, which a mapping by name cannot do.
            "twice": layout.headers.count(header) > 1,
            "target": f"{target.table.key}.{target.column.name}".lstrip(".") if target else "",
            "samples": [text for row in rows if (text := str(layout.sheet.cell(row, number)).strip())],
        }
        for number, (header, target) in enumerate(zip(layout.headers, layout.targets, strict=True))
        if header
    ]


def _questions(form: Form) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every question by its table, for the lists to choose from."""
    return [
        (
            table.key if table.parent else "",
            [(f"{table.key}.{c.name}" if table.parent else c.name, label(c.question)) for c in table.columns],
        )
        for table in tables_of(form)
    ]


async def returned(datasette: Any, request: Any) -> Any:
    """The workbook of rows that did not go in."""
    kept = _uploads(datasette).found.get(request.url_vars["token"])
    if kept is None or not kept.returned.exists():
        raise NotFound("returned")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    name = urlencode({"": kept.returned.name})[1:].replace("+", "%20")
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}", "cache-control": "no-store"}
    return Response(kept.returned.read_bytes(), headers=headers, content_type=kind)


ROUTES = (
    (r"/-/import/?$", begin),
    (r"/-/capture/-/upload$", upload),
    (r"/-/import/(?P<token>[0-9a-f]{32})$", columns),
    (r"/-/import/(?P<token>[0-9a-f]{32})/returned$", returned),
)
