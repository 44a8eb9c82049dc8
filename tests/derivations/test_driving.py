"""Driving: the scenarios' density, the driver's formula and the motion, each against something else."""

from __future__ import annotations

import numpy as np
import pytest
from estimates import assert_mean
from scipy import integrate, optimize, stats
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import driving
from scratchgen.data.driving import Controller
from scratchgen.data.driving.kinds import KINDS, factors, means
from scratchgen.data.driving.motion import AHEAD, STAY, STEP

OTHER = Controller(
    headway=1.3,
    reaction=0.4,
    desired_speed=29.0,
    acceleration=1.1,
    braking=2.3,
    strongest_braking=6.5,
    least_gap=3.0,
)


@pytest.mark.equation("driving-density")
def test_the_density_is_that_of_scipys_normals_in_their_shares() -> None:
    x = sg.asnumpy(driving.sample(200, RandomStream(0))).astype(np.float64)
    covariances = factors() @ factors().transpose(0, 2, 1)
    density = sum(
        kind.weight * stats.multivariate_normal(mean, covariance).pdf(x)
        for kind, mean, covariance in zip(KINDS.values(), means(), covariances, strict=True)
    )
    assert_close(driving.log_prob(sg.asarray(x)), np.log(density), rtol=1e-9)


@pytest.mark.equation("driving-density")
def test_samples_have_the_density_since_the_share_of_another_one_among_them_is_one() -> None:
    """E_p[q / p] = 1 for any density q; here for a normal about each kind's mean, narrower than the kind."""
    x = sg.asnumpy(driving.sample(100_000, RandomStream(1))).astype(np.float64)
    log_p = sg.asnumpy(driving.log_prob(x))
    for mean, factor in zip(means(), factors(), strict=True):
        q = stats.multivariate_normal(mean, 0.7 * factor @ factor.T)
        assert_mean(np.exp(q.logpdf(x) - log_p), 1.0)


@pytest.mark.equation("idm-gap", "idm-acceleration")
@pytest.mark.parametrize("approach", [-4.0, -40.0, 0.0, 6.0])
def test_the_drivers_acceleration_term_by_term(approach: float) -> None:
    gap, speed = 41.0, 17.0
    wanted = 3.0 + max(0.0, 17.0 * 1.3 + 17.0 * approach / (2 * 1.1**0.5 * 2.3**0.5))
    assert_close(OTHER.wanted_gap(speed, approach), wanted, rtol=1e-12)
    expected = 1.1 - 1.1 * (17 / 29) * (17 / 29) ** 3 - 1.1 * wanted * wanted / gap**2
    assert_close(OTHER(gap, speed, approach), max(expected, -6.5), rtol=1e-12)


@pytest.mark.equation("idm-acceleration")
def test_a_braking_distance_that_is_kept_needs_the_comfortable_braking() -> None:
    """Towards something that stands, v^2 / (2 b) away, s* is mostly v^2 / (2 sqrt(a b)): it brakes by b."""
    kept = Controller(headway=1e-6, least_gap=1e-6, desired_speed=1e6, acceleration=0.9, braking=1.7)
    assert_close(kept(12.0**2 / (2 * 1.7), 12.0, 12.0), 0.9 - 1.7, rtol=1e-4)


@pytest.mark.equation("idm-steady-gap")
@pytest.mark.parametrize("speed", [0.0, 9.0, 25.0])
def test_at_the_steady_gap_there_is_no_acceleration(speed: float) -> None:
    root = optimize.brentq(lambda gap: OTHER(gap, speed, 0.0), 0.5, 500)
    assert_close(OTHER.steady_gap(speed), root, rtol=1e-9)


@pytest.mark.equation("driving-motion")
def test_the_motion_is_that_of_a_fine_solution_of_the_drivers_equation() -> None:
    speeds = np.array([18.0, 17.0, 12.0, 7.0, 6.0, 9.0, 13.0, 15.0])
    driver = Controller(headway=1.3, reaction=0.0, acceleration=1.1, desired_speed=29.0)
    found = driving.drive(np.array([[*speeds, 5.0, -1.0]]), driver)

    def ahead(t: float) -> float:
        return float(np.interp(t, np.arange(8) * 2.0, speeds))

    def flow(t: float, state: np.ndarray) -> list[float]:
        lead, car, v = state
        return [ahead(t), v, float(driver(lead - car, v, v - ahead(t)))]

    start = [float(driver.steady_gap(18.0)), 0.0, 18.0]
    fine = integrate.solve_ivp(flow, (0, 14), start, t_eval=found.times, rtol=1e-9, atol=1e-9, max_step=0.05)
    assert_close(found.lead[0], fine.y[0], rtol=0, atol=1e-4)  # the solver's steps meet kinks
    assert_close(found.car[0], fine.y[1], rtol=0, atol=0.35)  # steps of a tenth of a second
    assert_close(found.speed[0], fine.y[2], rtol=0, atol=0.12)
    means = (found.speed[:, 1:] + found.speed[:, :-1]) / 2  # of the speeds at both ends of each step
    assert_close(np.diff(found.car), means * np.diff(found.times), rtol=1e-12, atol=1e-12)


@pytest.mark.equation("driving-motion")
def test_who_steps_out_stands_a_fixed_way_ahead_of_the_car_or_before_the_one_in_front() -> None:
    speeds = np.full(8, 12.0)
    for headway, way in ((4.0, AHEAD), (0.2, None)):
        driver = Controller(headway=headway, reaction=0.0)
        found = driving.drive(np.array([[*speeds, 5.0, 1.0]]), driver)
        first = int(np.argmax(found.times >= 5.0))
        there = np.isfinite(found.person[0])
        place = found.lead[0, first] if way is None else found.car[0, first] + way
        assert_close(found.person[0, there], np.full(there.sum(), place), rtol=1e-12)
        assert_close(found.times[there], found.times[first : first + there.sum()], rtol=0)
        assert_close(found.times[there][-1], 5.0 + STAY - STEP, rtol=1e-12)  # at its end already gone


@pytest.mark.equation("driving-motion")
def test_who_never_reacts_drives_on_and_hits_what_he_would_hit() -> None:
    blind = Controller(reaction=100.0)
    x = sg.asnumpy(driving.sample(400, RandomStream(2))).astype(np.float64)
    x[:, 9] = -1.0
    found = driving.drive(x, blind)
    lead = np.maximum(x[:, :8], 0)
    acceleration = blind(*(a[:, 0] for a in (found.lead - found.car, found.speed, 0 * found.speed)))
    assert_close(acceleration, np.zeros(400), rtol=0, atol=1e-9)
    travelled = np.cumsum(lead[:, 1:] + lead[:, :-1], axis=1)  # two seconds at the mean of two speeds
    closest = blind.steady_gap(lead[:, 0]) + (travelled - 2 * lead[:, :1] * np.arange(1, 8))[:, -1]
    assert_close((found.lead - found.car)[:, -1], closest, rtol=0, atol=1e-6)
