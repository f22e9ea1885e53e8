"""A station: a folder with a journal, its ledgers and drafts, and everything people do to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uuid6 import uuid7

from collect import deciding, forgetting, same, settings
from collect.attachments import StationAttachments
from collect.blobs import Blobs
from collect.chain import JournalError
from collect.database import DatabaseError, explained
from collect.definitions import Definition
from collect.drafts import Drafts
from collect.duplicates import Suspect, Suspected
from collect.entities import EntitySaving
from collect.form_media import Files, with_media
from collect.journal import Entry, Journal
from collect.outcomes import Erased, LedgersBehindError, Received, Saved, SavedMany
from collect.projection import Conflict, Progress, Projection
from collect.rechecking import Rechecking
from collect.references import References
from collect.revision import ERASED, Revision, Value
from collect.saving import Answers, Press, SaveError, Saving
from collect.search import Hit
from collect.seeing import Opened, Seeing
from collect.settings import ROLES, Settings, StationError, Village, VillageList
from collect.shelf import Shelf
from collect.structure import bounds
from collect.verification import verify
from collect.versions import Versions
from forms.clock import Clock, SystemClock
from forms.definition import Form
from forms.entities import EntitySave
from forms.problems import Place, Problem
from forms.tables import table_name

if TYPE_CHECKING:
    from forms.instance import Instance
    from forms.program import Program

__all__ = [
    "Conflict", "Erased", "Hit", "LedgersBehindError", "Opened", "Received", "SaveError", "Saved", "SavedMany",
    "Station", "StationError", "Village",
]  # fmt: skip
BATCH = 500
_OURS = {"journal.db", "township.db", "drafts.db", "blobs.db", "villages", "blobs", "forms"}


class Station:
    """A laptop's or a hub's folder, opened; several processes may have one station open."""

    def __init__(self, folder: Path, given: Settings, clock: Clock, *, readonly: bool = False) -> None:
        self.folder, self.clock, self.readonly = folder, clock, readonly
        self._settings = given
        self.journal = Journal(folder / "journal.db", given.id, clock, readonly=readonly)
        self.shelf = Shelf(self.journal)
        self.projection = Projection(folder / "township.db", self.journal, self.shelf, readonly=readonly)
        self.drafts = Drafts(folder / "drafts.db", clock, readonly=readonly)
        self.blobs = Blobs(folder / "blobs")
        self.references = References(
            folder / "blobs.db", self.journal, self.projection, self.blobs, self.drafts, readonly=readonly
        )
        self.attachments = StationAttachments(
            self.projection, lambda: self.villages, lambda: self.township.name if self.township else ""
        )
        self.seeing = Seeing(self.journal, self.projection)
        self.versions = Versions(self.journal, self.projection, self.shelf)
        self.rechecking = Rechecking(folder / "checks.db", self)

    # ---- making, opening, closing

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        name: str,
        role: str = "laptop",
        township: Village | None = None,
        villages: VillageList = (),
        author: str = "",
        clock: Clock | None = None,
    ) -> Station:
        """Make a folder a station and open it; `station.json` is written last, so that half a station is none.

        Raises StationError where the folder is one already or holds other things, DatabaseError for what the disk
        refuses.
        """
        folder = Path(folder)
        if role not in ROLES:
            raise StationError(Problem("COLLECT_ROLE_UNKNOWN", context={"role": role, "known": ", ".join(ROLES)}))
        given = Settings(settings.new_id(), name, role, township, settings.villages_of(villages), author)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # people's numbers are nobody else's on this machine
            present = {path.name for path in folder.iterdir()}
            if settings.FILE in present:
                raise StationError(Problem("COLLECT_STATION_EXISTS", Place(file=str(folder))))
            foreign = {found for found in present if found.removesuffix("-wal").removesuffix("-shm") not in _OURS}
            if foreign:
                context = {"found": ", ".join(sorted(foreign))}
                raise StationError(Problem("COLLECT_FOLDER_NOT_EMPTY", Place(file=str(folder)), context))
            for inner in ("villages", "blobs", "forms"):
                (folder / inner).mkdir(exist_ok=True)
        except OSError as error:
            raise explained(error, folder) from error
        station = cls(folder, given, clock or SystemClock())
        try:
            station._bring_up_to_date()
            settings.write(folder, given)
        except BaseException:
            station.close()
            raise
        return station

    @classmethod
    def open(cls, folder: Path, *, readonly: bool = False, clock: Clock | None = None) -> Station:
        """Open a station and let its ledgers catch up with its journal.

        Raises StationError for a folder that is none or is newer, DatabaseError or LockedError for its files.
        """
        folder = Path(folder)
        station = cls(folder, settings.read(folder), clock or SystemClock(), readonly=readonly)
        try:
            if readonly:
                station.journal.arrived()
            else:
                station._bring_up_to_date()
        except BaseException:
            station.close()
            raise
        return station

    @classmethod
    def rescue(cls, folder: Path, *, clock: Clock | None = None, progress: Progress | None = None) -> Station:
        """Open a station whose ledgers are damaged: throw `township.db` away and make it again from the journal.

        Raises DatabaseError where the journal itself is damaged, or the file is in use elsewhere.
        """
        folder = Path(folder)
        station = cls(folder, settings.read(folder), clock or SystemClock())
        try:
            station.journal.arrived()
            for suffix in ("", "-wal", "-shm"):
                (folder / f"township.db{suffix}").unlink(missing_ok=True)
            station.catch_up(progress)
            station._bring_up_to_date()
        except OSError as error:
            station.close()
            raise explained(error, folder / "township.db") from error
        except BaseException:
            station.close()
            raise
        return station

    def _bring_up_to_date(self) -> None:
        self.drafts.list()
        self.projection.name_villages((village.code, village.name) for village in self.villages)
        self.catch_up()
        forgetting.scrub(self)

    def catch_up(self, progress: Progress | None = None) -> None:
        """Let the ledgers follow the journal, and everything else whatever was erased by law since."""
        erased = forgetting.begin(self)
        self.projection.catch_up(progress)
        if erased:
            forgetting.scrub(self)

    def close(self) -> None:
        """Close every file of the station."""
        self.journal.close()
        self.projection.close()
        self.drafts.close()
        self.references.close()
        self.rechecking.close()

    def __enter__(self) -> Station:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- settings

    @property
    def id(self) -> str:
        """The station's id, part of every revision it writes."""
        return self._settings.id

    @property
    def name(self) -> str:
        """What people call the station."""
        return self._settings.name

    @property
    def role(self) -> str:
        """`laptop` or `hub`."""
        return self._settings.role

    @property
    def township(self) -> Village | None:
        """The township's code and name, if known."""
        return self._settings.township

    @property
    def villages(self) -> tuple[Village, ...]:
        """The villages it works on, by code."""
        return self._settings.villages

    @property
    def author(self) -> str:
        """Who saves here where nobody is logged in."""
        return self._settings.author

    def set_villages(self, villages: VillageList) -> None:
        """Replace the list of villages; records of others stay. Raises StationError for faulty ones."""
        self._change(villages=settings.villages_of(villages))
        self.projection.name_villages((village.code, village.name) for village in self.villages)

    def add_villages(self, villages: VillageList) -> None:
        """Add villages to the list, or rename those in it."""
        self.set_villages((*self.villages, *settings.villages_of(villages)))

    def set_author(self, author: str) -> None:
        """Change who saves here where nobody is logged in."""
        self._change(author=author)

    def _change(self, **values: Any) -> None:
        """Change settings as they stand on the disk now: another process may have changed others."""
        self._settings = replace(settings.read(self.folder), **values)
        settings.write(self.folder, self._settings)

    # ---- forms

    def add_form(self, form: Form, media: Files | None = None) -> bool:
        """Add a form and make its ledgers; return whether it is new. Raises JournalError (COLLECT_FORM_CHANGED).

        `media`: file name -> content of what its labels show; given again, it replaces what was given before.
        """
        new = self.journal.add_form(with_media(form, media or {}, self.blobs))
        self.catch_up()
        return new

    def add_forms(self, forms: Iterable[Form], media: Mapping[str, Files] | None = None) -> tuple[bool, ...]:
        """Add forms all at once or not at all, and make their ledgers; return which of them are new.

        `media`: form id -> file name -> content.
        Raises JournalError: COLLECT_FORM_CHANGED, or COLLECT_FORM_TABLE_TAKEN for a form whose ledgers would be
        called like another form's.
        """
        given = tuple(forms)
        self.shelf.check_tables(given)
        new = self.journal.add_forms(
            with_media(form, (media or {}).get(form.form_id, {}), self.blobs) for form in given
        )
        self.catch_up()
        return new

    def form(self, form_id: str, version: str | None = None) -> Form:
        """Return a form, its newest version where none is named; raises FormUnknownError."""
        return self.shelf.get(form_id, version)

    def media_of(self, form: Form) -> Mapping[str, str]:
        """Return the blobs of what a form's labels and choices show, by the file names it gives them."""
        return self.journal.form_media().get((form.form_id, form.version), {})

    def forms(self) -> tuple[Form, ...]:
        """Return the newest version of every form, by form id."""
        return tuple(versions[0] for versions in self.shelf.all().values())

    def program(self, form_id: str, version: str | None = None) -> Program:
        """Return a form compiled."""
        from forms.program import compile_form

        return compile_form(self.form(form_id, version))

    # ---- reading

    def answers(self, table: str, record: str) -> dict[str, Any]:
        """Return a record with its repeats' rows; raises SaveError (COLLECT_RECORD_UNKNOWN)."""
        return self.opened(table, record).answers

    def opened(self, table: str, record: str) -> Opened:
        """Return a record for editing: its answers, and what has to be handed to `save` as `seen`."""
        return self.seeing.opened(table, record)

    def instance(
        self, form_id: str, record: str | None = None, *, language: str = "", metadata: Mapping[str, str] | None = None
    ) -> Instance:
        """Return an instance of the newest version, new or of a saved record."""
        from forms.instance import Instance

        program = self.program(form_id)
        given: dict[str, Any] = {
            "clock": self.clock, "attachments": self.attachments, "language": language, "metadata": metadata or {},
        }  # fmt: skip
        if record is None:
            return Instance.new(program, **given)
        opened = self.opened(table_name(program.form), record)
        excused = self.versions.excused(program.form, opened.seen)
        return Instance.load(program, opened.answers, excused=excused, **given)

    def conflicts(self, table: str | None = None, record: str | None = None) -> tuple[Conflict, ...]:
        """Return the conflicts nobody has settled yet, of the station, a table or a record."""
        return self.projection.conflicts(table, record)

    def history(self, record: str) -> tuple[Revision, ...]:
        """Return every revision of a record, in order of arrival."""
        return self.journal.of_record(record)

    def duplicates(self) -> tuple[Suspected, ...]:
        """Return the records that may be the same one entered twice."""
        return tuple(self.projection.duplicates().all())

    def suspects(
        self, form_id: str, answers: Answers, record: str | None = None, *, village: str = ""
    ) -> tuple[Suspect, ...]:
        """Return the records that what is being typed may stand for already, other than `record` itself."""
        table = table_name(self.form(form_id))
        asked = self.projection.ledgers[table].village_field
        code = str(answers.get(asked) or village) if asked else village
        return tuple(self.projection.duplicates().of(table, answers, code, record or ""))

    def find(self, text: str, *, table: str | None = None, limit: int = 20) -> tuple[Hit, ...]:
        """Return the records people mean by part of a name, its pinyin or initials, an id's or a phone's tail."""
        return self.projection.find(text, table=table, limit=limit)

    # ---- saving

    def save(
        self,
        given: Instance | Answers,
        form: Form | str,
        *,
        record: str | None = None,
        author: str,
        village: str | None = None,
        seen: Mapping[str, str] | None = None,
    ) -> Saved:
        """Save what changed in a record and its repeats' rows, all in one transaction.

        `record`: None for a new one (or its `_id`). `seen`: `Opened.seen` of the moment the author opened it; what
        others saved since then is kept beside it, as a conflict where both changed the same answer. Without it, the
        author is taken to have seen what stands there now. Raises SaveError, DatabaseError and LockedError, when
        nothing was saved, and LedgersBehindError, when it was.
        """
        self.catch_up()
        warnings: list[Problem] = []
        entries, found = self._entries(
            given, form, record=record, author=author, village=village, seen=seen, warnings=warnings
        )
        return Saved(found, self.write(entries), tuple(warnings))

    def save_many(
        self,
        rows: Iterable[tuple[Form | str, Instance | Answers, str | None]],
        *,
        author: str,
        save: str = "",
        progress: Progress | None = None,
    ) -> SavedMany:
        """Save many records: (form, answers, village); an `_id` in the answers names it; `save`: one id for all.

        Every batch of 500 records is all or nothing, and its ledgers are up to date before the next one begins.
        `progress(done, all)` is called after each.
        """
        waiting, records, revisions = iter(rows), list[str](), 0
        while batch := list(islice(waiting, BATCH)):
            self.catch_up()
            entries: list[Entry] = []
            for form, answers, village in batch:
                new, record = self._entries(
                    answers, form, record=None, author=author, village=village, seen=None, press=save
                )
                entries += new
                records.append(record)
            revisions += len(self.write(entries))
            if progress is not None:
                progress(len(records), len(rows) if isinstance(rows, Sized) else len(records))
        return SavedMany(tuple(records), revisions)

    def save_all(
        self, form: Form, given: Iterable[tuple[Answers, str, Mapping[str, str]]], *, author: str, save: str = ""
    ) -> SavedMany:
        """Save changes to records of one form as one save, all or nothing: (answers, record, what its author saw).

        Raises as `save` does.
        """
        self.catch_up()
        entries: list[Entry] = []
        records: list[str] = []
        for answers, record, seen in given:
            new, _ = self._entries(
                answers, form, record=record, author=author, village=None, seen=seen, press=save
            )
            entries += new
            records.append(record)
        return SavedMany(tuple(records), len(self.write(entries)))

    def _entries(
        self,
        given: Instance | Answers,
        form: Form | str,
        *,
        record: str | None,
        author: str,
        village: str | None,
        seen: Mapping[str, str] | None,
        warnings: list[Problem] | None = None,
        press: str = "",
    ) -> tuple[tuple[Entry, ...], str]:
        """The entries of one record and of its entities, and its id."""
        form = self.form(form) if isinstance(form, str) else form
        if (form.form_id, form.version, form.digest) not in self.shelf.definitions():
            self.add_form(form)
        answers: Answers = given if isinstance(given, Mapping) else given.answers()
        root = self.shelf.tables(form)[0].name
        known = record or str(answers.get("_id") or "")
        deciding.refuse_erased(self, root, known)
        row = self.seeing.row(root, known, seen) if known else None
        if record is not None and row is None:
            raise SaveError(Problem("COLLECT_RECORD_UNKNOWN", context={"table": root, "record": record}))
        found = known or self._new_record()
        saving = self.saving(form, author, press)
        entries = saving.entries(answers, found, row, village)
        if not (form.entities and entries):
            return entries, found
        others = EntitySaving(self.projection.ledgers, self.shelf, self.seeing, saving.press)
        now = self._entities(form, given if not isinstance(given, Mapping) else {**answers, "_id": found})
        before = self._entities(form, self.answers(root, known)) if row is not None and not row.gone else ()
        entries += others.entries(now, before, entries[0].village, origin=(root, found))
        if warnings is not None:
            warnings += others.warnings
        return entries, found

    def _entities(self, form: Form, given: Instance | Answers) -> tuple[EntitySave, ...]:
        """What a record of a form says of records in other ledgers."""
        from forms.instance import Instance
        from forms.program import compile_form

        if isinstance(given, Mapping):
            given = Instance.load(compile_form(form), given, clock=self.clock, attachments=self.attachments)
        return given.entities()

    def delete(self, table: str, record: str, *, author: str, seen: Mapping[str, str] | None = None) -> Saved:
        """Delete a record and, with it, its repeats' rows; `restore` brings all of them back."""
        return deciding.delete(self, table, record, author=author, seen=seen)

    def restore(self, table: str, record: str, *, author: str) -> Saved:
        """Bring a deleted record back, with the rows that left with it."""
        return deciding.restore(self, table, record, author=author)

    def erase(self, table: str, record: str, *, reason: str, author: str) -> Erased:
        """Erase a person's data by law, for good and everywhere (see `deciding.erase`); raises SaveError."""
        return deciding.erase(self, table, record, reason=reason, author=author)

    def settle(self, conflict: Conflict, value: Value, *, author: str) -> Saved:
        """Decide a conflict: write `value`, knowing all its candidates (see `deciding.settle`); raises SaveError."""
        return deciding.settle(self, conflict, value, author=author)

    def distinct(self, table: str, one: str, other: str, *, author: str) -> Saved:
        """Note that two records are not the same (see `same.tell_apart`); raises SaveError."""
        return same.tell_apart(self, table, one, other, author=author)

    def merge_duplicates(self, table: str, kept: str, duplicate: str, *, author: str) -> Saved:
        """Merge a record into another that stands for the same (see `same.merge_into`); raises SaveError."""
        return same.merge_into(self, table, kept, duplicate, author=author)

    def saving(self, of: Form | str, author: str, press: str = "") -> Saving:
        """The saver for a form, or for the newest form of a table."""
        ledgers = self.projection.ledgers
        form = ledgers[of].form if isinstance(of, str) else of
        return Saving(form, self.shelf.tables(form), ledgers, Press(author, press or str(uuid7()), self._new_record))

    def _new_record(self) -> str:
        return str(uuid7())

    def write(self, entries: Iterable[Entry]) -> tuple[Revision, ...]:
        """Put entries into the journal and let the ledgers follow; raises SaveError for what no receiver would take."""
        given = tuple(entries)
        if not given:
            return ()
        if beyond := tuple(bounds(given)):
            raise SaveError(beyond)
        written = self.journal.write(given)
        self._follow()
        return written

    def _follow(self) -> None:
        """Let the ledgers follow a journal that has been committed; raises LedgersBehindError."""
        try:
            self.catch_up()
        except DatabaseError as error:
            place, context = Place(file=str(self.projection.path)), {"detail": error.problems[0].words("zh")}
            raise LedgersBehindError(Problem("COLLECT_LEDGERS_BEHIND", place, context)) from error

    # ---- exchange and care

    def receive(
        self, revisions: Iterable[Revision], forms: Iterable[Form | Definition] = (), *, contiguous: bool = False
    ) -> Received:
        """Take revisions and forms that came from elsewhere into the journal, and let the ledgers follow.

        `contiguous`: refuse gaps in a station's numbers. Raises JournalError with every fault; then no revision is
        taken in. What is here already changes nothing.
        """
        problems: list[Problem] = []
        for form in forms:
            try:
                self.journal.add_form(form)
            except JournalError as error:
                problems += error.problems
        given = tuple(revisions)
        if any(each.erased or ERASED in each.changes for each in given):
            self.references.catch_up()
        appended = self.journal.append(given, contiguous=contiguous)
        if appended.back:
            self.references.start_over()
        self._follow()
        current = self.projection.ledgers.current
        records = {(current(revision.table), revision.record) for revision in given}
        conflicts = tuple(each for each in self.conflicts() if (each.table, each.record) in records)
        return Received(appended.new, appended.known, appended.parked, appended.released, conflicts, tuple(problems))

    def verify(self) -> tuple[Problem, ...]:
        """Check everything: files, digests, chains, and that the ledgers are what the journal says they are."""
        found = (*verify(self.journal, self.projection, self.shelf), *self.references.problems())
        pending = Problem("COLLECT_ERASURE_PENDING", Place(file=str(self.folder)))
        return found if forgetting.scrubbed(self) else (*found, pending)

    def rebuild(self, progress: Progress | None = None) -> int:
        """Make every ledger again from the journal; return how many revisions that took."""
        return self.projection.rebuild(progress)
