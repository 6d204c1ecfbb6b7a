"""A version as a table of differences: a toy module, so that each rule stands alone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import jsonschema_rs
import pytest
from pydantic import Field

from hub.core.dialect import Convert, Dialect, Dialects, Loss, NotExpressible, Only, Trip, Wire, wires
from hub.core.dialect.forms import Forms
from hub.core.dialect.second_look import second_look
from hub.core.errors import InvalidRequest
from hub.core.types import Flag, Id36, Many, Number, OcpiModel, Some
from hub.core.types.markers import Closed, OpenEnum, ci_string, string

Colour = Annotated[str, OpenEnum("Colour", ("RED", "GREEN", "BLUE"))]
Size = Annotated[Literal["SMALL", "LARGE", "HUGE"], Closed("Size")]


class Lamp(OcpiModel):
    colour: Colour
    size: Size | None = None


class Box(OcpiModel):
    owner: Id36
    id: Id36
    label: Annotated[str, string(10)] | None = None
    code: Annotated[str, ci_string(8)] | None = None
    lamp: Lamp | None = None
    lamps: Many[Lamp] = Field(default_factory=list)
    fuses: Some[Lamp]
    weight: Number | None = None
    sealed: Flag | None = None


def _grams(value: Any, path: str, trip: Trip) -> Any:
    return value * 1000


def _kilograms(value: Any, path: str, trip: Trip) -> Any:
    return value / 1000


DIALECTS: Dialects = {
    Box: {
        "2.1.1": Dialect(
            rename={"label": "name", "weight": "grams"},
            supply=frozenset({"owner"}),
            drop=frozenset({"sealed"}),
            lengths={"code": 4},
            blank={"label": "none"},
            required=frozenset({"label"}),
            convert={"weight": Convert(up=_kilograms, down=_grams)},
            spare={"fuses": [{"colour": "RED"}]},
        ),
    },
    Lamp: {
        "2.1.1": Dialect(values={"colour": Only(("RED", "AMBER"), turns={"BLUE": "RED"}, back={"AMBER": "GREEN"})}),
        "2.2.1": Dialect(values={"size": Only(("SMALL", "LARGE"), turns={"HUGE": "LARGE"})}),
    },
}
BOX = wires(Box, DIALECTS)
OLD: Wire[Box] = BOX["2.1.1"]
RED, GREEN = {"colour": "RED"}, {"colour": "GREEN"}
WHOLE = {"owner": "DE*ABC", "id": "1", "label": "a", "fuses": [RED]}


def test_our_own_version_is_not_translated() -> None:
    assert BOX["2.3.0"].form is Box
    assert BOX["2.3.0"].write({**WHOLE, "acme": 1}) == ({**WHOLE, "acme": 1}, ())


def test_fields_are_renamed_and_what_the_url_says_is_left_out() -> None:
    assert OLD.write({**WHOLE, "weight": 2}) == ({"id": "1", "name": "a", "grams": 2000, "fuses": [RED]}, ())


def test_what_the_url_says_comes_back_in() -> None:
    box = OLD.read({"id": "1", "name": "a", "grams": 2000, "fuses": [RED]}, given={"owner": "DE*ABC"})
    assert box.tree() == {**WHOLE, "weight": 2}


def test_a_dropped_field_is_a_loss() -> None:
    assert OLD.write({**WHOLE, "sealed": True})[1] == (Loss("/sealed", "OCPI 2.1.1 has no sealed"),)


def test_a_field_the_version_requires_is_filled_in() -> None:
    assert OLD.write({"owner": "DE*ABC", "id": "1", "fuses": [RED]})[0]["name"] == "none"


def test_a_value_the_version_lacks_turns_into_a_near_one() -> None:
    written, losses = OLD.write({**WHOLE, "lamp": {"colour": "BLUE"}})
    assert written["lamp"] == RED
    assert [loss.pointer for loss in losses] == ["/lamp/colour"]


def test_a_value_we_lack_is_translated_back() -> None:
    box = OLD.read({"id": "1", "name": "a", "fuses": [{"colour": "AMBER"}]}, given={"owner": "DE*ABC"})
    assert box.fuses[0].colour == "GREEN"


def test_an_optional_object_goes_when_it_cannot_be_said() -> None:
    written, losses = OLD.write({**WHOLE, "lamp": GREEN})
    assert "lamp" not in written
    assert losses == (Loss("/lamp", "OCPI 2.1.1 has no value GREEN"),)


def test_an_item_goes_out_of_its_list() -> None:
    written, losses = OLD.write({**WHOLE, "lamps": [GREEN, RED]})
    assert written["lamps"] == [RED]
    assert [loss.pointer for loss in losses] == ["/lamps/0"]


def test_a_list_whose_items_all_go_goes_as_one_loss() -> None:
    written, losses = OLD.write({**WHOLE, "lamps": [GREEN, GREEN]})
    assert "lamps" not in written
    assert [loss.pointer for loss in losses] == ["/lamps"]


def test_a_spare_value_stands_where_one_must() -> None:
    assert OLD.write({**WHOLE, "fuses": [GREEN]})[0]["fuses"] == [RED]


def test_an_object_without_what_it_must_have_cannot_be_said() -> None:
    with pytest.raises(NotExpressible, match="GREEN"):
        wires(Lamp, DIALECTS)["2.1.1"].write(GREEN)


def test_display_text_is_cut_at_a_word_and_an_id_is_not_cut() -> None:
    written, losses = OLD.write({**WHOLE, "label": "red lamp and more", "code": "12345"})
    assert written["name"] == "red lamp"
    assert "code" not in written
    assert [loss.pointer for loss in losses] == ["/label", "/code"]


def test_unknown_fields_pass_unless_their_name_means_something_there() -> None:
    written, losses = OLD.write({**WHOLE, "acme": {"x": 1}, "grams": 7})
    assert written["acme"] == {"x": 1}
    assert "grams" not in written
    assert [loss.pointer for loss in losses] == ["/grams"]


def test_a_foreign_field_with_one_of_our_names_is_not_taken_for_ours() -> None:
    losses: list[Loss] = []
    box = OLD.read({"id": "1", "name": "a", "fuses": [RED], "weight": "x"}, given={"owner": "A"}, losses=losses)
    assert box.weight is None
    assert [loss.pointer for loss in losses] == ["/weight"]


def test_what_a_version_has_looked_at_is_not_looked_at_again_where_ours_asks_no_more() -> None:
    assert second_look(Lamp, Forms("2.2.1", DIALECTS)) == frozenset()
    assert second_look(Box, Forms("2.2.1", DIALECTS)) == frozenset()
    assert second_look(Lamp, Forms("2.1.1", DIALECTS)) == frozenset({"colour"})
    assert second_look(Box, Forms("2.1.1", DIALECTS)) is None


def test_what_is_read_as_json_values_is_what_the_object_says() -> None:
    old = {"id": 1, "name": "a", "grams": "2000", "fuses": [{"colour": "amber"}], "lamps": None, "also": {"x": None}}
    ours = {"id": "1", "label": "a", "weight": 2, "fuses": [GREEN], "also": {"x": None}, "owner": "A"}
    assert OLD.read_tree(old, given={"owner": "A"}) == OLD.read(old, given={"owner": "A"}).tree() == ours
    newer = {**WHOLE, "lamp": {"colour": "green", "size": "SMALL"}}
    assert BOX["2.2.1"].read_tree(newer) == {**WHOLE, "lamp": {"colour": "GREEN", "size": "SMALL"}}
    with pytest.raises(InvalidRequest, match=r"^/fuses/0/colour: "):
        OLD.read_tree({**old, "fuses": [{"colour": ""}]}, given={"owner": "A"})


def test_what_is_read_as_json_values_makes_no_instance_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    monkeypatch.setattr(OcpiModel, "tree", lambda self: read.append(self))
    assert BOX["2.2.1"].read_tree(WHOLE) == BOX["2.3.0"].read_tree(WHOLE) == WHOLE
    assert OLD.read_tree(OLD.write(WHOLE)[0], given={"owner": "A"})["label"] == WHOLE["label"]
    assert read == []


def test_nothing_is_left_of_null_and_of_an_empty_list_but_in_a_field_that_nobody_knows() -> None:
    said = {**WHOLE, "lamps": [], "weight": None, "acme": [], "nothing": None}
    assert BOX["2.3.0"].read_tree(said) == BOX["2.3.0"].read(said).tree() == {**WHOLE, "acme": []}


def test_what_is_no_object_is_refused_at_its_place() -> None:
    for wire in BOX.values():
        with pytest.raises(InvalidRequest, match=r"^/fuses/0: "):
            wire.read_tree({"id": "1", "name": "a", "label": "a", "owner": "A", "fuses": [7]}, given={"owner": "A"})


def test_a_part_is_translated_without_what_is_not_in_it() -> None:
    assert OLD.read_patch({"name": "b"}) == {"label": "b"}
    assert OLD.write_patch({"label": "b", "owner": "DE*ABC"}) == ({"name": "b"}, ())


def test_null_in_a_part_removes_what_is_optional() -> None:
    assert OLD.read_patch({"grams": None, "lamps": None}) == {"weight": None, "lamps": []}


def test_null_in_a_part_is_refused_for_what_is_required() -> None:
    with pytest.raises(InvalidRequest, match=r"^/name: "):
        OLD.read_patch({"name": None})


def test_a_part_that_removes_cannot_be_written() -> None:
    with pytest.raises(NotExpressible, match="remove weight"):
        OLD.write_patch({"weight": None})
    assert OLD.write_patch({"sealed": None}) == ({}, ())


def test_a_part_whose_value_the_version_lacks_is_left_to_the_whole() -> None:
    with pytest.raises(NotExpressible):
        OLD.write_patch({"lamp": GREEN})


def test_a_fault_names_its_place_and_not_its_value() -> None:
    with pytest.raises(InvalidRequest) as fault:
        BOX["2.3.0"].read({**WHOLE, "lamps": [{"colour": "RED", "size": "SECRET"}]})
    assert fault.value.message.startswith("/lamps/0/size: ")
    assert "SECRET" not in fault.value.message


def test_the_schema_says_what_is_written() -> None:
    schema = OLD.schema()
    assert schema["required"] == ["id", "name", "fuses"]
    assert schema["properties"]["code"]["maxLength"] == 4
    assert schema["$defs"]["Lamp"]["properties"]["colour"]["enum"] == ["RED", "AMBER"]
    assert BOX["2.2.1"].schema()["$defs"]["Lamp"]["properties"]["size"]["enum"] == ["SMALL", "LARGE"]
    assert not jsonschema_rs.Draft202012Validator(schema).is_valid({"id": "1", "name": None, "fuses": [RED]})


def test_writing_leaves_our_object_as_it_was() -> None:
    ours = {**WHOLE, "lamps": [{"colour": "BLUE"}, GREEN], "sealed": True}
    before = repr(ours)
    OLD.write(ours)
    assert repr(ours) == before
