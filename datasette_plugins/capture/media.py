"""Photos, recordings, drawings and files of a form page: taken in, kept in the station's store, named to the page."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from collect.blobs import MAX_SIZE, MEDIA_TYPES, BlobError, is_name, media_type, sizes, suffix_of
from datasette_plugins.desk import desk_of
from datasette_plugins.media.address import address
from datasette_plugins.media.pictures import MAX_PIXELS, Picture, take
from forms.definition import Question
from forms.problems import CunceError, Place, Problem

if TYPE_CHECKING:
    from collect.station import Station
    from datasette_plugins.capture.sitting import Sitting
    from forms.instance import Instance

MOST_PHOTO = 60 * 1024 * 1024  # bytes of a picture before it is shrunk
_DRAWN = frozenset({"signature", "draw", "annotate"})
_SOUND = "audio/*,.amr,.m4a"
ACCEPTS = {"image": "image/*,.heic,.heif", "audio": _SOUND, "video": "video/*", "background-audio": _SOUND}


class MediaError(CunceError):
    """A file that the question does not take."""


def way_of(question: Question) -> str:
    """Return how a question for a file is answered: photo, signature, draw, annotate, audio, video or file."""
    if question.type == "image":
        return next((each for each in question.appearance if each in _DRAWN), "photo")
    return "audio" if question.type == "background-audio" else question.type


@dataclass(frozen=True, slots=True)
class Held:
    """What a question for a file shows: its blob's `name` ("" for none), the `way` it is answered, addresses.

    `kind`: image, audio, video or file (which words it gets); `shows`: image, audio, video or "" for a link.
    """

    name: str
    way: str
    kind: str
    accept: str

    @property
    def shows(self) -> str:
        """What a browser shows of it by itself."""
        shown = media_type(self.name).partition("/")[0] if self.name else ""
        return shown if shown in ("image", "audio", "video") else ""

    @property
    def address(self) -> str:
        """Where it is."""
        return address(self.name)

    @property
    def small(self) -> str:
        """Where a small picture of it is."""
        return address(self.name, 320)

    @property
    def file(self) -> str:
        """What it is called when it is handed over: the beginning of its digest, and the suffix."""
        return self.name[:8] + self.name[64:]


def media(question: Question, value: str) -> Held:
    """Return what the page shows of a question for a file."""
    way = way_of(question)
    kind = "image" if question.type == "image" else way
    return Held(value if is_name(value) else "", way, kind, ACCEPTS.get(question.type, ""))


async def receive(datasette: Any, request: Any, key: Any, language: str) -> dict[str, Any]:
    """Keep a file that was picked for a question; return its name, and where EXIF says it was taken.

    The answer: `value` (the blob's name), `size` (bytes), `width` and `height` (pictures), `point` (a geopoint answer
    or ""), `points` (the questions of the record that it could answer: ref, label, value). Raises CunceError, KeyError.
    """
    from datasette_plugins.capture.sitting import sittings_of

    ref, file = request.args["ref"], request.args.get("name") or ""
    desk = desk_of(datasette)

    def opened(station: Station) -> Sitting:
        return sittings_of(datasette).open(station, key, language)

    question = await desk.run(lambda station: opened(station).instance.state(ref).node)
    if not isinstance(question, Question) or question.data_type != "binary":
        raise KeyError(ref)
    data = await _body(request, file, MOST_PHOTO if question.type == "image" else MAX_SIZE)
    suffix, picture = suffix_of(PurePath(file).suffix), None
    if question.type == "image":
        picture = await asyncio.to_thread(take, data, file, max_pixels=_max_pixels(question))
        data, suffix = picture.data, picture.suffix
    else:
        _check(question, data, file, suffix)
    name = await asyncio.to_thread(desk.station.blobs.put, data, suffix)
    points = await desk.run(lambda station: points_near(opened(station).instance, ref)) if _located(picture) else []
    shown = {"width": picture.width, "height": picture.height, "point": picture.point} if picture else {}
    return {"value": name, "size": len(data), **shown, "points": points}


def points_near(instance: Instance, ref: str) -> list[dict[str, str]]:
    """Return the geopoint questions that can be answered in the same row or above it, the nearest first."""
    found = []
    for state in instance.walk():
        question = state.node
        if not isinstance(question, Question) or question.type != "geopoint" or not state.relevant or state.readonly:
            continue
        row = state.ref.rpartition("]")[0]
        if not row or ref.startswith(f"{row}]"):
            found.append((len(row), {"ref": state.ref, "label": state.label, "value": str(state.value or "")}))
    return [each for _, each in sorted(found, key=lambda pair: -pair[0])]


def _located(picture: Picture | None) -> bool:
    return picture is not None and bool(picture.point)


def _max_pixels(question: Question) -> int:
    """The form's `max-pixels`: the long side of a picture. Source: XLSForm reference, "Image"."""
    given = question.parameters.get("max-pixels", "")
    return min(max(int(given), 64), 8000) if given.isdigit() and int(given) else MAX_PIXELS


def _check(question: Question, data: bytes, file: str, suffix: str) -> None:
    wanted = {"audio": "audio/", "background-audio": "audio/", "video": "video/"}.get(question.type, "")
    # A recording may come in a container that is named like a film.
    kind = MEDIA_TYPES.get(suffix, "")
    fits = kind.startswith(wanted) or (wanted == "audio/" and suffix in ("mp4", "3gp", "webm"))
    if wanted and not fits:
        raise MediaError(Problem("PLUGINS_MEDIA_TYPE", Place(file=file), {"file": file, "suffix": suffix}))
    if not data:
        raise MediaError(Problem("PLUGINS_MEDIA_EMPTY", Place(file=file), {"file": file}))


async def _body(request: Any, file: str, limit: int) -> bytes:
    """The request's body, read no further than a file may be long."""
    parts, size, more = [], 0, True
    while more:
        message = await request.receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise BlobError(Problem("COLLECT_BLOB_TOO_LARGE", Place(file=file), sizes(size, limit)))
        more = message.get("more_body", False)
    return b"".join(parts)
