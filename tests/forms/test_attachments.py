"""Attached files: what is read from them, and how single rows are found."""

import json
from pathlib import Path

import pytest

from forms.attachments import FolderAttachments, NoAttachments, RowAttachments
from forms.secondary import attached_items


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_in_the_encodings_of_the_field(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "village.csv").write_bytes("name,label\r\n1,青石村\r\n2,\"白石,村\"\r\n".encode(encoding))
    rows = FolderAttachments(tmp_path).open("village.csv")
    assert list(rows.rows()) == [{"name": "1", "label": "青石村"}, {"name": "2", "label": "白石,村"}]
    assert list(rows.lookup("label", "青石村")) == [{"name": "1", "label": "青石村"}]
    assert list(rows.lookup("nothing", "x")) == []


def test_geojson_features_are_rows_with_a_geometry(tmp_path: Path) -> None:
    area = {"type": "Polygon", "coordinates": [[[112.9, 28.2], [113, 28.2], [113, 28.3], [112.9, 28.2]]]}
    well = {"type": "Point", "coordinates": [112, 28]}
    features = [
        {"type": "Feature", "id": "a", "properties": {"name": "塘"}, "geometry": area},
        {"type": "Feature", "properties": {"name": "井", "n": 3}, "geometry": well},
    ]
    path = tmp_path / "places.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    pond, spring = FolderAttachments(tmp_path).open("places.geojson").rows()
    assert pond == {"name": "塘", "id": "a", "geometry": "28.2 112.9 0 0;28.2 113 0 0;28.3 113 0 0;28.2 112.9 0 0"}
    assert (spring["n"], spring["geometry"]) == ("3", "28 112 0 0")


def test_xml_items_are_rows_and_broken_xml_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<root><item><name>1</name><label>甲</label></item></root>", encoding="utf-8")
    (tmp_path / "b.xml").write_text("<root>", encoding="utf-8")
    attachments = FolderAttachments(tmp_path)
    assert list(attachments.open("a.xml").rows()) == [{"name": "1", "label": "甲"}]
    with pytest.raises(ValueError, match="line"):
        attachments.open("b.xml")


def test_a_file_name_leads_nowhere_but_into_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "forms"
    inside.mkdir()
    (tmp_path / "secrets.csv").write_text("name\nx\n", encoding="utf-8")
    assert list(FolderAttachments(inside).open("../secrets.csv").rows()) == []
    assert list(NoAttachments().open("anything.csv").rows()) == []


def test_looking_up_one_item_does_not_read_them_all() -> None:
    class Counted:
        def __init__(self) -> None:
            self.asked: list[tuple[str, str]] = []

        def rows(self) -> list[dict[str, str]]:
            raise AssertionError("everything was read")

        def lookup(self, column: str, value: str) -> list[dict[str, str]]:
            self.asked.append((column, value))
            return [{"name": value, "label": "张三"}]

    rows = Counted()
    items = attached_items(rows)
    for _ in range(2):
        (item,) = items.lookup(("root", "item"), "name", "h1") or []
    assert item.named("label")[0].text() == "张三"
    assert rows.asked == [("name", "h1")]
    assert attached_items(rows) is items


def test_items_are_the_same_read_whole_or_looked_up() -> None:
    files = RowAttachments({"h.csv": [{"name": str(n), "v": str(n % 3)} for n in range(9)]})
    items = attached_items(files.open("h.csv"))
    before = [item.text() for item in items.lookup(("root", "item"), "v", "1") or []]
    whole = [item for root in items.document.children for item in root.children]
    assert [item.text() for item in items.lookup(("root", "item"), "v", "1") or []] == before == ["11", "41", "71"]
    assert len(whole) == 9
    assert items.lookup(("other", "path"), "v", "1") is None
