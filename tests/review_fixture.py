"""A reviewed case of balls whose every margin is known analytically, on oblique lattices, with an asymmetric map."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import analytic
import numpy as np
from scipy.ndimage import gaussian_filter

from pipelines.ports import Intake, Review
from planner.assessment import Assessment, Distance, LesionAssessment, Reason
from planner.case import Case, Study
from planner.findings import LIVER_ML, Finding
from planner.grid import Grid
from planner.measure.coverage import Coverage
from planner.measure.interval import Doubt, Interval
from planner.measure.margin import Margin
from planner.measure.margin_map import MarginMap
from planner.register.alignment import Alignment, Check, Displacement, SpatialMap
from planner.surface import Surface
from planner.volume import Mask, Volume

LIVER_CENTRE = np.array([-40.0, 10.0, 20.0])
LIVER_RADII = np.array([85.0, 70.0, 60.0])
VESSEL_Y, VESSEL_Z = 28.0, 12.0
TUMOURS = {"1": (np.array([-58.0, 14.0, 24.0]), 9.0), "2": (np.array([-8.0, -6.0, 16.0]), 8.0),
           "3": (np.array([-60.0, -30.0, 30.0]), 6.0)}  # fmt: skip
ZONES = {"1": (np.array([-62.0, 9.0, 26.0]), 18.0), "2": (np.array([-13.0, -12.0, 14.0]), 13.0)}


def rotation(axis: int, degrees: float) -> np.ndarray:
    a, b = [n for n in range(3) if n != axis]
    turned = np.eye(3)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned[a, a], turned[a, b], turned[b, a], turned[b, b] = c, -s, s, c
    return turned


def lattice(shape_kji: tuple[int, int, int], spacing_ijk: tuple[float, float, float], turned: np.ndarray) -> Grid:
    affine = np.eye(4)
    affine[:3, :3] = turned @ np.diag(spacing_ijk)
    affine[:3, 3] = np.array([-40.0, 5.0, 20.0]) - affine[:3, :3] @ ((np.array(shape_kji[::-1]) - 1) / 2)
    return Grid(shape_kji, affine, "1.2.3")


@cache
def asymmetric_map() -> SpatialMap:
    rigid = np.eye(4)
    rigid[:3, :3] = rotation(2, 6.0) @ rotation(0, -3.0)
    rigid[:3, 3] = (9.0, -6.0, 11.0)
    grid = lattice((20, 22, 24), (9.0, 9.0, 9.0), rotation(1, 4.0))
    x, y, z = (grid.lps_mm(np.argwhere(np.ones(grid.shape_kji))[:, ::-1]) / 40.0).T
    u = np.stack([2.0 * np.sin(x + 0.3), 1.5 * np.cos(y - 0.5 * z), -2.5 * np.sin(z + 0.4 * x)], axis=1)
    return SpatialMap(rigid, Displacement(u.reshape(*grid.shape_kji, 3), grid))


def near_post(points_pre: np.ndarray) -> np.ndarray:
    """Two steps of the inverse map: enough for painting an image."""
    here = asymmetric_map()
    back = np.linalg.inv(here.rigid_pre_from_post)
    start = points_pre @ back[:3, :3].T + back[:3, 3]
    assert here.displacement is not None
    return start - here.displacement.at(start - here.displacement.at(start))


def anatomy(points: np.ndarray, *, ablated: bool) -> np.ndarray:
    liver = (((points - LIVER_CENTRE) / LIVER_RADII) ** 2).sum(axis=1) < 1
    body = (((points - np.array([-10.0, 20.0, 20.0])) / np.array([150.0, 105.0, 400.0])) ** 2).sum(axis=1) < 1
    values = np.where(body, -20.0, -1000.0)
    values = np.where(body & (np.sin(points[:, 0] / 9.0) * np.sin(points[:, 1] / 11.0) > 0.5), -95.0, values)
    values = np.where(liver, 105.0, values)
    values = np.where(in_vessel(points), 185.0, values)
    if ablated:
        for centre, radius in ZONES.values():
            values = np.where(np.linalg.norm(points - centre, axis=1) < radius, 45.0, values)
    else:
        for centre, radius in TUMOURS.values():
            values = np.where(np.linalg.norm(points - centre, axis=1) < radius, 65.0, values)
    return values


def in_vessel(points: np.ndarray) -> np.ndarray:
    inside = (((points - LIVER_CENTRE) / LIVER_RADII) ** 2).sum(axis=1) < 0.95
    y = VESSEL_Y + 0.25 * (points[:, 0] + 60.0)
    return inside & (np.hypot(points[:, 1] - y, points[:, 2] - VESSEL_Z) < 5.0)


def painted(grid: Grid, *, ablated: bool, seed: int) -> tuple[Volume, np.ndarray]:
    points = grid.lps_mm(np.argwhere(np.ones(grid.shape_kji, dtype=bool))[:, ::-1])
    if not ablated:
        points = near_post(points)
    values = anatomy(points, ablated=ablated).reshape(grid.shape_kji)
    noise = gaussian_filter(np.random.default_rng(seed).normal(0, 30.0, grid.shape_kji), 0.6)
    return Volume(gaussian_filter(values, 0.4) + noise, grid, "CT"), points


def masks(grid: Grid, points: np.ndarray, balls: dict[str, tuple[np.ndarray, float]], kind: str) -> dict[str, Mask]:
    found = {
        f"{kind}_{name}": np.linalg.norm(points - centre, axis=1) < radius for name, (centre, radius) in balls.items()
    }
    found["liver"] = (((points - LIVER_CENTRE) / LIVER_RADII) ** 2).sum(axis=1) < 1
    found["hepatic_vein"] = in_vessel(points)
    return {role: Mask(inside.reshape(grid.shape_kji), grid, role) for role, inside in found.items()}


@cache
def a_case(case_id: str = "case-1") -> Case:
    post_grid = lattice((44, 118, 124), (1.5, 1.5, -3.0), rotation(0, 8.0) @ rotation(2, -5.0))
    pre_grid = lattice((50, 120, 120), (1.6, 1.6, 3.0), np.eye(3))
    affine = np.array(pre_grid.lps_mm_from_ijk)
    affine[:3, 3] += (9.0, -6.0, 11.0)
    pre_grid = Grid(pre_grid.shape_kji, affine, "1.2.4")
    post, post_points = painted(post_grid, ablated=True, seed=1)
    pre, pre_points = painted(pre_grid, ablated=False, seed=2)
    return Case(
        case_id, "patient-1",
        Study(pre, masks(pre_grid, pre_points, TUMOURS, "tumour"), ("PRE: empty SOP instance UIDs were tolerated",)),
        Study(post, masks(post_grid, post_points, ZONES, "ablation")),
    )  # fmt: skip


def sphere(centre: np.ndarray, radius: float, count: int = 1500) -> Surface:
    return replace(analytic.sphere(centre, radius, count), voxel_kji_mm=(3.0, 1.5, 1.5))


def ball_margin(lesion_id: str, *, interval: bool = True) -> Margin:
    """The margin of a ball in a ball: R - |v - centre of the zone|, exactly."""
    (centre, radius), (zone_centre, zone_radius) = TUMOURS[lesion_id], ZONES[lesion_id]
    # The vertex farthest from the zone's centre is put where it belongs, so that the minimum is exact.
    away = (centre - zone_centre) / np.linalg.norm(centre - zone_centre)
    surface = sphere(centre, radius)
    vertices = np.array(surface.vertices_lps_mm)
    vertices[int(np.argmax(vertices @ away))] = centre + radius * away
    tumour = Surface(vertices, surface.triangles, surface.voxel_kji_mm)
    offset = vertices - zone_centre
    distance = np.linalg.norm(offset, axis=1)
    mm = zone_radius - distance
    normal = offset / distance[:, None]
    foot = zone_centre + zone_radius * normal
    margins = MarginMap(tumour, mm, mm, foot, normal, np.zeros(len(mm), dtype=bool), np.zeros(len(mm), dtype=bool))
    thin = int(np.argmin(mm))
    least = float(mm[thin])
    doubt = Doubt(0.5, 0.7, 6.0, 1.6, 0.1)
    sure = Interval(least - 1.2, least + 2.3, {0.0: 0.97, 5.0: 0.004, 10.0: 0.0}, doubt,
                    {"contours": 0.41, "registration": 0.57, "voxels": 0.02})  # fmt: skip
    return Margin(
        margins, "parenchymal", least, float(mm.min()), least, tuple(map(float, vertices[thin])),
        tuple(map(float, foot[thin])), "posterior-left",
        margins.quantile_mm(0.01), margins.quantile_mm(0.05), margins.quantile_mm(0.5),
        {limit: margins.short_of(limit) for limit in (0.0, 5.0, 10.0)}, 0.0, sure if interval else None,
        ("thick_slices",), foot_direction="posterior-left", off_side_lps_mm={"tumour": tumour.off_side_lps_mm},
    )  # fmt: skip


def assessed(lesion_id: str) -> LesionAssessment:
    margin = ball_margin(lesion_id)
    volume = 4 / 3 * np.pi * TUMOURS[lesion_id][1] ** 3 / 1000
    zone = 4 / 3 * np.pi * ZONES[lesion_id][1] ** 3 / 1000
    least = margin.min_mm
    assert least is not None
    shares = {5.0: 0.97, 10.0: 0.71}
    return LesionAssessment(
        lesion_id, "assessed", (), (lesion_id,), 2 * TUMOURS[lesion_id][1], 2 * TUMOURS[lesion_id][1], volume, zone,
        1.6, margin, least - 0.8, Coverage(*((0.0, shares, 0.0) if least > 0 else (0.123456, shares, 6.5))),
        (Distance("hepatic_vein", "tumour", 6.25, ((0.0, 0.0, 0.0), (0.0, 6.25, 0.0)), (3.0, 9.0)),),
    )  # fmt: skip


def not_treated() -> LesionAssessment:
    reason = Reason("margin", "not-treated", "no ablation zone touches this tumour")
    return LesionAssessment(
        "3", "not_treated", (reason,), (), 12.0, 12.0, 0.9047, None, None, None, None, None,
        (Distance("ablation_1", "tumour", 15.7, None),),
    )  # fmt: skip


@cache
def an_assessment(case_id: str = "case-1") -> Assessment:
    checks = (Check("liver surface distance", 1.42, "mm", True, "median distance of the liver surfaces"),
              Check("mutual information", 0.61, "", None, "similarity near the lesions"))  # fmt: skip
    zone_checks = {"2": (Check("jacobian", 0.4, "", False, "the deformation compresses the liver there"),)}
    alignment = Alignment("deformable", asymmetric_map(), SpatialMap(asymmetric_map().rigid_pre_from_post), checks,
                          {"1": 1.6, "2": 1.6}, zone_checks)  # fmt: skip
    return Assessment(
        case_id, "patient-1", "assessed", (), alignment, (assessed("1"), assessed("2"), not_treated()),
        (Finding(LIVER_ML, 1494.0),), "post", ("Zones were paired with tumours by overlap.",),
    )  # fmt: skip


@cache
def a_review(case_id: str = "case-1") -> Review:
    provenance = {
        "software": "ablation-planner 0.1.0", "settings": {"seed": 7, "margin": {"growth_mm": [5.0, 10.0]}},
        "settings_sha256": "ab" * 32, "dependencies": {"numpy": "2.0", "vtk": "9.5"},
    }  # fmt: skip
    return Review(Intake(a_case(), {"pre image": "cd" * 32}), an_assessment(case_id), provenance,
                  {"read": 1.25, "register": 31.5, "measure": 4.0})  # fmt: skip
