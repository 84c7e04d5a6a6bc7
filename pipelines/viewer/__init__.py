"""The interactive viewer of a report: which part of its studies it shows, which surfaces, and all of it as bytes."""

from pipelines.viewer.page import NO_LIBRARY, made_viewer
from pipelines.viewer.plan import made_plan_viewer

__all__ = ["NO_LIBRARY", "made_plan_viewer", "made_viewer"]
