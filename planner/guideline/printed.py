"""A judged number as printed: with as many decimals as it takes to stand on its own side of every edge."""

from __future__ import annotations

from collections.abc import Iterable

from planner.findings import YES_NO

MOST_DECIMALS = 4
COUNTS = ("lesions", "count", "days")
UNITS = {"percent": "%", "m2": "m\u00b2", "count": "", YES_NO: ""}


def unit_words(unit: str) -> str:
    """Return a registered unit as printed."""
    return UNITS.get(unit, unit)


def number_words(value: float, unit: str, edges: Iterable[float]) -> str:
    """Return a number with its unit.

    Parameters
    ----------
    value, unit
        The number, in a registered unit.
    edges
        Where verdicts change: what is printed lies on the same side of each as the number itself.
    """
    if unit == YES_NO:
        return "yes" if value >= 1.0 else "no"
    lines = sorted(edges)
    start = 0 if unit in COUNTS and float(value).is_integer() else 1
    for decimals in range(start, MOST_DECIMALS + 1):
        rounded = round(value, decimals)
        if all((rounded > edge) == (value > edge) and (rounded < edge) == (value < edge) for edge in lines):
            text = f"{rounded:.{decimals}f}"
            return f"{text.removeprefix('-') if rounded == 0.0 else text} {unit_words(unit)}".rstrip()
    edge = min(lines, key=lambda one: abs(one - value))
    return f"just {'above' if value > edge else 'below'} {edge:g} {unit_words(unit)}".rstrip()
