"""What is known of one case: two studies, their structures, and what a clinician entered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from types import MappingProxyType

import numpy as np

from planner.caution import Caution
from planner.errors import InputError
from planner.register.prepare import Scan
from planner.timing import UNKNOWN_TIMING, Timing
from planner.volume import Mask, Volume

STRUCTURES = (
    "liver",
    "portal_vein",
    "hepatic_vein",
    "hepatic_vein_left",
    "hepatic_vein_middle",
    "hepatic_vein_right",
    "ivc",
    "hepatic_artery",
    "bile_duct",
    "common_bile_duct",
    "left_hepatic_duct",
    "right_hepatic_duct",
    "gallbladder",
    "stomach",
    "duodenum",
    "small_bowel",
    "colon",
    "kidney_left",
    "kidney_right",
    "heart",
    "diaphragm",
    "skin",
    "spleen",
    "pancreas",
    "aorta",
)
"""Roles of which a study has at most one mask. `rib...`, `lung...` and `heart...` names are roles too."""

LOBES = ("liver_left", "liver_right")
"""Roles of the liver's lobes, as Cantlie's line parts them. Parts of the liver are no structures beside it."""

SEGMENTS = (*(f"liver_segment_{n}" for n in range(1, 9)), "liver_segment_4a", "liver_segment_4b")
"""Roles of Couinaud's segments, as TotalSegmentator names them."""

VESSELS = (
    "portal_vein",
    "hepatic_vein",
    "hepatic_vein_left",
    "hepatic_vein_middle",
    "hepatic_vein_right",
    "ivc",
    "hepatic_artery",
)
"""Roles that count as vessels beside a tumour."""

EDGE_VOXELS = 0.5
"""A voxel centre nearer than this to the centres of a scan's outermost voxels lies in them."""

_NUMBERED = re.compile(r"(tumour|ablation)_([1-9][0-9]*)")
_FAMILY = re.compile(r"(rib|lung|vertebra|heart)[a-z0-9_]*")


def is_role(name: str) -> bool:
    """Return whether `name` is a role: a structure or a part of one (`rib...`, `heart...`), `tumour_N`, ..."""
    if name in STRUCTURES or name in LOBES or name in SEGMENTS:
        return True
    return _FAMILY.fullmatch(name) is not None or _NUMBERED.fullmatch(name) is not None


def mask_notes(mask: Mask) -> tuple[str, ...]:
    """Return sentences on what is odd about the mask of a tumour or an ablation zone, though it may be meant."""
    count = int(np.count_nonzero(mask.voxels_kji))
    found = [f"{mask.name}: the mask is a single voxel, its shape is not known"] if count == 1 else []
    if count == mask.voxels_kji.size:
        found.append(f"{mask.name}: the mask fills its whole lattice, where the structure ends is not known")
    return tuple(found)


def aligned_notes(tumour: Mask, zones: Sequence[Mask]) -> tuple[str, ...]:
    """Return sentences on what is odd about aligned masks, though it may be meant."""
    notes = [note for mask in (tumour, *zones) for note in mask_notes(mask)]
    if zones and all(zone.volume_ml < tumour.volume_ml and _lies_within(zone, tumour) for zone in zones):
        names = ", ".join(zone.name for zone in zones)
        notes.append(f"{names}: wholly inside the tumour; the masks of tumour and zone may be swapped")
    return tuple(notes)


def _lies_within(inner: Mask, outer: Mask) -> bool:
    """Return whether the centre of every voxel of `inner` lies in a voxel of `outer`."""
    centres = inner.centres_lps_mm()
    if not outer.grid.contains(centres).all():
        return False
    last_ijk = np.asarray(outer.grid.shape_kji[::-1]) - 1
    i, j, k = np.clip(np.rint(outer.grid.ijk(centres)).astype(np.int64), 0, last_ijk).T
    return bool(outer.voxels_kji[k, j, i].all())


def _numbered(masks: Mapping[str, Mask], kind: str) -> dict[str, Mask]:
    """Return the masks of `kind`, keyed by number, in numeric order."""
    found = {}
    for role, mask in masks.items():
        match = _NUMBERED.fullmatch(role)
        if match and match.group(1) == kind:
            found[match.group(2)] = mask
    return dict(sorted(found.items(), key=lambda item: int(item[0])))


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """One examination: an image, the masks drawn on it by role, and what was noticed while reading.

    Parameters
    ----------
    image
        The image volume.
    masks
        Masks by role: a name of `STRUCTURES`, `LOBES` or `SEGMENTS`, `tumour_N` or `ablation_N` (N from 1), `rib...` or
        `lung...`. Each keeps its own lattice, in the image's frame of reference.
    notes
        Sentences for the report: what was tolerated, absent or decided while reading. No patient data.
    simulated
        Whether the image says that its contrast is simulated, not scanned.
    is_scan
        Whether the image is a scan, at whose end a structure may be cut; False where masks came without one.
    scanned_on
        The day of the scan, to count days by; None where nobody states it. It is never written or printed.
    """

    image: Volume
    masks: Mapping[str, Mask]
    notes: tuple[str, ...] = ()
    simulated: bool = False
    is_scan: bool = True
    scanned_on: date | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Check roles and frames of reference and keep the masks read-only."""
        for role, mask in self.masks.items():
            if not is_role(role):
                raise InputError(f"{role}: not a role this program knows", code="unknown-role")
            self.image.grid.require_same_frame(mask.grid, f"image and {role}")
        object.__setattr__(self, "masks", MappingProxyType(dict(self.masks)))

    @property
    def tumours(self) -> dict[str, Mask]:
        """Tumour masks by lesion id ("1", "2", ...), in numeric order."""
        return _numbered(self.masks, "tumour")

    @property
    def ablations(self) -> dict[str, Mask]:
        """Ablation zone masks by zone id ("1", "2", ...), in numeric order."""
        return _numbered(self.masks, "ablation")

    @property
    def vessels(self) -> dict[str, Mask]:
        """Vessel masks by role."""
        return {role: mask for role, mask in self.masks.items() if role in VESSELS}

    @property
    def liver(self) -> Mask | None:
        """The liver mask, or None where there is none."""
        liver = self.masks.get("liver")
        return None if liver is None or liver.is_empty else liver

    def cuts(self, mask: Mask) -> bool:
        """Return whether a mask reaches the outermost voxels of the scan, so that the structure may go on outside."""
        if not self.is_scan or mask.is_empty:
            return False
        if mask.grid.same_lattice(self.image.grid):
            return mask.touches_edge()
        ijk = self.image.grid.ijk(mask.centres_lps_mm())
        last = np.asarray(self.image.grid.shape_kji[::-1]) - 1
        return bool((ijk < EDGE_VOXELS).any() or (ijk > last - EDGE_VOXELS).any())

    def scan(self, lesions: Mapping[str, Mask]) -> Scan:
        """Return what the registration needs: the image, the liver, these tumours or ablation zones, and vessels."""
        vessels = {role: mask for role, mask in self.vessels.items() if not mask.is_empty}
        return Scan(self.image, self.liver, lesions, vessels)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A patient's pre- and post-ablation study and what was entered about them.

    Parameters
    ----------
    case_id, patient_key
        Names that hold no patient data.
    pre, post
        The study with the tumours and the study with the ablation zones.
    pairs
        Lesion id -> ids of the zones that treat it, as entered; lesions that are left out are paired by overlap.
    facts
        Clinical facts as entered, by registered name. A missing one is unknown.
    notes
        Sentences for the report about the case as a whole.
    cautions
        What stands above all else in the report.
    timing
        How many days lie between the studies and the ablation.
    baseline
        A study from before PRE (before chemotherapy) with the tumours that were seen then; None where none was given.
    """

    case_id: str
    patient_key: str
    pre: Study
    post: Study
    pairs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    cautions: tuple[Caution, ...] = ()
    timing: Timing = UNKNOWN_TIMING
    baseline: Study | None = None

    def __post_init__(self) -> None:
        """Check that the studies are not swapped and that entered pairs name lesions and zones that exist."""
        if self.pre.ablations and self.post.tumours and not (self.pre.tumours or self.post.ablations):
            raise InputError(
                "PRE holds ablation zones and no tumour, POST tumours and no ablation zone: are the two swapped?",
                code="swapped-studies",
            )
        for lesion, zones in self.pairs.items():
            if lesion not in self.pre.tumours:
                raise InputError(f"pair: lesion {lesion} has no tumour mask in PRE", code="unknown-lesion")
            if len(set(zones)) < len(zones):
                raise InputError(f"pair: a zone is named twice for lesion {lesion}", code="duplicate-zone")
            for zone in zones:
                if zone not in self.post.ablations:
                    raise InputError(f"pair: zone {zone} has no ablation mask in POST", code="unknown-zone")
        object.__setattr__(self, "pairs", MappingProxyType(dict(self.pairs)))
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))


def twins(case: Case) -> tuple[str, ...]:
    """Return sentences on tumours, or ablation zones, whose masks are one and the same: one lesion counted twice."""
    return tuple(
        f"{kind}_{one} and {kind}_{other} have the same mask: is one of them a copy?"
        for kind, masks in (("tumour", case.pre.tumours), ("ablation", case.post.ablations))
        for one, other in combinations(masks, 2)
        if _same_voxels(masks[one], masks[other])
    )


def _same_voxels(a: Mask, b: Mask) -> bool:
    a, b = a.cropped(0), b.cropped(0)
    return a.grid.same_lattice(b.grid) and bool((a.voxels_kji == b.voxels_kji).all())
