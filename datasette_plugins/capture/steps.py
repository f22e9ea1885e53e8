"""Steps: what one request of the page does to a form being filled in, and how the last of them is undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from datasette_plugins.capture import lunar, pasting
from datasette_plugins.capture.copying import carried
from datasette_plugins.capture.dates import whole
from datasette_plugins.capture.units import without_unit
from datasette_plugins.ui.language import say
from forms.definition import Question
from forms.problems import CunceError

if TYPE_CHECKING:
    from datasette_plugins.capture.sitting import Sitting


class Undoable(NamedTuple):
    """A step that can be undone: the answers as they were, and what was set since.

    `repeat`: whose rows it changed, `position`: of the one that was taken out, 0 for none; `focus`: where to go then.
    """

    answers: Mapping[str, Any]
    since: list[tuple[str, Any]]
    focus: str
    repeat: str = ""
    position: int = 0


@dataclass(slots=True)
class Done:
    """What came of steps: words for the page, refs that were set, repeats to draw again, or all to be looked at."""

    answer: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    redrawn: list[str] = field(default_factory=list)
    anew: bool = False


class Steps:
    """The steps of one sitting. Each may safely come twice: setting is idempotent, the others say what they saw."""

    def __init__(self, sitting: Sitting) -> None:
        self._sitting = sitting
        self._undoable: Undoable | None = None

    def apply(self, changes: Sequence[Mapping[str, Any]]) -> Done:
        """Take steps in order. Raises CunceError, KeyError, TypeError or ValueError, half of them taken then."""
        done = Done()
        for each in changes:
            op = each["op"]
            if op == "set":
                self._set(str(each["ref"]), each["value"], done)
            elif op == "add":
                self._add(str(each["ref"]), int(each["count"]), done)
            elif op == "remove":
                self._remove(str(each["ref"]), str(each["repeat"]), int(each["count"]), done)
            elif op == "table":
                self._show_as_table(str(each["ref"]), bool(each["on"]), str(each["focus"]), done)
            elif op == "paste":
                self._paste(str(each["ref"]), str(each["text"]), done)
            elif op == "copy":
                self._copy(str(each["ref"]), done)
            elif op == "undo":
                self._undo(done)
            else:
                raise ValueError(op)
        return done

    def _set(self, ref: str, value: Any, done: Done) -> None:
        if not isinstance(value, str | int | float):
            raise ValueError(ref)
        self._type(ref, value)
        done.told.append(ref)
        if self._undoable is not None:
            self._undoable.since.append((ref, value))

    def _type(self, ref: str, value: str | int | float) -> None:
        """Answer a question as people type it."""
        sitting = self._sitting
        view = sitting.shown.views.get(ref)
        if view is None or not isinstance(value, str):
            sitting.instance.set(ref, value)
        elif view.kind == "codes":
            sitting.instance.set(ref, self._codes(ref, value))
        elif view.kind == "date" and lunar.marked(value):
            sitting.asides.day(sitting.instance, ref, value)
        else:
            bare = without_unit(view.kind, view.node, value) if isinstance(view.node, Question) else value
            sitting.instance.set(ref, whole(view.kind, bare))

    def _codes(self, ref: str, typed: str) -> str:
        sitting = self._sitting
        tables = sitting.station.shelf.tables(sitting.instance.program.form)
        return pasting.codes(sitting.instance, tables, ref, typed)

    def _add(self, repeat: str, count: int, done: Done) -> None:
        self._undoable = None
        instance = self._sitting.instance
        now = instance.state(repeat).count
        done.answer["focus"] = instance.add(repeat) if now == count else f"{repeat}[{now}]"
        done.redrawn.append(repeat)

    def _remove(self, row: str, repeat: str, count: int, done: Done) -> None:
        done.redrawn.append(repeat)
        sitting = self._sitting
        if sitting.instance.state(repeat).count != count:
            return
        answers, named = sitting.whole(), sitting.outline().named(row)
        sitting.instance.remove(row)
        position = int(row.rpartition("[")[2].rstrip("]"))
        self._undoable = Undoable(answers, [], f"{repeat}[{position}]", repeat, position)
        done.answer["undo"] = say("capture.removed", sitting.language, what=named)
        done.answer["focus"] = f"{repeat}[{min(position, count - 1)}]" if count > 1 else repeat

    def _copy(self, here: str, done: Done) -> None:
        """Take over what the record before this one has for the questions that are still empty."""
        sitting = self._sitting
        found = carried(
            sitting.station, sitting.instance, author=sitting.author, village=sitting.village, record=sitting.key.record
        )
        if found is None or not found.values:
            done.answer["notice"] = say("capture.copied_nothing" if found else "capture.copied_none", sitting.language)
            return
        self._undoable = Undoable(sitting.whole(), [], here)
        for ref, value in found.values:
            sitting.instance.set(ref, value)
        done.told += [ref for ref, _ in found.values]
        done.answer["undo"] = say("capture.copied", sitting.language, what="、".join(found.labels), of=found.of)

    def _show_as_table(self, repeat: str, on: bool, focus: str, done: Done) -> None:
        """Show a repeat's rows as the lines of a table, or as cards again."""
        tables = self._sitting.tables
        (tables.add if on else tables.discard)(repeat)
        done.redrawn.append(repeat)
        done.answer["focus"] = focus or repeat

    def _paste(self, ref: str, text: str, done: Done) -> None:
        """Put rows copied from a spreadsheet into a repeat, from the question they were pasted on."""
        sitting = self._sitting
        instance = sitting.instance
        repeat, _, rest = ref.rpartition("[")
        number, _, below = rest.partition("]")
        form = instance.program.form
        table = next(each for each in sitting.station.shelf.tables(form) if each.repeat_path == repeat)
        cells = pasting.cells_of(text)
        if not cells or not instance.state(repeat).can_add:
            return
        before = Undoable(sitting.whole(), [], ref, repeat)
        try:
            pasted = pasting.paste(
                instance, table, cells, row=int(number), column=f"{repeat}{below}",
                attachments=sitting.station.attachments,
            )  # fmt: skip
        except pasting.TooManyError:
            done.answer["notice"] = say("capture.pasted_too_many", sitting.language, most=pasting.MOST_ROWS)
            return
        for at, day in pasted.days.items():
            sitting.asides.day(instance, at, day)
        self._undoable = before
        done.anew = True
        done.redrawn.append(repeat)
        done.answer["focus"] = ref
        done.answer["undo"] = self._told(pasted, repeat)

    def _told(self, pasted: pasting.Pasted, repeat: str) -> str:
        """What came of pasting, in words."""
        problems, language = self._sitting.instance.problems(), self._sitting.language
        faulty = [each for each in problems if each.severity == "error" and each.place.name.startswith(f"{repeat}[")]
        words = say("capture.pasted", language, rows=pasted.rows)
        if faulty:
            words += say("capture.pasted_wrong", language, count=len(faulty))
        if pasted.unknown:
            words += say("capture.pasted_unknown", language, what="、".join(pasted.unknown))
        return words

    def _undo(self, done: Done) -> None:
        """Put everything back as it was before the last step that can be undone; what was set since is set again."""
        undoable, self._undoable = self._undoable, None
        if undoable is None:
            return
        self._sitting.renew(undoable.answers)
        for ref, value in undoable.since:
            with suppress(CunceError):  # what was typed in a row that goes again
                self._sitting.instance.set(shifted(ref, undoable.repeat, undoable.position), value)
        done.anew = True
        done.answer["focus"] = undoable.focus
        if undoable.repeat:
            done.redrawn.append(undoable.repeat)


def shifted(ref: str, repeat: str, position: int) -> str:
    """Return where `ref` stands once a row is back at `position` (from 1, 0 for none) of `repeat`."""
    if not position or not ref.startswith(f"{repeat}["):
        return ref
    number, _, rest = ref[len(repeat) + 1 :].partition("]")
    return f"{repeat}[{int(number) + (int(number) >= position)}]{rest}"
