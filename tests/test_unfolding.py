"""Opening and closing on the page: what an act makes of what is open, and the pictures that a file brings along."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from explorer.files import assets_folder, load
from explorer.foldings import MOST_BOXES, MOST_BROUGHT, brought, packed
from explorer.layout import MOST_VISIBLE
from explorer.model import Trace
from explorer.pictured import found_places
from explorer.unfolding import Folding, after, first_folding, folding_of, read_folding, refusal, view_of_folding
from explorer.view import make_view
from tests.dummy import chain_trace, dummy_trace

SAMPLES = sorted((assets_folder() / "samples").glob("*.trace"))


@pytest.fixture(scope="module")
def gpt2() -> Trace:
    return load(assets_folder() / "samples" / "gpt2.trace")


def boxes(trace: Trace, folding: Folding) -> set[str]:
    """What stands in the picture: boxes, and open modules by the ids of their frames."""
    view = view_of_folding(trace, folding)
    return {box.id for box in view.boxes if not box.hosts} | {cluster.id for cluster in view.clusters}


def card(trace: Trace) -> Any:
    (found,) = (box for box in view_of_folding(trace, first_folding(trace)).boxes if box.card)
    return found


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_folding_says_all_that_a_view_shows(path: Path) -> None:
    """The first picture, and the one in which everything is open, are the same whether chosen by depth or spelt out."""
    trace = load(path)
    for options in ({}, {"expand": "all"}, {"depth": 1}, {"flow": "right"}):
        view = make_view(trace, **options)
        spelt = view_of_folding(trace, folding_of(view))
        assert (spelt.boxes, spelt.clusters, spelt.arrows, spelt.flow) == (view.boxes, view.clusters, view.arrows, view.flow)


def test_one_of_twelve_opens_beside_the_others(gpt2: Trace) -> None:
    """A card opens into its twelve side by side; opening one leaves the other eleven where they are, closing it brings twelve back."""
    first, twelve = first_folding(gpt2), card(gpt2)
    assert len(twelve.parts) == 12
    row = after(gpt2, first, {"open": twelve.id})
    assert boxes(gpt2, row) >= set(twelve.parts)
    for number in (0, 5, 7, 11):
        one = after(gpt2, row, {"open": twelve.parts[number]})
        left = set(twelve.parts) - {twelve.parts[number]}
        assert boxes(gpt2, one) >= left | {f"cluster_{twelve.parts[number]}"}
        assert boxes(gpt2, after(gpt2, one, {"close": twelve.parts[number]})) == boxes(gpt2, row)


def test_twelve_open_together(gpt2: Trace) -> None:
    """All parts of a card open in one act, what is in them stays closed; everything open is another act, and the first picture a third."""
    twelve = card(gpt2)
    each = after(gpt2, first_folding(gpt2), {"each": twelve.id})
    assert boxes(gpt2, each) >= {f"cluster_{part}" for part in twelve.parts}
    everything = after(gpt2, each, {"all": True})
    assert not any(name[0] in "ms" for name in boxes(gpt2, everything))
    one = after(gpt2, everything, {"close": twelve.parts[3]})
    assert boxes(gpt2, one) & set(twelve.parts) == {twelve.parts[3]}
    assert after(gpt2, one, {"open": twelve.parts[3]}) == everything
    assert after(gpt2, one, {"first": True}) == first_folding(gpt2)


def test_what_is_sought_is_shown(gpt2: Trace) -> None:
    """Whatever hides a node or a module is opened, and nothing else: the eleven other blocks stay closed."""
    node = next(node for node in gpt2.nodes if node.module == "trf_blocks.7.att" and node.op == "_softmax")
    found = after(gpt2, first_folding(gpt2), {"reveal": node.id})
    assert f"n{node.id}" in boxes(gpt2, found)
    assert len(boxes(gpt2, found) & set(card(gpt2).parts)) == 11
    frame = next(frame for frame in found_places(gpt2)["frames"] if frame[1] == "trf_blocks.7.att")
    assert frame[0] in boxes(gpt2, after(gpt2, first_folding(gpt2), {"reveal": frame[0]}))
    assert f"cluster_{frame[0]}" in boxes(gpt2, after(gpt2, first_folding(gpt2), {"into": frame[0]}))


def test_a_node_in_a_long_chain_is_shown() -> None:
    """Segments within segments open one after the other until the op stands there by itself; so does each op of a focused picture."""
    trace = chain_trace(2000)
    found = after(trace, first_folding(trace), {"reveal": 1234})
    assert "n1234" in boxes(trace, found)
    assert len(boxes(trace, found)) < 300
    focused = after(trace, first_folding(trace), {"focus": 50, "hops": 2})
    assert boxes(trace, focused) & {"n49", "n50", "n51"} == {"n49", "n50", "n51"}
    assert len(boxes(trace, focused)) < 12
    back = after(trace, focused, {"reveal": 1234})
    assert back.focus is None and "n1234" in boxes(trace, back)


@pytest.mark.parametrize(
    "act",
    [
        {"open": "m999"}, {"open": "<b>"}, {"open": 3}, {"reveal": -1}, {"reveal": 10**9}, {"reveal": "m99"}, {"flow": "up"}, {"all": 1},
        {"focus": "x"}, {}, None,
    ],
)  # fmt: skip
def test_no_act_breaks_the_picture(act: Any) -> None:
    """What a page may send that makes no sense leaves a picture that can be drawn, and the same one."""
    trace = dummy_trace(modules=True)
    assert boxes(trace, after(trace, first_folding(trace), act)) == boxes(trace, first_folding(trace))


@pytest.mark.parametrize("asked", [None, 3, [], {"ids": "m1"}, {"ids": [1, None, "m1; drop"]}, {"flow": 7, "focus": True, "hops": -4}])
def test_an_address_says_only_what_makes_sense(asked: Any) -> None:
    """Anything else in it is passed over."""
    trace = dummy_trace(modules=True)
    found = read_folding(trace, asked)
    assert (found.flow, found.focus, found.hops, found.everything) == ("down", None, 1, False)
    assert found.ids <= first_folding(trace).ids


def test_an_address_opens_the_same_picture(gpt2: Trace) -> None:
    """What a folding says of itself, read back, is that folding."""
    folding = after(gpt2, after(gpt2, first_folding(gpt2), {"each": card(gpt2).id}), {"flow": "right"})
    assert read_folding(gpt2, json.loads(json.dumps(folding.plain()))) == folding


def test_too_much_is_refused_in_a_sentence() -> None:
    """More boxes than a browser moves smoothly are not drawn; the sentence says how many there would be, and what to do."""
    trace = chain_trace(MOST_VISIBLE + 500)
    view = view_of_folding(trace, after(trace, first_folding(trace), {"all": True}))
    assert f"{MOST_VISIBLE:,}" in (refusal(trace, view, "en") or "")
    assert "3,5" in (refusal(trace, view, "ko") or "")
    assert refusal(trace, view_of_folding(trace, first_folding(trace)), "en") is None


def test_a_file_brings_what_is_wanted_next(gpt2: Trace) -> None:
    """The first picture leads to everything open, to the twelve side by side and to each of them, and back; all of it is small."""
    found = brought(make_view(gpt2), key="file")
    twelve = card(gpt2)
    ways = found[0]["ways"]
    assert {'{"all":true}', f'{{"open":"{twelve.id}"}}', *(f'{{"into":"{part}"}}' for part in twelve.parts)} <= set(ways)
    assert found[ways['{"all":true}']]["ways"]['{"first":true}'] == 0
    assert len(found) <= MOST_BROUGHT
    assert sum(one["svg"].count('class="node ') for one in found) < 4 * MOST_BOXES  # with what is written into boxes
    assert json.loads(gzip.decompress(base64.b64decode(packed(found)))) == found
    assert len(packed(found)) < 500_000
