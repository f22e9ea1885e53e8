"""What cadres would enter about the invented households: answers in the words of the forms' labels."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from collect.importer.cells import coded
from datasette_plugins.demo.ledger import RELATIONS
from datasette_plugins.demo.people import Household, Person
from datasette_plugins.demo.township import point
from forms.definition import Form
from forms.problems import CunceError, Place
from forms.tables import Table, tables_of

_SEXES = {"male": "男", "female": "女"}
_HEALTH = {"healthy": "健康", "chronic": "长期慢性病", "serious": "患有大病", "disabled": "残疾"}


def household(home: Household, chance: random.Random, today: date) -> dict[str, Any]:
    """Return a household's answers with its members."""
    return {
        "village": home.village, "group_name": home.group, "household_number": home.number,
        "head_name": home.head.name, "phone": home.head.phone, "address": home.address,
        "house_structure": chance.choice(("砖混", "砖木", "土木")), "house_area": chance.randint(60, 220),
        "house_grade": chance.choices(("A 级 安全", "B 级 基本安全", "C 级 局部危险"), (70, 25, 5))[0],
        "water": chance.choice(("自来水", "自来水", "山泉水")), "road": chance.choice(("硬化路", "硬化路", "砂石路")),
        "toilet": chance.choice(("水冲式卫生厕所", "卫生旱厕")), "farmland": home.farmland,
        "forest": round(chance.random() * 12, 1), "location": point(home.location),
        "member": [member(person, today) for person in home.members],
    }  # fmt: skip


def member(person: Person, today: date) -> dict[str, Any]:
    """Return one member's answers; sex and date of birth follow from the ID number."""
    answers: dict[str, Any] = {
        "name": person.name, "relation": RELATIONS[person.relation], "resident_id": person.resident_id,
        "nation": "汉族", "health": _HEALTH[person.health], "medical_insurance": "城乡居民医保", "phone": person.phone,
    }  # fmt: skip
    if person.age(today) >= 16:
        answers |= {"work_away": "是" if person.work_away else "否", "work_place": person.work_place}
    return answers


def left_behind(home: Household, today: date) -> Iterator[dict[str, Any]]:
    """Yield an answer set for each child whose parents and each elder whose children work away."""
    away = [person for person in home.members[:2] if person.work_away]
    for person in home.members if away else ():
        age = person.age(today)
        kind = "留守儿童" if age < 16 else "留守老人" if age >= 60 else None
        if kind is None:
            continue
        answers: dict[str, Any] = {
            "village": home.village, "household": home.number, "name": person.name,
            "resident_id": person.resident_id, "kind": kind, "present_address": home.address,
            "health": _HEALTH[person.health],
        }  # fmt: skip
        if kind == "留守儿童":
            school = "幼儿园" if age < 6 else "小学" if age < 12 else "初中"
            parents = [
                {"guardian_name": p.name, "relation": "父亲" if p.sex == "male" else "母亲", "work_place": p.work_place}
                for p in away
            ]
            answers |= {"school": school if age >= 3 else "不在校", "assessment": "好", "guardian": parents}
        yield answers


def needy(home: Household, chance: random.Random, today: date) -> dict[str, Any] | None:
    """Return a needy household's answers for about one household in nine, else None."""
    ill = any(person.health in ("serious", "disabled") for person in home.members)
    if not ill and chance.random() > 0.06:
        return None
    category = chance.choice(("最低生活保障（低保）", "边缘易致贫户", "低保边缘家庭"))
    return {
        "village": home.village, "household": home.number, "head_name": home.head.name, "category": category,
        "recognised_on": (today - timedelta(days=chance.randint(60, 900))).isoformat(),
        "risk_type": "因病" if ill else "缺劳动力", "allowance": chance.choice((286, 340, 410)),
        "food": "有保障", "clothing": "有保障", "schooling": "有保障", "medical_care": "有保障", "housing": "有保障",
        "drinking_water": "有保障",
    }  # fmt: skip


def visit(home: Household, chance: random.Random, author: str, now: datetime) -> dict[str, Any]:
    """Return one visit of this month."""
    started = now.replace(hour=chance.randint(8, 16), minute=chance.choice((0, 10, 20, 40)), second=0, microsecond=0)
    started -= timedelta(days=chance.randint(1, max(1, now.day - 1)) if now.day > 1 else 1)
    return {
        "village": home.village, "household": home.number, "grid_worker": author, "started": started.isoformat(),
        "ended": (started + timedelta(minutes=chance.randint(15, 50))).isoformat(), "purpose": "日常走访、收集诉求",
        "requests": chance.choice(("入户路灯损坏，盼尽快修", "想参加柑橘管护培训", "老人行动不便，盼上门体检", "无")),
        "hazards_seen": "否", "handling": "当场办结",
    }  # fmt: skip


def in_codes(form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return answers with choice labels turned into codes, as the form stores them; raises CunceError."""
    tables = {table.key: table for table in tables_of(form)}
    return _coded(tables[""], answers, tables)


def _coded(table: Table, answers: Mapping[str, Any], tables: Mapping[str, Table]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in answers.items():
        if isinstance(value, list):
            result[name] = [_coded(tables[name], row, tables) for row in value]
        elif value not in (None, ""):
            column = table.column(name)
            if column.question.itemset is None or column.source:
                result[name] = value
                continue
            result[name], problems = coded(str(value), column, Place(name=name))
            if problems:
                raise CunceError(problems)
    return result
