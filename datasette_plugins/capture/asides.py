"""Asides: what the page tells beside a question though it is no fault: the other calendar's day, records alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from datasette_plugins.capture import lunar
from datasette_plugins.capture.likeness import Likeness
from datasette_plugins.ui.language import say

if TYPE_CHECKING:
    from collect.station import Station
    from forms.instance import Instance


class Asides:
    """The asides of one draft, by ref; as the answers stand, so that a change of them lets them go.

    `record`: the one that is changed, or ""; `village`: its code where the form doesn't ask.
    """

    def __init__(self, station: Station, record: str, village: str, language: str) -> None:
        self._station, self._record, self._village, self._language = station, record, village, language
        self._days: dict[str, tuple[object, Markup]] = {}  # ref -> its answer, and words of the other calendar
        self._alike: dict[str, Markup] = {}

    def day(self, instance: Instance, ref: str, text: str) -> None:
        """Answer a date with a text in the Chinese calendar: the Gregorian day is kept, the other told beside it."""
        told = lunar.read(text)
        instance.set(ref, told.day or text)
        self._days[ref] = instance.get(ref), escape(told.words or say("capture.lunar_wrong", self._language))

    def compare(self, instance: Instance, refs: Iterable[str] | None = None) -> list[str]:
        """Look for records alike, if any of `refs` tells records apart (None: in any case); return what differs now."""
        likeness = Likeness(
            self._station, instance, record=self._record, village=self._village, language=self._language
        )
        if refs is not None and not likeness.watches(refs):
            return []
        before, self._alike = self._alike, likeness.found()
        return [ref for ref in {*before, *self._alike} if before.get(ref) != self._alike.get(ref)]

    def told(self, instance: Instance) -> dict[str, Markup]:
        """Return everything that is to be told now."""
        found = dict(self._alike)
        for ref, (value, words) in self._days.items():
            if _at(instance, ref) == value:
                found[ref] = words + found.get(ref, Markup(""))
        return found


def _at(instance: Instance, ref: str) -> object:
    """The answer there, None where the row is gone."""
    from forms.instance import InstanceError

    try:
        return instance.get(ref)
    except InstanceError:
        return None
