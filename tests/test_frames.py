"""frames: the door every table passes."""

import pandas as pd
import pytest
from helpers import frame

from sopnb import frames


def test_conform_sorts_by_key_fills_optional_columns_and_leaves_its_input_alone():
    given = frame("item location as_of on_hand", "B EU 2026-01-31 5", "A EU 2026-01-31 3")
    before = given.copy()
    out = frames.conform(given, frames.STOCK)
    assert list(out["item"]) == ["A", "B"]
    assert list(out.columns) == frames.STOCK.names
    pd.testing.assert_frame_equal(given, before)


def test_conform_names_the_first_repeated_key_and_the_remedy():
    given = frame("item location as_of on_hand", "A EU 2026-01-31 5", "A EU 2026-01-31 3")
    with pytest.raises(frames.FrameError, match=r"1 of 2 rows repeat a key, first item=A, location=EU, as_of=2026-01-31. See frames.duplicates"):
        frames.conform(given, frames.STOCK)
    assert len(frames.duplicates(given, frames.STOCK)) == 2


def test_conform_refuses_unknown_and_missing_columns():
    with pytest.raises(frames.FrameError, match="no column colour"):
        frames.conform(frame("item location as_of on_hand colour", "A EU 2026-01-31 5 red"), frames.STOCK)
    with pytest.raises(frames.FrameError, match="lacks on_hand"):
        frames.conform(frame("item location as_of", "A EU 2026-01-31"), frames.STOCK)


def test_a_code_that_looks_like_a_number_stays_text():
    out = frames.conform(pd.DataFrame({"item": [12, 7], "family": ["x", None]}), frames.ITEMS)
    assert list(out["item"]) == ["12", "7"]
    assert list(out["family"]) == ["x", None]


def test_fill_months_makes_every_series_complete():
    given = frame("item location month demand", "A EU 2026-01 4", "A EU 2026-03 6")
    out = frames.fill_months(given, "2026-01", "2026-03", demand=0.0)
    assert list(out["demand"]) == [4, 0, 6]


def test_every_frame_has_a_key_among_its_columns_and_known_kinds():
    for name, table in frames.TABLES.items():
        assert table.name == name and table.meaning
        assert table.key and set(table.key) <= set(table.names)
        assert {c.kind for c in table.columns} <= set(frames.KINDS)
        assert len(set(table.names)) == len(table.names)
        assert list(frames.empty(table).columns) == table.names
