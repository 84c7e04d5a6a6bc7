"""Which ablation zones treat a tumour, and by what, as `result.json` holds it."""

from __future__ import annotations

from typing import Any

from planner.treated import Treatment

Json = Any


def treatment_document(treatment: Treatment) -> dict[str, Json]:
    """Return the `pairing` of a lesion."""
    return {
        "how": treatment.how,
        "met": list(treatment.met),
        "shared": {zone: list(lesions) for zone, lesions in treatment.shared.items()},
        "notes": list(treatment.sentences()),
    }
