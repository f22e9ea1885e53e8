"""Bundles: what is written reads back equal, and nothing else is ever taken for a bundle."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from collect.revision import DELETED, ERASED, Revision, RevisionId
from forms.problems import LANGUAGES, Problem
from sync.bundle import (
    FORMAT,
    MAGIC,
    MAX_BODY,
    Blob,
    Bundle,
    BundleError,
    FormSource,
    inspect_bundle,
    read_bundle,
    write_bundle,
)
from sync.receipt import Receipt
from sync.seal import SealError

NOW = datetime(2026, 11, 22, 18, 4, tzinfo=timezone(timedelta(hours=8)))
HOME = "0193e5a0-1111-7aaa-8aaa-0123456789ab"
CHILD = "0193e5a0-2222-7aaa-8aaa-0123456789ab"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
UUID7 = st.uuids(version=4).map(lambda uuid: f"{str(uuid)[:14]}7{str(uuid)[15:]}")
NAMES = st.sampled_from(["户", "name", "_parent", DELETED, ERASED, "v", "r", "phone"])
VALUES = st.one_of(
    TEXT, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), UUID7
)
REVISION_IDS = st.builds(RevisionId, st.sampled_from(["甲", "乙", "丙"]), st.integers(1, 40))


@st.composite
def revision_lists(draw: st.DrawFn) -> tuple[Revision, ...]:
    """Return revisions with distinct ids in any order, some chained to the one before, some not."""
    records = draw(st.lists(st.one_of(UUID7, TEXT), min_size=1, max_size=4))
    done: dict[RevisionId, Revision] = {}
    for revision_id in draw(st.lists(REVISION_IDS, unique=True, max_size=12)):
        before = done.get(RevisionId(revision_id.station, revision_id.seq - 1))
        link = before.digest if before and draw(st.booleans()) else draw(st.sampled_from(["", "0" * 64]))
        done[revision_id] = Revision(
            id=revision_id,
            parents=tuple(draw(st.lists(REVISION_IDS, max_size=2))),
            time=draw(st.integers(0, 1 << 62)),
            author=draw(TEXT),
            save=draw(st.one_of(UUID7, TEXT)),
            form=draw(st.sampled_from(["household", "visit"])),
            version=draw(st.sampled_from(["1", "2"])),
            table=draw(st.sampled_from(["household", "household_member"])),
            record=draw(st.sampled_from(records)),
            village=draw(TEXT),
            changes=draw(st.dictionaries(st.one_of(NAMES, TEXT), st.one_of(VALUES, st.sampled_from(records)))),
            previous=link,
        )
        if draw(st.integers(0, 5)) == 0:
            made = done[revision_id]
            done[revision_id] = replace(made, changes={}, erased=made.changes_digest)
    return tuple(done.values())


FORMS = st.builds(
    FormSource, TEXT, TEXT, TEXT, TEXT,
    st.dictionaries(TEXT, st.lists(st.dictionaries(TEXT, TEXT, max_size=2), max_size=2).map(tuple), max_size=2),
)  # fmt: skip
RECEIPTS = st.builds(
    Receipt,
    held=st.dictionaries(TEXT, st.integers(0)),
    served=st.lists(TEXT).map(tuple),
    after=st.integers(0, 9),
    cursor=st.integers(9),
    mark=TEXT,
    reset=st.booleans(),
    more=st.booleans(),
    villages=st.dictionaries(TEXT, TEXT),
    forms=st.lists(TEXT).map(tuple),
    refused=st.lists(st.builds(Problem, st.just("SYNC_BUNDLE_CUT"), context=st.dictionaries(TEXT, TEXT))).map(tuple),
)
DIGESTS = st.binary().map(lambda data: hashlib.sha256(data).hexdigest())
BUNDLES = st.builds(
    Bundle,
    sender=TEXT,
    receiver=TEXT,
    kind=st.sampled_from(["push", "pull"]),
    created=st.datetimes(timezones=st.just(UTC)),
    revisions=revision_lists(),
    forms=st.lists(FORMS, max_size=2).map(tuple),
    blobs=st.lists(st.builds(Blob, DIGESTS, st.integers(0), TEXT), max_size=2).map(tuple),
    receipt=st.none() | RECEIPTS,
)


def typed(bundle: Bundle) -> list[Any]:
    """Return every change with its type, because to Python 1 == 1.0 == True."""
    return [sorted((k, type(v).__name__, repr(v)) for k, v in each.changes.items()) for each in bundle.revisions]


def code_of(data: bytes, **options: Any) -> str:
    """Return the code of the refusal; every refusal must also come out in words."""
    with pytest.raises((BundleError, SealError)) as caught:
        read_bundle(data, **options)
    assert all(caught.value.problems[0].words(language) for language in LANGUAGES)
    return caught.value.code


def example() -> Bundle:
    """Return a small bundle: a household, its member, an edit and a deletion."""
    rows: list[Revision] = []
    saves: list[tuple[tuple[RevisionId, ...], str, str, dict[str, Any]]] = [
        ((), "household", HOME, {"head_name": "张三", "house_area": 120.0, "note": None}),
        ((), "household_member", CHILD, {"_parent": HOME, "name": "张小三"}),
        ((RevisionId("laptop", 1),), "household", HOME, {"head_name": "张叁", "people": 3}),
        ((RevisionId("laptop", 2),), "household_member", CHILD, {DELETED: True}),
    ]
    for seq, (parents, table, record, changes) in enumerate(saves, 1):
        link = rows[-1].digest if rows else ""
        rows.append(
            Revision(RevisionId("laptop", seq), parents, seq << 16, "李四", f"save {seq}", "household", "1", table,
                     record, "999999001001", changes, link)
        )  # fmt: skip
    survey = ({"type": "text", "name": "head_name"},)
    form = FormSource("household", "1", "ab" * 32, "<h:html/>", {"survey": survey})
    return Bundle("laptop", "hub", "push", NOW, tuple(rows), (form,), (Blob("cd" * 32, 7, "image/jpeg"),))


@settings(max_examples=80, deadline=None)
@given(BUNDLES)
def test_what_is_written_reads_back_equal(bundle: Bundle) -> None:
    read = read_bundle(write_bundle(bundle), receiver=bundle.receiver)
    assert read == bundle
    assert typed(read) == typed(bundle)


def test_a_chain_of_saves_carries_no_links_but_the_first() -> None:
    bundle = example()
    assert b"links" not in write_bundle(bundle)
    assert read_bundle(write_bundle(bundle)) == bundle
    links = json.loads(body_of(write_bundle(bundle)))["revisions"]["links"]
    assert links["count"] == 1


def test_cut_at_any_byte_is_refused() -> None:
    data = write_bundle(example())
    assert {code_of(data[:length]) for length in range(len(data))} == {"SYNC_BUNDLE_CUT"}


def test_any_flipped_bit_is_refused() -> None:
    data = write_bundle(example())
    codes = set()
    for position in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        codes.add(code_of(bytes(flipped)))
    assert codes == {"SYNC_BUNDLE_FOREIGN", "SYNC_BUNDLE_NEWER", "SYNC_BUNDLE_DAMAGED", "SYNC_BUNDLE_CUT"}


@given(st.binary(max_size=200), st.booleans())
def test_any_other_file_is_refused(data: bytes, disguised: bool) -> None:
    code_of((MAGIC + struct.pack(">H", FORMAT) if disguised else b"") + data)


def test_bytes_after_the_end_are_refused() -> None:
    assert code_of(write_bundle(example()) + b"\0") == "SYNC_BUNDLE_DAMAGED"


def test_a_newer_format_asks_for_an_update() -> None:
    data = bytearray(write_bundle(example()))
    data[8:10] = struct.pack(">H", FORMAT + 1)
    assert code_of(bytes(data)) == "SYNC_BUNDLE_NEWER"


def test_a_bundle_for_another_station_is_refused() -> None:
    data = write_bundle(example())
    assert code_of(data, receiver="another hub") == "SYNC_BUNDLE_FOR_ANOTHER"
    assert read_bundle(data, receiver="hub").sender == "laptop"


def test_inspecting_reads_the_header_alone() -> None:
    header = inspect_bundle(write_bundle(example()))
    assert (header.sender, header.receiver, header.kind, header.created) == ("laptop", "hub", "push", NOW)
    assert (header.revisions, header.forms, header.blobs) == (4, 1, 1)
    assert header.suffixes == {"laptop": (1, 4)}
    assert (header.seal, header.signature) == ("", "")


# A sender who means harm signs off his bytes correctly: everything behind the digest must hold by itself.


def sections_of(data: bytes) -> dict[bytes, bytes]:
    at, sections = 10, {}
    while at < len(data):
        tag, length = struct.unpack_from(">4sQ", data, at)
        sections[tag] = data[at + 12 : at + 12 + length]
        at += 12 + length
    return sections


def body_of(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(sections_of(data)[b"BODY"])


def sealed_again(sections: dict[bytes, bytes], version: int = 1) -> bytes:
    out = MAGIC + struct.pack(">H", version)
    for tag in (b"HEAD", b"SEAL", b"BODY", b"SIGN"):
        out += struct.pack(">4sQ", tag, len(sections[tag])) + sections[tag]
    out += struct.pack(">4sQ", b"HASH", 32)
    return out + hashlib.sha256(out).digest()


def with_body(data: bytes, body: bytes) -> bytes:
    sections = sections_of(data)
    head = json.loads(sections[b"HEAD"])
    head["body"]["size"] = len(body)
    sections[b"HEAD"] = json.dumps(head).encode()
    return sealed_again({**sections, b"BODY": zstandard.compress(body)}, data[9])


def paths_in(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        found += paths_in(child, (*path, key))
    return found


def forgotten() -> Bundle:
    """Return the example with two of its revisions erased."""
    first, second, *others = (replace(each, changes={}, erased=each.changes_digest) for each in example().revisions)
    kept = example().revisions[2:]
    assert [each.digest for each in (first, second, *others)] == [each.digest for each in example().revisions]
    return replace(example(), revisions=(first, second, *kept))


@pytest.mark.parametrize("bundle", [example(), forgotten()], ids=["whole", "erased"])
def test_a_body_wrong_in_any_place_is_refused_in_words_or_says_something_else(bundle: Bundle) -> None:
    """Replace every node of the body by every kind of thing: a BundleError, or a bundle as good as any."""
    data = write_bundle(bundle)
    body = json.loads(body_of(data))
    wrong: list[Any] = [None, True, -1, 0, 10**30, 1.5, "", "\ud800", "x", [], [[]], [1], {}, {"c": []}, {"c": 7}]
    refused = 0
    for path in paths_in(body)[1:]:
        for thing in wrong:
            changed = json.loads(json.dumps(body))
            node = changed
            for key in path[:-1]:
                node = node[key]
            node[path[-1]] = thing
            try:
                read = read_bundle(with_body(data, json.dumps(changed).encode()))
            except BundleError:
                refused += 1
            else:
                assert read_bundle(write_bundle(read)) == read
    assert refused > 1000


@pytest.mark.parametrize(
    "body",
    [b"", b"[" * 100_000, b"NaN", b"\xff", b'{"revisions":1e999}', b"9" * 5000, b"{}", b"null"],
    ids=["empty", "deep", "nan", "no utf-8", "infinite", "huge number", "no parts", "null"],
)
def test_a_body_that_is_no_body_is_refused(body: bytes) -> None:
    assert code_of(with_body(write_bundle(example()), body)) == "SYNC_BUNDLE_MALFORMED"


def test_a_decompression_bomb_is_refused_before_it_goes_off() -> None:
    data = write_bundle(example())
    bomb = zstandard.compress(b" " * 50_000_000)
    assert len(bomb) < 5000
    sections = sections_of(data)
    assert code_of(sealed_again({**sections, b"BODY": bomb})) == "SYNC_BUNDLE_MALFORMED"
    head = json.loads(sections[b"HEAD"])
    head["body"]["size"] = MAX_BODY + 1
    assert code_of(sealed_again({**sections, b"HEAD": json.dumps(head).encode()})) == "SYNC_BUNDLE_TOO_LARGE"


def test_constant_columns_cannot_grow_without_end() -> None:
    data = write_bundle(example())
    body = json.loads(body_of(data))
    group = body["revisions"]["groups"][0]
    group["count"] = 199_999
    group["fields"] = [str(number) for number in range(10_000)]
    group["columns"] = [{"c": "x"}] * 10_000
    assert code_of(with_body(data, json.dumps(body).encode())) == "SYNC_BUNDLE_MALFORMED"


def test_erasures_need_their_format_and_their_digests() -> None:
    data = write_bundle(forgotten())
    body = json.loads(body_of(data))
    assert code_of(sealed_again(sections_of(data))) == "SYNC_BUNDLE_MALFORMED", "format 1 has no erasures"
    without = {**body, "revisions": {k: v for k, v in body["revisions"].items() if k != "erased"}}
    assert code_of(with_body(data, json.dumps(without).encode())) == "SYNC_BUNDLE_MALFORMED"
    for at in ([0, 0], [0, 2], [0, 99]):
        wrong = {**body["revisions"], "erased": {"count": 2, "at": {"n": at}, "digest": {"c": "ab" * 32}}}
        assert code_of(with_body(data, json.dumps({**body, "revisions": wrong}).encode())) == "SYNC_BUNDLE_MALFORMED"


def test_a_seal_this_version_does_not_know_is_named() -> None:
    sections = sections_of(write_bundle(example()))
    sealed = sealed_again({**sections, b"SEAL": b'{"method":"pgp","recipients":["age1..."]}'})
    assert code_of(sealed) == "SYNC_BUNDLE_SEALED"


def test_what_cannot_be_written_down_is_the_callers_fault() -> None:
    bundle = example()
    with pytest.raises(ValueError, match="each revision once"):
        write_bundle(Bundle("a", "b", "push", NOW, bundle.revisions * 2))
    with pytest.raises(ValueError, match="zone"):
        write_bundle(Bundle("a", "b", "push", NOW.replace(tzinfo=None)))
