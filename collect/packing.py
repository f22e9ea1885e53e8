"""What is attached to a form that leaves for ODK: the ledgers it reads, cut to the columns it reads, and its media."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from collect.station import Station
from forms.definition import Form
from forms.packing import EVERY, attached_columns, csv_file, external_choices, media_of, odk_zip
from forms.problems import Place, Problem


@dataclass(slots=True)
class Packed:
    """A zip for ODK, the names of what is attached, and what its sender should know (warnings)."""

    data: bytes = b""
    files: dict[str, bytes] = field(default_factory=dict)
    warnings: list[Problem] = field(default_factory=list)

    def warn(self, code: str, file: str, **context: object) -> None:
        """Add a warning about an attached file."""
        self.warnings.append(Problem(code, Place(name=file), {"file": file, **context}, "warning"))


def pack(form: Form, *, folder: Path | None = None, station: Station | None = None) -> Packed:
    """Return a form packed for ODK Central and Collect.

    Attached files are taken from `folder` (where the form's own file lies) or else from the station's ledgers; of a
    ledger only the columns that the form reads, with a warning that names those which are not public.
    """
    packed = Packed()
    for file, columns in attached_columns(form).items():
        if not columns:
            continue
        if folder is not None and (folder / file).is_file():
            packed.files[file] = (folder / file).read_bytes()
        elif station is not None and _kept_there(station, file):
            packed.files[file] = _ledger(station, file, columns, packed)
        else:
            packed.warn("COLLECT_PACK_MISSING", file, columns=", ".join(columns))
    others = (one.source for one in form.secondary_instances.values() if one.source and not one.source.endswith(".csv"))
    for file in (*media_of(form), *(name for name in others if "." in name)):
        blob = station.media_of(form).get(file, "") if station is not None else ""
        if folder is not None and (folder / file).is_file():
            packed.files[file] = (folder / file).read_bytes()
        elif station is not None and blob and station.blobs.has(blob):
            packed.files[file] = station.blobs.read(blob)
        else:
            packed.warn("COLLECT_PACK_MISSING", file, columns="")
    itemsets = external_choices(form)
    if itemsets is not None:
        packed.files["itemsets.csv"] = itemsets
    packed.data = odk_zip(form, packed.files)
    return packed


def _kept_there(station: Station, file: str) -> bool:
    """Whether a station has what a file stands for: its list of villages, or one of its ledgers."""
    return file == "village.csv" or station.projection.ledgers.of(file.removesuffix(".csv")) is not None


def _ledger(station: Station, file: str, columns: tuple[str, ...], packed: Packed) -> bytes:
    """A ledger's rows with these columns, noting which personal ones leave."""
    rows = station.attachments.open(file).rows()
    if file == "village.csv":
        return csv_file(_spelled_out(columns, ("name", "label", "township")), rows)
    ledgers = station.projection.ledgers
    ledger = ledgers[ledgers.current(file.removesuffix(".csv"))]
    names = _spelled_out(columns, ("name", "label", *ledger.fields))
    privacy = {name: column.question.ledger.get("privacy", "") for name, column in ledger.fields.items()}
    personal = [name for name in names if name == "label" or privacy.get(name, "public") != "public"]
    if personal:
        packed.warn("COLLECT_PACK_PERSONAL", file, columns=", ".join(_shown(personal, privacy)))
    return csv_file(names, rows)


def _spelled_out(columns: tuple[str, ...], known: tuple[str, ...]) -> list[str]:
    """The columns to write: those read, or all where any may be."""
    named = [name for name in columns if name != EVERY]
    return list(dict.fromkeys([*named, *known] if EVERY in columns else named))


def _shown(names: list[str], privacy: Mapping[str, str]) -> Iterator[str]:
    for name in names:
        yield f"{name} ({privacy[name]})" if privacy.get(name) else name
