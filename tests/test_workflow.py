"""One review, from source to store, with the world replaced by things that remember what was asked of them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from pipelines.ports import Intake, Pages
from pipelines.settings import with_registration
from pipelines.stopwatch import Stopwatch
from pipelines.store import result_document
from pipelines.workflow import review
from planner.case import Case, Study
from planner.caution import Caution
from planner.errors import EmptyMaskError, InputError, OutputError, UsageError
from planner.grid import Grid
from planner.report.figure import Figure
from planner.volume import Mask, Volume

SHAPE = (14, 16, 16)
GRID = Grid.axis_aligned(SHAPE, (3.0, 3.0, 3.0), (0.0, 0.0, 0.0))
FIGURE = Figure("one", "A picture.", "a picture", "image/png", b"png")


def ball(radius_mm: float, name: str) -> Mask:
    ijk = np.indices(SHAPE)[::-1].reshape(3, -1).T
    apart = np.linalg.norm(GRID.lps_mm(ijk) - [22.5, 22.5, 19.5], axis=1)
    return Mask((apart <= radius_mm).reshape(SHAPE), GRID, name)


def case_of(**masks: Mask) -> Case:
    image = Volume(np.zeros(SHAPE, np.float32), GRID, "CT")
    pre = {role: mask for role, mask in masks.items() if role.startswith("tumour")}
    post = {role: mask for role, mask in masks.items() if role.startswith("ablation")}
    return Case("seven", "key", Study(image, pre), Study(image, post))


TREATED = case_of(tumour_1=ball(7.0, "tumour_1"), ablation_1=ball(13.0, "ablation_1"))


@dataclass
class World:
    """Source, store, illustrator and renderer at once: says in `told` what was asked, in order."""

    case: Case = TREATED
    told: list[str] = field(default_factory=list)
    kept: list[tuple[object, str]] = field(default_factory=list)
    fault: dict[str, BaseException] = field(default_factory=dict)

    def _note(self, what: str) -> None:
        self.told.append(what)
        if what in self.fault:
            raise self.fault[what]

    def read(self, observe):
        self._note("read")
        return Intake(self.case, {"pre/image": "ab"})

    def prepare(self):
        self._note("prepare")

    def draw(self, case, assessment):
        self._note("draw")
        assert case is self.case
        return (FIGURE,)

    def render(self, finished, figures):
        self._note("render")
        assert figures == (FIGURE,)
        return Pages(f"page of {finished.assessment.case_id}")

    def put(self, finished, page):
        self._note("put")
        self.kept.append((finished, page))

    def review(self, clock=None, observe=lambda what, share: None):
        ticks = itertools.count()
        return review(
            self, self, illustrator=self, render=self.render, settings=with_registration("identity"),
            clock=clock or (lambda: float(next(ticks))), observe=observe,
        )  # fmt: skip


def test_a_review_is_read_measured_drawn_rendered_and_stored_in_that_order():
    world = World()
    said = []
    finished = world.review(observe=lambda what, share: said.append(what))
    assert world.told == ["prepare", "read", "draw", "render", "put"]
    assert world.kept == [(finished, Pages("page of seven"))]
    assert said[-2:] == ["pictures", "report"]
    assert finished.assessment.lesions[0].margin.min_mm == pytest.approx(6.0, abs=1.5)
    assert finished.provenance["inputs_sha256"] == {"pre/image": "ab"}
    assert finished.provenance["settings"]["registration"]["kind"] == "identity"


def test_each_step_has_its_time():
    finished = World().review()
    assert finished.timings_s == dict.fromkeys(
        ("read", "zone surfaces", "register", "measure", "rules", "illustrate", "report"), 1.0
    )


def test_a_store_that_cannot_keep_is_found_out_before_the_case_is_read():
    world = World(fault={"prepare": OutputError("OUT: full")})
    with pytest.raises(OutputError):
        world.review()
    assert world.told == ["prepare"]


@pytest.mark.parametrize(
    ("case", "error", "code"),
    [
        (case_of(ablation_1=ball(13.0, "ablation_1")), InputError, "no-tumour"),
        (case_of(tumour_1=ball(7.0, "tumour_1")), InputError, "no-ablation"),
        (case_of(tumour_1=ball(-1.0, "t"), ablation_1=ball(13.0, "a")), EmptyMaskError, "empty-mask"),
        (case_of(tumour_1=ball(7.0, "t"), ablation_1=ball(-1.0, "a")), EmptyMaskError, "empty-mask"),
    ],
)
def test_a_case_with_nothing_to_measure_is_refused_before_any_long_work(case, error, code):
    world, said = World(case), []
    with pytest.raises(error) as caught:
        world.review(observe=lambda what, share: said.append(what))
    assert caught.value.code == code
    assert world.told == ["prepare", "read"]
    assert said == []


@pytest.mark.parametrize(("step", "fault"), [("draw", KeyboardInterrupt()), ("render", InputError("x"))])
def test_what_goes_wrong_before_the_end_stores_nothing(step, fault):
    world = World(fault={step: fault})
    with pytest.raises(type(fault)):
        world.review()
    assert world.kept == []


def test_a_stopwatch_adds_up_and_counts_a_step_that_failed():
    times = iter([0.0, 1.5, 2.0, 2.25])
    watch = Stopwatch(lambda: next(times))
    with watch.step("a"):
        pass
    with pytest.raises(InputError), watch.step("a"):
        raise InputError("x")
    assert watch.seconds == {"a": 1.75}


def test_a_caution_is_said_as_soon_as_it_is_known_and_comes_first_among_the_reasons():
    caution = Caution("different-patients", "PRE and POST state different patients")
    said = []
    world = World(case=replace(TREATED, cautions=(caution,)))
    finished = world.review(observe=lambda what, share: said.append(what))
    assert said[0] == "caution [different-patients]: PRE and POST state different patients"
    assert finished.assessment.cautions == (caution,)
    assert result_document(finished)["reasons"][0] == {
        "field": None, "code": "different-patients", "text": "PRE and POST state different patients",
    }  # fmt: skip


def test_a_map_from_a_file_that_the_source_does_not_give_is_a_wrong_call():
    world = World()
    with pytest.raises(UsageError):
        review(
            world, world, illustrator=world, render=world.render, settings=with_registration("file"),
            clock=itertools.count().__next__, observe=lambda *_: None,
        )  # fmt: skip
    assert world.kept == []
