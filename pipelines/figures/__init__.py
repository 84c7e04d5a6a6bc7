"""Pictures of an assessment, drawn by matplotlib without a window system."""

from pipelines.figures.illustrator import MatplotlibIllustrator

__all__ = ["MatplotlibIllustrator"]
