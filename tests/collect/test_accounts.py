"""Accounts: scope, passwords, sessions that end, throttling, and a log that keeps all it says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collect import accounts as module
from collect.accounts import AccountError, Accounts, LoginError

GOOD = "qing-he-2026"


@dataclass
class Walking:
    """A clock that tests set forward."""

    at: datetime = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Walking:
    return Walking()


@pytest.fixture
def accounts(tmp_path: Path, clock: Walking, monkeypatch: pytest.MonkeyPatch) -> Iterator[Accounts]:
    from argon2 import PasswordHasher

    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # the real algorithm, only less of it
    monkeypatch.setattr(module, "_hasher", lambda: quick)
    module._decoy.cache_clear()
    opened = Accounts(tmp_path, clock=clock)
    yield opened
    opened.close()
    module._decoy.cache_clear()


def codes(error: pytest.ExceptionInfo[AccountError] | pytest.ExceptionInfo[LoginError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def test_a_login_gives_a_token_that_names_its_account(accounts: Accounts) -> None:
    accounts.add("王芳", role="cadre", villages=["999999001001"], password=GOOD, display="王芳")
    token = accounts.log_in("王芳", GOOD, address="10.0.0.5")
    who = accounts.who(token)
    assert who is not None
    assert (who.name, who.villages, who.township, who.writes) == ("王芳", ("999999001001",), False, False)
    assert who.sees("999999001001")
    assert not who.sees("999999001002")


def test_every_fault_of_a_new_account_is_told_at_once(accounts: Accounts) -> None:
    with pytest.raises(AccountError) as error:
        accounts.add("a b", role="king", password="short")
    assert codes(error) == ["COLLECT_ACCOUNT_ROLE", "COLLECT_PASSWORD_SHORT", "COLLECT_ACCOUNT_NAME"]
    assert accounts.all() == ()


@pytest.mark.parametrize(
    ("role", "villages", "code"),
    [
        ("cadre", [], "COLLECT_ACCOUNT_VILLAGES_MISSING"),
        ("reviewer", ["999999001001"], "COLLECT_ACCOUNT_VILLAGES_UNUSED"),
        ("administrator", ["999999001001"], "COLLECT_ACCOUNT_VILLAGES_UNUSED"),
    ],
)
def test_role_and_villages_must_fit(accounts: Accounts, role: str, villages: list[str], code: str) -> None:
    with pytest.raises(AccountError) as error:
        accounts.add("someone", role=role, villages=villages, password=GOOD)
    assert codes(error) == [code]


@pytest.mark.parametrize("password", ["1234567890", "aaaaaaaaaaaa", "lihua-lihua!"])
def test_passwords_anybody_would_guess_are_refused(accounts: Accounts, password: str) -> None:
    with pytest.raises(AccountError) as error:
        accounts.add("lihua", role="leader", password=password)
    assert codes(error) == ["COLLECT_PASSWORD_EASY"]


def test_names_are_one_whatever_their_case(accounts: Accounts) -> None:
    accounts.add("LiHua", role="leader", password=GOOD)
    with pytest.raises(AccountError) as error:
        accounts.add("lihua", role="leader", password=GOOD)
    assert codes(error) == ["COLLECT_ACCOUNT_EXISTS"]
    assert accounts.who(accounts.log_in("lihua", GOOD, address="")) == accounts.get("LiHua")


def test_wrong_password_and_unknown_name_are_the_same_answer(accounts: Accounts) -> None:
    accounts.add("lihua", role="leader", password=GOOD)
    for name in ("lihua", "nobody"):
        with pytest.raises(LoginError) as error:
            accounts.log_in(name, "not-the-password", address="10.0.0.5")
        assert codes(error) == ["COLLECT_LOGIN_WRONG"]


def test_an_unknown_name_costs_the_same_verification(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts.add("lihua", role="leader", password=GOOD)
    hasher, verified = module._hasher(), []

    class Counting:
        def verify(self, hashed: str, password: str) -> bool:
            verified.append(hashed.split("$")[1:4])
            return bool(hasher.verify(hashed, password))

        hash = hasher.hash

    monkeypatch.setattr(module, "_hasher", Counting)
    for name in ("lihua", "nobody"):
        with pytest.raises(LoginError):
            accounts.log_in(name, "not-the-password", address="10.0.0.5")
    assert len(verified) == 2
    assert verified[0] == verified[1]


def test_an_account_is_throttled_from_whatever_address_and_recovers(accounts: Accounts, clock: Walking) -> None:
    accounts.add("lihua", role="leader", password=GOOD)
    for number in range(module.FAILURES_OF_ACCOUNT):
        with pytest.raises(LoginError):
            accounts.log_in("lihua", "not-the-password", address=f"10.0.0.{number}")
    with pytest.raises(LoginError) as error:
        accounts.log_in("lihua", GOOD, address="10.0.9.9")
    assert codes(error) == ["COLLECT_LOGIN_THROTTLED"]
    clock.at += module.WINDOW + timedelta(seconds=1)
    assert accounts.who(accounts.log_in("lihua", GOOD, address="10.0.9.9"))


def test_an_address_that_tries_many_names_is_throttled(accounts: Accounts) -> None:
    accounts.add("lihua", role="leader", password=GOOD)
    for number in range(module.FAILURES_OF_ADDRESS):
        with pytest.raises(LoginError):
            accounts.log_in(f"guess{number}", "not-the-password", address="10.0.0.5")
    with pytest.raises(LoginError) as error:
        accounts.log_in("lihua", GOOD, address="10.0.0.5")
    assert codes(error) == ["COLLECT_LOGIN_THROTTLED"]
    assert accounts.who(accounts.log_in("lihua", GOOD, address="10.0.0.6"))


def test_sessions_end_by_logout_idleness_age_reset_change_and_disabling(accounts: Accounts, clock: Walking) -> None:
    accounts.add("boss", role="administrator", password=GOOD)
    accounts.add("lihua", role="leader", password=GOOD)

    def fresh() -> str:
        token = accounts.log_in("lihua", GOOD, address="")
        assert accounts.who(token)
        return token

    token = fresh()
    accounts.log_out(token)
    assert accounts.who(token) is None

    token = fresh()
    clock.at += module.IDLE + timedelta(seconds=1)
    assert accounts.who(token) is None

    token = fresh()
    began = clock.at
    while clock.at - began < module.LONGEST:
        assert accounts.who(token)
        clock.at += timedelta(hours=2)
    assert accounts.who(token) is None

    token = fresh()
    accounts.reset("lihua", GOOD + "x")
    assert accounts.who(token) is None
    accounts.reset("lihua", GOOD)

    token = fresh()
    accounts.change("lihua", role="cadre", villages=["999999001001"])
    assert accounts.who(token) is None

    token = fresh()
    accounts.change("lihua", disabled=True)
    assert accounts.who(token) is None
    with pytest.raises(LoginError) as error:
        accounts.log_in("lihua", GOOD, address="")
    assert codes(error) == ["COLLECT_LOGIN_WRONG"]


def test_the_last_administrator_stays(accounts: Accounts) -> None:
    accounts.add("boss", role="administrator", password=GOOD)
    for change in ({"disabled": True}, {"role": "leader"}):
        with pytest.raises(AccountError) as error:
            accounts.change("boss", **change)  # type: ignore[arg-type]
        assert codes(error) == ["COLLECT_ACCOUNT_LAST_ADMINISTRATOR"]
    accounts.add("second", role="administrator", password=GOOD)
    assert accounts.change("boss", disabled=True).disabled


def test_neither_passwords_nor_tokens_stand_in_the_file(accounts: Accounts, tmp_path: Path) -> None:
    accounts.add("lihua", role="leader", password=GOOD)
    token = accounts.log_in("lihua", GOOD, address="")
    accounts.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("accounts.db*"))
    assert b"lihua" in kept
    assert GOOD.encode() not in kept
    assert token.encode() not in kept


def test_the_log_is_read_newest_first_and_in_pages(accounts: Accounts) -> None:
    for number in range(5):
        accounts.note("row", account="lihua" if number % 2 else "boss", resource=f"household/{number}", field="name")
    newest = accounts.log(limit=2)
    assert [entry.resource for entry in newest] == ["household/4", "household/3"]
    assert [entry.resource for entry in accounts.log(before=newest[-1].id)] == [
        "household/2", "household/1", "household/0",
    ]  # fmt: skip
    assert [entry.resource for entry in accounts.log(account="lihua")] == ["household/3", "household/1"]
    assert newest[0].detail == {"field": "name"}


def test_the_log_cannot_be_changed_and_tells_when_it_was(accounts: Accounts, tmp_path: Path) -> None:
    for number in range(3):
        accounts.note("row", account="lihua", resource=f"household/{number}")
    assert accounts.verify_log() == ()
    raw = sqlite3.connect(tmp_path / "accounts.db")
    for change in ("UPDATE audit SET account = 'boss'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute(change)
    raw.execute("DROP TRIGGER audit_keeps_what_it_says")
    raw.execute("UPDATE audit SET account = 'boss' WHERE id = 2")
    raw.commit()
    raw.close()
    assert [(problem.code, problem.context["line"]) for problem in accounts.verify_log()] == [
        ("COLLECT_AUDIT_BROKEN", 2)
    ]
