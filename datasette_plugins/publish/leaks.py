"""The leak check: no name, number, telephone or address of the ledgers in what is about to be published. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forms.problems import CunceError, Place, Problem

_SEPARATORS = re.compile(r"[\s\-–—_.·•,，()（）]+")
_WHOLE = 4  # shorter values are looked for within one text only: across two they would be met by chance


class LeakError(CunceError):
    """Something private stands in what was to be published; nothing was written."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must not be published: what it is, and the ledger, record and column it stands in."""

    value: str
    kind: str
    table: str
    record: str
    column: str


def leaks(texts: Sequence[str], secrets: Iterable[Secret]) -> tuple[Secret, ...]:
    """Return the secrets that stand in any of the texts, whatever blanks or dashes stand between their characters.

    `texts`: everything produced, each as whole as it can be had. Single characters are not looked for.
    """
    apart = "\n".join(_plain(text) for text in texts)
    joined = apart.replace("\n", "")
    found: dict[str, bool] = {}
    hits: list[Secret] = []
    for secret in secrets:
        value = _plain(secret.value)
        if len(value) < 2:
            continue
        if value not in found:
            found[value] = value in (joined if len(value) >= _WHOLE else apart)
        if found[value]:
            hits.append(secret)
    return tuple(hits)


def refuse_leaks(texts: Sequence[str], secrets: Iterable[Secret]) -> None:
    """Raise LeakError naming ledger, record and kind of every secret found, never the value itself."""
    hits = leaks(texts, secrets)
    if hits:
        raise LeakError(
            Problem(
                "PLUGINS_LEAK_FOUND",
                Place(sheet=hit.table, name=hit.column),
                {"ledger": hit.table, "record": hit.record, "kind": hit.kind},
            )
            for hit in hits
        )


def _plain(text: str) -> str:
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).casefold()
