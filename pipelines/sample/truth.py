"""What is true of a patient, from the analytic surfaces and the field, never from masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull, cKDTree
from scipy.spatial.distance import pdist

from pipelines.sample.apart import StructureSurface, apart, sample_structures
from pipelines.sample.lesions import Lesion, Zone, fibonacci
from pipelines.sample.margins import Body, Bounds, Margins, bounds, margins
from pipelines.sample.shapes import FloatArray, norm, unit

if TYPE_CHECKING:
    from pipelines.sample.patient import Patient

IntArray = npt.NDArray[np.integer[Any]]
DIRECTIONS = 6000
VOLUME_STEP_MM = 0.5
LANDMARKS = 300
RING_MM = (5.0, 30.0)

CONVENTIONS = {
    "frame": "LPS mm (+x left, +y posterior, +z head); PRE and POST each in its own frame of reference",
    "sign": "+ covered / apart, - uncovered / overlapping",
    "margins": "per point of the tumour's surface in POST (moved by post_from_pre), against the zone cut to the liver",
    "min_mm": "parenchymal: to liver not ablated (closed liver minus zone); outside the zone minus the distance to it",
    "geometric_min_mm": "signed distance to the surface of the zone cut to the liver",
    "capsule_facing_fraction": "share of area whose nearest unablated point lies outside the closed liver",
    "liver": "closed: everything within its capsule, vessels, ducts and tumours included",
    "residual_ml": "tumour volume in POST outside the zone",
    "distances": "mm: gap between bodies in POST, 0 with overlap = true if they share a point;"
    " structures end where the PRE scan ends; points_lps_mm: on the body, on the structure",
    "landmarks": "pairs [pre_lps_mm, post_lps_mm]",
    "at_lps_mm": "tumour point of the least parenchymal margin, in POST",
}


def truth(patient: Patient, pre_z_mm: tuple[float, float] = (-1e3, 1e3)) -> dict[str, Any]:
    """Return margins, distances, volumes, landmarks and the field of a patient; structures end at `pre_z_mm`."""
    structures = sample_structures(patient, pre_z_mm)
    return {
        "seed": patient.seed,
        "conventions": CONVENTIONS,
        "lesions": [
            _lesion(patient, lesion, zone, structures)
            for lesion, zone in zip(patient.lesions, patient.zones, strict=True)
        ],
        "field": patient.field.as_dict(),
    }


def _lesion(patient: Patient, lesion: Lesion, zone: Zone, structures: list[StructureSurface]) -> dict[str, Any]:
    """Return what is true of one lesion."""
    directions = fibonacci(DIRECTIONS)
    surface = patient.field.post_from_pre(lesion.star.surface_mm(directions))
    faces = outward_faces(directions)
    ends = bounds(Body(zone.star, zone.star.box_mm), patient.liver_post)
    values = margins(surface, ends)
    zone_surface = np.concatenate([ends.towards_liver_mm[::3], ends.capsule_in_zone_mm, ends.edge_mm])
    return {
        "lesion_id": str(lesion.number),
        "zones": [str(zone.number)],
        "kind": lesion.kind,
        "beside": lesion.vessel,
        "subcapsular": lesion.subcapsular,
        "zone_reaches_capsule": ends.reaches_capsule,
        "target_mm": zone.target_mm,
        **_least(patient, lesion, ends, values, surface),
        **_shares(values, vertex_areas(surface, faces)),
        "tumour_ml": enclosed_ml(lesion.star.surface_mm(directions), faces),
        "tumour_post_ml": enclosed_ml(surface, faces),
        "ablation_ml": _ablation_ml(patient, zone, ends, directions, faces),
        "residual_ml": _residual_ml(patient, lesion, zone, surface),
        "max_diameter_pre_mm": float(pdist(lesion.star.surface_mm(fibonacci(2000))).max()),
        "max_diameter_post_mm": float(pdist(surface[::3]).max()),
        "ablation_max_diameter_mm": float(pdist(zone_surface[:: max(1, len(zone_surface) // 2000)]).max()),
        "distances": _distances(patient, lesion, zone, (surface, zone_surface), structures),
        "landmarks": _landmarks(patient, lesion, zone, zone_surface),
    }


def _least(patient: Patient, lesion: Lesion, ends: Bounds, values: Margins, surface: FloatArray) -> dict[str, Any]:
    """Return the two minima, refined around the coarse ones, and where the primary one is."""
    least, at, to = refined_minimum(patient, lesion, ends, surface, values, primary=True)
    geometric = least
    if ends.reaches_capsule:
        geometric, _, _ = refined_minimum(patient, lesion, ends, surface, values, primary=False)
    return {
        "min_mm": least,
        "geometric_min_mm": geometric,
        "at_lps_mm": at.tolist(),
        "nearest_lps_mm": to.tolist(),
    }


def refined_minimum(
    patient: Patient, lesion: Lesion, ends: Bounds, surface: FloatArray, values: Margins, *, primary: bool
) -> tuple[float, FloatArray, FloatArray]:
    """Return the least margin with its tumour point and zone point, resampling the tumour around it twice."""
    chosen = values.parenchymal_mm if primary else values.geometric_mm
    index = int(chosen.argmin())
    best = float(chosen[index]), surface[index], values.nearest_mm[index]
    direction, spread = fibonacci(len(surface))[index], 3 / np.sqrt(len(surface))
    rng = np.random.default_rng(0)
    for _ in range(3):
        near = unit(direction + rng.normal(size=(150, 3)) * spread)
        points = patient.field.post_from_pre(lesion.star.surface_mm(near))
        found = margins(points, ends)
        chosen = found.parenchymal_mm if primary else found.geometric_mm
        index = int(chosen.argmin())
        if chosen[index] < best[0]:
            best = float(chosen[index]), points[index], found.nearest_mm[index]
            direction = near[index]
        spread /= 4
    return best


def outward_faces(directions: FloatArray) -> IntArray:
    """Return triangles over unit directions, wound outwards."""
    faces = ConvexHull(directions).simplices
    a, b, c = (directions[faces[:, n]] for n in range(3))
    flipped = np.einsum("ij,ij->i", np.cross(b - a, c - a), a + b + c) < 0
    return np.asarray(np.where(flipped[:, None], faces[:, ::-1], faces))


def vertex_areas(points_mm: FloatArray, faces: IntArray) -> FloatArray:
    """Return the area that belongs to each vertex: a third of its triangles."""
    a, b, c = (points_mm[faces[:, n]] for n in range(3))
    areas = norm(np.cross(b - a, c - a)) / 2
    return np.asarray(np.bincount(faces.ravel(), np.repeat(areas / 3, 3), minlength=len(points_mm)), dtype=np.float64)


def enclosed_ml(points_mm: FloatArray, faces: IntArray) -> float:
    """Return the volume inside a closed triangle mesh."""
    centred = points_mm - points_mm.mean(axis=0)
    a, b, c = (centred[faces[:, n]] for n in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6000)


def weighted_quantile(values: FloatArray, weights: FloatArray, share: float) -> float:
    """Return the value below which a share of the weight lies."""
    order = np.argsort(values)
    cumulated = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
    return float(np.interp(share, cumulated, values[order]))


def _shares(values: Margins, areas: FloatArray) -> dict[str, Any]:
    """Return area-weighted quantiles and shares of the parenchymal margin."""
    margin = values.parenchymal_mm
    return {
        "q05_mm": weighted_quantile(margin, areas, 0.05),
        "median_mm": weighted_quantile(margin, areas, 0.5),
        "surface_fraction_below": {
            str(limit): float(areas[margin < limit].sum() / areas.sum()) for limit in (0, 5, 10)
        },
        "capsule_facing_fraction": float(areas[values.capsule_facing].sum() / areas.sum()),
    }


def _grid(box_mm: FloatArray, step_mm: float) -> FloatArray:
    axes = [np.arange(box_mm[0, n], box_mm[1, n] + step_mm, step_mm) for n in range(3)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def _ablation_ml(patient: Patient, zone: Zone, ends: Bounds, directions: FloatArray, faces: IntArray) -> float:
    """Return the zone's volume within the liver: its mesh's, or by a fine grid where the capsule cuts it."""
    if not ends.reaches_capsule:
        return enclosed_ml(zone.star.surface_mm(directions), faces)
    nodes = _grid(zone.star.box_mm, VOLUME_STEP_MM)
    nodes = nodes[zone.star(nodes) <= 0]
    return float((patient.liver_post(nodes) <= 0).sum() * VOLUME_STEP_MM**3 / 1000)


def _residual_ml(patient: Patient, lesion: Lesion, zone: Zone, surface: FloatArray) -> float:
    """Return the tumour's volume in POST outside the zone, by a fine grid."""
    nodes = _grid(np.stack([surface.min(axis=0), surface.max(axis=0)]), VOLUME_STEP_MM)
    nodes = nodes[zone.star(nodes) > 0]
    uncovered = lesion.star(patient.field.pre_from_post(nodes)) <= 0
    return float(uncovered.sum() * VOLUME_STEP_MM**3 / 1000)


def _distances(
    patient: Patient,
    lesion: Lesion,
    zone: Zone,
    surfaces: tuple[FloatArray, FloatArray],
    structures: list[StructureSurface],
) -> list[dict[str, Any]]:
    """Return the gap from tumour and zone to every structure."""

    def tumour_level(points: FloatArray) -> FloatArray:
        return lesion.star(patient.field.pre_from_post(points))

    def zone_level(points: FloatArray) -> FloatArray:
        return np.maximum(zone.star(points), patient.liver_post(points))

    rows = []
    for structure in structures:
        rows.append({"from": "tumour", **apart(surfaces[0], tumour_level, structure)})
        rows.append({"from": "ablation", **apart(surfaces[1], zone_level, structure)})
    return rows


def _landmarks(patient: Patient, lesion: Lesion, zone: Zone, zone_surface: FloatArray) -> dict[str, Any]:
    """Return matched points: on the tumour's surface, and in the liver 5-30 mm around the zone."""
    pre = lesion.star.surface_mm(fibonacci(LANDMARKS))
    rng = np.random.default_rng([patient.seed, 5, lesion.number])
    room = np.array([[-RING_MM[1]] * 3, [RING_MM[1]] * 3])
    low, high = zone.star.box_mm + room
    points = rng.uniform(low, high, (8000, 3))
    gap, _ = cKDTree(zone_surface).query(points)
    in_ring = (zone.star(points) > 0) & (gap >= RING_MM[0]) & (gap <= RING_MM[1])
    points = points[in_ring]
    ring = points[patient.liver_post(points) < -1.0][:LANDMARKS]
    return {
        "tumour": _pairs(pre, patient.field.post_from_pre(pre)),
        "ring": _pairs(patient.field.pre_from_post(ring), ring),
    }


def _pairs(pre: FloatArray, post: FloatArray) -> list[list[list[float]]]:
    """Return pairs as plain lists, to a micrometre."""
    pairs: list[list[list[float]]] = np.stack([pre, post], axis=1).round(6).tolist()
    return pairs
