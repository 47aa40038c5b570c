"""Batches of any nesting, drawn by Hypothesis."""

from hypothesis import strategies as st


def nested(leaf, max_leaves):
    """Draw a leaf, or lists, tuples and dicts of leaves inside one another."""
    return st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3)
        ),
        max_leaves=max_leaves,
    )
