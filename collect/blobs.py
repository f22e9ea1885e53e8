"""Blobs: photos, recordings and files of a station, each named by the SHA-256 of its content."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from collect.database import explained
from forms.problems import CunceError, Place, Problem

MAX_SIZE: Final = 100 * 1024 * 1024  # bytes of one file: what a village's line and a stick still carry
NAME: Final = re.compile(r"(?P<digest>[0-9a-f]{64})\.(?P<suffix>[a-z0-9]{1,8})")
_PART: Final = ".part"
# What a browser may show by itself; anything else is only handed over as a download.
MEDIA_TYPES: Final = {
    "jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif", "mp3": "audio/mpeg",
    "m4a": "audio/mp4", "ogg": "audio/ogg", "wav": "audio/wav", "amr": "audio/amr", "mp4": "video/mp4",
    "webm": "video/webm", "mov": "video/quicktime", "3gp": "video/3gpp", "pdf": "application/pdf",
}  # fmt: skip


class BlobError(CunceError):
    """A blob that is not here, is damaged, too large, or a name that is none."""


class Blobs:
    """The folder `blobs/`: a file is stored under its digest, whole or not at all, and never changes.

    A blob's name, as a record's answer holds it, is its digest and the suffix of what it is: `<64 hex>.jpg`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes, suffix: str) -> str:
        """Store content and return its name; content that is here already, undamaged, is not written again.

        `suffix`: without a dot. Raises BlobError (COLLECT_BLOB_TOO_LARGE), DatabaseError for what the disk refuses.
        """
        if len(data) > MAX_SIZE:
            raise BlobError(Problem("COLLECT_BLOB_TOO_LARGE", context=sizes(len(data), MAX_SIZE)))
        digest = hashlib.sha256(data).hexdigest()
        name = f"{digest}.{suffix_of(suffix)}"
        if not self._sound(digest, len(data)):
            part = self.folder / f"{uuid.uuid4().hex}{_PART}"
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                with part.open("xb") as file:
                    file.write(data)
                self._adopt(part, digest)
            except OSError as error:
                with suppress(OSError):
                    part.unlink(missing_ok=True)
                raise explained(error, self.folder) from error
        return name

    def adopt(self, part: Path, name: str) -> None:
        """Take in a file that was put together piece by piece; it is gone from where it was, whatever comes of it.

        Raises BlobError (COLLECT_BLOB_DAMAGED) where its content is not what the name says.
        """
        digest = digest_of(name)
        try:
            if _digest(part) != digest:
                part.unlink(missing_ok=True)
                raise BlobError(Problem("COLLECT_BLOB_DAMAGED", Place(file=part.name), {"name": name}))
            self._adopt(part, digest)
        except OSError as error:
            raise explained(error, part) from error

    def read(self, name: str) -> bytes:
        """Return a blob's content; raises BlobError: COLLECT_BLOB_MISSING, COLLECT_BLOB_DAMAGED."""
        path = self.path(name)
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise missing(name) from error
        except OSError as error:
            raise explained(error, path) from error
        if hashlib.sha256(data).hexdigest() != digest_of(name):
            raise BlobError(Problem("COLLECT_BLOB_DAMAGED", Place(file=str(path)), {"name": name}))
        return data

    def piece(self, name: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes of a blob from `offset` on; its digest is for whoever puts it together to check.

        Raises BlobError (COLLECT_BLOB_MISSING).
        """
        path = self.path(name)
        try:
            with path.open("rb") as file:
                file.seek(offset)
                return file.read(length)
        except FileNotFoundError as error:
            raise missing(name) from error
        except OSError as error:
            raise explained(error, path) from error

    def size(self, name: str) -> int:
        """Return a blob's size in bytes, -1 where it is not here."""
        try:
            return self.path(name).stat().st_size
        except OSError:
            return -1

    def has(self, name: str) -> bool:
        """Tell whether a blob is here (whole: nothing else gets this name)."""
        return self.path(name).is_file()

    def check(self, name: str) -> Problem | None:
        """Return what is wrong with a blob that ought to be here: missing, or damaged; reads all of it."""
        path = self.path(name)
        try:
            sound = _digest(path) == digest_of(name)
        except FileNotFoundError:
            return missing(name).problems[0]
        except OSError as error:
            return explained(error, path).problems[0]
        return None if sound else Problem("COLLECT_BLOB_DAMAGED", Place(file=str(path)), {"name": name})

    def remove(self, name: str) -> None:
        """Remove a blob and what has arrived of it; nothing where it is not here. Raises DatabaseError."""
        path = self.path(name)
        try:
            path.unlink(missing_ok=True)
            for part in self.folder.glob(f"arriving/*/{digest_of(name)}"):
                part.unlink(missing_ok=True)
        except OSError as error:
            raise explained(error, path) from error

    def digests(self) -> Iterator[tuple[str, int]]:
        """Yield digest and size of every blob that is here."""
        for path in sorted(self.folder.glob("[0-9a-f][0-9a-f]/*")):
            if len(path.name) == 62:
                yield path.parent.name + path.name, path.stat().st_size

    def path(self, name: str) -> Path:
        """Return where a blob stands; raises BlobError (COLLECT_BLOB_NAME) for anything that is no blob's name."""
        digest = digest_of(name)
        return self.folder / digest[:2] / digest[2:]

    def arriving(self, source: str, name: str) -> Path:
        """Return where the pieces of a blob are gathered that comes from `source` (a station's id)."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", source):
            raise BlobError(Problem("COLLECT_BLOB_NAME", context={"name": source}))
        return self.folder / "arriving" / source / digest_of(name)

    def _sound(self, digest: str, size: int) -> bool:
        """Whether a blob of this size is here undamaged: one that is damaged is mended by whoever brings it again."""
        path = self.folder / digest[:2] / digest[2:]
        try:
            return path.stat().st_size == size and _digest(path) == digest
        except OSError:
            return False

    def _adopt(self, part: Path, digest: str) -> None:
        """Flush a finished file to the disk and give it its name."""
        path = self.folder / digest[:2] / digest[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)


def is_name(value: object) -> bool:
    """Tell whether an answer is a blob's name."""
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def digest_of(name: str) -> str:
    """Return the digest in a blob's name; raises BlobError (COLLECT_BLOB_NAME)."""
    found = NAME.fullmatch(name)
    if found is None:
        raise BlobError(Problem("COLLECT_BLOB_NAME", context={"name": name[:80]}))
    return found["digest"]


def suffix_of(suffix: str) -> str:
    """Return a file's suffix as a blob's name takes it: short, lower case, letters and digits; `bin` for none such."""
    plain = suffix.lower().lstrip(".")
    plain = {"jpeg": "jpg", "jpe": "jpg"}.get(plain, plain)
    return plain if re.fullmatch(r"[a-z0-9]{1,8}", plain) else "bin"


def media_type(name: str) -> str:
    """Return the media type of a blob by its name; `application/octet-stream` for what is only handed over."""
    return MEDIA_TYPES.get(name.rpartition(".")[2], "application/octet-stream")


def missing(name: str) -> BlobError:
    """Return the error of a blob that is not here."""
    return BlobError(Problem("COLLECT_BLOB_MISSING", context={"name": name}))


def sizes(size: int, limit: int) -> dict[str, str]:
    """Return a size and a limit for a problem's words, in MB."""
    return {"size": f"{size / 1024 / 1024:.1f}", "limit": f"{limit / 1024 / 1024:.0f}"}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the system lets a folder be opened (not Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
