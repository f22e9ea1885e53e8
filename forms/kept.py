"""Converted XForms kept on disk by the digest of what they were made from."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from forms.conversion import Converted
from forms.problems import Place, Problem
from forms.sheets import Row

# Raised when the same rows would give another XForm or other warnings.
_FORMAT: Final = 1


def digest(sheets: Mapping[str, Sequence[Row]], file: str) -> str:
    """Return the digest of a form's rows, its file name (which may stand in for the form_id) and their readers."""
    made_by = [_FORMAT, version("cunce"), version("pyxform")]
    text = json.dumps([made_by, file, sheets], ensure_ascii=False)
    return sha256(text.encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True)
class Kept:
    """One kept XForm: its XML beside its warnings, in `folder`."""

    folder: Path
    digest: str

    @property
    def xml(self) -> Path:
        """The XForm's file."""
        return self.folder / f"{self.digest}.xml"

    def read(self) -> Converted | None:
        """Return what was kept, or None where nothing was or it cannot be read."""
        try:
            xml = self.xml.read_text(encoding="utf-8")
            beside = json.loads(self.xml.with_suffix(".json").read_text(encoding="utf-8"))
            return Converted(xml, tuple(_problem(entry) for entry in beside["warnings"]), beside["root"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, converted: Converted) -> None:
        """Keep a conversion; a folder that cannot be written is no fault, only slower. Changes the folder."""
        beside = {"root": converted.root, "warnings": [_entry(problem) for problem in converted.warnings]}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(self.xml.with_suffix(".json"), json.dumps(beside, ensure_ascii=False))
            _write(self.xml, converted.xml)
        except OSError:
            return


def _write(path: Path, text: str) -> None:
    """Write under another name first: two processes may keep the same form at once."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)


def _entry(problem: Problem) -> dict[str, Any]:
    place = {name: getattr(problem.place, name) for name in Place.__dataclass_fields__}
    context = {key: str(value) for key, value in problem.context.items()}
    return {"code": problem.code, "place": place, "context": context, "severity": problem.severity}


def _problem(entry: Mapping[str, Any]) -> Problem:
    return Problem(entry["code"], Place(**entry["place"]), entry["context"], entry["severity"])
