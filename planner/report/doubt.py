"""What an interval says and rests on, in sentences for a report and a terminal."""

from __future__ import annotations

from planner.measure.interval import Doubt, Interval
from planner.report.words import millimetres, percent

SOURCES = {"contours": "contours", "registration": "registration", "voxels": "voxel sampling"}


def interval_sentences(interval: Interval | None) -> tuple[str, ...]:
    """Return the interval with what it assumes and where its width comes from, in sentences."""
    if interval is None:
        return ("No interval was computed.",)
    chances = ", ".join(f"{percent(p)} % for {limit:g} mm" for limit, p in sorted(interval.p_at_least.items()))
    sentences = [
        f"95 % interval of the true minimal margin: {millimetres(interval.low_mm)} to"
        f" {millimetres(interval.high_mm)} mm. Its centre is not the measured minimum, which reads low where contours"
        " are rough.",
        f"Probability that the minimal margin is at least the limit: {chances}." if chances else "",
        *interval_assumptions(interval),
    ]
    return tuple(sentence for sentence in sentences if sentence)


def interval_assumptions(interval: Interval) -> tuple[str, ...]:
    """Return what an interval assumes, and which source makes it wide, in sentences."""
    doubt = interval.assumed
    shares = ", ".join(
        f"{SOURCES.get(name, name)} {percent(share)} %" for name, share in interval.variance_share.items()
    )
    assumed = (
        f"Assumed standard deviations: tumour contour {doubt.tumour_contour_sd_mm:.2f} mm, zone contour"
        f" {doubt.zone_contour_sd_mm:.2f} mm (alike over {doubt.correlation_mm:.1f} mm){_capsule_doubt(doubt)},"
        f" voxel sampling {doubt.voxel_sd_mm:.2f} mm{_coarse(doubt)}; {_registration(doubt)}"
        " If they are too small, the interval is too narrow."
    )
    return (assumed, f"Shares of the variance: {shares}. {_widest(interval)}") if shares else (assumed,)


def _capsule_doubt(doubt: Doubt) -> str:
    sd_mm = doubt.liver_contour_sd_mm
    return f", liver contour {sd_mm:.2f} mm where the capsule's rim limits" if sd_mm else ""


def _coarse(doubt: Doubt) -> str:
    return f" and {doubt.slice_sd_mm:.2f} mm more for thick slices or few voxels" if doubt.slice_sd_mm else ""


def _registration(doubt: Doubt) -> str:
    if doubt.registration_error_mm == 0.0:
        return "the masks came aligned: no registration error is allowed for."
    return f"mean 3-D registration error {doubt.registration_error_mm:.2f} mm."


def _widest(interval: Interval) -> str:
    name = max(interval.variance_share, key=lambda source: interval.variance_share[source])
    return f"What makes the interval wide is above all {WIDE_BY.get(name, name)}."


WIDE_BY = {
    "contours": "how far the contours are assumed to be off",
    "registration": "how well the two studies could be brought together",
    "voxels": "how coarsely the voxels sample the contours",
}
