"""National standards: what passes, what doesn't, and what can be derived."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.problems import message
from forms.standards import STANDARDS, check, check_character, derive, normalise


def resident_id(division: str = "999999", born: str = "19580304", serial: str = "012") -> str:
    first = division + born + serial
    return first + check_character(first)


def codes(standard: str, value: object) -> list[str]:
    return [problem.code for problem in check(standard, value)]


def test_the_standard_s_own_example_number_passes() -> None:
    # GB 11643-1999 prints this number as its example.
    assert codes("resident_id", "11010519491231002X") == []


def test_lower_case_x_full_width_digits_and_blanks_are_normalised() -> None:
    assert normalise("resident_id", " １１０１０５ 19491231 002x ") == "11010519491231002X"
    assert codes("resident_id", "11010519491231002x") == []


@pytest.mark.parametrize("division", ["810000", "820000", "830000", "999999", "911156", "430000"])
def test_permits_foreign_cards_and_the_test_code_pass(division: str) -> None:
    assert codes("resident_id", resident_id(division)) == []


def test_an_unknown_division_is_a_warning_only() -> None:
    (problem,) = check("resident_id", resident_id("000000"))
    assert (problem.code, problem.severity) == ("FORMS_STANDARD_ID_DIVISION", "warning")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("110105194912310021", "FORMS_STANDARD_ID_CHECKSUM"),
        ("110105491231002", "FORMS_STANDARD_ID_SHAPE"),
        (1.10105194912310e17, "FORMS_STANDARD_ID_SHAPE"),
        (resident_id(born="19580230"), "FORMS_STANDARD_ID_BIRTH_DATE"),
        (resident_id(born="02580204"), "FORMS_STANDARD_ID_BIRTH_DATE"),
    ],
)
def test_faulty_resident_ids_say_why(value: object, code: str) -> None:
    assert codes("resident_id", value) == [code]


@given(st.integers(0, 16), st.integers(1, 9), st.integers(0, 999))
def test_any_single_mistyped_digit_is_noticed(place: int, shift: int, serial: int) -> None:
    number = resident_id(serial=f"{serial:03}")
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    assert any(problem.severity == "error" for problem in check("resident_id", wrong))


def test_sex_birth_date_and_age_come_from_the_number() -> None:
    derived = derive(resident_id(born="19580304", serial="013"), on=date(2026, 3, 3))
    assert derived is not None
    assert (derived.sex, derived.birth_date, derived.age) == ("male", "1958-03-04", 67)
    woman = derive(resident_id(born="20000229", serial="012"), on=date(2026, 2, 28))
    assert woman is not None
    assert (woman.sex, woman.age) == ("female", 25)
    assert derive("110105194912310021") is None


@pytest.mark.parametrize("value", ["13800000000", "１９９００００００００", "138 0000 0000", "+8613800000000"])
def test_mobile_numbers_pass(value: str) -> None:
    assert codes("mobile", value) == []
    assert len(normalise("mobile", value)) == 11


@pytest.mark.parametrize("value", ["12800000000", "1380000000", "138000000000", "电话"])
def test_what_is_no_mobile_number_fails(value: str) -> None:
    assert codes("mobile", value) == ["FORMS_STANDARD_MOBILE"]


def test_divisions_and_villages_have_twelve_digits() -> None:
    assert codes("division", "999999000001") == codes("village", "999999000001") == []
    assert codes("division", "99999900000") == ["FORMS_STANDARD_DIVISION"]
    assert codes("village", "9999990000011") == ["FORMS_STANDARD_VILLAGE"]


@pytest.mark.parametrize(("tail", "wanted"), [("11", []), ("74B1", []), ("81", ["FORMS_STANDARD_DISABILITY_GRADE"])])
def test_disability_certificates(tail: str, wanted: list[str]) -> None:
    assert codes("disability_certificate", resident_id() + tail) == wanted


def test_a_disability_certificate_of_another_length_or_with_a_wrong_id_fails() -> None:
    assert codes("disability_certificate", resident_id() + "1") == ["FORMS_STANDARD_DISABILITY_SHAPE"]
    assert codes("disability_certificate", "11010519491231002111") == ["FORMS_STANDARD_ID_CHECKSUM"]


def test_empty_values_and_unknown_standards_pass() -> None:
    assert all(codes(name, empty) == [] for name in STANDARDS for empty in ("", None, "  "))
    assert codes("no_such_standard", "anything") == []
    assert message("FORMS_STANDARD_MOBILE")["zh"]["what"]
