"""Attached files: encodings and formats, nothing outside their folder, and rows as secondary instances."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forms.attachments import FolderAttachments, NoAttachments, RowAttachments, RowsInMemory
from forms.expressions import Context, Node, Tree, compile_expression
from forms.secondary import attached_items

ROWS = [{"name": "430", "label": "石桥村", "town": "a"}, {"name": "431", "label": "柳溪村", "town": "b"},
        {"name": "432", "label": "竹园村", "town": "a"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_in_any_encoding_that_is_met(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "village.csv").write_bytes('name, label\r\n430,"石桥, 村㙍"\r\n431\r\n'.encode(encoding))
    rows = list(FolderAttachments(tmp_path).open("village.csv").rows())
    assert rows == [{"name": "430", "label": "石桥, 村㙍"}, {"name": "431", "label": ""}]


def test_xml_and_geojson(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(
        '<!DOCTYPE r [<!ENTITY e SYSTEM "secret.txt">]><root><item><name>1</name><label>&e;x</label></item></root>',
        encoding="utf-8",
    )
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    point = {"properties": {"name": "w", "depth": 3}, "geometry": {"type": "Point", "coordinates": [112.5, 28.1]}}
    line = {"id": "l", "properties": {}, "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}}
    (tmp_path / "a.geojson").write_text(json.dumps({"features": [point, line]}), encoding="utf-8")
    attachments = FolderAttachments(tmp_path)
    assert "secret" not in str(list(attachments.open("a.xml").rows()))
    first, second = attachments.open("a.geojson").rows()
    assert (first["name"], first["depth"], first["geometry"]) == ("w", "3", "28.1 112.5 0 0")
    assert (second["id"], second["geometry"]) == ("l", "2 1 0 0;4 3 0 0")


def test_files_outside_the_folder_are_none(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "village.csv").write_text("name\n1\n", encoding="utf-8")
    assert list(FolderAttachments(inside).open("../village.csv").rows()) == []
    assert list(FolderAttachments(inside).open(str(tmp_path / "village.csv")).rows()) == []
    assert list(NoAttachments().open("village.csv").rows()) == []


@pytest.mark.parametrize(("name", "text"), [("a.xml", "<a>"), ("a.geojson", "{"), ("a.csv", 'name\n"' + "x" * 200_000)])
def test_broken_file_is_a_value_error(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"\w"):
        FolderAttachments(tmp_path).open(name)


def evaluate(source: str) -> object:
    items = attached_items(RowAttachments({"village.csv": ROWS}).open("village.csv"))
    root = Tree(Node("data", "431")).root
    return compile_expression(source).evaluate(Context(root, instances={"village": items}.get))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("string(instance('village')/root/item[name = .]/label)", ""),
        ("string(instance('village')/root/item[name = /data]/label)", "柳溪村"),
        ("join(',', instance('village')/root/item[town = 'a']/label)", "石桥村,竹园村"),
        ("join(',', instance('village')/root/item[town = 'a'][2]/name)", "432"),
        ("join(',', instance('village')/root/item[name > 430]/name)", "431,432"),
        ("count(instance('village')/root/item)", 3.0),
        ("count(instance('village')//*)", 13.0),
        ("string(instance('village')/root/item[2])", "431柳溪村b"),
        ("string(instance('village')/root/item[label = '竹园村']/preceding-sibling::item[1]/name)", "431"),
        ("join('', instance('village')//label | instance('village')//name)", "430石桥村431柳溪村432竹园村"),
        ("pulldata('village', 'label', 'name', '432')", "竹园村"),
        ("pulldata('village', 'nothing', 'name', '432')", ""),
        ("count(instance('village')/root/item[nothing = ''])", 0.0),
    ],
)
def test_rows_are_a_secondary_instance(source: str, expected: object) -> None:
    assert evaluate(source) == expected


def test_cells_of_a_row_stay_the_same_nodes() -> None:
    items = attached_items(RowsInMemory(ROWS))
    item = items.document.named("root")[0].named("item")[1]
    label = item.named("label")[0]
    assert label is item.named("label")[0] is item.children[1]
    assert label.path == "/root/item/label"
    assert label.tree is item.tree is not None
