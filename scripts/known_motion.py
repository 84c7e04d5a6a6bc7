"""A post-ablation study made from any scan of a liver, with a known motion: for benches of the registration.

The motion is rigid, plus breathing that slides along the ribs, plus smooth waves (which may squeeze tissue), plus
contraction towards the zone. The zone is dark with a brighter rim; grid, slice profile, contrast and noise differ from
PRE's, and both liver masks are off by a smooth surface error of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from pipelines.sample.field import Field, make_field
from pipelines.sample.palettes import Palette
from pipelines.sample.phantoms import Star, ball, lobes
from pipelines.sample.scanner import scanned
from planner.grid import FloatArray, Grid
from planner.register.prepare import Scan
from planner.volume import BoolVoxels, FloatVoxels, Mask, Volume

BREATH_MM = (4.0, 12.0)
SLIDING_MM = 1.5
OUTLINE_LINES = 24
BESIDE_LIVER_MM = 3.0
"""The breathing is half of what it is inside this far beyond the liver's outline, and fades over the first."""

MASK_ERROR_MM = 1.2
MASK_ERROR_ALIKE_MM = 12.0
ERROR_STEP_MM = 4.0
SQUEEZING = 0.25
"""Waves along their own direction, which change the volume of tissue by some per cent, are this share of the others."""

MOST_CONTRACTION = 0.14
REACH_OF_CONTRACTION = 1.3
"""By volume; how far it reaches, in radii of the zone."""

NOISE_HU = 11.0
RIM_MM = 1.4
EDGE_MM = 1.0
AROUND_LIVER_MM = (45.0, 12.0)
"""How much of the body a scan shows around the liver, in the plane and along the body."""

THIN_MM = 1.0
"""A slice is the mean of samples about this far apart."""

NEAR_MM = 20.0
"""So much liver around a zone lies in both scans."""


class NoSiteError(ValueError):
    """No place for a lesion in this source."""


@dataclass(frozen=True)
class Look:
    """How a scan shows what the source does not have, in its own units.

    Parameters
    ----------
    modality
        "CT" or "MR".
    air
        Value outside the source.
    tumour, zone, rim
        By how much a tumour, an ablation zone and its rim differ from the liver.
    kept, limits
        Of what the zone's tissue differed from the liver before, limited, so much is left.
    """

    modality: str
    air: float
    tumour: float
    zone: float
    rim: float
    kept: float
    limits: tuple[float, float]

    @classmethod
    def of(cls, palette: Palette) -> Look:
        """Return that of a synthetic patient's contrast."""
        liver, zone = palette.ink["liver"][0], palette.zone
        limits = (zone.limits[0] - liver, zone.limits[1] - liver)
        tumour = palette.ink["tumour"][0] - liver
        return cls(palette.modality, palette.air, tumour, zone.base - liver, zone.rim, zone.kept, limits)


CT_LOOK = Look("CT", -1000.0, -40.0, -45.0, 16.0, 0.14, (-110.0, 90.0))


@dataclass(frozen=True, eq=False)
class Source:
    """A scan and its liver, each on a lattice of its own; where POST is of another contrast, also that."""

    image: Volume
    liver: Mask
    look: Look = CT_LOOK
    after: Volume | None = None
    after_look: Look = CT_LOOK

    def as_after(self) -> Source:
        """Return the source of POST."""
        return self if self.after is None else Source(self.after, self.liver, self.after_look)


@dataclass(frozen=True)
class Wanted:
    """What the two studies are to be like.

    Parameters
    ----------
    pre_kji_mm, post_kji_mm
        Voxel sizes.
    missing
        Share of the liver's height that POST lacks at its top (+) or bottom (-).
    away_mm, turned_deg
        A further rigid motion of POST: studies of two frames.
    shape_kji
        So many voxels in each study over the same fields of view, whatever the voxel sizes; None: by the sizes.
    """

    pre_kji_mm: tuple[float, float, float]
    post_kji_mm: tuple[float, float, float]
    missing: float = 0.0
    away_mm: float = 0.0
    turned_deg: float = 0.0
    shape_kji: tuple[int, int, int] | None = None


@dataclass(frozen=True, eq=False)
class Motion:
    """`pre_from_post(y) = slide(field(rigid(y)))`.

    Parameters
    ----------
    field
        The patient's own motion.
    near_from_post
        4 x 4: takes POST, where it lies in a frame far away, to one near PRE's.
    outline
        Shape (n, 3): lines a x + b y + c <= 0 around the liver, seen along the body, PRE.
    breath_mm
        How far the inside of the outline slides along the body.
    """

    field: Field
    near_from_post: FloatArray
    outline: FloatArray
    breath_mm: float

    def pre_from_post(self, points_mm: FloatArray) -> FloatArray:
        """Return the points of PRE that hold the tissue at these points of POST, shape (n, 3)."""
        found = np.asarray(self.field.pre_from_post(self.near(points_mm)), dtype=np.float64)
        return self._slid(found, 1.0)

    def post_from_pre(self, points_mm: FloatArray) -> FloatArray:
        """Return the points of POST whose tissue was at these points of PRE, shape (n, 3)."""
        found = np.asarray(self.field.post_from_pre(self._slid(points_mm, -1.0)), dtype=np.float64)
        return self.post_from_near(found)

    def uncontracted(self) -> Motion:
        """Return the same motion of a patient whose tissue did not contract."""
        still = np.zeros_like(self.field.contraction_fractions)
        return replace(self, field=replace(self.field, contraction_fractions=still))

    def near(self, points_post_mm: FloatArray) -> FloatArray:
        """Return points of POST in the frame near PRE's."""
        return _moved(self.near_from_post, points_post_mm)

    def post_from_near(self, points_mm: FloatArray) -> FloatArray:
        """Return points of the frame near PRE's in POST."""
        return _moved(np.asarray(np.linalg.inv(self.near_from_post)), points_mm)

    def _slid(self, points_mm: FloatArray, sign: float) -> FloatArray:
        outside_mm = np.full(len(points_mm), -np.inf)
        for a, b, c in self.outline:
            np.maximum(outside_mm, a * points_mm[:, 0] + b * points_mm[:, 1] + c, out=outside_mm)
        share = 1.0 / (1.0 + np.exp(np.minimum((outside_mm - BESIDE_LIVER_MM) / SLIDING_MM, 50.0)))
        moved = np.array(points_mm)
        moved[:, 2] += sign * self.breath_mm * share
        return moved


@dataclass(frozen=True, eq=False)
class Made:
    """Two studies, as a registration is given them, and the truth.

    Parameters
    ----------
    pre, post
        The studies; POST's lesion "1" is the zone.
    motion
        The true one.
    tumour, zone
        The tumour in PRE; the zone in the frame near PRE's (see `Motion.near`).
    liver_mm
        Shape (n, 3): points of the true liver, PRE.
    contraction
        By volume.
    """

    pre: Scan
    post: Scan
    motion: Motion
    tumour: Star
    zone: Star
    liver_mm: FloatArray
    contraction: float

    def margin_mm(self, tumour_post_mm: FloatArray) -> float:
        """Return the minimal margin, mm, of a tumour's surface points as a map takes them to POST (+ covered)."""
        near = self.motion.near(tumour_post_mm)
        inside = np.where(self.zone.inside(near), 1.0, -1.0)
        surface = self.zone.samples(ZONE_SAMPLES).points_mm
        gap = _nearest_mm(near, surface)
        return float((inside * gap).min())


ZONE_SAMPLES = 20000
ENOUGH_POINTS = 20000


def make_after(source: Source, seed: int, wanted: Wanted) -> Made:
    """Return two studies of a source, the second after an ablation; all of it follows from the seed.

    Raises
    ------
    NoSiteError
        The liver that both studies show has no room for the zone.
    """
    rng = np.random.default_rng([seed, 7])
    radius = float(rng.uniform(6.0, 14.0))
    grown_mm = float(rng.uniform(2.0, 9.0))
    liver_mm = source.liver.centres_lps_mm()
    site = _site(source, radius, grown_mm, wanted.missing, rng)
    contraction = float(rng.uniform(0.0, MOST_CONTRACTION))
    motion = _motion(liver_mm, site, (radius + grown_mm) * REACH_OF_CONTRACTION, contraction, wanted, rng)
    tumour = ball(site, radius, lobes(rng, 4, 0.15, (2.0, 5.0)))
    middle = motion.near(motion.post_from_pre(site[None]))[0] + rng.normal(0.0, 2.0, 3)
    zone = ball(middle, radius + grown_mm, lobes(rng, 4, 0.12, (2.0, 5.0)))
    level = _level_mm(source.liver)
    some = liver_mm[:: max(1, len(liver_mm) // ENOUGH_POINTS)]
    seen = source.image.grid.corners_lps_mm()
    pre_grid = _grid_around(some, seen[:, 2], wanted.pre_kji_mm, 0.0, rng)
    post_grid = _grid_around(
        motion.post_from_pre(some), _ends_mm(motion, some, seen[:, 2]), wanted.post_kji_mm, wanted.missing, rng
    )
    if wanted.shape_kji is not None:
        pre_grid, post_grid = (_refined(grid, wanted.shape_kji) for grid in (pre_grid, post_grid))
    before = _study(source, level, pre_grid, lambda at: at, tumour, rng)
    later = source.as_after()
    after = _study(later, level, post_grid, motion.pre_from_post, tumour, rng)
    liver_value = float(np.median(_read(later.image, some, later.look.air)))
    before_zone, after_zone = before.image.voxels_kji, _with_zone(after.image, motion, zone, liver_value, later.look)
    drawn = Mask(_inside(tumour, _centres(pre_grid), pre_grid), pre_grid, "tumour_1")
    ablation = Mask(_inside(zone, motion.near(_centres(post_grid)), post_grid), post_grid, "ablation_1")
    pre = Scan(_as_scanned(before_zone, pre_grid, source.look, rng), before.liver, {"1": drawn})
    post = Scan(_as_scanned(after_zone, post_grid, later.look, rng, other_phase=True), after.liver, {"1": ablation})
    return Made(pre, post, motion, tumour, zone, some, contraction)


def _site(source: Source, radius: float, grown_mm: float, missing: float, rng: np.random.Generator) -> FloatArray:
    """Return a point of the liver, PRE, that is deep enough and has liver on all sides in both scans."""
    liver = source.liver
    depth = ndimage.distance_transform_edt(liver.voxels_kji, sampling=liver.grid.spacing_kji_mm)
    points, deep = liver.grid.lps_mm(np.argwhere(depth > 0)[:, ::-1]), depth[depth > 0]
    room = radius + grown_mm + NEAR_MM
    low, high = points[:, 2].min(), points[:, 2].max()
    z = points[:, 2]
    fits = deep >= 0.9 * radius + 2.0
    if missing > 0:
        fits &= z <= high - missing * (high - low) - room
    if missing < 0:
        fits &= z >= low - missing * (high - low) + room
    corners = source.image.grid.corners_lps_mm()
    fits &= (z >= corners[:, 2].min() + room) & (z <= corners[:, 2].max() - room)
    if not fits.any():
        raise NoSiteError("no room for a lesion whose surroundings both scans show")
    return np.asarray(points[rng.choice(np.flatnonzero(fits))] + rng.uniform(-0.5, 0.5, 3))


def _motion(
    liver_mm: FloatArray,
    site: FloatArray,
    reach_mm: float,
    contraction: float,
    wanted: Wanted,
    rng: np.random.Generator,
) -> Motion:
    centre = liver_mm.mean(axis=0)
    field = make_field(rng, centre, np.zeros((0, 3)))
    sizes = np.linalg.norm(field.amplitudes_mm, axis=1, keepdims=True) * rng.normal(
        0.0, SQUEEZING, (len(field.phases), 1)
    )
    field = replace(field, amplitudes_mm=field.amplitudes_mm + sizes * _unit(field.wave_vectors_per_mm))
    breath = float(rng.uniform(*BREATH_MM) * rng.choice([-1.0, 1.0]))
    direction = rng.normal(size=3) * [0.5, 0.5, 1.0]
    axis = rng.normal(size=3)
    far = np.eye(4)
    far[:3, :3] = Rotation.from_rotvec(np.radians(wanted.turned_deg) * axis / np.linalg.norm(axis)).as_matrix()
    far[:3, 3] = centre - far[:3, :3] @ centre + wanted.away_mm * direction / np.linalg.norm(direction)
    found = Motion(field, np.asarray(np.linalg.inv(far)), _outline(liver_mm), breath)
    at = found.near(found.post_from_pre(site[None]))
    linear = (1.0 - contraction) ** (-1.0 / 3.0) - 1.0
    contracted = replace(
        field, contraction_centres_mm=at, contraction_fractions=np.array([linear]), contraction_radius_mm=reach_mm
    )
    return replace(found, field=contracted)


def _outline(liver_mm: FloatArray) -> FloatArray:
    """Return lines around the liver as seen along the body, shape (n, 3)."""
    angle = np.linspace(0.0, 2.0 * np.pi, OUTLINE_LINES, endpoint=False)
    outward = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.column_stack([outward, -(liver_mm[:, :2] @ outward.T).max(axis=0)])


def _ends_mm(motion: Motion, liver_mm: FloatArray, ends_mm: FloatArray) -> FloatArray:
    """Return between which heights all of the liver's surroundings, as POST shows them, come from within the source."""
    low, high = liver_mm[:, :2].min(axis=0), liver_mm[:, :2].max(axis=0)
    x, y = np.meshgrid(np.linspace(low[0], high[0], 12), np.linspace(low[1], high[1], 12))
    planes = [
        motion.post_from_pre(np.stack([x.ravel(), y.ravel(), np.full(x.size, z)], axis=1))[:, 2]
        for z in (ends_mm.min(), ends_mm.max())
    ]
    return np.array([planes[0].max(), planes[1].min()])


def _grid_around(
    liver_mm: FloatArray,
    ends_mm: FloatArray,
    spacing_kji_mm: tuple[float, float, float],
    missing: float,
    rng: np.random.Generator,
) -> Grid:
    """Return a scan's lattice around the liver, less the share of the liver that is missing, between two heights."""
    beyond = np.array([AROUND_LIVER_MM[0], AROUND_LIVER_MM[0], AROUND_LIVER_MM[1]])
    low, high = liver_mm.min(axis=0) - beyond, liver_mm.max(axis=0) + beyond
    cut = abs(missing) * float(np.ptp(liver_mm[:, 2])) + beyond[2]
    if missing > 0:
        high[2] -= cut
    if missing < 0:
        low[2] += cut
    low[2], high[2] = max(low[2], ends_mm.min()), min(high[2], ends_mm.max())
    spacing = np.asarray(spacing_kji_mm)[::-1]
    low = low + rng.uniform(0.0, 1.0, 3) * spacing
    counts = np.floor((high - low) / spacing).astype(int) + 1
    return Grid.axis_aligned((int(counts[2]), int(counts[1]), int(counts[0])), spacing_kji_mm, low)


def _refined(grid: Grid, shape_kji: tuple[int, int, int]) -> Grid:
    """Return so many voxels over the field of view of a lattice."""
    k, j, i = (n * s / m for n, s, m in zip(grid.shape_kji, grid.spacing_kji_mm, shape_kji, strict=True))
    return Grid.axis_aligned(shape_kji, (k, j, i), grid.corners_lps_mm().min(axis=0))


def _study(
    source: Source, level: Volume, grid: Grid, pre_from_grid: PointMap, tumour: Star, rng: np.random.Generator
) -> Scan:
    """Return what a scan shows of the source before noise, and its liver mask with an error of its own."""
    samples = max(1, round(grid.spacing_kji_mm[0] / THIN_MM))
    centres = _centres(grid)
    error = _mask_error(grid, rng)
    hu = np.zeros(len(centres))
    for n in range(samples):
        step = np.array([0.0, 0.0, ((n + 0.5) / samples - 0.5) * grid.spacing_kji_mm[0]])
        at = pre_from_grid(centres + step)
        drawn = _read(source.image, at, source.look.air)
        near = np.linalg.norm(at - tumour.centre_mm, axis=1) < NEAR_TUMOUR_MM
        drawn[near] += source.look.tumour * _share(tumour.depth_mm(at[near]))
        hu += drawn / samples
    liver = _read(level, pre_from_grid(centres), -FAR_MM)
    liver += _read(error, centres, 0.0)
    mask = Mask((liver > 0.0).reshape(grid.shape_kji), grid, "liver")
    return Scan(Volume(hu.reshape(grid.shape_kji).astype(np.float32), grid, source.look.modality), mask, {})


def _mask_error(grid: Grid, rng: np.random.Generator) -> Volume:
    """Return a smooth random field over a grid: by how far the liver's contour is off, mm."""
    corners = grid.corners_lps_mm()
    low, high = corners.min(axis=0), corners.max(axis=0)
    shape = np.ceil((high - low) / ERROR_STEP_MM).astype(int)[::-1] + 2
    smooth = ndimage.gaussian_filter(rng.standard_normal(shape), MASK_ERROR_ALIKE_MM / np.sqrt(2.0) / ERROR_STEP_MM)
    field = (MASK_ERROR_MM / smooth.std() * smooth).astype(np.float32)
    return Volume(field, Grid.axis_aligned(field.shape, (ERROR_STEP_MM,) * 3, low))


PointMap = Callable[[FloatArray], FloatArray]
NEAR_TUMOUR_MM = 30.0
FAR_MM = 20.0


def _level_mm(liver: Mask) -> Volume:
    """Return the distance to the liver's surface, + inside, mm."""
    spacing = liver.grid.spacing_kji_mm
    inside = ndimage.distance_transform_edt(liver.voxels_kji, sampling=spacing)
    outside = ndimage.distance_transform_edt(~liver.voxels_kji, sampling=spacing)
    half = 0.5 * float(np.mean(spacing))
    return Volume(np.where(liver.voxels_kji, inside - half, half - outside).astype(np.float32), liver.grid)


def _read(volume: Volume, points_mm: FloatArray, outside: float) -> FloatArray:
    kji = volume.grid.ijk(points_mm)[:, ::-1].T
    return np.asarray(
        ndimage.map_coordinates(volume.voxels_kji, kji, order=1, mode="constant", cval=outside, output=np.float64)
    )


def _centres(grid: Grid) -> FloatArray:
    return grid.lps_mm(np.indices(grid.shape_kji).reshape(3, -1)[::-1].T)


def _share(depth_mm: FloatArray) -> FloatArray:
    """Return how much of a voxel a body fills."""
    return np.asarray(np.clip(0.5 + depth_mm / (2.0 * EDGE_MM), 0.0, 1.0))


def _inside(body: Star, points_mm: FloatArray, grid: Grid) -> BoolVoxels:
    return np.asarray(body.inside(points_mm).reshape(grid.shape_kji))


def _with_zone(image: Volume, motion: Motion, zone: Star, liver: float, look: Look) -> FloatVoxels:
    """Return the image with the zone: what was seen fading inside, its rim of another value."""
    values = image.voxels_kji.ravel().astype(np.float64)
    near = motion.near(_centres(image.grid))
    close = np.flatnonzero(np.linalg.norm(near - zone.centre_mm, axis=1) < NEAR_TUMOUR_MM + FAR_MM)
    depth = zone.depth_mm(near[close])
    old = values[close]
    low, high = look.limits
    faded = liver + look.zone + look.kept * (np.clip(old, liver + low, liver + high) - liver)
    rim = look.rim * np.exp(-(((depth + RIM_MM) / RIM_MM) ** 2))
    values[close] = old + _share(depth) * (faded - old) + rim
    return values.reshape(image.grid.shape_kji).astype(np.float32)


def _as_scanned(
    values: FloatVoxels, grid: Grid, look: Look, rng: np.random.Generator, *, other_phase: bool = False
) -> Volume:
    """Return what a scanner makes of it: noise; of CT, where wanted, another phase's contrast; of MR, a bias field."""
    if look.modality != "CT":
        seed = int(rng.integers(2**62))
        return Volume(scanned(values, grid.spacing_kji_mm, look.modality, seed), grid, look.modality)
    if other_phase:
        soft = np.clip(values, 0.0, 250.0)
        values = values + (rng.uniform(0.75, 1.15) - 1.0) * soft + rng.uniform(-10.0, 15.0) * (soft > 20.0)
    white = rng.standard_normal(grid.shape_kji)
    smooth = ndimage.gaussian_filter(white, [0.3, 0.6, 0.6])
    return Volume((values + NOISE_HU * smooth / smooth.std()).astype(np.float32), grid, "CT")


def _nearest_mm(points_mm: FloatArray, surface_mm: FloatArray) -> FloatArray:
    return np.asarray(cKDTree(surface_mm).query(points_mm)[0])


def _unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _moved(matrix: FloatArray, points_mm: FloatArray) -> FloatArray:
    return np.asarray(points_mm @ matrix[:3, :3].T + matrix[:3, 3])
