"""Sittings: drafts being filled in, each an instance in memory with its durable copy in the station's drafts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote
from uuid import UUID
from weakref import WeakKeyDictionary

from uuid6 import uuid7

from collect.drafts import Draft, DraftError
from datasette_plugins.capture.asides import Asides
from datasette_plugins.capture.copying import is_carried
from datasette_plugins.capture.drawing import sheet
from datasette_plugins.capture.outline import Outline, first_text
from datasette_plugins.capture.patches import Seen, follow, patch, seen
from datasette_plugins.capture.steps import Done, Steps
from datasette_plugins.capture.viewing import Viewing, plain
from forms.definition import Form, Question
from forms.problems import CunceError, Problem, shown
from forms.tables import table_name

if TYPE_CHECKING:
    from collect.station import Station
    from forms.instance import Instance

# Instances kept in memory; a draft beyond that is read again from where it is kept.
_MOST_OPEN = 16
_MOST_CHANGES = 2000  # in one request


class Key(NamedTuple):
    """What names a draft in every request.

    `draft`: its id (also the id of the record it becomes); `form`: form id; `record`: the record it changes, or "";
    `village`: code for forms that don't ask for it, or ""; `language`: of the form, or "" for its own.
    """

    draft: str
    form: str
    record: str
    village: str
    language: str


class OvertakenError(Exception):
    """Another page has changed the draft since this one was drawn; `counter`: where it is now."""

    def __init__(self, counter: int) -> None:
        super().__init__(counter)
        self.counter = counter


class SettledError(Exception):
    """The draft has been saved (`where`: the path of the page that says so) or thrown away (`""`)."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


class Sitting:
    """One draft being filled in; everything happens on the station's thread.

    `counter` is the draft's and goes up with every request that changed it. A page that was drawn before somebody
    else's change may not change anything (`OvertakenError`). One that only repeats itself because an answer got lost
    changes nothing: setting is idempotent, and adding and removing name the number of rows they saw.
    """

    def __init__(self, station: Station, key: Key, language: str, tables: set[str] | None = None) -> None:
        self.key = key
        self.station = station
        self.language = language
        self._tried = False
        self.tables = set() if tables is None else tables  # repeats whose rows are shown as the lines of a table
        self._steps = Steps(self)
        self._seen: Seen | None = None  # what the page shows; unknown until it is drawn, and after a restart
        self._media: Mapping[str, str] = {}
        self.asides = Asides(station, key.record, key.village, language)
        self.saved = ""  # the record it has become
        self.warnings: tuple[Problem, ...] = ()  # what could not be saved besides
        self.instance: Instance
        self.counter: int
        self._load()

    def _load(self) -> None:
        """Read the draft, or else begin from the record or from nothing."""
        station, key = self.station, self.key
        form = station.form(key.form)
        self._media = station.media_of(form)
        language = form_language(form, key.language, self.language)
        draft = _draft(station, key.draft)
        if draft is not None and draft.discarded_at:
            raise SettledError(_place_of(station, form, key.draft))
        self._seen_heads = None if draft is None else draft.seen
        self.counter = 0 if draft is None else draft.counter
        answers: Mapping[str, Any] | None = None if draft is None else draft.answers
        if draft is None and key.record:
            opened = station.opened(table_name(form), key.record)
            answers, self._seen_heads = opened.answers, dict(opened.seen)
        if draft is not None and draft.version != form.version:
            answers = station.versions.carried(table_name(form), draft.answers)
        self._excused = station.versions.excused(form, self._seen_heads or ())
        self.instance = _instance(station, form, answers, language, key.draft, excused=self._excused)
        said = station.versions.said
        self._misfits = tuple(f"{said(form, name)}：{shown(each)}" for name, each in self.instance.unplaced.items())
        if answers is None:
            self._give_village(form)
        self._steps = Steps(self)
        self._seen = None

    def _give_village(self, form: Form) -> None:
        """Answer the question for the village where there is only one answer."""
        known = [village.code for village in self.station.villages]
        village = self.key.village or (known[0] if len(known) == 1 else "")
        asked = village_question(form)
        if asked is not None and village:
            self.instance.set(asked.path, village)

    def page(self) -> dict[str, Any]:
        """Draw the whole page: the context of capture/form.html."""
        draft = _draft(self.station, self.key.draft)
        if draft is not None and draft.counter != self.counter:
            self._load()  # another process works on the same station
        self.asides.compare(self.instance)
        outline = self.outline()
        self.instance.changes_since()
        self._seen = seen(outline)
        form, key, parts = self.instance.program.form, self.key, outline.parts()
        names = {village.code: village.name for village in self.station.villages}
        asked = village_question(form) is not None
        return {
            "key": key._asdict(),
            "counter": self.counter,
            "editing": bool(key.record),
            "form_title": title_of(form, self.language),
            "record_name": self.instance.instance_name if key.record else "",
            "village": {"name": names.get(key.village, key.village)} if key.village and not asked else None,
            "languages": form.languages,
            "form_language": self.instance.language,
            "resumed": self.counter > 0,
            "misfits": self._misfits,
            "carries": not key.record and is_carried(form),
            "parts": parts,
            "sheet": sheet(parts, self.language),
        }

    def change(self, counter: int, changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Apply changes in order, keep the draft, and return the patch for the page.

        A change: `op` set (ref, value), add (ref of the repeat, count of rows seen), remove (ref of the row, repeat,
        count), table (ref of the repeat, on, focus), paste (ref of the question, text), copy (ref of the question at
        hand) or undo. Raises OvertakenError; ValueError or KeyError for what no
        page of ours sends.
        """
        if len(changes) > _MOST_CHANGES:
            raise ValueError("changes")
        current = counter == self.counter
        before = None if current else self.instance.answers(relevant_only=False)
        try:
            done = self._steps.apply(changes)
        except (CunceError, KeyError, TypeError, ValueError):
            self._load()  # all or nothing
            raise
        if before is not None and self.instance.answers(relevant_only=False) != before:
            self._load()
            raise OvertakenError(self.counter)
        found = self._patch(current, done)
        if before is None and changes:
            self._keep()
        return {**found, "counter": self.counter, **done.answer}

    def save(self, counter: int) -> dict[str, Any]:
        """Save the record and return `saved`, the path to go on to; or the patch that shows every problem."""
        if counter != self.counter:
            raise OvertakenError(self.counter)
        errors = [problem for problem in self.instance.problems() if problem.severity == "error"]
        if errors:
            return self._problems(errors)
        record = self._save()
        if _draft(self.station, self.key.draft) is not None:
            self.station.drafts.saved(self.key.draft)
        return {"saved": saved_path(self.key.form, record), "counter": self.counter}

    def _problems(self, errors: Sequence[Problem]) -> dict[str, Any]:
        self._tried = True
        answer = {**self._whole_patch(self._seen or Seen(), Done()), "counter": self.counter}
        if not any(view.problem and view.grave for view in self.shown.views.values()):
            # An error in what the page does not show would otherwise leave nothing to mend.
            answer["others"] = [plain(each, self.language) for each in errors]
        return answer

    def _save(self) -> str:
        """Save, the draft's id being the new record's: saving twice (after a crash, too) makes one record."""
        key, station, form = self.key, self.station, self.instance.program.form
        self.instance.finish()
        answers = {**self.instance.answers(unplaced=True), "_id": key.record or key.draft}
        answers = station.versions.placeable(table_name(form), answers)
        known = [village.code for village in station.villages]
        village = key.village or (known[0] if len(known) == 1 else None)
        saved = station.save(
            answers, form, record=key.record or None, author=author_of(station), village=village, seen=self._seen_heads
        )
        self.saved, self.warnings = saved.record, saved.warnings
        return saved.record

    def discard(self) -> dict[str, Any]:
        """Throw the draft away; it stays among the discarded ones."""
        if _draft(self.station, self.key.draft) is not None:
            self.station.drafts.discard(self.key.draft)
        return {}

    def _keep(self) -> None:
        form, key = self.instance.program.form, self.key
        title = self.instance.instance_name.strip() or first_text(self.shown.views.values())
        try:
            self.counter = self.station.drafts.put(
                key.draft, form.form_id, form.version, key.record or None,
                self.whole(), seen=self._seen_heads, village=key.village,
                author=author_of(self.station), title=title, expected=self.counter,
            )  # fmt: skip
        except DraftError as error:
            self._load()
            raise OvertakenError(self.counter) from error

    def whole(self) -> dict[str, Any]:
        """All answers, those of other versions of the form too: a draft loses nothing."""
        return self.instance.answers(relevant_only=False, unplaced=True)

    @property
    def author(self) -> str:
        """Who fills it in."""
        return author_of(self.station)

    @property
    def village(self) -> str:
        """The village it is of, as far as it is known."""
        asked = village_question(self.instance.program.form)
        known = [village.code for village in self.station.villages]
        only = known[0] if len(known) == 1 else ""
        return str(self.instance.get(asked.path)) if asked is not None else self.key.village or only

    def renew(self, answers: Mapping[str, Any]) -> None:
        """Begin again from answers that the draft had before."""
        form, language = self.instance.program.form, self.instance.language
        self.instance = _instance(self.station, form, answers, language, self.key.draft, excused=self._excused)

    @property
    def shown(self) -> Seen:
        """What the page shows, as far as it is known."""
        return self._seen or Seen()

    def _viewing(self) -> Viewing:
        return Viewing(
            self.instance, language=self.language, tried=self._tried, media=self._media,
            asides=self.asides.told(self.instance), tables=self.tables,
        )  # fmt: skip

    def outline(self) -> Outline:
        """Take a look at everything."""
        return Outline(self._viewing())

    def _patch(self, current: bool, done: Done) -> dict[str, Any]:
        """What the page has to show now; everything, where it is not known what it shows."""
        changes = self.instance.changes_since()
        before = self._seen if current else None
        if before is not None and not (done.redrawn or done.anew or changes.repeats or changes.language):
            altered = [*changes.refs, *self.asides.compare(self.instance, (*changes.refs, *done.told))]
            followed = follow(before, self._viewing(), altered, self.language, told=done.told)
            if followed is not None:
                found, self._seen = followed
                return found
        return self._whole_patch(before or Seen(), done)

    def _whole_patch(self, before: Seen, done: Done) -> dict[str, Any]:
        self.asides.compare(self.instance)
        found, self._seen = patch(before, self.outline(), self.language, told=done.told, redrawn=done.redrawn)
        return found


class Sittings:
    """The drafts being filled in on one running station, the latest kept in memory."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Sitting] = OrderedDict()
        self._tables: dict[str, set[str]] = {}  # form -> repeats that people like as tables, also in the next record

    def begin(self, station: Station, key: Key) -> str:
        """Return the id of the draft to go on with: the unfinished one of this record, or a new one."""
        if key.record:
            for draft in station.drafts.list():
                if (draft.form_id, draft.record) == (key.form, key.record):
                    return draft.id
        return str(uuid7())

    def open(self, station: Station, key: Key, language: str) -> Sitting:
        """Return the sitting of a draft; raises SettledError for one that was saved or thrown away."""
        UUID(key.draft)  # ValueError for what is no id of ours
        sitting = self._open.get(key.draft)
        if sitting is None or sitting.key != key or sitting.language != language:
            sitting = self._open[key.draft] = Sitting(station, key, language, self._tables.setdefault(key.form, set()))
        self._open.move_to_end(key.draft)
        while len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)
        return sitting

    def warnings(self, record: str) -> tuple[Problem, ...]:
        """Return what the last saving of a record could not do, as far as it was here and lately."""
        return next((sitting.warnings for sitting in reversed(self._open.values()) if sitting.saved == record), ())

    def close(self, draft: str) -> None:
        """Forget a draft that is settled."""
        self._open.pop(draft, None)


_SITTINGS: WeakKeyDictionary[Any, Sittings] = WeakKeyDictionary()


def sittings_of(datasette: Any) -> Sittings:
    """Return the sittings of a running Datasette."""
    return _SITTINGS.setdefault(datasette, Sittings())


def village_question(form: Form) -> Question | None:
    """Return the question that says which village a record belongs to, or None for forms without one."""
    asked = (question for question in form.questions() if question.ledger.get("standard") == "village")
    return next(asked, None)


def form_language(form: Form, wished: str, language: str) -> str:
    """Return the language to show a form in: the one wished for, else the one of the pages, else the form's own."""
    if wished in form.languages:
        return wished
    marks = {"zh": ("zh", "中文", "汉", "chinese"), "en": ("(en", "english")}[language]
    fitting = (each for each in form.languages if any(mark in each.lower() for mark in marks) or each == language)
    return next(fitting, form.default_language)


def title_of(form: Form, language: str) -> str:
    """Return what a form is called in the language of the pages."""
    return form.settings.get(f"ledger::title_{language}") or form.title or form.form_id


def author_of(station: Station) -> str:
    """Return who saves on this laptop."""
    return station.author or station.name


def saved_path(form_id: str, record: str) -> str:
    """Return the path of the page that follows saving."""
    return f"/-/capture/-/saved/{quote(form_id, safe='')}/{quote(record, safe='')}"


def _draft(station: Station, draft: str) -> Draft | None:
    try:
        return station.drafts.get(draft)
    except DraftError:
        return None


def _place_of(station: Station, form: Form, record: str) -> str:
    """The page of a new record that a draft has become; nothing for one that has not."""
    rows = station.projection.rows(table_name(form), "_id", record)
    return saved_path(form.form_id, record) if next(rows, None) is not None else ""


def _instance(
    station: Station,
    form: Form,
    answers: Mapping[str, Any] | None,
    language: str,
    record: str,
    *,
    excused: Mapping[str, frozenset[str]],
) -> Instance:
    from forms.instance import Instance

    program = station.program(form.form_id)
    given: dict[str, Any] = {"clock": station.clock, "attachments": station.attachments, "language": language}
    if answers is None:
        return Instance.new(program, record_id=record, **given)
    return Instance.load(program, answers, excused=excused, **given)
