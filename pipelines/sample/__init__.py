"""The synthetic patient: a stand-in for a real one whose margins, distances and motion are known exactly."""

from pipelines.sample.field import Field
from pipelines.sample.patient import Patient, make_patient
from pipelines.sample.rendering import render
from pipelines.sample.truth import truth
from pipelines.sample.writing import write_sample

__all__ = ["Field", "Patient", "make_patient", "render", "truth", "write_sample"]
