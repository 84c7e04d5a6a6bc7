"""Pictures of a patient, of any contrast, and masks on either study's grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, map_coordinates

from pipelines.sample.anatomy import HEPATIC_VEINS, STRUCTURES
from pipelines.sample.lattice import Block, Lattice, Study, make_lattice
from pipelines.sample.palettes import CT, Palette
from pipelines.sample.scanner import scanned
from pipelines.sample.shapes import EVERYWHERE_MM, Shape

if TYPE_CHECKING:
    from pipelines.sample.patient import Patient

Mask = npt.NDArray[np.bool_]

EDGE_MM = 1.0
FAR_MM = 9.0
SLAB = 40_000
TEXTURE_SPACING_MM = 2.5
POST_ROLES = ("liver", "portal_vein", *HEPATIC_VEINS)


class Canvas:
    """Values being painted: later bodies cover earlier ones with an edge about a voxel wide."""

    def __init__(self, patient: Patient, study: Study, lattice: Lattice, palette: Palette) -> None:
        self.patient, self.study, self.lattice = patient, study, lattice
        self.post_mm = lattice.points_mm()
        self.pre_mm = patient.field.pre_from_post(self.post_mm) if study == "post" else self.post_mm
        self.palette = palette
        self.value = np.full(lattice.shape_kji, palette.air, dtype=np.float32)
        self.texture = np.zeros(lattice.shape_kji, dtype=np.float32)
        self.edge_mm = EDGE_MM * max(1.0, lattice.spacing_kji_mm[2] / 1.3)

    def blocks(self, shapes: list[Shape]) -> list[Block]:
        """Return the voxels that may lie in or near each body of PRE."""
        boxes = np.stack([shape.box_mm for shape in shapes])
        picks = np.array([[(n >> axis) & 1 for axis in range(3)] for n in range(8)])
        corners = np.stack([boxes[:, pick, [0, 1, 2]] for pick in picks], axis=1)
        limited = np.clip(corners, -EVERYWHERE_MM, EVERYWHERE_MM)
        if self.study == "post":
            limited = self.patient.field.post_from_pre(limited)
        low, high = limited.min(axis=1), limited.max(axis=1)
        size = np.linalg.norm(high - low, axis=1, keepdims=True)
        pad = 2 * self.edge_mm + 1.0
        if self.study == "post":
            pad = pad + np.minimum(0.12 * size, 14.0)
        return [self.lattice.block(box) for box in np.stack([low - pad, high + pad], axis=1)]

    def level(self, shape: Shape) -> tuple[Block, npt.NDArray[np.float32]]:
        """Return a body's level on the block that holds it; far outside it is FAR_MM."""
        parts = shape.parts()
        blocks = self.blocks(parts)
        whole = tuple(slice(min(b[n].start for b in blocks), max(b[n].stop for b in blocks)) for n in range(3))
        level = np.full([s.stop - s.start for s in whole], FAR_MM, dtype=np.float32)
        for part, block in zip(parts, blocks, strict=True):
            inner = tuple(slice(b.start - w.start, b.stop - w.start) for b, w in zip(block, whole, strict=True))
            self._lower(level[inner], part, self.pre_mm[block])
        return (whole[0], whole[1], whole[2]), level

    @staticmethod
    def _lower(level: npt.NDArray[np.float32], part: Shape, points_mm: npt.NDArray[np.float32]) -> None:
        """Lower a level to a part's where that is less, a few slices at a time (they fit the processor's cache)."""
        if not level.size:
            return
        step = max(1, SLAB // level[0].size)
        for first in range(0, len(level), step):
            slab = slice(first, first + step)
            np.minimum(level[slab], part(points_mm[slab]), out=level[slab])

    def alpha(self, level: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return how much of a voxel a body fills."""
        share = np.clip(0.5 - level / (2 * self.edge_mm), 0, 1)
        return np.asarray(share * share * (3 - 2 * share))

    def lay(self, block: Block, level: npt.NDArray[np.float32], material: str) -> None:
        """Cover the block with a material where the level is negative."""
        share = self.alpha(level)
        value, texture = self.palette.ink[material]
        self.value[block] += share * (np.float32(value) - self.value[block])
        self.texture[block] += share * (np.float32(texture) - self.texture[block])

    def paint(self, shape: Shape, *coats: tuple[float, str]) -> Mask:
        """Paint a body in coats (grown by mm, material); return its mask on the whole grid."""
        block, level = self.level(shape)
        for grown_mm, material in coats:
            self.lay(block, level - np.float32(grown_mm), material)
        mask = np.zeros(self.lattice.shape_kji, dtype=bool)
        mask[block] = level <= 0
        return mask

    def gas(self, shape: Shape, wall_mm: float, above_y_mm: float) -> None:
        """Fill the front of a hollow organ with gas, down to a fluid level."""
        block, level = self.level(shape)
        inside = np.maximum(level + np.float32(wall_mm), self.pre_mm[block][..., 1] - np.float32(above_y_mm))
        self.lay(block, inside, "gas")


def _texture(points_mm: npt.NDArray[np.float32], seed: int) -> npt.NDArray[np.float32]:
    """Return band-limited texture (SD 1) that is fixed to the tissue of PRE."""
    white = np.random.default_rng([seed, 3]).normal(size=(2, 96, 96, 96)).astype(np.float32)
    fine = gaussian_filter(white[0], 1.0, mode="wrap")
    coarse = gaussian_filter(white[1], 3.5, mode="wrap")
    pattern = (fine / fine.std() + 0.7 * coarse / coarse.std()) / np.float32(1.22)
    where = np.moveaxis(points_mm / np.float32(TEXTURE_SPACING_MM), -1, 0)
    return np.asarray(map_coordinates(pattern, where, order=1, mode="grid-wrap", output=np.float32))


def _paint_trunk(canvas: Canvas) -> None:
    """Paint the body wall, bones and lungs."""
    trunk = canvas.patient.anatomy.trunk
    canvas.paint(trunk.skin, (0, "skin"), (-2, "subcutaneous fat"))
    canvas.paint(trunk.muscle, (0, "muscle"))
    canvas.paint(trunk.cavity, (0, "cavity fat"))
    canvas.paint(trunk.lung, (2.6, "diaphragm"), (0, "lung"))
    for muscle in trunk.back_muscles:
        canvas.paint(muscle, (1.2, "back fat"), (0, "back muscle"))
    canvas.paint(trunk.discs[0], (0, "disc"))
    for vertebra in trunk.vertebrae:
        canvas.paint(vertebra, (0, "vertebra"), (-1.8, "marrow"))
    canvas.paint(trunk.canal, (1.5, "canal"), (0, "cord"))
    canvas.paint(trunk.arches, (0, "arch"))
    canvas.paint(trunk.ribs, (0, "rib"), (-2.2, "rib marrow"))


def _paint_hollow(canvas: Canvas) -> dict[str, Mask]:
    """Paint stomach and bowel: wall, contents, gas in front."""
    organs = canvas.patient.anatomy.organs
    masks = {
        "small_bowel": canvas.paint(organs["small_bowel"], (0, "small bowel"), (-2.6, "small bowel content")),
        "colon": canvas.paint(organs["colon"], (0, "colon"), (-2.4, "colon content")),
        "stomach": canvas.paint(organs["stomach"], (0, "stomach"), (-3.6, "stomach content")),
    }
    canvas.gas(organs["colon"], 2.6, -64.0)
    canvas.gas(organs["stomach"], 3.6, -26.0)
    return masks


def _paint_organs(canvas: Canvas) -> dict[str, Mask]:
    """Paint the solid organs and the great vessels."""
    organs = canvas.patient.anatomy.organs
    canvas.paint(organs["heart"], (3, "pericardium"), (0, "heart"), (-9, "heart blood"))
    canvas.paint(organs["pancreas"], (0, "pancreas"))
    canvas.paint(organs["spleen"], (0, "spleen"))
    masks = {}
    for side in ("left", "right"):
        kidney = organs[f"kidney_{side}"]
        masks[f"kidney_{side}"] = canvas.paint(
            kidney, (0, "kidney cortex"), (-9, "kidney medulla"), (-15, "renal sinus")
        )
    masks |= _paint_hollow(canvas)
    canvas.paint(organs["aorta"], (0, "aorta"))
    masks["liver"] = canvas.paint(organs["liver"], (0, "liver"))
    masks["ivc"] = canvas.paint(organs["ivc"], (0, "ivc"))
    masks["gallbladder"] = canvas.paint(organs["gallbladder"], (0, "gallbladder"), (-1.5, "bile"))
    canvas.paint(canvas.patient.anatomy.twigs, (0, "twig"))
    for name, material in (("portal_vein", "portal vein"), *((vein, "hepatic vein") for vein in HEPATIC_VEINS)):
        masks[name] = canvas.paint(organs[name], (0, material))
    for name in ("common_bile_duct", "left_hepatic_duct", "right_hepatic_duct"):
        masks[name] = canvas.paint(organs[name], (0, "duct"))
    return masks


def _paint_zone(canvas: Canvas, index: int, liver: Mask) -> Mask:
    """Paint an ablation zone: dark, vessels and tumour fading inside, with a thin brighter rim; cut to the liver."""
    star = canvas.patient.zones[index].star
    box = star.box_mm + np.array([[-4.0], [4.0]])
    block = canvas.lattice.block(box)
    level = np.asarray(star(canvas.post_mm[block]), dtype=np.float32)
    capsule = np.asarray(canvas.patient.anatomy.liver(canvas.pre_mm[block]), dtype=np.float32)
    share = canvas.alpha(np.maximum(level, capsule))
    look, old = canvas.palette.zone, canvas.value[block]
    faded = look.base + look.kept * (np.clip(old, *look.limits) - canvas.palette.ink["liver"][0])
    rim = np.exp(-(((level - 1.0) / 1.4) ** 2)) * canvas.alpha(capsule)
    canvas.value[block] = old + share * (faded - old) + look.rim * rim
    mask = np.zeros_like(liver)
    mask[block] = level <= 0
    return mask & liver


def _masks_of(study: Study, organs: dict[str, Mask], targets: dict[str, Mask]) -> dict[str, Mask]:
    """Return the masks a study comes with."""
    roles = ("liver", *STRUCTURES) if study == "pre" else POST_ROLES
    return {"liver": organs["liver"], **targets, **{role: organs[role] for role in roles}}


def draw(
    patient: Patient, study: Study, lattice: Lattice, *, palette: Palette = CT, noisy: bool = True
) -> tuple[npt.NDArray[np.float32], dict[str, Mask]]:
    """Return the values (k, j, i; HU for CT) and the masks by role of a study, with or without what a scanner adds."""
    canvas = Canvas(patient, study, lattice, palette)
    _paint_trunk(canvas)
    organs = _paint_organs(canvas)
    targets = {f"tumour_{lesion.number}": canvas.paint(lesion.star, (0, "tumour")) for lesion in patient.lesions}
    if study == "post":
        targets = {f"ablation_{z.number}": _paint_zone(canvas, n, organs["liver"]) for n, z in enumerate(patient.zones)}
    _paint_table(canvas)
    canvas.value += canvas.texture * _texture(canvas.pre_mm, patient.seed)
    if noisy:
        seed = int(np.random.default_rng([patient.seed, 4, int(study == "post")]).integers(2**62))
        canvas.value = scanned(canvas.value, lattice.spacing_kji_mm, palette.modality, seed)
    return canvas.value, _masks_of(study, organs, targets)


def _paint_table(canvas: Canvas) -> None:
    """Paint the patient table behind the back, straight in the scanner's frame."""
    skin = canvas.patient.anatomy.trunk.skin
    middle = canvas.lattice.shape_kji[2] // 2
    inside = np.flatnonzero((skin(canvas.pre_mm[:, :, middle]) <= 0).any(axis=0))
    first = int(inside[-1]) if len(inside) else 0
    back_mm = np.float32(canvas.post_mm[0, first, middle, 1])
    block = (slice(None), slice(max(first - 40, 0), None), slice(None))
    here = canvas.post_mm[block]
    curved = here[..., 1] - back_mm - np.float32(10) + here[..., 0] ** 2 / np.float32(900)
    level = np.maximum(np.abs(curved) - np.float32(1.2), -skin(canvas.pre_mm[block]))
    canvas.lay(block, level.astype(np.float32), "table")


def render(
    patient: Patient,
    study: Study,
    spacing_kji_mm: tuple[float, float, float] = (2.0, 1.3, 1.3),
    *,
    palette: Palette = CT,
    noisy: bool = True,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64], dict[str, Mask]]:
    """Return a study's values (k, j, i; HU for CT), its `lps_mm_from_ijk` matrix, and its masks by role."""
    lattice = make_lattice(patient, study, spacing_kji_mm)
    image, masks = draw(patient, study, lattice, palette=palette, noisy=noisy)
    return image, lattice.lps_mm_from_ijk, masks
