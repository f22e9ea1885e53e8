"""Bad input and bad luck, met by the program as people start it: one message, a code, what to do, no change."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from collect.database import connect
from collect.station import Station
from forms.reader import load_shipped
from sync.identity import make_invitation, write_invitation

CUNCE = [sys.executable, "-c", "from collect.cli import main; main()"]
TOWNSHIP = {"999999001001": "红星村", "999999001002": "向阳村"}
LIMITED = (
    "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    "resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); from collect.cli import main; main()"
)


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def codes(self) -> list[str]:
        return re.findall(r"\[([A-Z]+(?:_[A-Z0-9]+)+)\]", self.err)


def cunce(*arguments: object, cwd: Path | None = None, program: list[str] | None = None) -> Said:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "CUNCE_STATION": "", "CUNCE_LANG": "zh"}
    environment.pop("CUNCE_STATION")
    done = subprocess.run(
        [*(program or CUNCE), *map(str, arguments)], capture_output=True, check=False, cwd=cwd, env=environment,
        stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    said = Said(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))
    assert "Traceback" not in said.out + said.err
    return said


def refused(code: str, *arguments: object, once: bool = True, cwd: Path | None = None) -> str:
    """Run a command that has to refuse in one clear message, in both languages; returns the Chinese one."""
    said = cunce(*arguments, cwd=cwd)
    assert (said.status, code in said.codes) == (1, True), (arguments, said)
    if once:
        assert len(said.codes) == 1, said.err
        assert len(said.err.splitlines()) == 1, said.err
    assert re.search("[一-鿿]", said.err)
    english = cunce("--lang", "en", *arguments, cwd=cwd)
    assert code in english.codes
    without_names = re.sub(r"“[^”]*”|\S*/\S*", "", english.err)
    assert not re.search("[一-鿿]", re.sub(r"\S+\.(db|yml|xlsx?|cunce|json)", "", without_names)), english.err
    return said.err


def journal(folder: Path) -> object:
    """Everything a journal holds, to be compared."""
    with Station.open(folder, readonly=True) as station:
        return station.journal.since(0), station.journal.form_keys(), station.villages


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub and a laptop with two households, in one folder; tests work on copies."""
    folder = tmp_path_factory.mktemp("made")
    with Station.create(folder / "hub", name="清河镇", role="hub", villages=TOWNSHIP) as hub:
        hub.add_form(load_shipped("household"))
        text = write_invitation(make_invitation(hub, "一号", list(TOWNSHIP)[:1], ""))
        (folder / "一号.cunce-invite").write_text(text, encoding="utf-8")
    assert cunce("join", folder / "一号.cunce-invite", "--station", folder / "laptop").status == 0
    with Station.open(folder / "laptop") as laptop:
        for name in ("张三", "李四"):
            answers = {"village": "999999001001", "head_name": name, "household_number": name, "group_name": "一组"}
            laptop.save(answers, "household", author="王")
    return folder


@pytest.fixture
def places(made: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the hub and the laptop; whatever happens to them, they are whole and as before at the end."""
    for name in ("hub", "laptop"):
        shutil.copytree(made / name, tmp_path / name)
    shutil.copy(made / "一号.cunce-invite", tmp_path)
    before = journal(tmp_path / "hub"), journal(tmp_path / "laptop")
    yield tmp_path
    assert (journal(tmp_path / "hub"), journal(tmp_path / "laptop")) == before
    for name in ("hub", "laptop"):
        whole = cunce("station", "verify", "--station", tmp_path / name)
        assert whole.status == 0, whole.err


# ---- forms

FORMS = {
    "broken.yml": ("survey:\n  - {type: text, name: a\n    foo: [", ["FORMS_YAML_BROKEN"]),
    "empty.yml": ("", ["FORMS_FILE_EMPTY"]),
    "list.yml": ("[1, 2]", ["FORMS_YAML_NOT_SHEETS"]),
    "broken.xlsx": ("not a workbook", ["FORMS_WORKBOOK_NOT_EXCEL"]),
    "broken.xls": ("not a workbook", ["FORMS_WORKBOOK_NOT_EXCEL"]),
    "cut.xlsx": ("PK\x03\x04 and no more", ["FORMS_WORKBOOK_BROKEN"]),
    "broken.xml": ("<h:html>", ["FORMS_XFORM_NOT_XML"]),
    "form.doc": ("x", ["FORMS_FILE_KIND_UNKNOWN"]),
    "rules.yml": (
        "survey:\n"
        "  - {type: txet, name: a, label: a}\n"
        "  - {type: integer, name: b, label: b, constraint: '. > (3'}\n"
        "  - {type: integer, name: c, label: c, relevant: '${nix} = 1'}\n"
        "  - {type: calculate, name: d, calculation: 'foo(${b})'}\n"
        "settings:\n  - {form_id: rules, form_title: X, version: '1'}\n",
        [
            "FORMS_TYPE_UNKNOWN_MEANT", "FORMS_EXPRESSION_UNCLOSED", "FORMS_REFERENCE_UNKNOWN",
            "FORMS_EXPRESSION_UNKNOWN_FUNCTION",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_faulty_form_is_refused_with_every_fault_and_added_nowhere(name: str, places: Path) -> None:
    content, codes = FORMS[name]
    (places / name).write_text(content, encoding="utf-8")
    refused(codes[0], "station", "add-form", name, "household", "--station", "laptop", once=len(codes) == 1, cwd=places)
    said = cunce("station", "add-form", name, "--station", "hub", cwd=places)
    assert (said.status, said.codes) == (1, codes)
    checked = cunce("form", "check", name, "--json", cwd=places)
    assert checked.status == 1
    assert [each["code"] for each in json.loads(checked.out)["forms"][0]["errors"]] == codes


# ---- folders that are no station, newer, read-only, locked

COMMANDS = [
    "station info", "station verify", "station rebuild", "station add-form household", "collect serve --no-browser",
    "collect add household --set head_name=王五", "collect import household none.xlsx",
    "collect export household -o out.xlsx", "sync run", "sync run --folder .", "sync status", "hub serve",
    "hub invite --name x --villages 999999001001 -o x.cunce-invite", "hub account list",
    "hub account add x --role leader --generate", "publish sheet -o sheets",
]  # fmt: skip
READING = {"station verify", "collect export household -o out.xlsx"}


def newer_settings(folder: Path) -> None:
    file = folder / "station.json"
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), "format": 9}), encoding="utf-8")


def faulty_settings(folder: Path) -> None:
    (folder / "station.json").write_text("{", encoding="utf-8")


def newer_journal(folder: Path) -> None:
    with closing(connect(folder / "journal.db")) as connection:
        connection.execute("PRAGMA user_version = 99")


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "none": (lambda folder: (folder / "station.json").unlink(), "COLLECT_NOT_A_STATION"),
    "newer": (newer_settings, "COLLECT_STATION_NEWER"),
    "newer journal": (newer_journal, "COLLECT_DATABASE_NEWER"),
    "faulty": (faulty_settings, "COLLECT_STATION_FAULTY"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", SPOILT)
def test_every_command_refuses_a_folder_that_is_no_station_of_ours(kind: str, places: Path) -> None:
    spoil, code = SPOILT[kind]
    spoilt = places / "spoilt"
    shutil.copytree(places / "hub", spoilt)
    spoil(spoilt)
    before = {path.name: path.read_bytes() for path in spoilt.iterdir() if path.suffix in {".json", ".db"}}
    for command in COMMANDS:
        said = cunce(*command.split(), "--station", spoilt, cwd=places)
        assert (said.status, said.codes) == (1, [code]), (command, said)
    assert {path.name: path.read_bytes() for path in spoilt.iterdir() if path.suffix in {".json", ".db"}} == before
    refused(code, "station", "info", "--station", spoilt)


@contextmanager
def write_protected(folder: Path) -> Iterator[None]:
    """Mount the folder over itself read-only: root, as tests may run, writes anywhere else."""
    ways = [["mount", "--bind", folder, folder], ["mount", "-o", "remount,ro,bind", folder]]
    if os.geteuid() != 0 or any(subprocess.run(way, check=False, capture_output=True).returncode for way in ways):
        pytest.skip("this machine lets nobody mount a folder read-only")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="mounts a folder read-only")
def test_every_command_that_writes_refuses_a_read_only_folder_and_others_work(places: Path) -> None:
    protected = places / "protected"
    shutil.copytree(places / "hub", protected)
    with write_protected(protected):
        for command in COMMANDS:
            said = cunce(*command.split(), "--station", protected, cwd=places)
            expected = (0, []) if command in READING else (1, ["COLLECT_DATABASE_READONLY"])
            assert (said.status, said.codes) == expected, (command, said)


@pytest.mark.slow
def test_a_station_that_another_program_keeps_locked_is_not_waited_for_without_end(places: Path) -> None:
    locked = places / "locked"
    shutil.copytree(places / "laptop", locked)
    with closing(connect(locked / "journal.db")) as one, closing(connect(locked / "township.db")) as other:
        one.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        add = ("collect", "add", "household", "--set", "head_name=王五", "--set", "village=999999001001",
               "--set", "household_number=3", "--set", "group_name=一组", "--station", locked)  # fmt: skip
        refused("COLLECT_DATABASE_LOCKED", *add)
        refused("COLLECT_DATABASE_LOCKED", "station", "rebuild", "--station", locked)
        assert time.monotonic() - began < 40
        for command in ("station info", "sync status", "collect export household -o out.csv", "station verify"):
            assert cunce(*command.split(), "--station", locked, cwd=places).status == 0, command
    assert cunce(*add).status == 0


def test_wrong_usage_is_told_apart_from_what_went_wrong(places: Path) -> None:
    for command in ("form check", "collect add", "sync run --hub http://x --folder y", "station init x", "nonsense"):
        assert cunce(*command.split(), cwd=places / "laptop").status == 2, command
    assert cunce("station", "info", cwd=places).codes == ["COLLECT_STATION_NOT_NAMED"]
    refused("COLLECT_EXPORT_VILLAGE", "collect", "export", "household", "-o", places / "x.csv", "--village", "3",
            "--station", places / "laptop")  # fmt: skip
    for making in (("hub", "init", "--villages", "1=甲"), ("station", "init", places / "new", "--village", "1=甲")):
        where = () if making[0] == "station" else ("--station", places / "new")
        refused("FORMS_STANDARD_VILLAGE", *making, "--name", "甲", *where)
    refused("SYNC_JOIN_ITSELF", "join", places / "一号.cunce-invite", "--station", places / "hub")


# ---- bundles


def spoilt_bundle(places: Path, change: Callable[[bytes], bytes]) -> Path:
    stick = places / "stick"
    stick.mkdir()
    assert cunce("sync", "run", "--folder", stick, "--station", places / "laptop").status == 0
    (file,) = stick.rglob("*.cunce")
    file.write_bytes(change(file.read_bytes()))
    return file


BUNDLES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut": (lambda data: data[:100], "SYNC_BUNDLE_CUT"),
    "empty": (lambda data: b"", "SYNC_BUNDLE_CUT"),
    "altered": (lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:], "SYNC_BUNDLE_DAMAGED"),
    "foreign": (lambda data: b"x" * 500, "SYNC_BUNDLE_FOREIGN"),
}


@pytest.mark.parametrize("kind", BUNDLES)
def test_a_spoilt_bundle_on_a_stick_is_named_and_nothing_of_it_is_taken(kind: str, places: Path) -> None:
    change, code = BUNDLES[kind]
    file = spoilt_bundle(places, change)
    before = journal(places / "hub")
    for _ in range(2):
        said = cunce("sync", "run", "--folder", places / "stick", "--station", places / "hub")
        assert (said.status, said.codes) == (1, [code])
        assert file.name in said.err
    assert journal(places / "hub") == before
    refused(code, "sync", "inspect", file)


def test_a_bundle_for_another_hub_is_refused(places: Path) -> None:
    file = spoilt_bundle(places, lambda data: data)
    assert cunce(
        "hub", "init", "--station", places / "other", "--name", "白云镇", "--villages", "999999002001=白云村"
    ).status == 0  # fmt: skip
    before = journal(places / "other")
    with Station.open(places / "other", readonly=True) as other:
        inbox = places / "stick" / "cunce" / other.id / "to-hub"
    inbox.mkdir(parents=True)
    shutil.copy(file, inbox)
    said = cunce("sync", "run", "--folder", places / "stick", "--station", places / "other")
    assert (said.status, said.codes) == (1, ["SYNC_NOT_ADMITTED"])
    assert journal(places / "other") == before


# ---- a hub that is not there, or fails


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Failing(BaseHTTPRequestHandler):
    """A hub, or something in front of it, that answers everything with an error."""

    status, body = 500, b"<h1>Internal Server Error</h1>"

    def do_POST(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    handler = type("Handler", (Failing,), {"status": status, "body": body})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_hub_that_is_not_there_is_said_so(places: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    refused("SYNC_HUB_UNREACHABLE", "sync", "run", "--hub", nowhere, "--station", places / "laptop")
    said = cunce("join", f"{nowhere}#AY4K-F4SO-LHA6-ZVRH-P3SF-D7GK", "--station", places / "new")
    assert (said.status, said.codes) == (1, ["SYNC_INVITATION_SHORT", "SYNC_HUB_UNREACHABLE"])
    for wrong in ("no.cunce-invite", f"{nowhere}#AAAA"):
        assert cunce("join", wrong, "--station", places / "new", cwd=places).status == 1
    assert not (places / "new").exists()


@pytest.mark.parametrize(("status", "body"), [(500, b"<h1>oops</h1>"), (200, b"<h1>a portal</h1>"), (404, b"")])
def test_an_answer_that_no_hub_gives_changes_nothing(status: int, body: bytes, places: Path) -> None:
    with answering(status, body) as address:
        said = cunce("sync", "run", "--hub", address, "--station", places / "laptop")
        assert said.status == 1
        assert len(said.codes) == 1, said.err
        assert said.codes[0].startswith("SYNC_")
        assert cunce("join", f"{address}#AY4K-F4SO-LHA6-ZVRH-P3SF-D7GK", "--station", places / "new").status == 1
    assert not (places / "new").exists()


@contextmanager
def serving(folder: Path, *, size: int | None = None) -> Iterator[tuple[str, Path]]:
    """Serve a hub in a process of its own, its files at most `size` bytes long; yields its address and its log."""
    port, log = free_port(), folder.parent / "serving.log"
    program = CUNCE if size is None else [sys.executable, "-c", LIMITED.format(size=size)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*program, "hub", "serve", "--port", str(port), "--station", str(folder)], stdout=output, stderr=output,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, log.read_text(encoding="utf-8")
            time.sleep(0.1)
        yield address, log
    finally:
        process.terminate()
        process.wait(20)


def test_spoilt_requests_to_a_running_hub_are_refused_in_words_and_leave_no_traceback(places: Path) -> None:
    with serving(places / "hub") as (address, log), httpx.Client(base_url=address, trust_env=False) as client:
        for endpoint, body in (("join", b"{"), ("join", b"{}"), ("push", b"x" * 300), ("pull", b"[]")):
            answer = client.post(f"/-/exchange/{endpoint}", content=body, headers={"Authorization": "Bearer x.y"})
            assert answer.status_code in {400, 401}, answer.text
            assert answer.json()["problems"][0]["code"].startswith("SYNC_")
        with Station.open(places / "laptop") as laptop:
            assert laptop.journal.count()
        said = cunce("sync", "run", "--hub", address, "--station", places / "new")
        assert said.codes == ["COLLECT_NOT_A_STATION"]
    assert "Traceback" not in log.read_text(encoding="utf-8")


# ---- a full disk

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")


def limited(size: int, *arguments: object) -> Said:
    """Run a command whose files may have `size` bytes: beyond that the disk is full for it."""
    return cunce(*arguments, program=[sys.executable, "-c", LIMITED.format(size=size)])


@linux
@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        ("collect export household -o OUT/x.xlsx --station LAPTOP", ["COLLECT_EXPORT_WRITE"]),
        ("collect export household -o OUT/x.csv --station LAPTOP", ["COLLECT_EXPORT_WRITE"]),
        ("publish sheet -o OUT --village 999999001001 --station LAPTOP", ["PLUGINS_SHEET_NOT_WRITTEN"]),
        ("hub invite --name x --villages 999999001001 -o OUT/x --station HUB", ["SYNC_INVITATION_NOT_WRITTEN"]),
        ("sync run --folder OUT --station LAPTOP", ["SYNC_STICK_FULL"]),
        ("form export household --to xlsx -o OUT/x.xlsx", ["COLLECT_FORM_NOT_WRITTEN"]),
        ("station init OUT/new --name x", ["COLLECT_DISK_FULL"]),
    ],
)
def test_a_full_disk_is_said_and_leaves_no_half_file(arguments: str, codes: list[str], places: Path) -> None:
    out = places / "out"
    out.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(out)], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        with (out / "fill").open("wb", buffering=0) as fill, pytest.raises(OSError, match="No space"):
            fill.writelines(b"x" * 4096 for _ in range(20))
        words = arguments.replace("OUT", str(out)).replace("LAPTOP", str(places / "laptop"))
        said = cunce(*words.replace("HUB", str(places / "hub")).split())
        assert (said.status, said.codes) == (1, codes), said
        assert len(said.err.splitlines()) == 1, said.err
        assert not [path for path in out.rglob("*") if path.is_file() and path.name != "fill" and path.stat().st_size]
    finally:
        subprocess.run(["umount", str(out)], check=True)


def workbook(path: Path, rows: int) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["户编号", "户主姓名", "所属组", "备注"])
    for number in range(rows):
        sheet.append([f"B{number:04}", "赵六", "一组", "甲" * 300])
    book.save(path)
    return path


@linux
def test_an_import_onto_a_full_disk_stops_with_a_message_and_goes_on_later(places: Path) -> None:
    laptop = places / "full"
    shutil.copytree(places / "laptop", laptop)
    file = workbook(places / "台账.xlsx", 600)
    give = ("collect", "import", "household", file, "--village", "999999001001", "--station", laptop)
    size = (laptop / "journal.db").stat().st_size + 200_000
    said = limited(size, *give)
    # A file may not grow: SQLite reports that as a disk that fails; both messages speak of room.
    assert said.status == 1
    assert said.codes in (["COLLECT_DISK_FULL"], ["COLLECT_DATABASE_INPUT_OUTPUT"]), said
    assert cunce("station", "verify", "--station", laptop).status == 0
    again = cunce(*give, "--json")
    assert again.status == 0, again.err
    with Station.open(laptop, readonly=True) as station:
        assert station.projection.counts()["household"] == 602


@linux
def test_a_hub_whose_disk_is_full_refuses_in_words_and_takes_all_of_it_later(places: Path) -> None:
    hub, laptop = places / "full hub", places / "sending"
    shutil.copytree(places / "hub", hub)
    shutil.copytree(places / "laptop", laptop)
    file = workbook(places / "台账.xlsx", 600)
    assert cunce("collect", "import", "household", file, "--village", "999999001001", "--station", laptop).status == 0
    before = journal(hub)
    size = (hub / "journal.db").stat().st_size + 150_000
    with serving(hub, size=size) as (address, log):
        said = cunce("sync", "run", "--hub", address, "--station", laptop)
        assert said.status == 1
        assert len(said.codes) == 1, said.err
    assert "Traceback" not in log.read_text(encoding="utf-8"), log.read_text(encoding="utf-8")[-3000:]
    assert journal(hub) == before
    assert cunce("station", "verify", "--station", hub).status == 0
    with serving(hub) as (address, log):
        assert cunce("sync", "run", "--hub", address, "--station", laptop).status == 0
    with Station.open(hub, readonly=True) as station:
        assert station.projection.counts()["household"] == 602
