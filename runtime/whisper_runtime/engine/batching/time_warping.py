"""What aligns tokens with time, compiled: a median filter, and dynamic time warping (whisper/timing.py).

To import this module compiles both, or loads them where that was done before: in the image, when it was built (see
compiled.py). They hold no lock of the interpreter and start no thread, so that decode steps go on beside them.
"""

from __future__ import annotations

from typing import Any, Final, cast

import numba
import numpy as np
import numpy.typing as npt

WIDTH: Final = 7
"""Of the median filter."""
_HALF: Final = WIDTH // 2
_DIAGONAL, _NEXT_TOKEN, _NEXT_TIME = range(3)

Matrix = npt.NDArray[np.float32]
"""(token, position in time), contiguous."""

_jit: Any = cast(Any, numba).njit


def filter_medians(weights: Matrix, medians: Matrix) -> None:
    """Set each element of `medians` to the median of WIDTH neighbours in its row of `weights`, which is mirrored at
    both ends; rows of at most half that width stay as they are (timing.py, median_filter)."""
    _filter_medians(weights, medians)


def cheapest_path(costs: Matrix) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows and columns of the cheapest path from the first element of `costs` to the last (timing.py, dtw_cpu)."""
    path = _cheapest_path(costs)
    return path[0], path[1]


@_jit("float32(" + ", ".join(["float32"] * WIDTH) + ")", nogil=True, cache=True)
def _median(a: float, b: float, c: float, d: float, e: float, f: float, g: float) -> float:
    """Of numbers; exchanges that compilers make minima and maxima of, for many elements at once (N. Devillard, Fast
    median search, opt_med7)."""
    a, f = min(a, f), max(a, f)
    a, d = min(a, d), max(a, d)
    b, g = min(b, g), max(b, g)
    c, e = min(c, e), max(c, e)
    b = max(a, b)
    d, f = min(d, f), max(d, f)
    c, g = min(c, g), max(c, g)
    d = max(c, d)
    d = min(d, g)
    e = min(e, f)
    b, e = min(b, e), max(b, e)
    d = max(b, d)
    return min(d, e)


@_jit("float32(float32[::1])", nogil=True, cache=True)
def _median_beside_nan(values: npt.NDArray[np.float32]) -> float:
    """NaN counts as more than every number, as torch sorts."""
    ordered = np.empty_like(values)
    for index, value in enumerate(values):
        place = index
        while place > 0 and (ordered[place - 1] > value or ordered[place - 1] != ordered[place - 1]):
            ordered[place] = ordered[place - 1]
            place -= 1
        ordered[place] = value
    return ordered[len(ordered) // 2]


@_jit("void(float32[:, ::1], float32[:, ::1])", nogil=True, cache=True)
def _filter_medians(weights: Matrix, medians: Matrix) -> None:
    rows, columns = weights.shape
    if columns <= _HALF:
        medians[:] = weights
        return
    mirrored = np.empty(columns + 2 * _HALF, dtype=np.float32)
    for row in range(rows):
        mirrored[_HALF:-_HALF] = weights[row]
        for index in range(_HALF):
            mirrored[index] = weights[row, _HALF - index]
            mirrored[columns + _HALF + index] = weights[row, columns - 2 - index]
        if np.isnan(weights[row]).any():
            for at in range(columns):
                medians[row, at] = _median_beside_nan(mirrored[at : at + WIDTH])
        else:
            for at in range(columns):
                medians[row, at] = _median(
                    mirrored[at],
                    mirrored[at + 1],
                    mirrored[at + 2],
                    mirrored[at + 3],
                    mirrored[at + 4],
                    mirrored[at + 5],
                    mirrored[at + 6],
                )


@_jit("int64[:, ::1](int8[:, ::1])", nogil=True, cache=True)
def _trace_back(trace: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    row, column = trace.shape[0] - 1, trace.shape[1] - 1
    path = np.empty((2, row + column), dtype=np.int64)
    first = row + column
    while row > 0 or column > 0:
        first -= 1
        path[0, first], path[1, first] = row - 1, column - 1
        step = trace[row, column]
        row -= step != _NEXT_TIME
        column -= step != _NEXT_TOKEN
    return path[:, first:].copy()


@_jit("int64[:, ::1](float32[:, ::1])", nogil=True, cache=True)
def _cheapest_path(costs: Matrix) -> npt.NDArray[np.int64]:
    rows, columns = costs.shape
    # Sums are of 64 bits, as upstream's, whatever its source says: numba widens its array when it multiplies it by inf.
    before, sums = np.full(columns + 1, np.inf), np.full(columns + 1, np.inf)
    before[0] = 0
    trace = np.empty((rows + 1, columns + 1), dtype=np.int8)
    trace[0, :], trace[:, 0] = _NEXT_TIME, _NEXT_TOKEN
    for row in range(1, rows + 1):
        sums[0] = np.inf
        for column in range(1, columns + 1):
            both, token, time = before[column - 1], before[column], sums[column - 1]
            if both < token and both < time:
                least, step = both, _DIAGONAL
            elif token < both and token < time:
                least, step = token, _NEXT_TOKEN
            else:
                least, step = time, _NEXT_TIME
            sums[column] = costs[row - 1, column - 1] + least
            trace[row, column] = step
        before, sums = sums, before
    return _trace_back(trace)
