"""One folder per plan, whole or not at all: result, report, plan file, needles and zones."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.formats.markup_line import line_bytes
from pipelines.ports import FinishedPlan, Pages
from pipelines.store.folder import LOG, RESULT, FolderStore, write_file, write_report
from pipelines.store.plan_names import NEEDLES, PLAN, ZONES
from pipelines.store.plan_result import plan_document
from pipelines.store.plan_solids import stl_bytes, zone_labels
from pipelines.store.plan_toml import plan_toml
from pipelines.store.result import result_bytes
from pipelines.store.spatial import nifti_bytes
from planner.plan.needle import Needle

OUTWARD_MM = 100.0
"""So long is the line of a needle whose entry is not planned."""


@dataclass(frozen=True, slots=True)
class PlanFolderStore:
    """Keeps a plan in a folder, as `FolderStore` keeps a review."""

    folder: FolderStore

    def prepare(self) -> None:
        """Make the folder, take back an earlier result, and see that files can be written.

        Raises
        ------
        OutputError
            The folder cannot be made or written.
        """
        self.folder.prepare()

    def put_plan(self, finished: FinishedPlan, pages: Pages) -> None:
        """Keep the plan whole, or leave nothing but `log.txt`.

        Raises
        ------
        OutputError
            The folder cannot be made or written.
        """
        self.folder.keep(lambda: self._fill(finished, pages))

    def abandon(self) -> None:
        """Leave nothing of ours but `log.txt`."""
        self.folder.abandon()

    def _fill(self, finished: FinishedPlan, pages: Pages) -> None:
        stage, plan, grid = self.folder.stage, finished.plan, finished.plan.case.pre.image.grid
        write_report(stage, pages)
        write_file(stage / PLAN, plan_toml(plan, plan.lesions[0].asked_mm).encode("utf-8"))
        for name in (NEEDLES, ZONES):
            (stage / name).mkdir()
        for needle in plan.needles:
            write_file(stage / NEEDLES / f"needle_{needle.zone_id}.mrk.json", needle_bytes(needle))
            zone = stage / ZONES / f"zone_{needle.zone_id}"
            write_file(zone.with_name(f"{zone.name}.nii.gz"), nifti_bytes(zone_labels(needle.zone, grid), grid))
            write_file(zone.with_name(f"{zone.name}.stl"), stl_bytes(needle.zone.surface()))
        write_file(stage / LOG, self.folder.log().encode("utf-8"))
        write_file(stage / RESULT, result_bytes(plan_document(finished)))


def needle_bytes(needle: Needle) -> bytes:
    """Return a needle as a line of 3D Slicer: entry, then target.

    Without an entry the line runs along the axis 100 mm outward from the target, and its label says so.
    """
    name = f"needle {needle.zone_id}, lesion {needle.lesion_id}"
    target = "tip" if needle.setting.tip_beyond_mm is not None else "target: middle of the zone"
    if needle.entry_lps_mm is not None:
        return line_bytes(needle.entry_lps_mm, needle.target_lps_mm, name, ("entry", target))
    out = needle.target_lps_mm - OUTWARD_MM * needle.zone.axis_lps
    label = f"entry not planned: {OUTWARD_MM:g} mm out along the axis"
    return line_bytes(out, needle.target_lps_mm, f"{name}, entry not planned", (label, target))
