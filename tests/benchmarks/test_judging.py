"""Times become figures, ratios and verdicts as the page says they do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bench import contenders, problem, roofline, rows, sweep
from bench.curves import thread_counts
from bench.figures import Figure
from bench.problem import Problem, Size
from bench.rows import ROWS, Target
from hypothesis import given
from hypothesis import strategies as st

from onecell import reference

SIZE = Size(4, 3, 10, 16)


def figures(**medians: float) -> dict[str, Figure]:
    return {name: Figure.of([us]) for name, us in medians.items()}


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=30))
def test_a_figure_lies_within_what_was_measured(times: list[float]) -> None:
    figure = Figure.of(times)
    assert min(times) == figure.best <= figure.low <= figure.median <= figure.high <= max(times)


def test_a_target_is_judged_against_the_best_peer_there_is() -> None:
    target = Target("ours", 2.0, ("slow", "fast", "gone"))
    assert target.judge(figures(ours=10.0, slow=50.0, fast=30.0)) == (3.0, "fast")


@pytest.mark.parametrize("there", [{"ours": 1.0}, {"fast": 1.0}])
def test_a_target_without_both_sides_has_no_verdict(there: dict[str, float]) -> None:
    assert Target("ours", 2.0, ("fast",)).judge(figures(**there)) is None


def test_right_results_have_no_error() -> None:
    want = problem.right(SIZE, "unroll")
    assert problem.error(want, want) == 0.0


@pytest.mark.parametrize("work", ["unroll", "train", "stream"])
def test_every_output_is_looked_at(work: problem.Work) -> None:
    want = problem.right(SIZE, work)
    for name, array in want.items():
        wrong = want | {name: array + 0.01 * max(1.0, float(np.abs(array).max()))}
        assert problem.error(wrong, want) == pytest.approx(0.01)


def test_a_result_that_is_no_number_is_infinitely_wrong() -> None:
    want = problem.right(SIZE, "unroll")
    h = want["h"].copy()
    h[0, 1, 2] = math.nan
    assert problem.error({"h": h}, want) == math.inf


@pytest.mark.parametrize("got", [{}, {"other": np.ones(3)}, {"h": np.ones((3, 16))}])
def test_missing_outputs_and_other_shapes_are_refused(got: problem.Outputs) -> None:
    with pytest.raises(ValueError, match=r"computed|shape"):
        problem.error(got, problem.right(SIZE, "unroll"))


def test_swapped_gates_are_not_timed() -> None:
    p = Problem(SIZE)
    i, f, g, o = np.split(p.weights.weight_hh, 4)
    p.weights.weight_hh[...] = np.concatenate([f, i, g, o])
    got = {"h": reference.unroll(p.weights, p.x, p.h, p.c)[0]}
    assert problem.error(got, problem.right(SIZE, "unroll")) > contenders.INT8 / 10


def test_two_problems_of_a_size_are_the_same() -> None:
    first, second = Problem(SIZE), Problem(SIZE)
    assert first.x.tobytes() == second.x.tobytes()
    assert first.grad_h_all.tobytes() == second.grad_h_all.tobytes()
    assert first.weights.same_bits(second.weights)


def test_every_contender_of_every_row_is_known_and_every_target_is_among_them() -> None:
    for row in ROWS:
        assert set(row.contenders) <= contenders.CONTENDERS.keys()
        for target in row.targets:
            assert target.ours in row.contenders
            assert set(target.against) <= set(row.contenders)


def test_rows_have_names_of_their_own() -> None:
    assert len({row.name for row in ROWS}) == len(rows.ROWS)


def test_every_contender_is_measured_somewhere() -> None:
    used = {name for row in ROWS for name in row.contenders}
    assert used == contenders.CONTENDERS.keys()


def test_the_sweep_holds_every_shape_once() -> None:
    shapes = sweep.shapes()
    assert len(shapes) == len(set(shapes)) == 11 * 10 * 3


def smooth(size: Size) -> float:
    return 2.0 + 1e-4 * size.multiply_adds


def test_smooth_times_have_no_cliff() -> None:
    assert sweep.cliffs({size: smooth(size) for size in sweep.shapes()}) == []


@pytest.mark.parametrize(("batch", "hidden"), [(7, 33), (64, 100)])
def test_a_cliff_is_named(batch: int, hidden: int) -> None:
    cliff = Size(1, batch, hidden, hidden)
    times = {size: smooth(size) * (2.0 if size == cliff else 1.0) for size in sweep.shapes()}
    assert {found.size for found in sweep.cliffs(times)} == {cliff}


def test_a_loss_of_more_than_five_percent_is_counted_and_the_worst_is_first() -> None:
    ratios = [(1.2, 0.1), (0.96, 0.1), (0.94, 0.1), (0.5, 0.1), (0.4, 0.3)]
    points = [
        {
            "size": [1, n, 8, 8], "median": {"onecell": 1.0, "JAX": ratio}, "ratio": ratio,
            "spread": {"onecell": 0.0, "JAX": spread * ratio}, "best": "JAX",
        }
        for n, (ratio, spread) in enumerate(ratios, 1)
    ]  # fmt: skip
    found = sweep.analyse(points)
    assert found["judged"] == 4
    assert found["unsure"] == 1
    assert found["lost"] == 2
    assert found["worst"][0] == {"size": [1, 4, 8, 8], "ratio": 0.5, "best": "JAX"}


@pytest.mark.parametrize(
    ("times", "left"),
    [
        # One round: only who is hopeless leaves.
        ({"onecell": [10], "JAX": [11], "torch.nn.LSTM": [21], "OpenVINO": [24]},
         {"onecell", "JAX", "torch.nn.LSTM"}),
        # Clear, either way: nobody is timed again.
        ({"onecell": [10] * 3, "JAX": [13] * 3}, set()),
        ({"onecell": [10] * 3, "JAX": [7] * 3}, set()),
        # Close: ours and its rivals, one that was held up once among them.
        ({"onecell": [10] * 3, "JAX": [9, 11, 10], "OpenVINO": [12, 30, 30],
          "onnxruntime": [20] * 3},
         {"onecell", "JAX", "OpenVINO"}),
        ({"onecell": [10]}, set()),
        ({"JAX": [10]}, set()),
    ],
)  # fmt: skip
def test_the_sweep_goes_on_where_it_is_close(times: dict[str, list[float]], left: set[str]) -> None:
    assert sweep.undecided(times) == left


@pytest.mark.parametrize(
    ("ours", "left"),
    [
        (0.5, ("onnxruntime",)),
        (4.6, ("onnxruntime",)),
        (12.0, ("torch.nn.LSTMCell", "onnxruntime", "JAX")),
        (float("inf"), sweep.PEERS),
    ],
)
def test_who_is_slower_at_the_smallest_shape_is_not_made_ready(
    ours: float, left: tuple[str, ...]
) -> None:
    least = {"torch.nn.LSTMCell": 20, "torch.nn.LSTM": 70, "onnxruntime": 9, "JAX": 11}
    assert sweep.rivals(least | {"OpenVINO": 250}, ours) == left


def test_who_could_not_be_timed_at_the_smallest_shape_is_tried() -> None:
    assert sweep.rivals({"onnxruntime": 9.0, "OpenVINO": 250.0}, 2.0) == (*sweep.PEERS[:2], "JAX")


def test_shares_of_the_ceilings() -> None:
    size = Size(1, 2, 100, 50)
    times = {"onecell": 60.0, "multiply-adds alone": 45.0, "reading alone": 15.0}
    found = roofline.fractions(size, figures(**times))
    assert found["gflops"] == pytest.approx(2 * 2 * 4 * 50 * 150 / 60e-6 / 1e9)
    assert found["gbytes"] == pytest.approx(4 * 4 * 50 * 150 / 60e-6 / 1e9)
    assert (found["of_fma"], found["of_bandwidth"]) == (0.75, 0.25)


@pytest.mark.parametrize(("cpus", "counts"), [(1, [1, 2]), (2, [1, 2, 4]), (6, [1, 2, 4, 6, 12])])
def test_thread_counts_end_with_too_many(cpus: int, counts: list[int]) -> None:
    assert thread_counts(cpus) == counts
