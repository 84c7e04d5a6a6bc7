"""How hepatic veins and inflows pass the ablation zones, in sentences. A reader has to confirm each."""

from __future__ import annotations

from collections.abc import Sequence

from planner.assessment import Passage, PassageKind
from planner.report import words
from planner.report.surroundings import structure_words

CONFIRM = "to be confirmed by the reader"

_HOW: dict[PassageKind, str] = {
    "apart": "does not meet the ablation zones",
    "touches": "touches the ablation zones, its middle stays outside (contact alone is no loss)",
    "passes": "goes through the ablation zones for {held} and leaves them on both sides",
    "narrow": "leaves the ablation zones, but not with the calibre asked for on both sides",
    "one_side": "goes into the ablation zones for {held} and leaves them on one side only",
    "within": "lies within the ablation zones as far as it was drawn",
    "unknown": "not known",
}


def passage_sentences(passages: Sequence[Passage]) -> tuple[str, ...]:
    """Return a sentence for each vessel that was drawn."""
    return tuple(_sentence(passage) for passage in passages)


def _sentence(passage: Passage) -> str:
    name = structure_words(passage.vessel).capitalize()
    if passage.preserved is None:
        return f"{name}: {_HOW['unknown']} ({passage.reason})."
    how = _HOW[passage.kind].format(held=f"{words.millimetres(passage.held_mm)} mm")
    wide = ", ".join(words.millimetres(calibre) for calibre in passage.calibres_mm)
    calibres = f" (calibre where it leaves: {wide} mm)" if wide else ""
    why = f" ({passage.reason})" if passage.reason else ""
    said = "counted as preserved" if passage.preserved else "not counted as preserved on these images"
    return f"{name}: {how}{calibres}{why}; {said}, {CONFIRM}."
