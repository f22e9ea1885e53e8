"""The format as docs/bundle-format.md tells it: test vectors, and a second reader written from the page alone."""

from __future__ import annotations

import hashlib
import json
import struct
from itertools import accumulate
from typing import Any

import pyrage  # type: ignore[import-untyped]
import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.bundle import open_bundle, read_bundle, write_bundle
from sync.seal import Trust
from tests.sync.golden import FOLDER, HUB, LAPTOP, vectors

NAMES = ("empty", "push", "erased", "pull")


@pytest.mark.parametrize("name", NAMES)
def test_test_vectors_read_as_they_always_did(name: str) -> None:
    assert read_bundle((FOLDER / f"{name}.cunce").read_bytes()) == vectors()[name]


@pytest.mark.parametrize("name", NAMES)
def test_bundles_are_still_written_as_the_test_vectors(name: str) -> None:
    """The body may compress differently with another zstd; what it holds may not change within a format."""
    ours, golden = sections(write_bundle(vectors()[name])), sections((FOLDER / f"{name}.cunce").read_bytes())
    for tag in (b"HEAD", b"SEAL", b"SIGN"):
        assert ours[tag] == golden[tag]
    assert zstandard.decompress(ours[b"BODY"]) == zstandard.decompress(golden[b"BODY"])


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_written_from_the_page_reads_the_same(name: str) -> None:
    read = second_reader((FOLDER / f"{name}.cunce").read_bytes())
    expected = [
        {
            "id": [each.id.station, each.id.seq],
            "parents": [[parent.station, parent.seq] for parent in each.parents],
            "time": each.time, "author": each.author, "save": each.save, "form": each.form, "version": each.version,
            "table": each.table, "record": each.record, "village": each.village, "changes": dict(each.changes),
            "previous": each.previous,
            **({"erased": each.erased} if each.erased else {}),
        }
        for each in vectors()[name].revisions
    ]  # fmt: skip
    assert read == expected


def test_only_erasures_need_the_newer_format() -> None:
    """Readers of format 1 go on reading everything else."""
    assert {name: write_bundle(vectors()[name])[9] for name in NAMES} == {"empty": 1, "push": 1, "erased": 2, "pull": 1}


def test_the_sealed_test_vector_opens_by_the_words_of_the_page() -> None:
    data = (FOLDER / "sealed.cunce").read_bytes()
    parts = sections(data)
    sign = json.loads(parts[b"SIGN"])
    signed = data[: data.rindex(b"SIGN" + struct.pack(">Q", len(parts[b"SIGN"])))]
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex("11" * 32)).public_key()
    key.verify(bytes.fromhex(sign["signature"]), b"cunce bundle\n" + signed)
    identity = pyrage.x25519.Identity.from_str(HUB.current.sealing)
    named = canonical([str(identity.to_public()), HUB.current.public.signing])
    assert json.loads(parts[b"SEAL"]) == {"method": "age", "recipient": hashlib.sha256(named).hexdigest()[:16]}
    assert zstandard.decompress(pyrage.decrypt(parts[b"BODY"], [identity])) == zstandard.decompress(
        sections((FOLDER / "push.cunce").read_bytes())[b"BODY"]
    )
    trust = Trust(HUB.pairs, LAPTOP.current.public)
    assert open_bundle(data, trust, receiver="hub").bundle == vectors()["push"]


def sections(data: bytes) -> dict[bytes, bytes]:
    at, found = 10, {}
    while at < len(data):
        tag, length = struct.unpack_from(">4sQ", data, at)
        found[tag] = data[at + 12 : at + 12 + length]
        at += 12 + length
    return found


def second_reader(data: bytes) -> list[dict[str, Any]]:
    """Read revisions by the page's words, sharing nothing with the code under test."""
    assert data[:9] == bytes.fromhex("89 43 55 4E 43 45 0D 0A 00")
    assert data[9] in (1, 2)
    assert hashlib.sha256(data[:-32]).digest() == data[-32:]
    parts = sections(data)
    assert list(parts) == [b"HEAD", b"SEAL", b"BODY", b"SIGN", b"HASH"]
    body = json.loads(zstandard.decompress(parts[b"BODY"]))["revisions"]
    ids = id_table(body["ids"])
    groups = [iter(rows(group, body["stations"], ids)) for group in body["groups"]]
    total = json.loads(parts[b"HEAD"])["revisions"]
    found = [next(groups[position]) for position in column(body["order"], total, [])]
    links = dict(
        zip(
            column(body["links"]["at"], body["links"]["count"], []),
            column(body["links"]["previous"], body["links"]["count"], []),
            strict=True,
        )
    )
    if data[9] == 2:
        gone = body["erased"]
        columns = (column(gone[name], gone["count"], []) for name in ("at", "digest"))
        for position, erased in zip(*columns, strict=True):
            found[position]["erased"] = erased
    digests: dict[tuple[str, int], str] = {}
    for position, row in enumerate(found):
        station, seq = row["id"]
        row["previous"] = links[position] if position in links else digests[station, seq - 1]
        digests[station, seq] = digest(row)
    return found


def id_table(table: dict[str, Any]) -> list[str]:
    tails = [table["t"][at : at + 19] for at in range(0, len(table["t"]), 19)]
    heads = [f"{time:012x}" for time in column(table["u"], len(tails), [])]
    sevens = [f"{h[:8]}-{h[8:]}-7{t[:3]}-{t[3:7]}-{t[7:]}" for h, t in zip(heads, tails, strict=True)]
    return [*sevens, *table["o"]]


def column(packed: dict[str, Any], count: int, ids: list[str]) -> list[Any]:
    if "c" in packed:
        cells = [packed["c"]] * count
    elif "v" in packed:
        cells = packed["v"]
    elif "d" in packed:
        cells = [packed["d"][position] for position in packed["i"]]
    elif "n" in packed:
        cells = list(accumulate(packed["n"]))
    else:
        cells = [ids[cell] if isinstance(cell, int) else cell for cell in packed["r"]]
    assert len(cells) == count
    return cells


def rows(group: dict[str, Any], stations: list[str], ids: list[str]) -> list[dict[str, Any]]:
    count = group["count"]
    plain = {name: column(group[name], count, ids) for name in ("station", "seq", "time", "author", "save", "record")}
    villages = column(group["village"], count, ids)
    changes, parents = whole(group, ids) if "fields" in group else changed(group, stations, ids)
    return [
        {
            "id": [stations[plain["station"][at]], plain["seq"][at]],
            "parents": parents[at],
            "time": plain["time"][at],
            "author": plain["author"][at],
            "save": ids[plain["save"][at]],
            **{name: group[name] for name in ("form", "version", "table")},
            "record": ids[plain["record"][at]],
            "village": villages[at],
            "changes": changes[at],
        }
        for at in range(count)
    ]


def whole(group: dict[str, Any], ids: list[str]) -> tuple[list[Any], list[Any]]:
    columns = [column(each, group["count"], ids) for each in group["columns"]]
    changes = [
        {name: cells[at] for name, cells in zip(group["fields"], columns, strict=True) if cells[at] != []}
        for at in range(group["count"])
    ]
    return changes, [[] for _ in changes]


def changed(group: dict[str, Any], stations: list[str], ids: list[str]) -> tuple[list[Any], list[Any]]:
    numbers = column(group["parents"], group["count"], ids)
    parents = iter(
        [
            [stations[station], seq]
            for station, seq in zip(
                column(group["parent_station"], sum(numbers), ids),
                column(group["parent_seq"], sum(numbers), ids),
                strict=True,
            )
        ]
    )
    shapes = [group["shapes"][position] for position in column(group["shape"], group["count"], ids)]
    values = iter(column(group["values"], sum(map(len, shapes)), ids))
    changes = [{name: next(values) for name in shape} for shape in shapes]
    return changes, [[next(parents) for _ in range(number)] for number in numbers]


def canonical(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def digest(row: dict[str, Any]) -> str:
    changes = row.get("erased") or hashlib.sha256(canonical(row["changes"])).hexdigest()
    names = ("time", "author", "save", "form", "version", "table", "record", "village")
    told = [*row["id"], sorted(row["parents"]), *(row[name] for name in names), changes, row["previous"]]
    return hashlib.sha256(canonical(told)).hexdigest()
