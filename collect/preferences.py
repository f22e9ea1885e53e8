"""What the person at a laptop chose for it: backups, size of text, lists; a file of its own in the station's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from collect.database import explained

FILE = "preferences.json"
SIZES = ("", "large", "larger")  # of text


@dataclass(frozen=True, slots=True)
class ListChoice:
    """What was chosen for the list of one ledger: SQL columns in their order (none: the usual ones), and saved views
    by name, each a query string of the list's page."""

    columns: tuple[str, ...] = ()
    views: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preferences:
    """`backup_folder`: where a copy goes whenever the program ends, "" for nowhere; `backup_passphrase`: seals it.

    `text_size`: one of SIZES; `village`: code of the village that new records are about, "" to be asked; `lists`: by
    table.
    """

    backup_folder: str = ""
    backup_passphrase: str = ""
    text_size: str = ""
    village: str = ""
    lists: Mapping[str, ListChoice] = field(default_factory=dict)

    def of_list(self, table: str) -> ListChoice:
        """Return what was chosen for a ledger's list."""
        return self.lists.get(table, ListChoice())


def read(folder: Path) -> Preferences:
    """Return what was chosen; a damaged file counts as none."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        lists = {str(table): _list_choice(each) for table, each in (found.get("lists") or {}).items()}
        texts = ("backup_folder", "backup_passphrase", "text_size", "village")
        return Preferences(**{name: str(found.get(name, "")) for name in texts}, lists=lists)
    except (OSError, ValueError, AttributeError, TypeError):
        return Preferences()


def write(folder: Path, chosen: Preferences) -> None:
    """Keep what was chosen, readable to its owner only; raises DatabaseError where the disk refuses."""
    path, fresh = folder / FILE, folder / f"{FILE}.part"
    try:
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(chosen), ensure_ascii=False), encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise explained(error, path) from error


def _list_choice(given: Mapping[str, Any]) -> ListChoice:
    views = {str(name): str(query) for name, query in (given.get("views") or {}).items()}
    return ListChoice(tuple(map(str, given.get("columns") or ())), views)
