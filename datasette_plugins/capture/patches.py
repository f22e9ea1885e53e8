"""Patches: what of a page has to be sent again after a change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from datasette_plugins.capture import drawing
from datasette_plugins.capture.outline import Outline
from datasette_plugins.capture.view import Block, View
from datasette_plugins.capture.viewing import Viewing
from forms.definition import Question
from forms.problems import CunceError


@dataclass(slots=True)
class Seen:
    """What a page shows: its views by ref, and each repeat's number of rows and whether it is a table."""

    views: Mapping[str, View] = field(default_factory=dict)
    repeats: Mapping[str, tuple[int, bool]] = field(default_factory=dict)


def seen(outline: Outline) -> Seen:
    """Return what a page shows that was just drawn from `outline`."""
    repeats = {ref: (len(block.children), block.table) for ref, block in outline.repeats().items()}
    return Seen({view.ref: view for view in outline.views()}, repeats)


def patch(
    before: Seen, outline: Outline, language: str, *, redrawn: Iterable[str] = (), told: Iterable[str] = ()
) -> tuple[dict[str, Any], Seen]:
    """Return the patch that brings a page from `before` to `outline`, and what it shows then.

    `redrawn`: repeats to send whole in any case; `told`: questions whose value is sent even where it is the same (the
    page shows what was typed, not its canonical spelling). The patch: `blocks` (ref, html of a whole repeat) and
    `views` (ref and what changed: on, label, hint, aside, required, problem, grave, value and shown, or kind and
    control).
    """
    after = seen(outline)
    blocks = _blocks(before, after, outline.repeats(), set(redrawn))
    fresh = tuple(f"{block.view.ref}[" for block in blocks)
    mentioned = set(told)
    views = []
    for ref, view in after.views.items():
        old = before.views.get(ref)
        if ref.startswith(fresh) and fresh:
            continue
        if old is None or old != view or ref in mentioned:
            difference = _difference(old, view, language, ref in mentioned)
            if difference:
                views.append({"ref": ref, **difference})
    drawn = [{"ref": block.view.ref, "html": str(drawing.repeat(block, language))} for block in blocks]
    return {"blocks": drawn, "views": views}, after


def follow(
    before: Seen, viewing: Viewing, altered: Collection[str], language: str, *, told: Iterable[str] = ()
) -> tuple[dict[str, Any], Seen] | None:
    """Return the patch and what the page shows then, looking only at the nodes that may look different (`altered`).

    None where more may have changed than these nodes themselves: then it takes a look at everything (`patch`).
    """
    views = dict(before.views)
    mentioned = set(told)
    refs = dict.fromkeys([*altered, *mentioned])
    touched = list(dict.fromkeys(one for ref in refs for one in (ref, *viewing.along(ref))))
    for ref in touched:
        try:
            state = viewing.instance.state(ref)
        except CunceError:
            continue  # a node without a place on any page
        if state.kind == "row":
            continue
        old, view = views.get(ref), viewing.of(state)
        if isinstance(state.node, Question) and not viewing.settled_by(old, view):
            return None
        if view is not None and (old is not None or isinstance(state.node, Question)):
            views[ref] = view
    rows = _rows_around(touched)
    for ref in rows:
        inside = (view for each, view in views.items() if each.startswith(f"{ref}/"))
        views[ref] = viewing.row(viewing.instance.state(ref), inside)
    found = []
    for ref in (*touched, *rows):
        if ref in views and (views[ref] != before.views.get(ref) or ref in mentioned):
            difference = _difference(before.views.get(ref), views[ref], language, ref in mentioned)
            if difference:
                found.append({"ref": ref, **difference})
    return {"blocks": [], "views": found}, Seen(views, before.repeats)


def _rows_around(refs: Iterable[str]) -> list[str]:
    """The rows that any of these nodes stands in, or is."""
    found: dict[str, None] = {}
    for ref in refs:
        at = ref.find("]")
        while at >= 0:
            found[ref[: at + 1]] = None
            at = ref.find("]", at + 1)
    return list(found)


def _blocks(before: Seen, after: Seen, repeats: Mapping[str, Block], redrawn: set[str]) -> list[Block]:
    """The outermost repeats whose rows came or went."""
    found: list[Block] = []
    for ref, block in repeats.items():
        changed = before.repeats.get(ref) != after.repeats[ref] or ref in redrawn
        if changed and not any(ref.startswith(f"{outer.view.ref}[") for outer in found):
            found.append(block)
    return found


def _difference(old: View | None, view: View, language: str, told: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("on", "label", "hint", "aside", "required", "problem", "grave"):
        value = getattr(view, name)
        if old is None or getattr(old, name) != value:
            found[name] = str(value) if name in ("label", "hint", "aside") else value
    if "problem" in found or "grave" in found:
        found.update(problem=view.problem, grave=view.grave)
    if view.kind in ("group", "repeat", "row", "note"):
        return found
    if old is None or (old.kind, old.on, old.options) != (view.kind, view.on, view.options):
        found.update(kind=view.kind, control=str(drawing.control(view, language)))
    elif told or (old.value, old.shown) != (view.value, view.shown):
        found.update(value=view.value, shown=view.shown)
    return found
