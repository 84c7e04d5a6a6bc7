"""The smallest ball that holds given points, exact to rounding."""

from __future__ import annotations

import numpy as np

from planner.grid import FloatArray

MOST_STEPS = 200
SLACK = 1e-9


def smallest_ball(points: FloatArray) -> tuple[FloatArray, float]:
    """Return centre, shape (d,), and radius of the smallest ball around points, shape (n, d), n >= 1.

    The ball is that of few points on its border. Begin with one, add the point that sticks out farthest, and find the
    ball of those again, until none sticks out (an active-set method; it ends since the radius grows at each step).
    """
    scale = float(np.abs(points - points[0]).max(initial=0.0)) or 1.0
    held = [int(np.argmax(((points - points[0]) ** 2).sum(axis=1)))]
    centre, radius = points[held[0]], 0.0
    for _ in range(MOST_STEPS):
        apart = np.sqrt(((points - centre) ** 2).sum(axis=1))
        farthest = int(np.argmax(apart))
        if apart[farthest] <= radius + SLACK * scale or farthest in held:
            return centre, max(radius, float(apart[farthest]))
        centre, radius, held = _ball_of_few(points, [*held, farthest])
    return centre, float(np.sqrt(((points - centre) ** 2).sum(axis=1)).max())


def _ball_of_few(points: FloatArray, held: list[int]) -> tuple[FloatArray, float, list[int]]:
    """Return the smallest ball of few points, and those of them that carry it."""
    return _by_dropping(points, held) or _by_trying_all(points, held)


def _by_dropping(points: FloatArray, held: list[int]) -> tuple[FloatArray, float, list[int]] | None:
    """Return the smallest ball where it is found by leaving out points, one by one, that do not carry it.

    A ball through some points with its centre among them, that holds all others, is the smallest. None where this way
    does not lead to it.
    """
    carrying = list(held)
    while 2 <= len(carrying) <= 4:
        centre, radius, weights = _through(points[carrying])
        if centre is None:
            return None
        least = int(np.argmin(weights))
        if weights[least] >= 0.0:
            apart = np.sqrt(((points[held] - centre) ** 2).sum(axis=1)).max()
            return (centre, radius, carrying) if apart <= radius * (1.0 + 1e-10) + 1e-12 else None
        if carrying[least] == held[-1]:
            return None  # the newest lies on the border
        del carrying[least]
    return None


def _by_trying_all(points: FloatArray, held: list[int]) -> tuple[FloatArray, float, list[int]]:
    best: tuple[FloatArray, float, list[int]] | None = None
    for subset in _subsets(held):
        centre, radius, _ = _through(points[subset])
        if centre is None:
            continue
        apart = np.sqrt(((points[held] - centre) ** 2).sum(axis=1)).max()
        if apart <= radius * (1.0 + 1e-10) + 1e-12 and (best is None or radius < best[1]):
            best = centre, radius, subset
    if best is None:
        middle = points[held].mean(axis=0)
        return middle, float(np.sqrt(((points[held] - middle) ** 2).sum(axis=1)).max()), held
    return best


def _subsets(held: list[int]) -> list[list[int]]:
    """Return the subsets of two to four that hold the newest: it must lie on the border of the new ball."""
    *others, newest = held
    found = [[newest, a] for a in others]
    found += [[newest, a, b] for n, a in enumerate(others) for b in others[n + 1 :]]
    found += [
        [newest, a, b, c]
        for n, a in enumerate(others)
        for m, b in enumerate(others[n + 1 :], n + 1)
        for c in others[m + 1 :]
    ]
    return found


def _through(points: FloatArray) -> tuple[FloatArray | None, float, FloatArray]:
    """Return the smallest ball with all of two to four points on its border, and its centre as weights of the points.

    No centre where there is none.
    """
    start, edges = points[0], points[1:] - points[0]
    gram = edges @ edges.T
    try:
        weights = np.linalg.solve(gram, 0.5 * np.diag(gram))
    except np.linalg.LinAlgError:
        return None, 0.0, np.zeros(0)
    offset = weights @ edges
    return start + offset, float(np.sqrt(offset @ offset)), np.concatenate([[1.0 - weights.sum()], weights])
