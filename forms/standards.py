"""National standards a question can name in `ledger::standard`: checking, normalising and deriving from a value."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from forms.problems import Place, Problem

# GB 11643-1999: weights 2^(18-i) mod 11 and the check character for each remainder (ISO 7064 MOD 11-2).
_WEIGHTS = tuple(pow(2, 17 - index, 11) for index in range(17))
_CHECK_CHARACTERS = "10X98765432"
# GB/T 2260: the first two digits name the province; 81-83 are residence permits of Hong Kong, Macao and Taiwan
# residents (GA/T 1187 numbering), 9 begins foreigners' permanent residence cards, 999999 is kept for tests.
_PROVINCES = frozenset(
    map(str, (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71))
)
_RESIDENCE_PERMITS = ("810000", "820000", "830000")
_DISABILITY_CLASSES = "1234567"
_DISABILITY_GRADES = "1234"


@dataclass(frozen=True, slots=True)
class Derived:
    """What a resident ID tells of its holder. `sex`: male or female; `birth_date`: ISO; `age`: full years."""

    sex: str
    birth_date: str
    age: int | None = None


@dataclass(frozen=True, slots=True)
class Standard:
    """One standard: its name in a form, the document it follows, its check of tidied text, and how it is tidied."""

    name: str
    source: str
    check: Callable[[str], tuple[Problem, ...]]
    tidy: Callable[[str], str] = str


def check(standard: str, value: object) -> tuple[Problem, ...]:
    """Return what is wrong with `value` by the named standard; nothing for empty values and for unknown standards.

    `value`: text or a number; it is normalised first. A warning's severity is `warning`.
    """
    known = STANDARDS.get(standard)
    text = normalise(standard, value)
    return known.check(text) if known is not None and text else ()


def normalise(standard: str, value: object) -> str:
    """Return a value as its standard writes it: trimmed, full-width digits made plain, check letter upper case."""
    text = "" if value is None else unicodedata.normalize("NFKC", str(value)).strip()
    known = STANDARDS.get(standard)
    if known is None:
        return "" if value is None else str(value).strip()
    # People group long numbers by blanks and hyphens.
    return known.tidy(re.sub(r"[\s\-‐-―]", "", text))


def derive(resident_id: object, *, on: date | None = None) -> Derived | None:
    """Return sex, birth date and, given the day `on`, the age in years from a resident ID; None where it isn't valid.

    Source: GB 11643-1999 (digits 7-14 the birth date, digit 17 odd for men).
    """
    number = normalise("resident_id", resident_id)
    if _resident_id_fault(number):
        return None
    born = _birth_date(number)
    if born is None:
        return None
    sex = "male" if int(number[16]) % 2 else "female"
    return Derived(sex, born.isoformat(), None if on is None else age(born, on))


def age(born: date, on: date) -> int:
    """Return full years from `born` to `on`; someone born on 29 February has their birthday on 1 March."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def check_character(first17: str) -> str:
    """Return the 18th character of a resident ID for its first 17 digits (ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True))
    return _CHECK_CHARACTERS[total % 11]


def _resident_id_fault(number: str) -> str:
    if re.fullmatch(r"[0-9]{17}[0-9X]", number) is None:
        return "FORMS_STANDARD_ID_SHAPE"
    if _birth_date(number) is None:
        return "FORMS_STANDARD_ID_BIRTH_DATE"
    return "" if number[17] == check_character(number[:17]) else "FORMS_STANDARD_ID_CHECKSUM"


def _birth_date(number: str) -> date | None:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    # Nobody living was born before; a mistyped century is likelier.
    return born if born.year >= 1850 else None


def _known_division(number: str) -> bool:
    return number[:2] in _PROVINCES or number.startswith(_RESIDENCE_PERMITS) or number[0] == "9"


def _resident_id(number: str) -> tuple[Problem, ...]:
    fault = _resident_id_fault(number)
    if fault:
        return (_problem(fault, number),)
    if not _known_division(number):
        return (Problem("FORMS_STANDARD_ID_DIVISION", Place(), {"value": number[:6]}, "warning"),)
    return ()


def _mobile(number: str) -> tuple[Problem, ...]:
    return () if re.fullmatch(r"1[3-9][0-9]{9}", number) else (_problem("FORMS_STANDARD_MOBILE", number),)


def _without_country(number: str) -> str:
    return re.sub(r"^(\+|00)86(?=1)", "", number)


def _division(code: str) -> tuple[Problem, ...]:
    return () if re.fullmatch(r"[0-9]{12}", code) else (_problem("FORMS_STANDARD_DIVISION", code),)


def _disability_certificate(number: str) -> tuple[Problem, ...]:
    """Resident ID, class 1-7, grade 1-4 and, on reissued cards, a B with the number of the reissue."""
    if re.fullmatch(r"[0-9]{17}[0-9X][0-9]{2}(B[0-9])?", number) is None:
        return (_problem("FORMS_STANDARD_DISABILITY_SHAPE", number),)
    faults = list(_resident_id(number[:18]))
    if number[18] not in _DISABILITY_CLASSES or number[19] not in _DISABILITY_GRADES:
        faults.append(_problem("FORMS_STANDARD_DISABILITY_GRADE", number[18:20]))
    return tuple(faults)


def _village(code: str) -> tuple[Problem, ...]:
    return () if re.fullmatch(r"[0-9]{12}", code) else (_problem("FORMS_STANDARD_VILLAGE", code),)


def _problem(code: str, value: str) -> Problem:
    return Problem(code, Place(), {"value": value})


STANDARDS: Mapping[str, Standard] = MappingProxyType(
    {
        standard.name: standard
        for standard in (
            Standard("resident_id", "GB 11643-1999", _resident_id, str.upper),
            Standard("mobile", "电信网编号计划", _mobile, _without_country),
            Standard("division", "统计用区划代码和城乡划分代码编制规则", _division),
            Standard("village", "统计用区划代码和城乡划分代码编制规则", _village),
            Standard("disability_certificate", "中华人民共和国残疾人证管理办法", _disability_certificate, str.upper),
        )
    }
)
