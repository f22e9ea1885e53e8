"""Forms kept on disk as they were read, by the digest of what they were read from and of what read them."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final

from forms.definition import Form
from forms.frozen import freeze, thaw

# Older ones go when there are more: a form that is being written changes often.
_MOST: Final = 200


@cache
def _made_by() -> str:
    """What reads forms: the versions, and the sources themselves, which change between two versions while we write."""
    sources = sorted(Path(__file__).parent.rglob("*.py"))
    stamps = "".join(f"{path.name}{(found := path.stat()).st_mtime_ns}.{found.st_size}" for path in sources)
    return f"{version('cunce')} {version('pyxform')} {stamps}"


def digest(*given: str | bytes) -> str:
    """Return the digest of what a form is read from, and of its readers."""
    total = sha256(_made_by().encode("utf-8"))
    for part in given:
        data = part.encode("utf-8") if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


def own_folder() -> Path | None:
    """Return the folder where this computer's user keeps forms (`CUNCE_CACHE` or the system's place for caches)."""
    named = os.environ.get("CUNCE_CACHE")
    if named is not None:
        return Path(named) if named else None
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "cunce" / "forms"


@dataclass(frozen=True, slots=True)
class Kept:
    """One kept form: its XForm beside the rest, in `folder`."""

    folder: Path
    digest: str

    @property
    def xml(self) -> Path:
        """The XForm's file."""
        return self.folder / f"{self.digest}.xml"

    def read(self) -> Form | None:
        """Return what was kept, or None where nothing was or it cannot be read."""
        try:
            xform = self.xml.read_bytes().decode("utf-8")
            form = thaw(self.xml.with_suffix(".json").read_text(encoding="utf-8"), xform)
        except (OSError, ValueError, KeyError, TypeError, LookupError, RecursionError):
            return None
        # Each file is written whole, but not both at once.
        return form if form.digest == sha256(xform.encode("utf-8")).hexdigest() else None

    def write(self, form: Form) -> None:
        """Keep a form; a folder that cannot be written is no fault, only slower. Changes the folder."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(self.xml.with_suffix(".json"), freeze(form))
            _write(self.xml, form.xform)
            _thin_out(self.folder)
        except (OSError, RecursionError):
            return


def _write(path: Path, text: str) -> None:
    """Write under another name first: two processes may keep the same form at once."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(text.encode("utf-8"))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _thin_out(folder: Path) -> None:
    files = sorted(folder.glob("*.xml"), key=lambda path: path.stat().st_mtime)
    for old in files[:-_MOST]:
        for path in (old, old.with_suffix(".json")):
            with suppress(OSError):
                path.unlink()
