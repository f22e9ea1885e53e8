"""Files on a stick: written whole or not at all, read no further than they may be long."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from forms.problems import Place, Problem
from sync.transport import TransportError

ROOT: Final = "cunce"  # what of a stick is ours
PART: Final = ".part"  # a file still being written: whoever finds one alone may ignore it
LONGEST: Final = 128 * 1024 * 1024
_CODES: Final = {
    errno.ENOSPC: "SYNC_STICK_FULL",
    errno.EFBIG: "SYNC_STICK_FULL",
    errno.EROFS: "SYNC_STICK_READONLY",
    errno.EACCES: "SYNC_STICK_READONLY",
    errno.EPERM: "SYNC_STICK_READONLY",
}


def expect_folder(folder: Path) -> None:
    """Raise TransportError (SYNC_FOLDER_MISSING) unless the folder is there."""
    if not folder.is_dir():
        raise TransportError(Problem("SYNC_FOLDER_MISSING", Place(file=str(folder))))


def write(path: Path, data: bytes) -> None:
    """Write a file whole: under another name, to the disk, then renamed. Raises TransportError."""
    part = path.with_name(f"{path.name}.{os.getpid()}{PART}")
    try:
        _make(path.parent)
        for left in path.parent.glob(f"{path.name}.*{PART}"):
            remove(left)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise failed(error, path) from error


def _make(folder: Path) -> None:
    """Make the folders that are missing below the stick's own: one pulled out is not made anew where it hung."""
    missing: list[Path] = []
    while not folder.is_dir():
        missing.append(folder)
        if folder.name == ROOT:
            break
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)


def read(path: Path) -> bytes:
    """Read a file; raises TransportError where it can't be read or is longer than any bundle."""
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
    except OSError as error:
        raise failed(error, path) from error
    if len(data) > LONGEST:
        problem = Problem("SYNC_BUNDLE_TOO_LARGE", Place(file=path.name), {"size": len(data), "limit": LONGEST})
        raise TransportError(problem)
    return data


def remove(path: Path) -> None:
    """Remove a file where that is possible; what stays will be met again and change nothing."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def files(folder: Path, suffix: str) -> list[Path]:
    """Return a folder's whole files of one kind by name; empty where there is no folder. Raises TransportError."""
    if not folder.is_dir():
        return []
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(suffix) and not path.name.startswith("."))
    except OSError as error:
        raise failed(error, folder) from error


def failed(error: OSError, path: Path) -> TransportError:
    """Return what an error of the file system means to people."""
    code = _CODES.get(error.errno or 0, "SYNC_STICK_FAILED")
    return TransportError(Problem(code, Place(file=str(path)), {"detail": error}))


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the system lets a folder be opened (not Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some network and FAT drivers refuse; the file itself is on the disk
    finally:
        os.close(descriptor)
