"""A plan as the plan file that gives it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planner.grid import FloatArray
from planner.plan.needle import Needle
from planner.plan.plan import Plan

HEAD = """\
# Written by `ablation plan`: `ablation plan PRE -o OUT --plan FILE` with this file gives the same result (with the same
# --case, --chart and --rules). Lengths are mm, points LPS millimetres of the planning scan.
"""


def plan_toml(plan: Plan, asked_mm: float) -> str:
    """Return a plan as `plan.toml`: every number whole, so that reading it gives the same plan."""
    spread = plan.spread
    lines = [
        HEAD, "[plan]", f"margin_mm = {_number(asked_mm)}", "", "[spread]",
        *(f"{name} = {_number(getattr(spread, name))}"
          for name in ("tip_sd_mm", "radius_sd_mm", "registration_sd_mm", "breathing_sd_mm")),
        f"seed = {spread.seed}",
        *(line for needle in plan.needles for line in _needle(needle)),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _needle(needle: Needle) -> Iterator[str]:
    yield from ("", "[[needle]]", f'lesion = "{needle.lesion_id}"', *_zone(needle))
    if needle.entry_lps_mm is None:
        yield f"axis_lps = {_numbers(needle.zone.axis_lps)}  # towards the tip; the entry is not planned"
    else:
        yield f"entry_lps_mm = {_numbers(needle.entry_lps_mm)}"
    yield f"target_lps_mm = {_numbers(needle.target_lps_mm)}"


def _zone(needle: Needle) -> Iterator[str]:
    setting = needle.setting
    if setting.charted:
        yield f'setting = "{setting.id}"'
        return
    yield f"length_mm = {_number(setting.length_mm)}"
    yield f"width_mm = {_number(setting.width_mm)}"
    for name in ("width_sd_mm", "tip_beyond_mm"):
        value = getattr(setting, name)
        if value is not None:
            yield f"{name} = {_number(value)}"


def _numbers(values: FloatArray | Iterable[float]) -> str:
    return f"[{', '.join(_number(float(value)) for value in values)}]"


def _number(value: float) -> str:
    return repr(float(value))
