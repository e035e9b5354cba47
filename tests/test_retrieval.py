"""The fusion of two rankings, on hand-worked examples."""

from __future__ import annotations

import pytest

from rag.retrieval import fuse


def test_scores_are_scaled_weighed_and_averaged() -> None:
    dense = [("a", 0.9), ("b", 0.8), ("c", 0.5)]
    lexical = [("b", 12.0), ("d", 6.0), ("a", 2.0)]
    fused = dict(fuse([(0.25, dense), (0.75, lexical)]))
    assert fused == pytest.approx({"a": 0.25, "b": 0.25 * 0.75 + 0.75, "d": 0.75 * 0.4, "c": 0.0})
    assert [id for id, _ in fuse([(0.25, dense), (0.75, lexical)])] == ["b", "d", "a", "c"]


def test_what_is_first_everywhere_scores_one() -> None:
    assert fuse([(1.0, [("a", 3.0), ("b", 1.0)]), (2.0, [("a", 0.2)])])[0] == ("a", pytest.approx(1.0))


def test_rankings_may_be_empty_and_ties_are_in_order_of_id() -> None:
    assert fuse([(1.0, []), (1.0, [("b", 2.0), ("a", 2.0)])]) == [("a", 0.5), ("b", 0.5)]
