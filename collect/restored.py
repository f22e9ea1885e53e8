"""After a restore: a station put back from an older copy saves nothing until its hub has said what it wrote since.

Its numbers after the copy may have gone out already; given again to other changes they would fork its chain.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from collect.chain import JournalError
from forms.problems import Place, Problem

FILE = "restored.json"


def mark(folder: Path, at: datetime) -> None:
    """Note in a station's folder that it was put back from a copy at a moment."""
    (folder / FILE).write_text(json.dumps({"at": at.isoformat()}), encoding="utf-8")


def check(folder: Path) -> None:
    """Raise JournalError (COLLECT_RESTORED_WAITING) where a station has to meet its hub before it saves."""
    if (folder / FILE).exists():
        raise JournalError(Problem("COLLECT_RESTORED_WAITING", Place(file=str(folder))))


def lift(folder: Path, told: datetime) -> bool:
    """Let a station save again whose hub said, at `told`, that it holds nothing more of it; return whether."""
    path = folder / FILE
    if not path.exists() or datetime.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["at"]) > told:
        return False
    path.unlink()
    return True
