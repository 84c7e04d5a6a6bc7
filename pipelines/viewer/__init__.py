"""The interactive viewer of a report: which part of both studies it shows, which surfaces, and all of it as bytes."""

from pipelines.viewer.page import NO_LIBRARY, made_viewer

__all__ = ["NO_LIBRARY", "made_viewer"]
