"""Backup: a consistent copy of a station as one file in another folder, verified after writing, and its way back."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path, PurePosixPath

from collect import restored, settings
from collect.chain import JournalError
from collect.database import DatabaseError, copy, explained
from collect.journal import Journal
from collect.peers import Peers
from forms.clock import Clock, SystemClock
from forms.problems import CunceError, Place, Problem

KEPT = 5  # copies of a station in a folder
_MANIFEST = "cunce-backup.json"
_REBUILT = ("township.db", "checks.db", restored.FILE)
_SEALED = b"age-encryption.org/"
_AT = "%Y%m%d-%H%M%S"  # in a copy's name, by the clock of the machine that wrote it
_NAME = re.compile(r"cunce-(?P<station>.+)-(?P<at>\d{8}-\d{6})\.zip(?P<sealed>\.age)?")


class BackupError(CunceError):
    """A copy that was not written, cannot be read, or may not be put back; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy: its file, bytes, whether a passphrase seals it, and how many changes it holds."""

    path: Path
    size: int
    sealed: bool
    revisions: int


@dataclass(frozen=True, slots=True)
class PutBack:
    """What was put back: the station's id and name; `waits`: it must meet its hub before anything is saved;
    `before`: where the folder that stood there went, None where there was none."""

    station: str
    name: str
    waits: bool
    before: Path | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A copy that lies in a folder: of which station, when it was written, bytes, whether a passphrase seals it."""

    path: Path
    station: str
    at: datetime
    size: int
    sealed: bool


def copies(place: Path, station: str = "") -> tuple[Kept, ...]:
    """Return the copies in a folder (or the one that `place` is), newest first, of one station or all, by their names.

    Raises DatabaseError for a place that cannot be read; one that is not there holds none.
    """
    found = []
    try:
        for path in [place] if place.is_file() else sorted(place.iterdir()) if place.is_dir() else []:
            named = _NAME.fullmatch(path.name)
            if named and station in ("", named["station"]) and path.is_file():
                at = _moment(named["at"])
                found.append(Kept(path, named["station"], at, path.stat().st_size, bool(named["sealed"])))
    except OSError as error:
        raise explained(error, place) from error
    return tuple(sorted(found, key=lambda kept: kept.at, reverse=True))


def _moment(text: str) -> datetime:
    """When a copy was written, by its name; the beginning of time for a name that says no moment."""
    try:
        return datetime.strptime(text, _AT).astimezone()
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def back_up(
    folder: Path, target: Path, *, passphrase: str = "", keep: int = KEPT, clock: Clock | None = None
) -> Copied:
    """Write a copy of the station in `folder` into `target`, check it, and let only the last `keep` stay there.

    It may be in use meanwhile. `passphrase`: seals the copy (age, scrypt). Raises BackupError, DatabaseError,
    StationError.
    """
    given = settings.read(folder)
    now = (clock or SystemClock()).now()
    if target.resolve() == folder.resolve() or folder.resolve() in target.resolve().parents:
        raise BackupError(Problem("COLLECT_BACKUP_INSIDE", Place(file=str(target))))
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="cunce-backup-", ignore_cleanup_errors=True) as scratch:
            data, held = _packed(folder, Path(scratch), given.id, clock or SystemClock())
        path = target / f"cunce-{given.id}-{now:{_AT}}.zip{'.age' if passphrase else ''}"
        _opened(data, "", path).close()
        if passphrase:
            from pyrage import passphrase as sealing  # type: ignore[import-untyped]

            data = sealing.encrypt(data, passphrase)
        part = path.with_name(f"{path.name}.part")
        try:
            part.write_bytes(data)
            if part.read_bytes() != data:
                raise BackupError(Problem("COLLECT_BACKUP_FAULTY", Place(file=str(path))))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        for old in sorted(target.glob(f"cunce-{given.id}-*.zip*"))[:-keep]:
            old.unlink(missing_ok=True)
    except OSError as error:
        raise explained(error, target) from error
    return Copied(path, len(data), bool(passphrase), sum(held.values()))


def _packed(folder: Path, scratch: Path, station: str, clock: Clock) -> tuple[bytes, dict[str, int]]:
    """A zip of the station's files, databases copied as of one moment each, the journal last: it refers to the rest."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and _wanted(path.relative_to(folder))]
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as pack:
        for path in sorted(files, key=lambda path: path.name == "journal.db"):
            name = path.relative_to(folder).as_posix()
            source = path
            if path.suffix == ".db":
                source = scratch / name.replace("/", "_")
                copy(path, source)
            pack.write(source, name)
        journal = Journal(scratch / "journal.db", station, clock, readonly=True)
        try:
            held = journal.held()
        finally:
            journal.close()
        pack.writestr(_MANIFEST, json.dumps({"format": 1, "station": station, "held": held}))
    return content.getvalue(), held


def _wanted(path: Path) -> bool:
    rebuilt = path.parts[0] in ("villages", *_REBUILT)
    return not rebuilt and not path.name.endswith(("-wal", "-shm", ".lock", ".new", ".part"))


def _opened(data: bytes, passphrase: str, path: Path) -> zipfile.ZipFile:
    """A copy's zip, whole; raises BackupError."""
    place = Place(file=str(path))
    if data.startswith(_SEALED):
        from pyrage import DecryptError
        from pyrage import passphrase as sealing

        try:
            data = sealing.decrypt(data, passphrase)
        except DecryptError as error:
            raise BackupError(Problem("COLLECT_BACKUP_PASSPHRASE", place)) from error
    try:
        pack = zipfile.ZipFile(BytesIO(data))
        whole = pack.testzip() is None and {_MANIFEST, settings.FILE, "journal.db"} <= set(pack.namelist())
    except zipfile.BadZipFile as error:
        raise BackupError(Problem("COLLECT_BACKUP_FAULTY", place)) from error
    if not whole:
        raise BackupError(Problem("COLLECT_BACKUP_FAULTY", place))
    return pack


def restore(file: Path, folder: Path, *, passphrase: str = "", clock: Clock | None = None) -> PutBack:
    """Make `folder` the station that a copy holds; what stood there is moved aside, never thrown away.

    Refused where the folder holds anything newer. A station that has a hub then saves nothing until it has met it
    (`collect.restored`). Interrupted at any moment, the folder is the old one, or none yet, or the restored one; run it
    again. Raises BackupError, DatabaseError.
    """
    clock = clock or SystemClock()
    try:
        pack = _opened(file.read_bytes(), passphrase, file)
        manifest = json.loads(pack.read(_MANIFEST))
        _refuse_newer(folder, manifest["station"], manifest["held"], clock)
        fresh = folder.with_name(f"{folder.name}.restoring")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700, parents=True)
        for name in pack.namelist():
            inner = PurePosixPath(name)
            if inner.is_absolute() or ".." in inner.parts or ":" in name or "\\" in name:
                raise BackupError(Problem("COLLECT_BACKUP_FAULTY", Place(file=str(file))))
            if name != _MANIFEST:
                pack.extract(name, fresh)
        for name in ("villages", "blobs", "forms"):
            (fresh / name).mkdir(exist_ok=True)
        given = settings.read(fresh)
        peers = Peers(fresh, clock=clock)
        waits = bool(peers.hubs())
        peers.close()
        if waits:
            restored.mark(fresh, clock.now())
        before = None
        if folder.exists():
            before = _aside(folder, clock)
            folder.replace(before)
        fresh.replace(folder)
    except OSError as error:
        raise explained(error, folder) from error
    return PutBack(given.id, given.name, waits, before)


def _aside(folder: Path, clock: Clock) -> Path:
    """A free name beside a folder that says when it was moved away."""
    name = f"{folder.name}.before-{clock.now():%Y%m%d-%H%M%S}"
    names = (folder.with_name(f"{name}{suffix}") for suffix in ("", *(f"-{number}" for number in range(2, 1000))))
    return next(path for path in names if not path.exists())


def _refuse_newer(folder: Path, station: str, held: dict[str, int], clock: Clock) -> None:
    """Raise BackupError where the folder holds revisions that the copy lacks, or something that is no station."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    try:
        own = settings.read(folder).id
        journal = Journal(folder / "journal.db", own, clock, readonly=True)
        try:
            here = journal.held()
        finally:
            journal.close()
    except settings.StationError as error:
        raise BackupError(Problem("COLLECT_RESTORE_FOLDER", Place(file=str(folder)))) from error
    except (DatabaseError, JournalError):
        return  # a damaged journal: what a copy is for; the folder is kept aside
    if own != station or any(seq > held.get(name, 0) for name, seq in here.items()):
        raise BackupError(Problem("COLLECT_RESTORE_NEWER", Place(file=str(folder))))
