"""The Bass model, on the sales it was made for."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import diffusion

# Thousands a year: colour television 1963 to 1970, clothes dryers 1949 to 1961 in the United States (Bass 1969; Lilien & Rangaswamy)
COLOUR_TV = [747, 1480, 2646, 5118, 5777, 5982, 5962, 4631]
DRYERS = [106, 319, 492, 635, 737, 890, 1397, 1523, 1294, 1240, 1425, 1260, 1236]


def test_every_docstring_example_holds():
    assert doctest.testmod(diffusion).failed == 0


@pytest.mark.parametrize(("sales", "p", "q", "m"), [(COLOUR_TV, 0.0185, 0.6159, 39_659), (DRYERS, 0.0136, 0.3267, 16_497)], ids=["colour television", "clothes dryers"])
def test_nonlinear_least_squares_as_published(sales, p, q, m):
    """Srinivasan & Mason (1986), Marketing Science 5(2), 169-178: colour television p 0.0185, q 0.6159; clothes dryers 0.0136, 0.3267."""
    found = diffusion.bass(np.array(sales))
    assert (found.p, found.q, found.m) == (pytest.approx(p, abs=5e-5), pytest.approx(q, abs=5e-5), pytest.approx(m, rel=1e-4))


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
@given(st.lists(st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([0.0, 1.0, -3.0])), max_size=20))
def test_any_sales_are_answered_by_a_model_or_none(sales):
    found = diffusion.bass(np.array(sales, dtype=float))
    assert found is None or (np.isfinite([found.p, found.q, found.m]).all() and found.p > 0 and found.m > 0 and (found.sales(36) >= 0).all())
