"""What published relations and rules say, in a reader's words."""

from __future__ import annotations

from collections.abc import Iterable

from planner.assessment import Assessment, LesionAssessment
from planner.evidence.hazard import NOT_COVERED, RelativeHazard
from planner.facts import APPROACH, DAYS_SINCE_ABLATION, DISPLACEMENT, FACTS, MODALITY, ONE_SESSION, PRIMARY
from planner.guideline.printed import unit_words
from planner.guideline.words import fact_words, percent
from planner.report.counts import counted

_NO_MARGIN = "no margin was measured: no relative hazard"

_ALWAYS = tuple(fact.name for fact in (PRIMARY, MODALITY, APPROACH, DISPLACEMENT, ONE_SESSION, DAYS_SINCE_ABLATION))
"""Facts that a report lists whether entered or not."""

_MOST_UNLOCKING = 3
"""Facts that a report names as those that would unlock most rules."""


def risk_sentences(lesion: LesionAssessment) -> tuple[str, ...]:
    """Return what the published relation says of a lesion, sentence by sentence; empty where none was asked."""
    risk = lesion.risk
    if risk is None:
        return ()
    if risk.relative_hazard is None:
        first = NOT_COVERED if _negative(lesion) else _NO_MARGIN
        notes = [note for note in risk.notes if note != first]
        return (f"{risk.source.short}: {first}.", *_sentences((*notes, _alike(risk))))
    said = f"{risk.source.short}: hazard of local tumour progression {risk.relative_hazard:.2f} times that at"
    return (
        f"{said} a margin of {risk.reference_mm:g} mm{_interval(risk, lesion)}. Relative only: no absolute risk.",
        *_sentences((*risk.notes, _alike(risk))),
    )


def fact_rows(assessment: Assessment) -> tuple[tuple[str, str], ...]:
    """Return in words the facts that were entered or are asked for; dates are not among them, only days."""
    asked = {*_ALWAYS, *(name for judged in assessment.judged for name in judged.case.missing)}
    return tuple(
        (fact_words(name), _entered(name, value))
        for name, value in assessment.facts.items()
        if value is not None or name in asked
    )


def other_facts(assessment: Assessment) -> tuple[str, ...]:
    """Return in words the facts that nothing here asks for and that were not entered."""
    listed = {name for name, _ in fact_rows(assessment)}
    return tuple(said for said in map(fact_words, assessment.facts) if said not in listed)


def unlocking_sentence(assessment: Assessment) -> str:
    """Return which facts, at most three, would let most rules be judged; empty where none would."""
    said = []
    for unlocking in assessment.unlocking[:_MOST_UNLOCKING]:
        number, alone = len(unlocking.rules), len(unlocking.alone)
        how = "" if alone == number else f", {alone} of them by itself" if alone else ", only with other facts"
        said.append(f"{fact_words(unlocking.fact)} ({counted(number, 'rule')}{how})")
    return f"Not entered, and would let most rules be judged: {'; '.join(said)}" if said else ""


def missing_sentence(assessment: Assessment) -> str:
    """Return which facts were not entered that most depends on: for whom the relation holds, and further criteria."""
    needed = {"ablation modality": MODALITY.name, "primary": PRIMARY.name}
    unknown = [name for lesion in assessment.lesions if lesion.risk is not None
               for name in lesion.risk.population.those("unknown")]  # fmt: skip
    first = [fact_words(fact) for name, fact in needed.items()
             if name in unknown and assessment.facts.get(fact) is None]  # fmt: skip
    if "scan date" in unknown and assessment.days_since_ablation is None:
        first.append("day of the ablation")
    then = [said for one in assessment.unlocking[:_MOST_UNLOCKING] if (said := fact_words(one.fact)) not in first]
    parts = [f"{', '.join(first)} (the hazard and many criteria rest on it)"] if first else []
    parts += [f"{', '.join(then)} (would let most further criteria be judged)"] if then else []
    return f"Not entered: {'; '.join(parts)}." if parts else ""


def references(assessment: Assessment) -> tuple[tuple[str, str, str], ...]:
    """Return short name, citation and strength of every source that the assessment was held against."""
    found: dict[str, tuple[str, str, str]] = {}
    for risk in (lesion.risk for lesion in assessment.lesions if lesion.risk is not None):
        found.setdefault(risk.model, (risk.source.short, risk.source.text, risk.strength))
    strengths: dict[str, list[str]] = {}
    for rule in (judged.rule for judged in assessment.judged if judged.here):
        strengths.setdefault(rule.source.key, []).append(f"{rule.id}: {rule.strength}")
        year = rule.source.citation.year or "undated"
        short = f"{rule.source.label} ({year}{', unattributed' * (rule.source.status == 'unattributed')})"
        found[rule.source.key] = (short, rule.source.citation.text, "; ".join(strengths[rule.source.key]))
    return tuple(found.values())


def _entered(name: str, value: object) -> str:
    if value is None:
        return "not entered"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(word.replace("_", " ") for word in value)
    unit = unit_words(FACTS[name].unit)
    return f"{value:g} {unit}".strip() if isinstance(value, float) else str(value).replace("_", " ")


def _negative(lesion: LesionAssessment) -> bool:
    return lesion.margin is not None and lesion.margin.min_mm is not None and lesion.margin.min_mm < 0


def _alike(risk: RelativeHazard) -> str:
    """Return on which points the case is like those studied; empty where on none."""
    alike = risk.population.those("match")
    return f"matches those studied in {', '.join(alike)}" if alike else ""


def _interval(risk: RelativeHazard, lesion: LesionAssessment) -> str:
    low, high = risk.interval
    if low is None:
        return ""
    if high is not None and low == high:
        return f" (held at {low:.2f} over all of the margin's 95 % interval)"
    if high is not None:
        return f" ({low:.2f} to {high:.2f} over the margin's 95 % interval)"
    interval = None if lesion.margin is None else lesion.margin.interval
    below = "" if interval is None else f", P(margin < 0 mm) {percent(1.0 - interval.p_at_least[0.0])}"
    return f" ({low:.2f} to not bounded{below})"


def _sentences(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{text[0].upper()}{text[1:].rstrip('.')}." for text in texts if text)
