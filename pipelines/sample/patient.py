"""One synthetic patient: everything follows from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.sample.anatomy import Anatomy, make_anatomy
from pipelines.sample.field import Field, make_field
from pipelines.sample.lesions import Lesion, NoRoomError, Site, Zone, make_lesions, make_zones, survey

if TYPE_CHECKING:
    from pipelines.sample.shapes import FloatArray

ATTEMPTS = 60


@dataclass(frozen=True, eq=False)
class Patient:
    """Anatomy and tumours in PRE, the field between the studies, ablation zones in POST."""

    seed: int
    anatomy: Anatomy
    field: Field
    lesions: tuple[Lesion, ...]
    zones: tuple[Zone, ...]
    liver_centre_mm: FloatArray

    def liver_post(self, points_mm: FloatArray) -> FloatArray:
        """Return the liver's level at points of POST."""
        return self.anatomy.liver(self.field.pre_from_post(points_mm))


def make_patient(seed: int) -> Patient:
    """Return the patient of a seed; the same seed gives the same patient."""
    anatomy = make_anatomy(np.random.default_rng([seed, 0]))
    site = survey(anatomy)
    nodes = np.argwhere(site.depth.values_mm < 0)
    centre = site.depth.origin_mm + nodes.mean(axis=0) * site.depth.spacing_mm
    for attempt in range(ATTEMPTS):
        try:
            return _attempt(seed, attempt, anatomy, site, centre)
        except NoRoomError:
            continue
    msg = f"sample: no room for three lesions in {ATTEMPTS} draws of seed {seed}; use another seed"
    raise ValueError(msg)


def _attempt(seed: int, attempt: int, anatomy: Anatomy, site: Site, centre_mm: FloatArray) -> Patient:
    """Draw lesions, field and zones once."""
    rng = np.random.default_rng([seed, 1, attempt])
    lesions = make_lesions(rng, site)
    field = make_field(rng, centre_mm, np.stack([lesion.star.centre_mm for lesion in lesions]))
    zones = make_zones(rng, anatomy, field, lesions)
    return Patient(seed, anatomy, field, tuple(lesions), tuple(zones), centre_mm)
