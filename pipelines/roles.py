"""Which mask of a study has which role: as the case file says, else by code, label or file name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.codes import SEGMENT_CODES
from pipelines.formats.names import NUMBERED, NamedRole, hints_at_lesion, normal_name, role_of_name
from pipelines.formats.voxel_file import safe_name
from pipelines.segments import Segment, Segmented
from planner.errors import AmbiguousInputError, InputError, located, private
from planner.grid import Grid
from planner.volume import Mask

Part = tuple[Path, int | None]
"""A file, or one segment of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A mask as read, the SHA-256 of the file it came from, and what a reader should know of how it came about.

    `patient` is the hash of the PatientID that the file states, empty where it states none.
    """

    mask: Mask
    sha256: str
    notes: tuple[str, ...] = ()
    patient: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """That a part of a file has a role.

    `load` reads the mask, `origin` says where it is without patient data, `where` as the user knows it: file and label.
    """

    role: str
    origin: str
    where: str
    load: Callable[[], Loaded]
    part: Part


@dataclass(frozen=True, slots=True, eq=False)
class Claims:
    """Claims, and sentences on what was ignored or decided."""

    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()


def settle(stated: Claims, bulk: Claims, guessed: Claims) -> Claims:
    """Return one claim per role: the stated one, else one of a stated whole map, else the only guessed one.

    Raises
    ------
    AmbiguousInputError
        Several guessed claims to a role and none stated.
    """
    notes = [*stated.notes, *bulk.notes, *guessed.notes]
    chosen = {c.role: c for c in stated.claims}
    for rank in (bulk, guessed):
        rivals: dict[str, list[Claim]] = defaultdict(list)
        for claim in rank.claims:
            if claim.role in chosen:
                notes.append(f"{claim.role} is {chosen[claim.role].origin}, by the case file, not {claim.origin}")
            else:
                rivals[claim.role].append(claim)
        for role, claims in rivals.items():
            if len(claims) > 1:
                origins = ", ".join(c.origin for c in claims)
                raise AmbiguousInputError(
                    f"{role}: {len(claims)} candidates, choose one in the case file: {origins}",
                    where=", ".join(c.where for c in claims),
                )
            chosen[role] = claims[0]
    return Claims(tuple(chosen[role] for role in sorted(chosen)), tuple(notes))


def claims_of_segments(segmentations: Sequence[tuple[Path, Segmented]], near: Grid, taken: frozenset[Part]) -> Claims:
    """Return the claims of segments by code, else by label, leaving out the segments in `taken`.

    Segments that mean a tumour (or an ablation zone) without a number are numbered by their order.

    Raises
    ------
    AmbiguousInputError
        Unnumbered ones stand beside numbered ones or in several files, or a code and a label disagree.
    InputError
        A label speaks of a tumour or an ablation zone without saying which.
    """
    named: list[tuple[NamedRole, Path, Segmented, Segment]] = []
    notes = [note for _, s in segmentations for note in s.notes]
    for path, segmentation in segmentations:
        for segment in segmentation.segments:
            if (path.resolve(), segment.number) in taken:
                continue
            with located(_segment_where(path, segment)):
                role = role_of_segment(_segment_name(segmentation, segment), segment)
            if role is None:
                notes.append(f"{_segment_name(segmentation, segment)} has no role here and was not read")
            else:
                named.append((role, path, segmentation, segment))
    roles, numbering = _numbered([n[0] for n in named], [(path, s, segment) for _, path, s, segment in named])
    claims = tuple(
        segment_claim(role, path, segmentation, segment, near)
        for role, (_, path, segmentation, segment) in zip(roles, named, strict=True)
    )
    return Claims(claims, (*notes, *numbering))


def choose_segment(path: Path, segmentation: Segmented, wanted: int | str | None) -> Segment:
    """Return the segment of that number or label, or the only one, of the segmentation in the file `path`.

    Raises
    ------
    AmbiguousInputError
        Several fit.
    InputError
        None fits.
    """
    segments = segmentation.segments
    found = [s for s in segments if wanted is None or wanted == s.number or _same_label(wanted, s.label)]
    listed = ", ".join(f"{s.number} ({s.role})" if s.role else f"{s.number}" for s in segments)
    where = f"{safe_name(path)}: {', '.join(f'{s.number} {private(s.label)}' for s in segments)}"
    if len(found) > 1:
        raise AmbiguousInputError(f"{segmentation.name}: {len(found)} segments, name one of: {listed}", where=where)
    if not found:
        # A label is free text, also where the case file states one.
        asked = f"segment {wanted}" if isinstance(wanted, int) else "segment of the stated label"
        raise InputError(f"{segmentation.name}: no {asked}, found: {listed}", code="no-such-segment", where=where)
    return found[0]


def _same_label(wanted: int | str, label: str) -> bool:
    return isinstance(wanted, str) and wanted.strip().lower() == label.strip().lower()


def unclear(what: str) -> InputError:
    """Return the error for a name that hints at a lesion or a zone without saying which."""
    return InputError(
        f"{what}: speaks of a tumour or an ablation zone but not as a role (tumour_1, ablation_1, ...);"
        " state its role in the case file",
        code="unknown-role",
    )


def segment_claim(role: str, path: Path, segmentation: Segmented, segment: Segment, near: Grid) -> Claim:
    """Return the claim of a segment to a role; its mask takes the lattice `near` where its frames lie on it."""

    def load() -> Loaded:
        drawn = segmentation.drawn(segment.number, near, role)
        return Loaded(drawn.mask, segmentation.sha256, drawn.notes)

    origin, where = _segment_name(segmentation, segment), _segment_where(path, segment)
    return Claim(role, origin, where, load, (path.resolve(), segment.number))


def _segment_name(segmentation: Segmented, segment: Segment) -> str:
    """Return what messages call a segment: its number and what its code means, never its label, which is free text."""
    meaning = f" ({SEGMENT_CODES[segment.role].type.meaning})" if segment.role else ""
    return f"{segmentation.name} segment {segment.number}{meaning}"


def _segment_where(path: Path, segment: Segment) -> str:
    return f"{safe_name(path)} segment {segment.number} {private(segment.label or 'no label')}"


def role_of_segment(name: str, segment: Segment) -> NamedRole | None:
    """Return the role of a segment, called `name`, by its code, with the label's number; else by its label.

    Raises
    ------
    AmbiguousInputError
        They disagree on a lesion or a zone.
    InputError
        The label speaks of one without saying which.
    """
    by_label = role_of_name(segment.label)
    if segment.role is None:
        if by_label is None and hints_at_lesion(segment.label):
            raise unclear(name)
        return by_label
    if by_label is not None and by_label.kind != segment.role and {by_label.kind, segment.role} & set(NUMBERED):
        raise AmbiguousInputError(
            f"{name}: its code means {segment.role}, its label {by_label.kind}; state its role in the case file"
        )
    if segment.role == "liver" and by_label is not None and by_label.kind.startswith("liver_"):
        return by_label  # a part of it, for which codes are few
    if segment.role not in NUMBERED:
        return NamedRole(segment.role)
    return NamedRole(segment.role, by_label.number if by_label else _last_number(segment.label))


def _last_number(label: str) -> int | None:
    """Return the number that a label ends with as a word of its own, or None."""
    last = normal_name(label).rpartition("_")[2]
    return int(last) if last.isdigit() and int(last) > 0 else None


def _numbered(
    named: Sequence[NamedRole], places: Sequence[tuple[Path, Segmented, Segment]]
) -> tuple[list[str], tuple[str, ...]]:
    """Return the role of each segment, unnumbered lesions and zones by their order, and notes on those."""
    notes = []
    roles = [n.role for n in named]
    for kind in NUMBERED:
        bare = [n for n, role in enumerate(named) if role.kind == kind and role.number is None]
        numbered = [n for n, role in enumerate(named) if role.kind == kind and role.number is not None]
        if len(bare) > 1 or (bare and numbered):
            if numbered or len({places[n][0] for n in bare}) > 1:
                these = [places[n] for n in sorted(bare + numbered)]
                listed = ", ".join(_segment_name(segmentation, segment) for _, segmentation, segment in these)
                raise AmbiguousInputError(
                    f"{kind}: number these in the case file: {listed}",
                    where=", ".join(_segment_where(path, segment) for path, _, segment in these),
                )
            notes.append(f"{len(bare)} segments mean {kind} without a number: numbered by their order")
        for place, n in enumerate(bare, start=1):
            roles[n] = f"{kind}_{place}"
    return roles, tuple(notes)
