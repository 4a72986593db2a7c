"""The Bass model, on the sales it was made for."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import optimize

from sopnb import diffusion

# Thousands a year in the United States: colour television 1963 to 1970, clothes dryers and room air conditioners 1949 to 1961. The series
# that Srinivasan & Mason and many after them fit, as public collections of code hold them. (Not those of Bass 1969, who wrote before 1970.)
COLOUR_TV = [747, 1480, 2646, 5118, 5777, 5982, 5962, 4631]
DRYERS = [106, 319, 492, 635, 737, 890, 1397, 1523, 1294, 1240, 1425, 1260, 1236]
COOLERS = [96, 195, 238, 380, 1045, 1230, 1267, 1828, 1586, 1673, 1800, 1580, 1500]


def test_every_docstring_example_holds():
    assert doctest.testmod(diffusion).failed == 0


@pytest.mark.parametrize(("sales", "p", "q", "m"), [(COLOUR_TV, 0.0185, 0.6159, 39_659), (DRYERS, 0.0136, 0.3267, 16_497)], ids=["colour television", "clothes dryers"])
def test_nonlinear_least_squares_as_published(sales, p, q, m):
    """Srinivasan & Mason (1986), Marketing Science 5(2), 169-178: colour television p 0.0185, q 0.6159; clothes dryers 0.0136, 0.3267.

    Their parameters are quoted from memory and recomputed here from the series above; m is what that gives, not a quotation."""
    found = diffusion.bass(np.array(sales))
    assert (found.p, found.q, found.m) == (pytest.approx(p, abs=5e-5), pytest.approx(q, abs=5e-5), pytest.approx(m, rel=1e-4))


def test_nonlinear_least_squares_by_scipys_curve_fit():
    """A second route, from the mean of published launches as a start: Levenberg & Marquardt without bounds."""
    def sold(t, p, q, m):
        return np.diff(m * (1 - np.exp(-(p + q) * t)) / (1 + q / p * np.exp(-(p + q) * t)), prepend=0.0)

    for series in (COOLERS, COLOUR_TV, DRYERS):
        (p, q, m), _ = optimize.curve_fit(sold, np.arange(1, len(series) + 1), series, p0=[0.03, 0.38, 1.5 * sum(series)])
        found = diffusion.bass(np.array(series))
        assert (found.p, found.q, found.m) == pytest.approx((p, q, m), rel=1e-3)


def test_basss_regression_as_taught():
    """Five years of 0.517, 1.169, 1.604, 2.044 and 2.286 million: p 0.0626032, q 0.73766359, m 10.5036768 (solution of an exercise in
    MIT's course on data analysis for brand management, as a student's public notes print it)."""
    found = diffusion.regressed(np.array([0.517, 1.169, 1.604, 2.044, 2.286]))
    assert (found.p, found.q, found.m) == pytest.approx((0.0626032, 0.73766359, 10.5036768), rel=1e-7)


def test_the_differential_equation_is_a_second_route():
    """Bass (1969): dF/dt = (p + q F)(1 − F), walked in small steps from nothing."""
    model = diffusion.Bass(0.0185, 0.6159, 1.0)
    f, step = 0.0, 1e-4
    for _ in range(50_000):
        f += step * (model.p + model.q * f) * (1 - f)
    assert model.taken_up(5)[-1] == pytest.approx(f, abs=1e-4)
    assert model.sales(5).sum() == pytest.approx(model.taken_up(5)[-1])


def test_exact_sales_give_back_their_parameters():
    found = diffusion.bass(diffusion.Bass(0.02, 0.4, 500.0).sales(14))
    assert (found.p, found.q, found.m) == pytest.approx((0.02, 0.4, 500.0), rel=1e-4)


@settings(max_examples=40, deadline=None)
@example([0.0, 0.0, 0.0, 0.0, 3.6e307])
@given(st.lists(st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([0.0, 1.0, -3.0])), max_size=20))
def test_any_sales_are_answered_by_a_model_or_none(sales):
    found = diffusion.bass(np.array(sales, dtype=float))
    assert found is None or (np.isfinite([found.p, found.q, found.m]).all() and found.p > 0 and found.m > 0 and (found.sales(36) >= 0).all())
