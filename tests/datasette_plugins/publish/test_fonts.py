"""Which font draws which character."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasette_plugins.publish.fonts import Faces, FontError, default_faces, drawable, open_face, packaged, system_fonts


def test_the_packaged_font_draws_the_rare_characters_of_names() -> None:
    faces = Faces([packaged()])
    assert [faces.of(character) for character in "李𬱖𫖯㛃䶮·，。（《"] == [0] * 10


def test_a_character_in_no_font_has_none() -> None:
    assert Faces([packaged()]).of("𪚥") is None
    assert Faces([]).of("李") is None


def test_later_fonts_are_not_opened_before_they_are_needed(tmp_path: Path) -> None:
    faces = Faces([packaged(), tmp_path / "missing.ttf"])
    assert faces.of("村") == 0
    assert faces.of("𠮷") is None


def test_the_system_is_searched_in_our_order(tmp_path: Path) -> None:
    for name in ("simsunb.ttf", "MSYH.TTC", "arial.ttf", "readme.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in system_fonts((tmp_path,))] == ["MSYH.TTC", "simsunb.ttf"]


def test_what_is_no_font_is_passed_over_or_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.ttf"
    bad.write_bytes(b"not a font")
    assert open_face(bad) is None
    with pytest.raises(FontError) as caught:
        default_faces(bad)
    assert caught.value.code == "PLUGINS_FONT_UNREADABLE"


def test_invisible_characters_are_no_missing_glyphs() -> None:
    assert drawable("李\u200b家\ufe00湾\U000e0100村\t1") == "李家湾村 1"
