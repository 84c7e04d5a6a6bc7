"""Whether one study is stored the wrong way round: then its liver fits the other's only in a mirror."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from planner.errors import RegistrationInputError
from planner.register.prepare import Working
from planner.register.starts import best_fit_mm

ALIKE_MM = 3.5
"""Livers whose surfaces fit at least so well are of one patient. In eleven cases of `scripts/known_motion.py` they lay
1.6 to 2.0 mm apart, 5 to 10 mm where one of them was mirrored; a liver that was turned too far for the rough motions
fits neither way."""

AXES = {2: "left to right", 1: "front to back", 0: "head to feet"}


def require_not_mirrored(post: Working, pre: Working) -> None:
    """Raise where PRE's liver fits POST's in a mirror only; silent where a liver mask is missing.

    Raises
    ------
    RegistrationInputError
        It does.
    """
    if post.liver is None or pre.liver is None:
        return
    straight = best_fit_mm(post, pre)
    if straight <= ALIKE_MM:
        return
    fits = {axis: best_fit_mm(post, _flipped(pre, axis)) for axis in AXES}
    best = min(fits, key=lambda axis: fits[axis])
    if fits[best] <= ALIKE_MM:
        raise RegistrationInputError(
            f"PRE and POST: one liver fits the other only mirrored {AXES[best]} ({fits[best]:.1f} mm apart, else"
            f" {straight:.1f} mm), expected volumes that are both stored the right way round",
            code="mirrored",
        )


def _flipped(scan: Working, axis: int) -> Working:
    liver = None if scan.liver is None else np.flip(scan.liver, axis)
    return replace(scan, image=np.flip(scan.image, axis), seen=np.flip(scan.seen, axis), liver=liver)
