from __future__ import annotations

import pytest

from planner.findings import LIVER_ML, QUANTITIES, YES_NO, Finding


@pytest.mark.parametrize("name", sorted(QUANTITIES))
def test_a_quantity_is_registered_by_its_own_name_with_its_unit_in_it(name: str) -> None:
    quantity = QUANTITIES[name]
    assert quantity.name == name
    assert quantity.unit == YES_NO or name.endswith(quantity.unit)
    assert quantity.definition.endswith(".")


def test_an_unknown_value_is_none_with_a_reason() -> None:
    finding = Finding(LIVER_ML, None, reason="PRE has no liver mask")
    assert finding.value is None
    assert finding.reason
