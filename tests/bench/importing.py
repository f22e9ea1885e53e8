"""Import of households from .xlsx and .csv against a raw insert: `python -m tests.bench.importing --json`."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from collect.exporter.ledger import export_ledger
from collect.importer.ledger import import_ledger
from collect.settings import Village
from collect.station import Station
from forms.reader import load_shipped
from tests.bench.baseline import VILLAGE, households, peak_mb, raw_median, show, told


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    form = load_shipped("household")
    homes = told(form, households(wanted.households))
    members = sum(len(home["member"]) for home in homes)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw = raw_median(folder, homes)
        flat = folder / "台账.csv"
        _write(flat, homes)
        seconds = {".csv": _import(folder / "from-csv", flat)}
        _to_xlsx(flat)
        seconds[".xlsx"] = _import(folder / "from-xlsx", flat.with_suffix(".xlsx"))
        with Station.open(folder / "from-xlsx") as station:
            began = time.perf_counter()
            export_ledger(station, "household", folder / "out.xlsx")
            export = time.perf_counter() - began
    data = {"households": len(homes), "members": members, "raw_s": round(raw, 3), "peak_mb": round(peak_mb(), 1)}
    rows = [("households, members", f"{len(homes):,}, {members:,}"), ("raw executemany", f"{raw:.3f} s")]
    for ending, took in seconds.items():
        data[f"import_{ending[1:]}_s"] = round(took, 2)
        data[f"import_{ending[1:]}_ratio"] = round(took / raw, 1)
        speed = f"{len(homes) / took:,.0f} households/s"
        rows.append((f"import {ending}", f"{took:.2f} s, {took / raw:.1f} x raw, {speed}"))
    data["export_xlsx_s"] = round(export, 2)
    rows += [("export .xlsx", f"{export:.2f} s"), ("peak memory", f"{peak_mb():.0f} MB")]
    show(rows, data, as_json=wanted.json)


def _write(path: Path, homes: list[dict[str, object]]) -> None:
    import csv

    own = ["household_number", "head_name", "group_name", "address", "phone", "farmland", "water", "road"]
    member = ["name", "relation", "resident_id", "nation", "health", "work_away", "work_place"]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*own, *member])
        for home in homes:
            rows = home["member"]
            assert isinstance(rows, list)
            for row in rows:
                writer.writerow([*(home.get(name, "") for name in own), *(row.get(name, "") for name in member)])


def _to_xlsx(path: Path) -> None:
    import csv

    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("台账")
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file):
            sheet.append(row)
    book.save(path.with_suffix(".xlsx"))


def _import(folder: Path, path: Path) -> float:
    with Station.create(folder, name="bench", villages=[Village(VILLAGE, "前进村")]) as station:
        station.add_form(load_shipped("household"))
        began = time.perf_counter()
        result = import_ledger(station, "household", path, author="bench")
        took = time.perf_counter() - began
    assert result.rejected == [], result.faults[:3]
    return took


if __name__ == "__main__":
    main()
