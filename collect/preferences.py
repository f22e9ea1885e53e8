"""What the person at a laptop chose for it: where its backups go; a file of its own in the station's folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from collect.database import explained

FILE = "preferences.json"


@dataclass(frozen=True, slots=True)
class Preferences:
    """`backup_folder`: where a copy goes whenever the program ends, "" for nowhere; `backup_passphrase`: seals it."""

    backup_folder: str = ""
    backup_passphrase: str = ""


def read(folder: Path) -> Preferences:
    """Return what was chosen; a damaged file counts as none."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return Preferences(**{name: str(found.get(name, "")) for name in asdict(Preferences())})
    except (OSError, ValueError, AttributeError):
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
