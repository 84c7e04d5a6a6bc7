"""The synthetic abdomen: analytic organs in PRE patient space (LPS mm: +x left, +y posterior, +z head)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.sample.bowel import colon_tube, small_bowel_tube, stomach_tube
from pipelines.sample.sampled import SampledLevel
from pipelines.sample.shapes import Blend, Column, Ellipsoid, FloatArray, Shape, Tube
from pipelines.sample.trunk import Trunk, make_trunk
from pipelines.sample.vessels import Branch, Grower, curve, tube_of

NAMED_GENERATIONS = 2
HEPATIC_VEINS = ("hepatic_vein_left", "hepatic_vein_middle", "hepatic_vein_right")
VESSELS = ("portal_vein", *HEPATIC_VEINS)
STRUCTURES = (
    *VESSELS,
    "ivc",
    "common_bile_duct",
    "left_hepatic_duct",
    "right_hepatic_duct",
    "gallbladder",
    "stomach",
    "small_bowel",
    "colon",
    "kidney_left",
    "kidney_right",
)


@dataclass(frozen=True, eq=False)
class Anatomy:
    """All bodies: `organs` by name (named vessels to the second generation), `twigs` the finer branches.

    `liver` is that of `organs`: within its capsule, vessels and ducts included.
    """

    organs: dict[str, Shape]
    liver: Blend
    twigs: Tube
    trunk: Trunk
    branches: tuple[Branch, ...]


@dataclass(frozen=True)
class Maker:
    """Places nominal coordinates in one patient: overall scale, and a little jitter per organ."""

    rng: np.random.Generator
    scale: FloatArray

    def at(self, point: npt.ArrayLike, jitter_mm: float = 0.0) -> FloatArray:
        """Return points of the nominal patient moved to this one."""
        points = np.asarray(point, dtype=np.float64) * self.scale
        return points + self.rng.normal(size=3) * jitter_mm

    def ellipsoid(
        self, centre: tuple[float, float, float], semi: tuple[float, float, float], tilt_deg: float = 0.0
    ) -> Ellipsoid:
        """Return an ellipsoid of the nominal patient, tilted about the y axis."""
        angle = np.deg2rad(tilt_deg)
        axes = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
        size = np.asarray(semi) * self.scale * self.rng.uniform(0.97, 1.03)
        return Ellipsoid(self.at(centre, 1.0), size, axes)


def make_anatomy(rng: np.random.Generator) -> Anatomy:
    """Return a random patient's anatomy."""
    maker = Maker(rng, rng.uniform(0.95, 1.04, 3))
    trunk = make_trunk(rng, maker.scale)
    organs: dict[str, Shape] = _solids(maker)
    organs["ivc"] = _ivc(maker)
    organs["gallbladder"] = _gallbladder(maker)
    organs["stomach"] = stomach_tube(maker.scale, rng)
    liver = _liver(maker, trunk, organs)
    organs["liver"] = liver
    branches = _vessels(maker, organs)
    for name in (*VESSELS, "common_bile_duct", "left_hepatic_duct", "right_hepatic_duct"):
        organs[name] = tube_of(branches, name, NAMED_GENERATIONS)
    organs["colon"] = colon_tube(maker.scale, rng)
    organs["small_bowel"] = small_bowel_tube(rng, maker.scale, organs)
    twigs = Tube.joined([branch.tube for branch in branches if branch.generation > NAMED_GENERATIONS])
    return Anatomy(organs, liver, twigs, trunk, tuple(branches))


def _solids(maker: Maker) -> dict[str, Shape]:
    """Return the organs that are ellipsoids, or dented ones."""
    right = maker.ellipsoid((-60, 44, -52), (27, 25, 52), -8)
    left = maker.ellipsoid((64, 42, -36), (27, 25, 54), 8)
    spleen = maker.ellipsoid((97, 34, 34), (22, 42, 46), -12)
    hollow = maker.ellipsoid((72, 20, 24), (22, 40, 46), -12)
    return {
        "kidney_right": Blend((right,), cuts=((maker.ellipsoid((-32, 36, -52), (9, 9, 11)), 0.0),), width_mm=6),
        "kidney_left": Blend((left,), cuts=((maker.ellipsoid((36, 34, -36), (9, 9, 11)), 0.0),), width_mm=6),
        "spleen": Blend((spleen,), cuts=((hollow, 0.0),), width_mm=8),
        "heart": maker.ellipsoid((22, -32, 104), (52, 42, 34), 12),
        "pancreas": Tube.along(
            curve(maker.at([(-26, -6, -44), (-8, -8, -36), (12, -2, -26), (36, 12, -14), (62, 22, 2)]), 14),
            (11, 9, 8, 8, 6),
        ),
        "aorta": Tube.along(curve(maker.at([(13, 33, -140), (13, 34, 0), (12, 40, 140)]), 12), (8.5, 11)),
    }


def _ivc(maker: Maker) -> Tube:
    path = [(-20, 32, -140), (-20, 31, -60), (-21, 28, 0), (-20, 20, 40), (-16, 10, 68), (-8, -4, 92)]
    return Tube.along(curve(maker.at(path), 18), (9.5, 11, 12, 12))


def _gallbladder(maker: Maker) -> Tube:
    path = [(-48, -24, -14), (-52, -34, -24), (-57, -45, -36), (-60, -54, -47)]
    return Tube.along(curve(maker.at(path, 1.5), 9), (3, 8, 12, 12.5, 9))


def _liver(maker: Maker, trunk: Trunk, organs: dict[str, Shape]) -> Blend:
    """Return the right lobe, segment 4, the left lobe's wedge and the caudate, dented by the neighbours."""
    ivc, gallbladder, stomach = organs["ivc"], organs["gallbladder"], organs["stomach"]
    assert isinstance(ivc, Tube) and isinstance(gallbladder, Tube) and isinstance(stomach, Tube)  # noqa: S101, PT018
    adds = (
        maker.ellipsoid((-66, 4, 0), (62, 80, 84), -6),
        maker.ellipsoid((-28, -26, 22), (50, 50, 48)),
        maker.ellipsoid((22, -44, 32), (58, 34, 27), 16),
        maker.ellipsoid((-14, 6, 26), (22, 20, 26)),
    )
    cuts: tuple[tuple[Shape, float], ...] = (
        (organs["kidney_right"], 3.0),
        (gallbladder, 0.4),
        (ivc, 0.5),
        (stomach, 2.5),
        (maker.ellipsoid((-18, -4, -52), (34, 44, 54), 14), 0.0),
        (Column(maker.at((4, 52, 0))[:2], np.array([32.0, 30.0])), 0.0),
        (maker.ellipsoid((9, -62, 10), (2.5, 26, 30)), 0.0),
    )
    return Blend(adds, within=((trunk.cavity, 4.0), (trunk.under_diaphragm, 3.0)), cuts=cuts, width_mm=9)


PORTAL = {
    "main": ([(2, 12, -62), (-10, 10, -42), (-24, 4, -20), (-38, -2, -2)], (7.0, 6.2)),
    "left": ([(-38, -2, -2), (-26, -12, 12), (-8, -26, 24), (4, -44, 26)], (5.0, 3.4)),
    "anterior": ([(-38, -2, -2), (-58, -8, 6), (-76, -20, 20), (-88, -30, 36)], (5.0, 3.0)),
    "posterior": ([(-38, -2, -2), (-60, 6, -2), (-82, 22, 4), (-96, 38, 14)], (4.6, 2.6)),
    "inferior": ([(-60, 6, -2), (-76, 14, -18), (-88, 18, -38), (-94, 18, -54)], (3.6, 2.2)),
}
HEPATIC = {
    "hepatic_vein_right": ([(-20, 14, 58), (-46, 20, 46), (-74, 20, 26), (-96, 14, -6), (-104, 10, -30)], (5.2, 2.2)),
    "hepatic_vein_middle": ([(-18, 8, 62), (-32, -14, 50), (-46, -32, 26), (-60, -40, 0)], (4.6, 2.0)),
    "hepatic_vein_left": ([(-12, 4, 64), (0, -20, 52), (18, -38, 42), (38, -48, 36)], (4.2, 1.9)),
}
DUCTS = {
    "common_bile_duct": ([(-42, -12, 0), (-36, -8, -16), (-28, 2, -38), (-20, 8, -66)], (2.6, 3.4)),
    "left_hepatic_duct": ([(-42, -12, 0), (-28, -21, 14), (-10, -34, 26)], (2.0, 1.5)),
    "right_hepatic_duct": ([(-42, -12, 0), (-56, -17, 10), (-68, -24, 18)], (2.0, 1.5)),
}


def _vessels(maker: Maker, organs: dict[str, Shape]) -> list[Branch]:
    """Lay ducts and trunks, then grow the portal and hepatic trees generation by generation."""
    grower = Grower(maker.rng, SampledLevel.of([organs["liver"]], organs["liver"].box_mm, 3.0))
    sway = maker.rng.normal(size=3) * 1.0
    for name, (points, (first, last)) in DUCTS.items():
        grower.lay(name, maker.at(points) + sway, (first, last))
    portal = [grower.lay("portal_vein", maker.at(p) + sway, radii) for p, radii in PORTAL.values()]
    veins = [grower.lay(name, maker.at(p) + sway, radii, 16) for name, (p, radii) in HEPATIC.items()]
    for depth in (2, 3, 4):
        grower.fill(_last_row(grower, portal[1:], depth), seconds_mm=36, depth=depth)
        grower.fill(_last_row(grower, veins, depth), seconds_mm=38, depth=depth)
    return grower.placed


def _last_row(grower: Grower, trunks: list[Branch], depth: int) -> list[Branch]:
    """Return the branches of the trunks' owners from which generation `depth` grows."""
    if depth == 2:
        return trunks
    owners = {trunk.owner for trunk in trunks}
    return [b for b in grower.placed if b.owner in owners and b.generation == depth - 1]
