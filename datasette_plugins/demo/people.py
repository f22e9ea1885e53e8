"""Invented households: realistic names, relations, ID numbers under the reserved code 999999, coordinates."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date

# Surnames with their share of the population in per mille, after the published order of frequency; the tail is mixed.
_SURNAMES = (
    "王72 李70 张67 刘54 陈45 杨31 黄22 赵20 吴20 周19 徐16 孙15 马13 朱12 胡12 林11 郭11 何10 高10 罗9 郑8 梁8 "
    "谢8 宋7 唐7 许7 邓6 冯6 韩6 曹6 曾6 彭6 萧5 蔡5 潘5 田5 董5 袁5 于5 余5 叶5 蒋5 杜4 苏4 魏4 程4 吕4 丁4 沈4 "
    "任4 姚4 卢4 傅4 钟4 姜4 崔4 谭4 廖4 范4 汪4 陆4 金4 石3 戴3 贾3 韦3 夏3 邱3 方3 侯3 邹3 熊3 孟3 秦3 白3 江3 "
    "阎3 薛3 尹3 段3 雷3 黎3 史3 龙3 陶3 贺3 顾3 毛3 郝3 龚3 邵3 万3 单1 解1 仇1 查1 欧阳1 上官1 诸葛1 司徒1"
)
_MEN = (
    "建国 建军 志强 志明 国强 国华 永福 永贵 德明 德胜 文斌 文军 家旺 家兴 光明 光荣 春生 秋生 金水 木根 长根 "
    "大勇 小军 海涛 鹏飞 宏伟 立新 俊杰 浩然 子轩 宇航 一鸣"
)
_WOMEN = (
    "秀英 秀兰 桂英 桂花 玉兰 玉珍 淑芬 淑华 凤英 凤霞 春梅 冬梅 翠花 翠莲 小红 丽华 丽娟 美玲 雪梅 燕子 晓燕 "
    "婷婷 雨欣 欣怡 诗涵 梓萱 佳怡 若曦 思琪 静怡"
)
# Characters that fonts and old systems lack: names really hold them.
_RARE = ("𬱖", "㛃", "䶮", "𫖯")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
DIVISION = "999999"


@dataclass(slots=True)
class Person:
    """One invented person; values are the codes of the shipped household form."""

    name: str
    sex: str
    birth: date
    relation: str
    resident_id: str
    work_away: bool = False
    work_place: str = ""
    phone: str = ""
    education: str = ""
    health: str = "healthy"

    def age(self, on: date) -> int:
        """Return the age in full years on a day."""
        return on.year - self.birth.year - ((on.month, on.day) < (self.birth.month, self.birth.day))


@dataclass(slots=True)
class Household:
    """One invented household with its members, head first; `location` as (latitude, longitude) in WGS-84 degrees."""

    number: str
    village: str
    group: str
    address: str
    location: tuple[float, float]
    members: list[Person] = field(default_factory=list)
    farmland: float = 0.0

    @property
    def head(self) -> Person:
        """The head of the household."""
        return self.members[0]


def checked(body: str) -> str:
    """Return a 17-digit body with its GB 11643 check character."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, body, strict=True))
    return body + _CHECK[total % 11]


class Census:
    """Makes households from a seed; the same seed gives the same people on the same day."""

    def __init__(self, seed: int, today: date) -> None:
        self.chance = random.Random(seed)
        self.today = today
        pairs = [(word.rstrip("0123456789"), word) for word in _SURNAMES.split()]
        self.surnames = [name for name, _ in pairs]
        self.shares = [int(word[len(name):]) for name, word in pairs]
        self.numbers: set[str] = set()

    def household(self, village: str, group: str, number: int, centre: tuple[float, float]) -> Household:
        """Return one household near `centre`: an elder pair, a couple with children, or three generations."""
        chance = self.chance
        place = (round(centre[0] + chance.gauss(0, 0.0016), 6), round(centre[1] + chance.gauss(0, 0.0019), 6))
        home = Household(f"{number:04d}", village, group, f"{group}{chance.randint(1, 60)}号", place)
        kind = chance.choices(("elders", "family", "generations", "single"), (22, 40, 30, 8))[0]
        surname = chance.choices(self.surnames, self.shares)[0]
        if kind == "single":
            home.members.append(self.person(surname, "male", chance.randint(58, 86), "head"))
        elif kind == "elders":
            self._couple(home, surname, chance.randint(61, 84))
        else:
            self._couple(home, surname, chance.randint(30, 52), away=0.35)
            self._children(home, surname)
            if kind == "generations":
                oldest = self.today.year - home.head.birth.year + chance.randint(21, 30)
                home.members.append(self.person(surname, "male", min(oldest, 95), "father"))
                home.members.append(self.person(self._surname(), "female", min(oldest - 2, 93), "mother"))
        home.farmland = round(chance.uniform(0.5, 4.0) * max(1, len(home.members) - 1), 1)
        return home

    def person(self, surname: str, sex: str, age: int, relation: str, *, away: float = 0.0) -> Person:
        """Return one person of about `age` years."""
        chance = self.chance
        birth = date(self.today.year - age, chance.randint(1, 12), chance.randint(1, 28))
        if birth > self.today:
            birth = birth.replace(year=birth.year - 1)
        grown = age >= 16
        person = Person(self._name(surname, sex, age), sex, birth, relation, self._resident_id(birth, sex))
        person.work_away = grown and age < 60 and chance.random() < away
        person.work_place = chance.choice(("省城", "沿海务工", "县城")) if person.work_away else ""
        person.phone = f"1{chance.choice('3578')}{chance.randint(0, 999999999):09d}" if grown else ""
        shares = (90 - age // 3, 8 + age // 3, 2, 2)
        person.health = chance.choices(("healthy", "chronic", "serious", "disabled"), shares)[0]
        return person

    def _couple(self, home: Household, surname: str, age: int, away: float = 0.0) -> None:
        home.members.append(self.person(surname, "male", age, "head", away=away))
        spouse = self.person(self._surname(), "female", max(20, age - self.chance.randint(0, 4)), "spouse", away=away)
        home.members.append(spouse)

    def _children(self, home: Household, surname: str) -> None:
        mother_age = self.today.year - home.members[1].birth.year
        for _ in range(self.chance.choices((0, 1, 2, 3), (1, 4, 5, 1))[0]):
            age = self.chance.randint(0, max(0, mother_age - 20))
            sex = self.chance.choice(("male", "female"))
            relation = "son" if sex == "male" else "daughter"
            home.members.append(self.person(surname, sex, age, relation, away=0.5 if age > 20 else 0.0))

    def _resident_id(self, birth: date, sex: str) -> str:
        """Return a number nobody else here has: the last of its three serial digits is odd for men."""
        while True:
            order = self.chance.randrange(0, 1000, 2) + (sex == "male")
            number = checked(f"{DIVISION}{birth:%Y%m%d}{order:03d}")
            if number not in self.numbers:
                self.numbers.add(number)
                return number

    def _surname(self) -> str:
        return self.chance.choices(self.surnames, self.shares)[0]

    def _name(self, surname: str, sex: str, age: int) -> str:
        names = (_MEN if sex == "male" else _WOMEN).split()
        older = len(names) * 2 // 3  # the lists run from the names of grandparents to those of children
        given = self.chance.choice(names[:older] if age > 38 else names[older:])
        if self.chance.random() < 0.02:
            given = given[0] + self.chance.choice(_RARE)
        elif self.chance.random() < 0.15:
            given = given[-1]
        return surname + given
