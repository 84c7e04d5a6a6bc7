"""Reviews of every kind that a report has to show, from the balls of `review_fixture`. Each page was looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from entered import EVERYTHING
from review_fixture import a_case, a_review, an_assessment, assessed, not_treated

from pipelines.figures import MatplotlibIllustrator
from pipelines.ports import Review
from pipelines.wire import packaged_evidence, render
from planner.assessment import Assessment, LesionAssessment, Reason
from planner.caution import Caution
from planner.consult import consulted
from planner.measure.margin import Margin
from planner.report.figure import Figure

HOSTILE = "<script>alert(1)</script>\"'`{{ 7*7 }}#eval(1)$x^2$\n\u202eright to left\u202c\u200f" + "A" * 300


def twelve() -> Assessment:
    """Twelve lesions, each with a margin of its own, one of them not treated."""
    lesions = tuple(replace(assessed("12"[n % 2]), lesion_id=str(n + 1)) for n in range(11))
    return replace(an_assessment(), lesions=(*lesions, replace(not_treated(), lesion_id="12")))


def not_assessable() -> Assessment:
    """No lesion can be assessed: the registration failed."""
    why = Reason("margin", "registration-failed", "the predicted registration error at the zone is 9.3 mm")
    lesions = tuple(_without_margin(lesion, why) for lesion in an_assessment().lesions[:2])
    reasons = (Reason(None, "registration-failed", "every lesion failed the registration gate"),)
    return replace(an_assessment(), status="not_assessable", reasons=reasons, lesions=lesions)


def _without_margin(lesion: LesionAssessment, why: Reason) -> LesionAssessment:
    return replace(
        lesion, status="not_assessable", margin=None, coverage=None, rigid_min_mm=None, reasons=(why,), distances=()
    )


def untreated() -> Assessment:
    """One lesion, and no zone meets it."""
    return replace(an_assessment(), lesions=(not_treated(),))


def without_liver() -> Assessment:
    """No liver mask: margins are geometric, and nothing is known of the capsule."""
    lesions = tuple(replace(one, margin=_geometric(one.margin)) for one in an_assessment().lesions)
    return replace(an_assessment(), liver_used="none", lesions=lesions)


def _geometric(margin: Margin | None) -> Margin | None:
    return None if margin is None else replace(margin, definition="geometric", capsule_facing_fraction=None)


def hostile() -> Assessment:
    """Every string that a user's file may hold is hostile."""
    found = an_assessment()
    lesions = tuple(
        replace(one, reasons=(Reason("margin", "x", HOSTILE),), distances=tuple(
            replace(distance, structure=f"rib_{HOSTILE}") for distance in one.distances
        ))
        for one in found.lesions
    )  # fmt: skip
    return replace(
        found, case_id=HOSTILE, lesions=lesions, notes=(HOSTILE,), reasons=(Reason(None, "x", HOSTILE),),
        cautions=(Caution("hostile", HOSTILE),),
    )  # fmt: skip


CASES: dict[str, tuple[Callable[[], Assessment], bool]] = {
    "plain": (an_assessment, False),
    "everything-entered": (an_assessment, True),
    "twelve-lesions": (twelve, False),
    "not-assessable": (not_assessable, False),
    "not-treated": (untreated, False),
    "no-liver": (without_liver, False),
    "hostile": (hostile, False),
    "no-lesions": (lambda: replace(an_assessment(), lesions=(), findings=(), status="not_assessable"), False),
}
"""Each kind by name: what was found, and whether every fact was entered."""


@cache
def review_of(name: str) -> Review:
    """Return the finished review of a kind."""
    found, everything = CASES[name]
    judged = consulted(found(), EVERYTHING if everything else {}, packaged_evidence())
    return replace(a_review(), intake=replace(a_review().intake, case=a_case()), assessment=judged)


@cache
def drawn() -> tuple[Figure, ...]:
    """Return the pictures of the plain case, drawn once: a page sees no difference to those of others."""
    return MatplotlibIllustrator().draw(a_case(), an_assessment())


def figures_of(lesion: LesionAssessment) -> tuple[Figure, ...]:
    """Return the pictures of a lesion: those of the plain case's lesion with, or without, a margin."""
    like = "3" if lesion.margin is None else "1"
    return tuple(replace(one, lesion_id=lesion.lesion_id) for one in drawn() if one.lesion_id == like)


@cache
def html_of(name: str) -> str:
    """Return the page of a kind, with pictures."""
    finished = review_of(name)
    figures = tuple(figure for lesion in finished.assessment.lesions for figure in figures_of(lesion))
    return render(finished, figures).html
