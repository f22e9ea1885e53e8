"""Attributes of the primary instance: calculated, kept in instance XML, and reached by the instance's own id."""

from __future__ import annotations

from datetime import UTC, datetime

from forms.bulk import Bulk
from forms.clock import FixedClock
from forms.instance import Instance
from forms.program import compile_form
from forms.xform import read_xform

CLOCK = FixedClock(datetime(2026, 3, 1, 8, tzinfo=UTC))
FORM = """<h:html xmlns:h="http://www.w3.org/1999/xhtml" xmlns="http://www.w3.org/2002/xforms"><h:head><h:title>t</h:title>
<model><instance id="own"><data id="f" version="1"><a unit="cm" len=""/><b/><c/><row><x tag=""/></row></data></instance>
<bind nodeset="/data/a" type="string"/>
<bind nodeset="/data/a/@len" calculate="string-length(/data/a)"/>
<bind nodeset="/data/b" calculate="/data/a/@len * 2"/>
<bind nodeset="/data/c" calculate="concat(instance('own')/data/a, instance(&quot;own&quot;)/data/b)"/>
<bind nodeset="/data/row/x/@tag" calculate="concat(position(../..), /data/a)"/>
</model></h:head><h:body><input ref="/data/a"><label>A</label></input>
<group ref="/data/row"><repeat nodeset="/data/row"><input ref="/data/row/x"><label>X</label></input></repeat></group>
</h:body></h:html>"""


def instance() -> Instance:
    return Instance.new(compile_form(read_xform(FORM)), clock=CLOCK)


def test_an_attributes_calculation_follows_what_it_reads() -> None:
    one = instance()
    one.set("/data/a", "abc")
    assert one.get("/data/a/@len") == "3"
    assert one.get("/data/b") == "6"
    one.set("/data/a", "abcd")
    assert (one.get("/data/a/@len"), one.get("/data/b")) == ("4", "8")


def test_every_row_calculates_its_own_attribute() -> None:
    one = instance()
    one.add("/data/row")
    one.set("/data/a", "q")
    assert [one.get(f"/data/row[{number}]/x/@tag") for number in (1, 2)] == ["1q", "2q"]


def test_the_primary_instances_id_names_the_record_itself() -> None:
    one = instance()
    one.set("/data/a", "ab")
    assert one.get("/data/c") == "ab4"


def test_attributes_stand_in_instance_xml() -> None:
    one = instance()
    one.set("/data/a", "abc")
    assert '<a unit="cm" len="3">abc</a>' in one.xml()


def test_records_with_calculated_attributes_are_filled_in_one_by_one() -> None:
    bulk = Bulk(compile_form(read_xform(FORM)), clock=CLOCK)
    assert "/data/a/@len" in bulk.why
    bulk.fill({"a": "xyz"})
    assert bulk.answers()["b"] == "6"
