"""Media of forms: pictures, sounds and films beside labels and choices, kept as blobs and named with the definition.

A definition's rows hold them as a sheet `media` (file, blob); so the names travel wherever the form does, and the blobs
follow as those of records do.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from collect.blobs import MEDIA_TYPES, Blobs, suffix_of
from collect.database import explained
from collect.definitions import MEDIA_SHEET, Definition
from forms.definition import Form
from forms.packing import media_of
from forms.problems import Place, Problem

Files = Mapping[str, bytes]


def files_beside(form: Form, file: Path) -> tuple[dict[str, bytes], tuple[Problem, ...]]:
    """Return what a form shows out of the folder `<file without suffix>-media` beside it, else the file's own folder.

    Warnings name what is not there (COLLECT_FORM_MEDIA_MISSING), or what no page shows (COLLECT_FORM_MEDIA_KIND).
    Raises DatabaseError for what can't be read.
    """
    folders = (file.with_name(f"{file.stem}-media"), file.parent)
    found: dict[str, bytes] = {}
    warnings: list[Problem] = []
    for name in media_of(form):
        path = next((place for folder in folders if (place := folder / name).is_file()), None)
        # A name is a name, not a way out of the folder.
        if path is None or Path(name).name != name:
            context = {"file": name, "folder": folders[0].name}
            warnings.append(Problem("COLLECT_FORM_MEDIA_MISSING", Place(file=file.name), context, "warning"))
            continue
        if suffix_of(path.suffix) not in MEDIA_TYPES:
            context = {"file": name, "kinds": ", ".join(MEDIA_TYPES)}
            warnings.append(Problem("COLLECT_FORM_MEDIA_KIND", Place(file=file.name), context, "warning"))
        try:
            found[name] = path.read_bytes()
        except OSError as error:
            raise explained(error, path) from error
    return found, tuple(warnings)


def with_media(form: Form, files: Files, blobs: Blobs) -> Form | Definition:
    """Return a form's definition with its media, whose content is put into the store; the form itself without any.

    Raises BlobError, DatabaseError.
    """
    if not files:
        return form
    named = tuple({"file": name, "blob": blobs.put(data, Path(name).suffix)} for name, data in sorted(files.items()))
    return Definition(form.form_id, form.version, form.xform, {**form.rows, MEDIA_SHEET: named}, form.digest)
