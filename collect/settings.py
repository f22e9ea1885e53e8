"""A station's settings: `station.json`, the file that makes a folder a station."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Any

from collect.database import explained
from forms.problems import CunceError, Place, Problem

FORMAT = 1
FILE = "station.json"
ROLES = ("laptop", "hub")
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without letters and digits that are mistaken for each other


class StationError(CunceError):
    """A folder that is no station, was written by a newer version, or cannot be made one; or a station misused."""


@dataclass(frozen=True, slots=True)
class Village:
    """A village by its 12-digit statistical code, and what it is called."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What `station.json` says; `author` is who saves where nobody is logged in (a laptop's owner)."""

    id: str
    name: str
    role: str = "laptop"
    township: Village | None = None
    villages: tuple[Village, ...] = ()
    author: str = ""


VillageList = Iterable[Village | tuple[str, str]] | Mapping[str, str]


def new_id() -> str:
    """Return a new station id: 12 letters and digits that are told apart easily, about 59 bits."""
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in token_bytes(12))


def villages_of(given: VillageList) -> tuple[Village, ...]:
    """Return villages by code, each once; raises StationError for a code without name or a name without code.

    `given`: villages, pairs of code and name, or a mapping of code to name.
    """
    found: dict[str, Village] = {}
    problems = []
    for each in given.items() if isinstance(given, Mapping) else given:
        village = each if isinstance(each, Village) else Village(*each)
        found[village.code] = village
        if not village.code.strip() or not village.name.strip():
            problems.append(Problem("COLLECT_VILLAGE_FAULTY", context={"code": village.code, "name": village.name}))
    if problems:
        raise StationError(problems)
    return tuple(found[code] for code in sorted(found))


def check_codes(villages: Iterable[Village]) -> None:
    """Raise StationError for every code that no form would take as a village's (forms.standards)."""
    from forms.standards import check

    problems = [problem for village in villages for problem in check("village", village.code)]
    if problems:
        raise StationError(problems)


def read(folder: Path) -> Settings:
    """Return the settings of the station in `folder`; raises StationError where there is none we understand."""
    path = folder / FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StationError(Problem("COLLECT_NOT_A_STATION", Place(file=str(folder)))) from error
    except OSError as error:
        raise explained(error, path) from error
    except ValueError as error:
        raise StationError(Problem("COLLECT_STATION_FAULTY", Place(file=str(path)), {"detail": error})) from error
    try:
        if data["format"] > FORMAT:
            context = {"found": data["format"], "known": FORMAT}
            raise StationError(Problem("COLLECT_STATION_NEWER", Place(file=str(path)), context))
        township = data.get("township")
        return Settings(
            id=str(data["id"]),
            name=str(data["name"]),
            role=str(data["role"]),
            township=Village(*township) if township else None,
            villages=tuple(Village(*village) for village in data.get("villages", ())),
            author=str(data.get("author", "")),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise StationError(Problem("COLLECT_STATION_FAULTY", Place(file=str(path)), {"detail": error})) from error


def write(folder: Path, settings: Settings) -> None:
    """Write the settings, the whole file at once; raises DatabaseError where the disk refuses."""
    data: dict[str, Any] = {
        "format": FORMAT,
        "id": settings.id,
        "name": settings.name,
        "role": settings.role,
        "township": None if settings.township is None else [settings.township.code, settings.township.name],
        "villages": [[village.code, village.name] for village in settings.villages],
        "author": settings.author,
    }
    path, temporary = folder / FILE, folder / f"{FILE}.{os.getpid()}.new"
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            json.dump(data, stream, ensure_ascii=False, indent=2)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
        _put_in_place(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise explained(error, path) from error


def _put_in_place(temporary: Path, path: Path) -> None:
    """Replace a file; on Windows that fails for the moment in which another process reads it."""
    for _ in range(20):
        try:
            temporary.replace(path)
            return
        except PermissionError:
            time.sleep(0.05)
    temporary.replace(path)
