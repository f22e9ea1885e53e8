"""The names of XLSForm and of our own columns: types, columns, settings, parameters, appearances."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final, Literal

# XLSForm question types and the other spellings that are understood for each.
TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("string", "q string", "add text prompt"),
    "integer": ("int", "q int", "add integer prompt"),
    "decimal": ("q decimal", "add decimal prompt"),
    "range": (),
    "note": ("q note", "add note prompt"),
    "date": ("q date", "add date prompt"),
    "time": (),
    "datetime": ("dateTime", "date time", "q date time", "q dateTime", "add date time prompt", "add dateTime prompt"),
    "geopoint": ("gps", "location", "q geopoint", "q location", "add location prompt"),
    "geotrace": ("q geotrace",),
    "geoshape": ("q geoshape",),
    "barcode": ("q barcode", "add barcode prompt"),
    "image": ("photo", "q picture", "q image", "add image prompt", "add photo prompt"),
    "audio": ("q audio", "add audio prompt"),
    "video": ("q video", "add video prompt"),
    "file": ("add file prompt",),
    "osm": (),
    "acknowledge": ("trigger", "q acknowledge", "add acknowledge prompt"),
    "calculate": ("q calculate", "add calculate prompt"),
    "hidden": (),
    "start": ("start time", "get start time"),
    "end": ("end time", "get end time"),
    "today": ("get today",),
    "deviceid": ("imei", "device id", "get device id", "uri:deviceid"),
    "username": ("uri:username",),
    "phonenumber": ("get phone number", "uri:phonenumber"),
    "email": ("uri:email",),
    "simserial": ("sim id", "get sim id", "uri:simserial"),
    "subscriberid": ("subscriber id", "get subscriber id", "uri:subscriberid"),
    "audit": (),
    "start-geopoint": (),
    "background-geopoint": (),
    "background-audio": (),
    "csv-external": (),
    "xml-external": (),
    "percentage": (),
    "phone number": (),
    "number of days in last month": (),
    "number of days in last six months": (),
    "number of days in last year": (),
}
SELECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "select_one": ("select one", "select1", "select one from", "add select one prompt using"),
    "select_multiple": ("select all that apply", "select all that apply from", "add select multiple prompt using"),
    "select_one_from_file": ("select one from file",),
    "select_multiple_from_file": ("select multiple from file",),
    "select_one_external": (),
    "rank": (),
}
# What people write who have not met XLSForm's words yet.
CHINESE_TYPES: Final[Mapping[str, str]] = {
    "文本": "text",
    "文字": "text",
    "字符": "text",
    "填空": "text",
    "整数": "integer",
    "数字": "integer",
    "数值": "decimal",
    "小数": "decimal",
    "单选": "select_one",
    "多选": "select_multiple",
    "日期": "date",
    "时间": "time",
    "日期时间": "datetime",
    "位置": "geopoint",
    "坐标": "geopoint",
    "定位": "geopoint",
    "照片": "image",
    "图片": "image",
    "说明": "note",
    "计算": "calculate",
    "分组": "begin_group",
    "重复": "begin_repeat",
}
METADATA: Final = frozenset(
    {"start", "end", "today", "deviceid", "username", "phonenumber", "email", "simserial", "subscriberid", "audit"}
)
# Types that show nothing and therefore need no label.
UNSEEN: Final = METADATA | {
    "calculate", "hidden", "csv-external", "xml-external", "start-geopoint", "background-geopoint", "background-audio",
}  # fmt: skip
# Types that are others with a constraint; what they become is read from the XForm.
DERIVED: Final = frozenset(
    name for name in TYPES if name in ("percentage", "phone number") or name.startswith("number of")
)
TRANSLATED: Final = frozenset(
    {"label", "hint", "guidance_hint", "required_message", "constraint_message", "image", "big-image", "audio", "video"}
)
SURVEY_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "type": ("command",),
    "name": ("tag", "value"),
    "label": ("caption",),
    "hint": (),
    "guidance_hint": (),
    "relevant": ("relevance", "bind::relevant"),
    "required": ("bind::required",),
    "required_message": ("requiredmsg", "bind::jr:requiredmsg"),
    "constraint": ("bind::constraint",),
    "constraint_message": ("constraining_message", "bind::jr:constraintmsg"),
    "calculation": ("calculate", "bind::calculate"),
    "default": (),
    "read_only": ("readonly", "bind::readonly"),
    "appearance": ("control::appearance", "body::appearance"),
    "parameters": (),
    "choice_filter": (),
    "repeat_count": ("count", "jr:count", "control::jr:count", "body::jr:count"),
    "trigger": (),
    "image": ("media::image",),
    "big-image": ("media::big-image",),
    "audio": ("media::audio",),
    "video": ("media::video",),
    "autoplay": ("body::autoplay",),
    "save_to": (),
    "rows": (),
    "intent": ("body::intent",),
    "disabled": (),
    "query": (),
    "no_app_error_string": ("noapperrorstring",),
    "compact_tag": (),
    "sms_field": (),
}
CHOICES_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "list_name": ("list name",),
    "name": ("value",),
    "label": ("caption",),
    "image": ("media::image",),
    "big-image": ("media::big-image",),
    "audio": ("media::audio",),
    "video": ("media::video",),
    "geometry": (),
}
SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "form_title": ("title", "set form title", "set_form_title"),
    "form_id": ("id_string", "set form id", "set_form_id"),
    "version": (),
    "default_language": (),
    "instance_name": (),
    "style": (),
    "namespaces": (),
    "name": (),
    "public_key": (),
    "submission_url": (),
    "auto_send": (),
    "auto_delete": (),
    "allow_choice_duplicates": (),
    "clean_text_values": (),
    "client_editable": (),
    "omit_instanceid": (),
    "instance_id": (),
    "flat": (),
    "add_none_option": (),
    "prefix": (),
    "delimiter": (),
    "sms_keyword": (),
    "sms_separator": (),
    "sms_allow_media": (),
    "sms_date_format": (),
    "sms_datetime_format": (),
    "sms_response": (),
    "instance_xmlns": (),
}
LEDGER_PREFIX: Final = "ledger::"
LEDGER_COLUMNS: Final = (
    "privacy", "unique", "search", "standard", "header", "map", "sheet", "was", "confirms", "carry",
)  # fmt: skip
LEDGER_SETTINGS: Final = ("name", "parent", "title_zh", "title_en", "period", "visits")
PRIVACY: Final = ("public", "internal", "sensitive", "minor")
SEARCH: Final = ("name", "pinyin", "id", "phone", "address")
UNIQUE: Final = ("yes", "village")
# Columns whose text is an XPath expression.
EXPRESSIONS: Final = (
    "relevant", "required", "constraint", "calculation", "read_only", "repeat_count", "choice_filter",
)  # fmt: skip
# Columns whose second half names an attribute of the XForm: bind::type, body::accuracyThreshold.
ATTRIBUTES: Final = ("bind", "body", "control", "instance")
_ATTRIBUTE: Final = re.compile(r"^(?!(?:nodeset|ref)$)(?:[^\W\d][\w.\-]*:)?[^\W\d][\w.\-]*$")
SHEETS: Final = ("survey", "choices", "settings", "external_choices", "osm", "entities")

_GRID: Final = re.compile(r"^w\d{1,2}$")
_SELECT_LOOKS: Final = (
    "minimal", "autocomplete", "search", "quick", "quickcompact", "columns", "columns-pack", "columns-flex",
    "no-buttons", "likert", "label", "list-nolabel", "list", "horizontal", "horizontal-compact", "compact", "map",
    "image-map", "picker",
)  # fmt: skip
_TEXT_LOOKS: Final = ("multiline", "numbers", "url", "masked", "bearing", "ex", "printer", "counter", "thousands-sep")
_DATE_LOOKS: Final = (
    "no-calendar", "month-year", "year", "ethiopian", "coptic", "islamic", "bikram-sambat", "myanmar", "persian",
    "buddhist",
)  # fmt: skip
_MAP_LOOKS: Final = ("maps", "placement-map", "streets", "satellite", "quick", "hide-input")
APPEARANCES: Final[Mapping[str, tuple[str, ...]]] = {
    "text": _TEXT_LOOKS,
    "integer": _TEXT_LOOKS,
    "decimal": _TEXT_LOOKS,
    "note": ("url",),
    "barcode": ("front",),
    "range": ("vertical", "no-ticks", "picker", "rating", "distress"),
    "select_one": _SELECT_LOOKS,
    "select_multiple": _SELECT_LOOKS,
    "rank": (),
    "date": _DATE_LOOKS,
    "datetime": _DATE_LOOKS,
    "time": (),
    "geopoint": _MAP_LOOKS,
    "geotrace": _MAP_LOOKS,
    "geoshape": _MAP_LOOKS,
    "image": ("signature", "draw", "annotate", "new", "new-front", "selfie", "front", "ex"),
    "audio": ("new", "ex"),
    "video": ("new", "new-front", "selfie", "front", "ex"),
    "file": ("ex",),
    "group": ("field-list", "table-list", "summary", "pages", "theme-grid", "compact"),
    "repeat": ("field-list", "table-list", "summary", "compact"),
    "acknowledge": (),
}
PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "range": ("start", "end", "step", "tick_interval", "tick_labelset", "placeholder"),
    "text": ("rows",),
    "image": ("max-pixels", "app"),
    "audio": ("quality",),
    "background-audio": ("quality",),
    "select_one": ("randomize", "seed"),
    "select_multiple": ("randomize", "seed"),
    "rank": ("randomize", "seed"),
    "select_one_from_file": ("randomize", "seed", "value", "label"),
    "select_multiple_from_file": ("randomize", "seed", "value", "label"),
    "geopoint": ("allow-mock-accuracy", "capture-accuracy", "warning-accuracy", "reference-geometry"),
    "geotrace": ("allow-mock-accuracy", "incremental", "reference-geometry"),
    "geoshape": ("allow-mock-accuracy", "incremental", "reference-geometry"),
    "audit": (
        "location-priority", "location-min-interval", "location-max-age", "track-changes", "track-changes-reasons",
        "identify-user",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TypeOf:
    """A `type` cell taken apart: `kind`, the canonical `name`, a select's list or file, and `or_other`."""

    kind: Literal["question", "begin", "end", "setting", "unknown", "blank"]
    name: str = ""
    list_name: str = ""
    or_other: bool = False

    @property
    def is_select(self) -> bool:
        """Whether people choose from a list or file."""
        return self.name in SELECTS

    @property
    def from_file(self) -> bool:
        """Whether the choices come from an attached file."""
        return self.name.endswith("_from_file")

    @property
    def plain(self) -> str:
        """The type without where its choices come from: select_one for select_one_from_file."""
        return self.name.removesuffix("_from_file")


_CONTROL: Final = {"group": "group", "lgroup": "repeat", "repeat": "repeat", "looped group": "repeat", "loop": "loop"}
_BEGIN_END: Final = re.compile(
    r"^(?P<what>begin|end)[\s_](?P<control>group|lgroup|repeat|looped group|loop)(?:\s+(?:over\s+)?(?P<list>\S+))?$"
)
_TYPE_OF: Final = {alias: name for name, aliases in TYPES.items() for alias in (name, *aliases)}
_SELECT_OF: Final = {alias: name for name, aliases in SELECTS.items() for alias in (name, *aliases)}
_SELECT: Final = re.compile(
    r"^(?P<select>"
    + "|".join(sorted(map(re.escape, _SELECT_OF), key=len, reverse=True))
    + r")\s+(?P<list>\S+)(?:\s+(?P<other>or specify other|or_other|or other))?$"
)


def read_type(cell: str) -> TypeOf:
    """Take a `type` cell apart, in XLSForm's own and older spellings."""
    text = " ".join(cell.split())
    if not text:
        return TypeOf("blank")
    control = _BEGIN_END.match(text)
    if control:
        kind: Literal["begin", "end"] = "begin" if control["what"] == "begin" else "end"
        return TypeOf(kind, _CONTROL[control["control"]], control["list"] or "")
    select = _SELECT.match(text)
    if select:
        return TypeOf("question", _SELECT_OF[select["select"]], select["list"], bool(select["other"]))
    if text in _TYPE_OF:
        return TypeOf("question", _TYPE_OF[text])
    if text.startswith("osm "):
        return TypeOf("question", "osm", text.removeprefix("osm ").strip())
    if text in {alias for name in ("form_title", "form_id") for alias in (name, *SETTINGS[name])}:
        return TypeOf("setting", text)
    return TypeOf("unknown", text)


@lru_cache(maxsize=512)
def nearest_type(cell: str) -> str:
    """Return the type that was probably meant, or nothing."""
    text = " ".join(cell.split())
    for chinese, name in CHINESE_TYPES.items():
        if text == chinese or text.startswith(f"{chinese} "):
            return name + text.removeprefix(chinese)
    word, _, rest = text.partition(" ")
    controls = [f"{what}_{name}" for what in ("begin", "end") for name in ("group", "repeat")]
    found = nearest(text.lower(), (*_TYPE_OF, *_SELECT_OF, *controls)) or nearest(word.lower(), (*_TYPE_OF, *SELECTS))
    return f"{found} {rest}" if found in SELECTS and rest and " " not in found else found


# Beyond these, looking for what was meant takes longer than anybody waits.
_LONGEST_WORD: Final = 80
_MOST_WORDS: Final = 1500


def nearest(word: str, known: Iterable[str], cutoff: float = 0.7) -> str:
    """Return the known word most like `word` (case set aside), or nothing."""
    plain = {name.lower(): name for name in known}
    if word.lower() in plain:
        return plain[word.lower()]
    if len(word) > _LONGEST_WORD or len(plain) > _MOST_WORDS:
        return ""
    found = get_close_matches(word.lower(), plain, n=1, cutoff=cutoff)
    return plain[found[0]] if found else ""


def known_appearance(kind: str, word: str) -> bool:
    """Whether an appearance word is one that some XLSForm client gives a meaning for this kind of question."""
    bare = re.split(r"[:(]", word, maxsplit=1)[0]
    if _GRID.match(word) or re.fullmatch(r"columns-\d+", word):
        return True
    return bare in APPEARANCES.get(kind, ()) or bare in ("label", "hidden-answer")


def column_of(header: str, columns: Mapping[str, tuple[str, ...]], *, double_colon: bool) -> tuple[str, str]:
    """Return the canonical column and the language (or further key) that a header names, `("", "")` for neither.

    `double_colon`: the sheet separates languages by `::`; older forms by a single colon.
    """
    text = " ".join(header.split())
    plain = text.lower()
    for name, aliases in columns.items():
        if plain in (name, name.replace("_", " "), *aliases):
            return name, ""
    separator = "::" if double_colon or "::" in text else ":"
    parts = [part.strip() for part in text.split(separator)]
    for count in (2, 1):
        head = "::".join(part.lower() for part in parts[:count])
        for name, aliases in columns.items():
            if len(parts) > count and head in (name, name.replace("_", " "), *aliases):
                return (name, parts[-1]) if name in TRANSLATED and len(parts) == count + 1 else ("", "")
    if columns is SURVEY_COLUMNS and len(parts) == 2 and parts[0].lower() in ATTRIBUTES and _ATTRIBUTE.match(parts[1]):
        return parts[0].lower(), parts[1]
    return "", ""
