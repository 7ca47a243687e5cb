"""Print the polynomial that `gates.h` uses for exp, for each element type.

exp(r) - 1 = r + r² q(r) for |r| ≤ ln(2)/2, and q is what this prints: the polynomial through
(exp(r) - 1 - r) / r² at the Chebyshev nodes, which is within a small factor of the best one.
Computed with 60 digits, then rounded to the element type. Run it after changing a degree, and
paste what it prints into `gates.h`; a test compares the two.
"""

from __future__ import annotations

import mpmath

DEGREES = {"float": 5, "double": 11}
DIGITS = {"float": 9, "double": 17}

mpmath.mp.dps = 60


def q(r: mpmath.mpf) -> mpmath.mpf:
    """Return (exp(r) - 1 - r) / r², by its series, which loses nothing near zero."""
    return mpmath.fsum(r**n / mpmath.factorial(n + 2) for n in range(50))


def coefficients(degree: int) -> list[mpmath.mpf]:
    """Return the coefficients of the interpolating polynomial, constant term first."""
    half = mpmath.log(2) / 2 * mpmath.mpf("1.0001")
    count = degree + 1
    nodes = [half * mpmath.cos(mpmath.pi * (2 * k + 1) / (2 * count)) for k in range(count)]
    matrix = mpmath.matrix([[node**power for power in range(count)] for node in nodes])
    return list(mpmath.lu_solve(matrix, mpmath.matrix([q(node) for node in nodes])))


def line(element: str) -> str:
    """Return the initialiser list of one element type as C++ source."""
    suffix = "F" if element == "float" else ""
    numbers = (
        mpmath.nstr(c, DIGITS[element], strip_zeros=False) for c in coefficients(DEGREES[element])
    )
    return ", ".join(number + suffix for number in numbers)


if __name__ == "__main__":
    for name in DEGREES:
        print(f"{name}: {line(name)}")
