"""Small forms for tests of the station."""

from __future__ import annotations

from functools import cache

from forms.definition import Form
from forms.reader import read_rows

VILLAGE, OTHER_VILLAGE = "999999001001", "999999001002"
VILLAGES = {VILLAGE: "石桥村", OTHER_VILLAGE: "清水村"}
_SEARCH, _STANDARD, _WAS = "bind::ledger:search", "bind::ledger:standard", "bind::ledger:was"
_SURVEY = (
    {"type": "select_one_from_file village.csv", "name": "village", "label": "村", _STANDARD: "village"},
    {"type": "text", "name": "head_name", "label": "户主", _SEARCH: "name"},
    {"type": "text", "name": "group_name", "label": "组"},
    {"type": "integer", "name": "household_number", "label": "户号"},
    {"type": "select_one water", "name": "water", "label": "饮水"},
    {"type": "select_multiple kind", "name": "kinds", "label": "类型"},
    {"type": "geopoint", "name": "location", "label": "位置"},
    {"type": "text", "name": "phone", "label": "电话", _SEARCH: "phone"},
)
_MEMBER = (
    {"type": "begin_repeat", "name": "member", "label": "成员"},
    {"type": "text", "name": "name", "label": "姓名", _SEARCH: "name"},
    {"type": "integer", "name": "age", "label": "年龄"},
    {"type": "begin_repeat", "name": "certificate", "label": "证件"},
    {"type": "text", "name": "number", "label": "证号"},
    {"type": "end_repeat", "name": "certificate"},
    {"type": "end_repeat", "name": "member"},
)
_CHOICES = (
    {"list_name": "water", "name": "tap", "label": "自来水"},
    {"list_name": "water", "name": "well", "label": "井水"},
    {"list_name": "kind", "name": "poor", "label": "低保户"},
    {"list_name": "kind", "name": "old", "label": "老人户"},
)


def made(
    version: str, survey: tuple[dict[str, str], ...], *, form_id: str = "household", title: str = "户情台账"
) -> Form:
    settings = {
        "form_id": form_id, "version": version, "form_title": title, "namespaces": 'ledger="https://ledger"',
        "instance_name": "concat(${head_name}, ' ', ${group_name}, ' ', ${household_number})",
    }  # fmt: skip
    return read_rows({"survey": survey, "choices": _CHOICES, "settings": (settings,)})


@cache
def household(version: str = "1") -> Form:
    """Version 1; 2 asks `road` after the group; 3 no longer asks `water` and calls the phone `mobile`.

    Version 4 is 3 with other names of the repeats: `person` for `member`, and in it `paper` for `certificate`.
    """
    survey = list(_SURVEY)
    if version != "1":
        survey.insert(3, {"type": "text", "name": "road", "label": "道路"})
    if version in ("3", "4"):
        survey = [row for row in survey if row["name"] not in ("water", "phone")]
        survey.append({"type": "text", "name": "mobile", "label": "手机", _SEARCH: "phone", _WAS: "phone"})
    renamed = {"member": "person", "certificate": "paper"} if version == "4" else {}
    members = [{**row, "name": renamed.get(row["name"], row["name"])} for row in _MEMBER]
    for row, before in zip(members, _MEMBER, strict=True):
        if row["name"] != before["name"] and row["type"] == "begin_repeat":
            row[_WAS] = before["name"]
    return made(version, (*survey, *members))
