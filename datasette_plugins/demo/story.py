"""The demo: a township's work from an empty folder to printed sheets, by the product's own means."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from collect.accounts import Accounts
from collect.importer.ledger import Imported, import_ledger
from collect.peers import Peers
from collect.station import Station
from datasette_plugins.demo import answers
from datasette_plugins.demo.ledger import write_ledger
from datasette_plugins.demo.people import Census, Household
from datasette_plugins.demo.proof import Answer, lost, saved_answers
from datasette_plugins.demo.serving import running_hub
from datasette_plugins.demo.township import TOWNSHIP, Place, places, profile, public_places, risk_points
from forms.clock import SystemClock
from forms.problems import CunceError
from forms.reader import load_shipped, shipped

# Shown on the screen and in the README: a demo's people are invented, and so are their passwords.
LOGINS = (
    ("镇管理员", "administrator", "qinghe-2026-guanli", ()),
    ("镇审核员", "reviewer", "qinghe-2026-shenhe", ()),
    ("前进村干部", "cadre", "qianjin-2026-cunce", (0,)),
    ("镇领导", "leader", "qinghe-2026-lingdao", ()),
)
AUTHORS = ("李志强", "王秀兰")


class Narrator(Protocol):
    """Tells what happens: a numbered step, a line of detail, how far a long one has come."""

    def step(self, zh: str, en: str) -> None:
        """Begin the next step."""
        ...

    def say(self, zh: str, en: str) -> None:
        """Say one line."""
        ...

    def advance(self, done: int, total: int) -> None:
        """Show progress."""
        ...


@dataclass(slots=True)
class Told:
    """What the demo came to; the keys of `cunce demo --json`."""

    hub: Path
    households: int = 0
    persons: int = 0
    revisions: int = 0
    conflicts: int = 0
    rejected_rows: int = 0
    lost: int = 0
    sheets: list[str] = field(default_factory=list)
    elapsed_s: float = 0.0

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "households": self.households, "persons": self.persons, "revisions": self.revisions,
            "conflicts": self.conflicts, "rejected_rows": self.rejected_rows, "lost": self.lost,
            "sheets": self.sheets, "hub": str(self.hub), "elapsed_s": round(self.elapsed_s, 2),
        }  # fmt: skip


class Story:
    """One run: `folder` is empty, `households` in all, `seed` makes the people."""

    def __init__(self, folder: Path, narrator: Narrator, *, seed: int, households: int) -> None:
        self.folder, self.tell, self.households = folder, narrator, households
        self.chance = random.Random(seed)
        self.now: datetime = SystemClock().now()
        self.census = Census(seed, self.now.date())
        self.places = places(self.chance)
        self.told = Told(folder / "hub")
        self.saved: set[Answer] = set()
        self.by_village: dict[str, Sequence[Household]] = {}

    def run(self) -> Told:
        """Tell the whole story up to the sheets."""
        began = time.monotonic()
        self.make_hub()
        with running_hub(self.told.hub) as address:
            self.invite(address)
            homes = self.people()
            self.import_ledger(homes[0])
            self.meet("laptop-1")
            self.capture(homes)
            self.meet("laptop-1")
            self.carry()
            self.edit_apart()
            self.meet("laptop-1")
        self.carry()
        self.prove()
        self.publish()
        self.told.elapsed_s = time.monotonic() - began
        return self.told

    def make_hub(self) -> None:
        """Make the hub with the shipped forms and the accounts."""
        self.tell.step(f"建立乡镇站点“{TOWNSHIP.name}”", f"Make the hub of {TOWNSHIP.name} township")
        villages = [place.village for place in self.places]
        station = Station.create(
            self.told.hub, name=TOWNSHIP.name, role="hub", township=TOWNSHIP, villages=villages, author=LOGINS[0][0]
        )
        with station, closing(Accounts(self.told.hub)) as accounts:
            for name in shipped():
                station.add_form(load_shipped(name))
            for name, role, password, numbers in LOGINS:
                codes = [self.places[number].code for number in numbers]
                accounts.add(name, role=role, password=password, villages=codes)
        names = "、".join(village.name for village in villages)
        self.tell.say(f"{len(villages)} 个村：{names}；{len(shipped())} 本台账", f"{len(villages)} villages: {names}")

    def invite(self, address: str) -> None:
        """Invite two laptops with two villages each; the middle one is shared; both join over the network."""
        from sync.identity import make_invitation, write_invitation
        from sync.joining import join

        self.tell.step("邀请两台笔记本加入", "Invite two laptops, and both join")
        for number, shares in enumerate(((0, 1), (1, 2)), start=1):
            codes = [self.places[share].code for share in shares]
            with Station.open(self.told.hub) as hub:
                invitation = make_invitation(hub, f"{number} 号笔记本", codes, address)
            file = self.folder / f"laptop-{number}.cunce-invite"
            file.write_text(write_invitation(invitation), encoding="utf-8")
            joined = join(self.folder / f"laptop-{number}", invitation)
            with Station.open(self.folder / f"laptop-{number}") as laptop:
                laptop.set_author(AUTHORS[number - 1])
            names = "、".join(joined.hub.villages.values())
            self.tell.say(f"{joined.name} 已加入，负责{names}", f"{joined.name} joined, for {names}")

    def people(self) -> list[list[Household]]:
        """Invent the households of each village."""
        each, rest = divmod(self.households, len(self.places))
        return [
            [self._home(place, turn) for turn in range(each + (number < rest))]
            for number, place in enumerate(self.places)
        ]

    def _home(self, place: Place, turn: int) -> Household:
        group, centre = place.groups[turn % len(place.groups)]
        return self.census.household(place.code, group, turn + 1, centre)

    def import_ledger(self, homes: Sequence[Household]) -> None:
        """Laptop 1 imports the first village's Excel ledger; what fails comes back as a workbook."""
        place = self.places[0]
        self.tell.step(f"1 号笔记本导入{place.village.name}的 Excel 台账", "Laptop 1 imports an Excel ledger")
        file = self.folder / f"{place.village.name}户籍台账.xlsx"
        write_ledger(file, place.village.name, homes, self.now.date())
        with Station.open(self.folder / "laptop-1") as laptop:
            result: Imported = import_ledger(
                laptop, "household", file, author=AUTHORS[0], village=place.code, progress=self.tell.advance
            )
            self._remember(laptop)
        self.told.rejected_rows = len(result.rejected)
        self.tell.say(
            f"读取 {result.rows} 行，导入 {result.created} 户，退回 {len(result.rejected)} 行",
            f"{result.rows} rows read, {result.created} households in, {len(result.rejected)} rows back",
        )
        for fault in result.faults:
            self.tell.say(fault.problem.words("zh"), fault.problem.words("en"))
        self.tell.say(f"退回的行和原因：{result.returned}", f"Rows and reasons: {result.returned}")

    def capture(self, homes: Sequence[Sequence[Household]]) -> None:
        """Both laptops enter households, persons, needy households, risk points, places and visits, offline."""
        self.tell.step("两台笔记本离线登记", "Both laptops capture, offline")
        self.by_village = {place.code: group for place, group in zip(self.places, homes, strict=True)}
        middle = homes[1]
        half = len(middle) // 2
        shares: Mapping[int, Sequence[tuple[int, Sequence[Household], bool]]] = {
            1: ((0, homes[0], False), (1, middle[:half], True)),
            2: ((1, middle[half:], True), (2, homes[2], True)),
        }
        for number, parts in shares.items():
            with Station.open(self.folder / f"laptop-{number}") as laptop:
                done = 0
                for share, group, is_new in parts:
                    first = number == 1 or share == 2
                    done += self._capture(laptop, self.places[share], group, is_new=is_new, is_first=first)
                self._remember(laptop)
            self.tell.say(f"{number} 号笔记本存下 {done} 条记录", f"laptop {number} saved {done} records")

    def _capture(
        self, laptop: Station, place: Place, homes: Sequence[Household], *, is_new: bool, is_first: bool
    ) -> int:
        """One laptop's work in one village; `is_first`: the village's own facts too. Returns the records saved."""
        today, count = self.now.date(), 0
        if is_new:
            told = [answers.household(home, self.chance, today) for home in homes]
            count += self._save(laptop, "household", told)
        else:
            count += self._complete(laptop, place, homes)
        if is_first:
            everyone = self.by_village[place.code]
            people = sum(len(home.members) for home in everyone)
            count += self._save(laptop, "village", [profile(place, self.chance, len(everyone), people)])
            count += self._save(laptop, "risk_point", risk_points(place, self.chance))
            count += self._save(laptop, "public_place", public_places(place, self.chance))
        known = _records(laptop, place.code)
        there = [home for home in homes if home.number in known]
        author = laptop.author
        ledgers: list[tuple[str, Iterable[dict[str, Any]]]] = [
            ("left_behind", (one for home in there for one in answers.left_behind(home, today))),
            ("needy_household", (one for home in there if (one := answers.needy(home, self.chance, today)))),
            ("visit", (answers.visit(home, self.chance, author, self.now) for home in there[::3])),
        ]
        for form, rows in ledgers:
            count += self._save(laptop, form, [{**one, "household": known[one["household"]]} for one in rows])
        return count

    def _complete(self, laptop: Station, place: Place, homes: Sequence[Household]) -> int:
        """Add to imported households what the Excel ledger has no column for; returns how many."""
        form, known = laptop.form("household"), _records(laptop, place.code)
        there = [home for home in homes if home.number in known]
        for done, home in enumerate(there, start=1):
            told = answers.household(home, self.chance, self.now.date())
            more = {name: told[name] for name in ("location", "house_structure", "house_area", "house_grade", "water")}
            instance = laptop.instance(form.form_id, known[home.number])
            instance.fill(answers.in_codes(form, more))
            laptop.save(instance, form, record=known[home.number], author=laptop.author)
            self.tell.advance(done, len(there))
        return len(there)

    def _save(self, laptop: Station, form_id: str, told: Sequence[Mapping[str, Any]]) -> int:
        """Save answers through the form engine, as a page does; a rule that refuses one is an error of the demo."""
        form = laptop.form(form_id)
        for done, one in enumerate(told, start=1):
            instance = laptop.instance(form_id)
            instance.fill(answers.in_codes(form, one))
            refused = [problem for problem in instance.problems() if problem.severity == "error"]
            if refused:
                raise CunceError(refused)
            laptop.save(instance, form, author=laptop.author)
            self.tell.advance(done, len(told))
        return len(told)

    def edit_apart(self) -> None:
        """Both laptops change the phone of one household without knowing of each other; one also its note."""
        self.tell.step("两台笔记本各自离线修改同一户", "Both laptops edit the same household, offline")
        record = sorted(_records(self.folder / "laptop-2", self.places[1].code).values())[0]
        phones = ("13800010001", "13900020002")
        for number, phone in enumerate(phones, start=1):
            with Station.open(self.folder / f"laptop-{number}") as laptop:
                instance = laptop.instance("household", record)
                given = {"phone": phone} if number == 1 else {"phone": phone, "note": "儿子十月底回村"}
                instance.fill(given)
                laptop.save(instance, laptop.form("household"), record=record, author=laptop.author)
                name = instance.instance_name
                self._remember(laptop)
            self.tell.say(
                f"{number} 号笔记本把“{name}”的电话改成 {phone}", f"laptop {number}: phone of {name} is {phone}"
            )

    def meet(self, laptop: str) -> None:
        """A laptop exchanges with the running hub over HTTP."""
        from sync.exchange import run
        from sync.joining import over_network

        self.tell.step("1 号笔记本经局域网同步", "Laptop 1 exchanges over HTTP")
        folder = self.folder / laptop
        with (
            Station.open(folder) as station,
            closing(Peers(folder)) as peers,
            over_network(station, peers.hubs()[0]) as road,
        ):
            outcome = run(station, road)
        _expect_no_problems(outcome.problems)
        self.tell.say(
            f"发出 {outcome.sent} 条，收到 {outcome.received} 条，{outcome.bytes_sent / 1024:.0f} KB",
            f"{outcome.sent} sent, {outcome.received} received, {outcome.bytes_sent / 1024:.0f} KB",
        )

    def carry(self) -> None:
        """Laptop 2 exchanges by a USB stick: laptop, hub, laptop again."""
        from sync.exchange import run
        from sync.joining import over_folder
        from sync.stick import attend

        self.tell.step("2 号笔记本经 U 盘同步", "Laptop 2 exchanges by a USB stick")
        folder, stick = self.folder / "laptop-2", self.folder / "usb"
        stick.mkdir(exist_ok=True)

        def at_laptop() -> None:
            with Station.open(folder) as station, closing(Peers(folder)) as peers:
                outcome = run(station, over_folder(station, peers.hubs()[0], stick))
            _expect_no_problems(outcome.problems)
            self.tell.say(
                f"2 号笔记本：写入 {outcome.sent} 条，读到 {outcome.received} 条，中心已确认 {outcome.confirmed} 条",
                f"laptop 2: {outcome.sent} written, {outcome.received} read, {outcome.confirmed} confirmed",
            )

        at_laptop()
        with Station.open(self.told.hub) as hub:
            attended = attend(hub, stick)
        _expect_no_problems(attended.problems)
        self.tell.say(f"中心站：收下 {attended.received} 条", f"hub: {attended.received} taken in")
        at_laptop()

    def prove(self) -> None:
        """Show the conflict with both values and compare every saved answer with what the hub has."""
        self.tell.step("核对：什么都没有丢", "Nothing is lost")
        with Station.open(self.told.hub) as hub:
            counts = hub.projection.counts()
            conflicts = hub.conflicts()
            for conflict in conflicts:
                values = "、".join(f"{one.value}（{one.author}）" for one in conflict.candidates)
                label = hub.projection.ledgers[conflict.table].fields[conflict.field].question.label.plain("")
                self.tell.say(f"冲突待裁定：{label}：{values}", f"conflict to settle: {conflict.field}: {values}")
            missing = lost(hub, frozenset(self.saved))
            self.told.households, self.told.persons = counts["household"], counts["household_member"]
            self.told.revisions = sum(hub.journal.held().values())
        self.told.conflicts, self.told.lost = len(conflicts), len(missing)
        self.tell.say(
            f"{self.told.households} 户 {self.told.persons} 人，{self.told.revisions} 条修改；"
            f"逐项核对 {len(self.saved)} 个答案，丢失 {len(missing)} 个",
            f"{self.told.households} households, {self.told.persons} persons, {self.told.revisions} revisions; "
            f"{len(self.saved)} answers compared, {len(missing)} lost",
        )

    def publish(self) -> None:
        """Write each village's profile sheet."""
        from datasette_plugins.publish.fonts import default_faces
        from datasette_plugins.publish.issuing import Source, Wish, make, write

        self.tell.step("生成各村“一村一图”概况图", "Write each village's profile sheet")
        with Station.open(self.told.hub) as hub:
            made = hub.clock.now()
            source = Source(
                hub.projection.path, hub.projection.ledgers, hub.villages, TOWNSHIP.name, hub.name, made
            )
            sheets = make(source, default_faces(), Wish(), progress=self.tell.advance)
        for sheet in sheets:
            path = write(sheet, self.folder / "sheets")
            self.told.sheets.append(str(path))
            self.tell.say(f"{sheet.village.name}：{path}", f"{sheet.village.name}: {path}")

    def _remember(self, laptop: Station) -> None:
        self.saved |= saved_answers(laptop)


def _records(laptop: Station | Path, village: str) -> dict[str, str]:
    """Household number -> record id of one village."""
    with _opened(laptop) as station:
        rows = station.projection.rows("household", "_village", village)
        return {str(row["household_number"]): str(row["_id"]) for row in rows}


@contextmanager
def _opened(laptop: Station | Path) -> Iterator[Station]:
    if isinstance(laptop, Station):
        yield laptop
    else:
        with Station.open(laptop) as station:
            yield station


def _expect_no_problems(problems: Sequence[Any]) -> None:
    if problems:
        raise CunceError(problems)
