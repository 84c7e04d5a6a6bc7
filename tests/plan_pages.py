"""Plans of every kind that a report has to show, of balls in a made-up liver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import analytic
import numpy as np
from plan_cases import case_of, scan, setting
from report_cases import HOSTILE

from pipelines.ports import FinishedPlan, Intake, Pages
from pipelines.wire import packaged_evidence, render_planned
from planner.case import Case
from planner.caution import Caution
from planner.consult import consulted
from planner.grid import Grid
from planner.plan.kept import NOTHING_KEPT, Kept
from planner.plan.make import planned
from planner.plan.needle import Needle, needle_along, needle_of
from planner.plan.plan import Plan, PlanSettings
from planner.plan.robust import Spread

PLACE = np.array([-70.0, 20.0, 130.0])
FIRST, SECOND = PLACE + np.array([-18.0, 4.0, 6.0]), PLACE + np.array([22.0, -6.0, -8.0])
CORONAL = np.array(((1.0, 0, 0), (0, 0, 1.0), (0, -1.0, 0)))
BODIES = {
    "liver": analytic.ellipsoid(PLACE, (55.0, 48.0, 45.0)),
    "tumour_1": analytic.ball(FIRST, 8.0),
    "tumour_2": analytic.ball(SECOND, 6.0),
    "portal_vein": analytic.ball(PLACE + np.array([2.0, 18.0, 0.0]), 5.0),
}
ONE_LESION = {role: body for role, body in BODIES.items() if role != "tumour_2"}
ASKED = PlanSettings(asked_mm=5.0, spread=Spread(draws=1024))


def grid(turned: np.ndarray | None = None) -> Grid:
    return analytic.lattice(60.0, (2.5, 1.6, 1.6), turned, PLACE)


def needles() -> tuple[Needle, ...]:
    """Two needles for the first lesion, with entries; one for the second, whose entry is not planned."""
    along = setting(34.0, 26.0, tip_mm=3.0)
    out = np.array([-45.0, -30.0, 5.0])
    return (
        needle_of("1", "1", along, FIRST + out, FIRST + np.array([3.0, 3.0, 0.0])),
        needle_of("2", "1", along, FIRST + out + np.array([0.0, 8.0, 4.0]), FIRST + np.array([-2.0, 2.0, 6.0])),
        needle_along("3", "2", setting(26.0, 20.0), np.array([0.3, 0.9, 0.1]), SECOND + np.array([0.0, 0.0, 2.0])),
    )


def case(bodies: dict[str, analytic.Inside] | None = None, turned: np.ndarray | None = None) -> Case:
    return case_of(scan(grid(turned), BODIES if bodies is None else bodies))


def made(of: Case, with_needles: tuple[Needle, ...], kept: Kept = NOTHING_KEPT) -> Plan:
    plan = planned(of, with_needles, ASKED, kept=kept)
    chances = {one.lesion_id: one.robustness.p_at_least for one in plan.lesions if one.robustness is not None}
    return replace(plan, assessment=consulted(plan.assessment, {}, packaged_evidence(None), "plan", chances))


def plain() -> Plan:
    return made(case(), needles())


def no_zone() -> Plan:
    return made(case(), needles()[:2])


def no_liver() -> Plan:
    return made(case({role: body for role, body in ONE_LESION.items() if role != "liver"}), needles()[:2])


def coronal() -> Plan:
    return made(case(ONE_LESION, CORONAL), needles()[:2])


def beside_kept() -> Plan:
    study = scan(grid(), {**ONE_LESION, "ablation_1": analytic.ball(FIRST + np.array([9.0, 0.0, 0.0]), 13.0)})
    further = replace(needles()[0], zone_id="2")
    return made(case_of(study), (further,), Kept(study.ablations, {"1": ("1",)}))


def hostile() -> Plan:
    plan = plan_named("plain")
    lesions = tuple(
        replace(one, needles=tuple(replace(n, setting=replace(n.setting, device=HOSTILE)) for n in one.needles))
        for one in plan.lesions
    )
    assessment = replace(
        plan.assessment, case_id=HOSTILE, notes=(HOSTILE,), cautions=(Caution("hostile", HOSTILE),)
    )  # fmt: skip
    return replace(plan, lesions=lesions, assessment=assessment)


PLANS: dict[str, Callable[[], Plan]] = {
    "plain": plain,
    "no-zone": no_zone,
    "no-liver": no_liver,
    "coronal": coronal,
    "beside-kept": beside_kept,
    "hostile": hostile,
}


@cache
def plan_named(name: str) -> Plan:
    return PLANS[name]()


@cache
def pages_of(name: str) -> Pages:
    plan = plan_named(name)
    finished = FinishedPlan(Intake(plan.case, {}), plan, {"software": "tests", "seeds": {"spread": 1}}, {"read": 0.1})
    return render_planned(finished)
