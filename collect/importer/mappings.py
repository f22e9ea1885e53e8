"""What people said a ledger's headers stand for, remembered in the station's folder by the headers themselves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from collect.database import explained
from collect.importer.headers import plain

FILE = "mappings.json"


def signature(form_id: str, headers: Iterable[str]) -> str:
    """Return the name under which a table's mapping is kept: the form and its headers, whatever their order."""
    words = sorted({plain(header) for header in headers} - {""})
    return f"{form_id}:{hashlib.sha256(chr(31).join(words).encode('utf-8')).hexdigest()[:16]}"


def remembered(folder: Path, form_id: str) -> dict[str, dict[str, str]]:
    """Return the mappings (header -> question, "" for none) kept for a form, by signature."""
    return {name: told for name, told in _read(folder).items() if name.rpartition(":")[0] == form_id}


def remember(folder: Path, form_id: str, headers: Iterable[str], mapping: Mapping[str, str]) -> None:
    """Keep a mapping for tables with these headers; raises DatabaseError where the disk refuses."""
    path = folder / FILE
    kept = {**_read(folder), signature(form_id, headers): dict(mapping)}
    temporary = path.with_name(f"{FILE}.part")
    try:
        temporary.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise explained(error, path) from error


def _read(folder: Path) -> dict[str, dict[str, str]]:
    """What is kept; a damaged file is as good as none, it holds nothing that cannot be said again."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
