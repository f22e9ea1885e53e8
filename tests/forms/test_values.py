"""Values typed by people, in the one spelling of their type."""

import pytest

from forms.values import normalise


@pytest.mark.parametrize(
    ("typed", "data_type", "held"),
    [
        ("  张 三　", "string", "张 三"),
        ("a\x00b\x1fc", "string", "abc"),
        ("line\nline", "string", "line\nline"),
        ("１２", "int", 12),
        ("-7", "int", -7),
        ("12.00", "int", 12),
        ("1,234", "int", 1234),
        (12.0, "int", 12),
        ("３．５", "decimal", 3.5),
        ("1,234.5", "decimal", 1234.5),
        (80, "decimal", 80.0),
        ("1e3", "decimal", 1000.0),
        ("19580304", "date", "1958-03-04"),
        ("1958/3/4", "date", "1958-03-04"),
        ("1958.03.4", "date", "1958-03-04"),
        ("１９５８年３月４日", "date", "1958-03-04"),
        ("2026-03-04T08:30:00.000+08:00", "date", "2026-03-04"),
        ("8:05", "time", "08:05:00.000"),
        ("8点5分", "time", "08:05:00.000"),
        ("23:59:59.5+08:00", "time", "23:59:59.500+08:00"),
        ("2026-03-04 8:30", "dateTime", "2026-03-04T08:30:00.000"),
        ("2026年3月4日 8:30", "dateTime", "2026-03-04T08:30:00.000"),
        ("2026-03-04", "dateTime", "2026-03-04T00:00:00.000"),
        ("28.20, 112.9", "geopoint", "28.2 112.9"),
        ("28.2 112.9 80 5.0", "geopoint", "28.2 112.9 80 5"),
        ("28 112; 29 113", "geotrace", "28 112;29 113"),
        ("28 112;29 113;28 113", "geoshape", "28 112;29 113;28 113;28 112"),
        ("TRUE", "boolean", "true"),
        (None, "int", ""),
        (" ", "date", ""),
    ],
)
def test_what_can_be_read(typed: object, data_type: str, held: object) -> None:
    value, code = normalise(typed, data_type)
    assert (value, type(value), code) == (held, type(held), "")


@pytest.mark.parametrize(
    ("typed", "data_type", "code"),
    [
        ("12.5", "int", "FORMS_VALUE_INTEGER"),
        (12.5, "int", "FORMS_VALUE_INTEGER"),
        ("十二", "int", "FORMS_VALUE_INTEGER"),
        ("12,34", "int", "FORMS_VALUE_INTEGER"),
        ("1.2.3", "decimal", "FORMS_VALUE_DECIMAL"),
        (float("inf"), "decimal", "FORMS_VALUE_DECIMAL"),
        ("2026-02-29", "date", "FORMS_VALUE_DATE"),
        ("3月4日", "date", "FORMS_VALUE_DATE"),
        ("24:00", "time", "FORMS_VALUE_TIME"),
        ("昨天", "dateTime", "FORMS_VALUE_DATETIME"),
        ("112.9 28.2", "geopoint", "FORMS_VALUE_GEOPOINT"),
        ("28", "geopoint", "FORMS_VALUE_GEOPOINT"),
        ("28 112", "geotrace", "FORMS_VALUE_GEOTRACE"),
        ("28 112;29 113", "geoshape", "FORMS_VALUE_GEOSHAPE"),
        ("也许", "boolean", "FORMS_VALUE_BOOLEAN"),
    ],
)
def test_what_cannot_be_read_is_kept_as_typed(typed: object, data_type: str, code: str) -> None:
    value, found = normalise(typed, data_type)
    assert found == code
    assert isinstance(typed, float) or value == typed
