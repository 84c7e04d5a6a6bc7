"""The tumours of the baseline study in words: which have no counterpart in PRE, and where they were."""

from __future__ import annotations

from planner.vanished import NO_BASELINE, BaselineLesion, SinceBaseline

UNSEEN = "That a tumour has no mask in PRE does not say that no disease is left there."


def baseline_sentences(baseline: SinceBaseline) -> tuple[str, ...]:
    """Return a sentence for each tumour of the baseline study; none where there was no such study."""
    if baseline.reason is not None:
        return () if baseline.reason == NO_BASELINE.reason else (f"Not known: {baseline.reason}.",)
    said = tuple(_sentence(lesion) for lesion in baseline.lesions)
    return (*said, UNSEEN) if any(lesion.vanished for lesion in baseline.lesions) else said


def _sentence(lesion: BaselineLesion) -> str:
    size = f"{lesion.volume_ml:.3g} ml, {lesion.max_axial_diameter_mm:.3g} mm in an axial plane"
    who = f"Tumour {lesion.lesion_id} of the baseline ({size})"
    if lesion.vanished is None:
        return f"{who}: not known whether PRE shows it, as {lesion.reason}{_where(lesion)}."
    if not lesion.vanished:
        return f"{who} meets tumour {lesion.nearest} of PRE ({_gap(lesion)}){_where(lesion)}."
    if lesion.gap_mm is None:
        return f"{who} has no counterpart in PRE, which has no tumour mask{_where(lesion)}."
    return f"{who} has no counterpart in PRE: tumour {lesion.nearest} is the nearest ({_gap(lesion)}){_where(lesion)}."


def _gap(lesion: BaselineLesion) -> str:
    gap_mm, error_mm = lesion.gap_mm or 0.0, lesion.error_mm or 0.0
    apart = f"{gap_mm:.1f} mm apart" if gap_mm > 0 else f"overlapping by {-gap_mm:.1f} mm"
    return f"{apart}; the registration may be off by {error_mm:.1f} mm there"


def _where(lesion: BaselineLesion) -> str:
    if lesion.at_pre_lps_mm is None:
        return ""
    x, y, z = lesion.at_pre_lps_mm
    lobe = f", {lesion.place}" if lesion.place else ""
    return f"; its place in PRE is {x:.0f}, {y:.0f}, {z:.0f} mm (LPS){lobe}"
