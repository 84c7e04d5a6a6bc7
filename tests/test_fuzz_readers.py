"""Changed files end in masks or in one of our errors, quickly: never in a crash, and never in a number unseen."""

from __future__ import annotations

import pytest
from fuzzed import READERS, fuzz, original, right

EXAMPLES = 150


@pytest.mark.parametrize("reader", READERS)
def test_the_file_that_is_changed_is_a_good_one(reader):
    assert any(sum(voxels) for voxels, _ in right(reader).values())
    assert len(original(reader)) > 100


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.filterwarnings("ignore")
def test_changed_files_are_read_or_refused(reader):
    tally = fuzz(reader, 11, EXAMPLES, lambda *_: None)
    assert tally.finds == []
    assert tally.outcomes["refused"] > EXAMPLES // 10
    assert sum(tally.outcomes.values()) >= EXAMPLES
