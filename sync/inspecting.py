"""Inspecting: what a bundle's file is, without opening what this station may not open."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from collect import settings
from collect.keychain import Keychain
from collect.keys import PublicKeys
from collect.peers import Peers
from forms.problems import CunceError
from sync.bundle import Bundle, Header, check_signature, inspect_bundle, open_bundle, read_bundle
from sync.keys import keys_of
from sync.seal import Trust
from sync.transport.files import read

Signed = Literal["known", "unknown", "none"]


def inspect_file(file: Path, folder: Path) -> tuple[Header, Signed, list[dict[str, Any]] | None]:
    """Return a bundle's header, whether its signature is one of a sender the station in `folder` knows, and what is in
    it by village and ledger: None where that station may not open it.

    Raises BundleError, or SealError for a signature that is false; what is not ours to open is no error.
    """
    data = read(file)
    header = inspect_bundle(data)
    if not header.signature and not header.seal:
        return header, "none", told(read_bundle(data))
    known = _sender(folder, header.sender)
    if known is None:
        return header, "unknown", None
    check_signature(data, known)
    station = settings.read(folder).id
    if header.receiver != station:
        return header, "known", None
    opened = open_bundle(data, Trust(keys_of(folder, station).pairs, known), receiver=station)
    return header, "known", told(opened.bundle)


def _sender(folder: Path, sender: str) -> PublicKeys | None:
    """The keys that the station in a folder knows of another; None where there is no station, or it knows none."""
    if not (folder / settings.FILE).is_file() or not (folder / "peers.db").is_file():
        return None
    with closing(Peers(folder)) as peers:
        peer = peers.peer(sender)
        if peer is not None:
            return peer.keys
        try:
            return peers.hub(sender).keys
        except CunceError:
            own = settings.read(folder).id
            return keys_of(folder, own).current.public if sender == own and Keychain(folder).lock else None


def told(bundle: Bundle) -> list[dict[str, Any]]:
    """Return what a bundle holds, in numbers, by village and ledger."""
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for each in bundle.revisions:
        start: dict[str, Any] = {"revisions": 0, "records": set(), "authors": set()}
        line = lines.setdefault((each.village, each.table), start)
        line["revisions"] += 1
        line["records"].add(each.record)
        line["authors"].add(each.author)
    return [
        {"village": village, "table": table, "revisions": line["revisions"], "records": len(line["records"]),
         "authors": sorted(line["authors"])}
        for (village, table), line in sorted(lines.items())
    ]  # fmt: skip
