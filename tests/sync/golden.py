"""Make the test vectors in tests/golden/bundle anew: `python -m tests.sync.golden` (only for a new format)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from collect.revision import ERASED, Revision, RevisionId
from forms.problems import Problem
from sync.bundle import Bundle, write_bundle
from sync.keys import KeyPair, OwnKeys
from sync.receipt import Receipt
from sync.seal import Seal
from tests.sync.test_bundle import HOME, NOW, example

FOLDER = Path(__file__).parents[1] / "golden" / "bundle"

# The keys of the sealed example; the signature is the same each time it is made, the sealing is not.
LAPTOP = OwnKeys(KeyPair("AGE-SECRET-KEY-1EJZA9Q4F8PRG9JYHG3TLR0VDZG37LU6C9CPX2JFYYQ4CSDE29PAQK5U24K", "11" * 32))
HUB = OwnKeys(KeyPair("AGE-SECRET-KEY-1XYE7ZRGVRMD9NZXQ3P0HDLQNFYMDF5DD7J7U6JA0QZL8G43W865QYV59TF", "22" * 32))


def vectors() -> dict[str, Bundle]:
    """Return the bundles by name: an empty one, a laptop's, one of erasures, and a hub's answer with a receipt."""
    other = Revision(
        id=RevisionId("another", 7), parents=(RevisionId("laptop", 3), RevisionId("hub", 1)), time=9 << 16,
        author="王五",
        save="0193e5a0-3333-7aaa-8aaa-0123456789ab", form="household", version="1", table="household", record=HOME,
        village="999999001001", changes={"phone": "13800000000", "people": None, "linked": HOME}, previous="ef" * 32,
    )  # fmt: skip
    erasure = replace(
        other, id=RevisionId("another", 8), parents=(other.id,), changes={ERASED: "本人申请删除"}, previous=other.digest
    )
    receipt = Receipt(
        held={"laptop": 4}, served=("999999001001",), after=3, cursor=12, mark="0123456789ab", arrived=12,
        villages={"999999001001": "东村"}, forms=("ab" * 32,),
        refused=(Problem("SYNC_OUTSIDE_SCOPE", context={"village": "999999001002", "count": "1", "name": "一号"}),),
    )  # fmt: skip
    return {
        "empty": Bundle("laptop", "hub", "push", NOW),
        "push": example(),
        "erased": replace(
            Bundle("hub", "laptop", "pull", NOW), revisions=(*(_erased(each) for each in example().revisions), erasure)
        ),
        "pull": replace(
            Bundle("hub", "laptop", "pull", NOW), revisions=(*example().revisions[:2], other), receipt=receipt
        ),
    }


def _erased(revision: Revision) -> Revision:
    return replace(revision, changes={}, erased=revision.changes_digest) if revision.record == HOME else revision


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, bundle in vectors().items():
        (FOLDER / f"{name}.cunce").write_bytes(write_bundle(bundle))
    (FOLDER / "sealed.cunce").write_bytes(write_bundle(vectors()["push"], Seal(LAPTOP, HUB.current.public)))
