"""What each tissue looks like: CT numbers, and signals of simulated MR sequences (arbitrary units)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Ink = tuple[float, float]
"""Mean value of a tissue, and the standard deviation of its texture."""


@dataclass(frozen=True)
class ZoneLook:
    """How an ablation zone looks: `base + kept (value before - liver)`, values before limited, and its rim's excess."""

    base: float
    kept: float
    limits: tuple[float, float]
    rim: float


@dataclass(frozen=True)
class Palette:
    """One contrast.

    Parameters
    ----------
    name
        By which scripts ask for it.
    modality
        "CT" or "MR".
    sequence
        Of MR, as the case's texts call it; the portal-venous phase for CT.
    air
        Value where there is no tissue.
    ink
        By material.
    zone
        How ablation zones look.
    spacing_kji_mm
        Usual voxel size.
    """

    name: str
    modality: str
    sequence: str
    air: float
    ink: Mapping[str, Ink]
    zone: ZoneLook
    spacing_kji_mm: tuple[float, float, float]


CT = Palette(
    "CT",
    "CT",
    "portal venous",
    -1000.0,
    {
        "skin": (40, 5), "subcutaneous fat": (-104, 9), "muscle": (58, 9), "cavity fat": (-102, 12),
        "diaphragm": (55, 6), "lung": (-850, 32), "back fat": (-60, 12), "back muscle": (62, 9), "disc": (90, 12),
        "vertebra": (420, 40), "marrow": (215, 45), "canal": (300, 60), "cord": (25, 5), "arch": (400, 60),
        "rib": (460, 60), "rib marrow": (190, 40), "small bowel": (100, 8), "small bowel content": (28, 14),
        "colon": (70, 8), "colon content": (-10, 40), "stomach": (85, 8), "stomach content": (22, 16),
        "gas": (-950, 5), "pericardium": (-80, 10), "heart": (110, 8), "heart blood": (160, 6), "pancreas": (95, 16),
        "spleen": (125, 6), "kidney cortex": (190, 7), "kidney medulla": (165, 9), "renal sinus": (-30, 25),
        "aorta": (168, 3), "liver": (110, 5), "ivc": (150, 6), "gallbladder": (70, 4), "bile": (6, 3),
        "twig": (168, 3), "portal vein": (176, 3), "hepatic vein": (170, 3), "duct": (6, 2), "tumour": (65, 8),
        "table": (-250, 5),
    },
    ZoneLook(45, 0.14, (0, 200), 16),
    (2.0, 1.3, 1.3),
)  # fmt: skip

HEPATOBILIARY = Palette(
    "T1",
    "MR",
    "hepatobiliary T1",
    2.0,
    {
        "skin": (60, 4), "subcutaneous fat": (28, 3), "muscle": (85, 6), "cavity fat": (26, 4), "diaphragm": (80, 5),
        "lung": (6, 2), "back fat": (28, 4), "back muscle": (85, 6), "disc": (60, 6), "vertebra": (14, 3),
        "marrow": (72, 8), "canal": (16, 3), "cord": (70, 4), "arch": (14, 3), "rib": (14, 3), "rib marrow": (60, 6),
        "small bowel": (112, 8), "small bowel content": (42, 8), "colon": (92, 8), "colon content": (60, 16),
        "stomach": (100, 8), "stomach content": (36, 8), "gas": (3, 1), "pericardium": (28, 4), "heart": (102, 6),
        "heart blood": (86, 4), "pancreas": (120, 8), "spleen": (96, 5), "kidney cortex": (172, 6),
        "kidney medulla": (150, 7), "renal sinus": (50, 10), "aorta": (82, 3), "liver": (200, 7), "ivc": (84, 4),
        "gallbladder": (110, 5), "bile": (150, 10), "twig": (84, 3), "portal vein": (82, 3), "hepatic vein": (80, 3),
        "duct": (235, 5), "tumour": (78, 8), "table": (2, 0.5),
    },
    ZoneLook(98, 0.2, (40, 220), -8),
    (3.0, 1.3, 1.3),
)  # fmt: skip

T2 = Palette(
    "T2",
    "MR",
    "T2",
    2.0,
    {
        "skin": (60, 5), "subcutaneous fat": (45, 5), "muscle": (48, 5), "cavity fat": (42, 6), "diaphragm": (46, 4),
        "lung": (8, 3), "back fat": (45, 6), "back muscle": (48, 5), "disc": (92, 10), "vertebra": (12, 3),
        "marrow": (62, 8), "canal": (14, 3), "cord": (190, 8), "arch": (12, 3), "rib": (12, 3), "rib marrow": (58, 6),
        "small bowel": (95, 8), "small bowel content": (175, 25), "colon": (85, 8), "colon content": (110, 40),
        "stomach": (92, 8), "stomach content": (200, 20), "gas": (3, 1), "pericardium": (42, 6), "heart": (58, 6),
        "heart blood": (26, 5), "pancreas": (100, 8), "spleen": (142, 6), "kidney cortex": (150, 7),
        "kidney medulla": (185, 8), "renal sinus": (60, 12), "aorta": (22, 4), "liver": (78, 4), "ivc": (30, 5),
        "gallbladder": (95, 5), "bile": (265, 6), "twig": (36, 4), "portal vein": (34, 4), "hepatic vein": (34, 4),
        "duct": (225, 6), "tumour": (132, 9), "table": (2, 0.5),
    },
    ZoneLook(56, 0.14, (20, 180), 40),
    (4.0, 1.3, 1.3),
)  # fmt: skip

PALETTES = {palette.name: palette for palette in (CT, HEPATOBILIARY, T2)}
