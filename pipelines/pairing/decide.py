"""Which series of a patient are before and after an ablation: by masks, where nothing speaks against it.

A series with tumours and no zone is evidence for PRE, one with zones for POST. Every doubt makes a list, never a pick.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from pipelines.pairing.masks import fault_of
from pipelines.pairing.proposal import Pair, Proposal, Undecided
from pipelines.pairing.scores import candidates
from pipelines.pairing.series import Loose, Seen, Series
from pipelines.pairing.times import CONTRADICTED, Borne, Doubt, energy_of, in_time
from planner.report.counts import counted

WHOLE_PATIENT = (CONTRADICTED, "words-contradict-masks")
"""Doubts about a pair that are doubts about every pair of the patient."""


def propose(seen: Seen) -> Proposal:
    """Return the pairs of a tree, and what is undecided."""
    series: dict[str, list[Series]] = defaultdict(list)
    loose: dict[str, list[Loose]] = defaultdict(list)
    for one in seen.series:
        series[one.head.patient].append(one)
    for mask in seen.loose:
        loose[mask.file.head.patient].append(mask)
    pairs: list[Pair] = []
    undecided = _of_nobody(series.get("", []))
    if loose.get(""):
        said = f"{counted(len(loose['']), 'file')} with masks of lesions state neither a series here nor a PatientID"
        undecided.append(Undecided("", "no-patient-id", said, ()))
    patients = sorted((set(series) | set(loose)) - {""})
    for patient in patients:
        found, left = _of_patient(patient, series[patient], loose[patient])
        pairs += found
        undecided += left
    return Proposal(tuple(pairs), tuple(undecided), len(patients))


def _of_nobody(series: Sequence[Series]) -> list[Undecided]:
    """Return an entry for each study that states no patient: only a manifest can say whose it is."""
    studies: dict[str, list[Series]] = defaultdict(list)
    for one in series:
        studies[one.study].append(one)
    said = "it states no PatientID: only a manifest can say whose it is"
    return [Undecided("", "no-patient-id", said, candidates(some)) for some in studies.values()]


def _of_patient(patient: str, series: Sequence[Series], loose: Sequence[Loose]) -> tuple[list[Pair], list[Undecided]]:
    def undecided(doubt: Doubt) -> Undecided:
        return Undecided(patient, doubt.code, doubt.reason, candidates(series))

    doubt = _doubt_of_patient(series, loose)
    if doubt is not None:
        return [], [undecided(doubt)]
    pres = _one_per_study([s for s in series if s.parts("tumour") and not s.parts("ablation")], "tumour")
    posts = _one_per_study([s for s in series if s.parts("ablation")], "ablation zone")
    if isinstance(pres, Doubt):
        return [], [undecided(pres)]
    if isinstance(posts, Doubt):
        return [], [undecided(posts)]
    missing = _missing(pres, posts)
    if missing is not None:
        return [], [undecided(missing)]
    pairs, left = _courses(pres, posts, series, undecided)
    return [replace(pair, rules=(*pair.rules, *_left_out(loose))) for pair in pairs], left


def _left_out(loose: Sequence[Loose]) -> tuple[str, ...]:
    """Return a sentence on masks of series that are not in the tree; any others made a doubt."""
    said = f"{counted(len(loose), 'file')} with masks of lesions of this patient: of no series here, left out"
    return (said,) if loose else ()


def _doubt_of_patient(series: Sequence[Series], loose: Sequence[Loose]) -> Doubt | None:
    """Return a doubt that no rule about single series can settle."""
    if len({s.head.check for s in series} - {""}) > 1:
        return Doubt("two-persons", "its studies state several birth dates or sexes: is one PatientID that of two?")
    drawn = [s for s in series if s.masks]
    bad = next((s.trouble for s in series if s.trouble.startswith("several patients")), "")
    bad = bad or next((s.trouble for s in drawn if s.trouble), "")
    if bad:
        return Doubt("bad-series", bad)
    several = next((m.reason for m in loose if m.reason != "it belongs to no series here"), "")
    if several:
        return Doubt("mask-of-several-series", f"a mask of lesions cannot be told to be of one series: {several}")
    fault = next((fault for s in drawn if (fault := fault_of(s))), "")
    return Doubt("unclear-masks", fault) if fault else None


def _one_per_study(found: Sequence[Series], what: str) -> list[Series] | Doubt:
    """Return one series of each study, the only one, or the only one that is an original axial scan."""
    studies: dict[str, list[Series]] = defaultdict(list)
    for one in found:
        studies[one.study].append(one)
    kept = []
    for some in studies.values():
        fit = some if len(some) == 1 else [s for s in some if not s.unfit()]
        if len(fit) != 1:
            return Doubt("several-series", f"{len(some)} series of one study bear {what} masks")
        if fit[0].volumes > 1:
            said = f"the series with {what} masks holds several volumes: a case file must choose one"
            return Doubt("several-volumes", said)
        if fit[0].head.reformatted or fit[0].axial is False:
            return Doubt("reformat", f"{what} masks lie on a reformat, or on slices that are not axial")
        kept.append(fit[0])
    return sorted(kept, key=_moment)


def _moment(series: Series) -> tuple[str, float, str]:
    return str(series.day or ""), series.time_s, series.mark


def _missing(pres: Sequence[Series], posts: Sequence[Series]) -> Doubt | None:
    if pres and posts:
        return None
    if not pres and not posts:
        return Doubt("no-masks", "no series bears masks of tumours or ablation zones")
    if not pres and any(s.parts("tumour") for s in posts):
        return Doubt("masks-on-one-series", "tumours and zones are drawn on one series, and none bears tumours alone")
    return Doubt("no-zone-masks" if pres else "no-tumour-masks", f"no series bears {'zones' if pres else 'tumours'}")


def _courses(
    pres: Sequence[Series], posts: Sequence[Series], every: Sequence[Series], undecided: Callable[[Doubt], Undecided]
) -> tuple[list[Pair], list[Undecided]]:
    """Return a pair for each POST with the PRE of its ablation."""
    several = len(pres) > 1 or len(posts) > 1
    if several and any(s.day is None for s in (*pres, *posts)):
        return [], [undecided(Doubt("no-dates", "several studies bear masks, and not all have a date"))]
    if len(pres) > 1 and any(s.head.modified for s in (*pres, *posts)):
        said = "several studies bear tumour masks, and dates were modified: their order may not be the true one"
        return [], [undecided(Doubt("modified-dates", said))]
    pairs: list[Pair] = []
    doubts: list[Doubt] = []
    for post in posts:
        pre = _pre_of(post, pres, posts)
        if isinstance(pre, Doubt):
            doubts.append(pre)
            continue
        borne = in_time(pre, post, every)
        if isinstance(borne, Doubt):
            doubts.append(borne)
        else:
            pairs.append(_pair(pre, post, every, borne))
    if any(doubt.code in WHOLE_PATIENT for doubt in doubts):
        pairs = []
    used = [p.pre for p in pairs]
    left = [pre for pre in pres if pre not in used]
    if pairs and left:
        doubts.append(Doubt("pre-without-post", "a study with tumour masks has no study with zones after it"))
    return pairs, [undecided(doubt) for doubt in dict.fromkeys(doubts)]


def _pre_of(post: Series, pres: Sequence[Series], posts: Sequence[Series]) -> Series | Doubt:
    """Return the last PRE before a POST, where no other PRE lies before the same ablation."""
    if len(pres) == 1:
        return pres[0]
    earlier = [p for p in pres if _moment(p) <= _moment(post)]
    if not earlier:
        return Doubt(CONTRADICTED, "a study with zones lies before every study with tumours")
    last = earlier[-1]
    for other in earlier[:-1]:
        if not any(_moment(other) <= _moment(p) <= _moment(last) for p in posts):
            return Doubt("several-pre", "several studies with tumour masks lie before one with zones")
    return last


def _pair(pre: Series, post: Series, every: Sequence[Series], borne: Borne) -> Pair:
    rules = ["tumour masks make PRE, ablation zone masks make POST", *borne.rules]
    if pre.head.frame and pre.head.frame == post.head.frame:
        rules.append("both state one frame of reference: no proof that they are aligned")
    return Pair(pre, post, tuple(rules), borne.days, borne.days_since_ablation, energy_of(pre, post, every))
