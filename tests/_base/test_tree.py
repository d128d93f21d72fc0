"""Nested dicts by path: laws that hold for any tree."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule._base.tree import flatten, map_with_path, matcher, merge, split, unflatten

LAW = settings(deadline=None, database=None, max_examples=60)
keys = st.text(string.ascii_lowercase, min_size=1, max_size=3)
trees = st.dictionaries(keys, st.recursive(st.integers(), lambda t: st.dictionaries(keys, t, min_size=1, max_size=3)))


@LAW
@given(trees)
def test_flatten_and_unflatten_are_inverse(tree):
    assert unflatten(flatten(tree)) == tree


@LAW
@given(trees, st.sets(keys))
def test_the_parts_of_a_split_are_disjoint_and_merge_to_the_whole(tree, chosen):
    picked, rest = split(tree, lambda path: path.split("/")[0] in chosen)
    assert not set(flatten(picked)) & set(flatten(rest))
    assert merge(picked, rest) == tree
    assert all(path.split("/")[0] in chosen for path in flatten(picked))


@LAW
@given(trees)
def test_merging_with_itself_or_nothing_changes_nothing(tree):
    assert merge(tree, tree) == tree == merge(tree, {}) == merge({}, tree)


def test_the_later_tree_wins_and_the_earlier_is_untouched():
    first, second = {"a": {"x": 1, "y": 2}, "b": 3}, {"a": {"y": 20}, "b": {"z": 30}}
    assert merge(first, second) == {"a": {"x": 1, "y": 20}, "b": {"z": 30}}
    assert first == {"a": {"x": 1, "y": 2}, "b": 3}
    assert second == {"a": {"y": 20}, "b": {"z": 30}}


def test_a_merged_tree_shares_no_dict_with_its_parts():
    part = {"a": {"x": 1}}
    merged = merge(part)
    merged["a"]["x"] = 2
    assert part == {"a": {"x": 1}}


def test_paths_keep_the_order_of_insertion():
    assert list(flatten({"z": {"b": 1, "a": 2}, "c": 3})) == ["z/b", "z/a", "c"]


def test_map_gives_path_and_leaves_of_all_trees():
    first, second = {"a": {"x": 1}, "b": 2}, {"b": 20, "a": {"x": 10}}
    mapped = map_with_path(lambda path, one, two: (path, one + two), first, second)
    assert mapped == {"a": {"x": ("a/x", 11)}, "b": ("b", 22)}


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        ("backbone", "backbone/dense/kernel", True),
        ("backbone", "backbone2/kernel", False),
        ("backbone/", "backbone/kernel", True),
        ("*/bias", "a/b/bias", True),
        ("*/bias", "bias", False),
        (["a", "b/c"], "b/c/kernel", True),
        (["a", "b/c"], "b/d/kernel", False),
        ([], "a", False),
        ("Dense", "dense", False),
    ],
)
def test_patterns_match_paths_and_what_lies_below(patterns, path, expected):
    assert matcher(patterns)(path) is expected
