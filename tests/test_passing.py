"""Passing movement: measured from months, judged with as chance, said in words; the real April held to its size."""

from __future__ import annotations

import dataclasses
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import gpvar
from gpvar import catalogue, charts, schema, tables, words
from gpvar.analysis import passing
from gpvar.analysis.judge import judge
from gpvar.analysis.observed import Counts
from gpvar.results import Note, Run
from gpvar.stats import reliability
from gpvar.study import Period, load_study
from gpvar.words import boxes, verdict
from gpvar.words import passing as sentences
from tests import synthetic
from tests.support import shared
from tests.test_real_study import COLUMNS

SHARE, RATE = "same_day_share", "appointments_per_1000"
YEAR, APRIL = Period("2025-04", "2026-03"), Period("2025-04", "2025-04")
MONTHS = [f"2025-{m:02d}" for m in range(4, 13)] + [f"2026-{m:02d}" for m in range(1, 4)]


def rows(period: Period, codes: object, numerator: object, denominator: object, metric: str = SHARE) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "practice_code": codes,
            "metric": metric,
            "start": period.start,
            "end": period.end,
            "months": period.months,
            "numerator": numerator,
            "denominator": denominator,
        }
    )


def counts_of(codes: object, observed: object, size: object, kind: str = "proportion", **more: object) -> Counts:
    n = len(codes)
    everyone = np.ones(n, dtype=bool)
    return Counts(
        practice_code=np.asarray(codes, dtype=str),
        icb_code=np.repeat(["Q1", "Q2"], [n // 2, n - n // 2]),
        pcn_key=np.repeat("", n),
        observed=np.asarray(observed, dtype=float),
        denominator=np.asarray(size, dtype=float),
        kind=kind,
        **dict({"usable": everyone, "in_reference": everyone, "decidable": everyone, "compared": everyone}, **more),
    )


def table_of(periods: pd.DataFrame, study: Period = YEAR, excluded: tuple[str, ...] = ()) -> SimpleNamespace:
    left_out = pd.DataFrame({"practice_code": list(excluded)}, dtype=str)
    return SimpleNamespace(periods=periods, excluded=left_out, study=SimpleNamespace(period=study))


@dataclasses.dataclass(frozen=True)
class World:
    """Practices whose figures have a lasting part and an AR(1) that passes, month by month."""

    codes: list[str]
    numerator: np.ndarray
    denominator: np.ndarray

    def of(self, *months: str) -> pd.DataFrame:
        which = [MONTHS.index(month) for month in months]
        period = Period(months[0], months[-1])
        return rows(period, self.codes, self.numerator[:, which].sum(axis=1), self.denominator[:, which].sum(axis=1))

    def counts(self, **more: object) -> Counts:
        return counts_of(self.codes, self.numerator.sum(axis=1), self.denominator.sum(axis=1), **more)

    def measure(self, *periods: pd.DataFrame, study: Period = YEAR, **more: object) -> pd.DataFrame:
        found = table_of(pd.concat(periods), study, **more)
        return passing.measure(found, catalogue.metric(SHARE), self.counts())


def world(seed: int, v: float = 0.04, rho: float = 0.0, units: int = 4000, between: float = 0.2) -> World:
    rng = np.random.default_rng(seed)
    moving = np.empty((units, 12))
    moving[:, 0] = rng.normal(0.0, np.sqrt(v), units)
    for month in range(1, 12):
        moving[:, month] = rho * moving[:, month - 1] + rng.normal(0.0, np.sqrt(v * (1.0 - rho**2)), units)
    link = rng.normal(-0.4, np.sqrt(between), units)[:, None] + moving + np.linspace(-0.1, 0.1, 12)
    size = rng.integers(3000, 9000, (units, 12)).astype(float)
    seen = rng.binomial(size.astype(int), 1.0 / (1.0 + np.exp(-link))).astype(float)
    return World([f"A{i:05d}" for i in range(units)], seen, size)


def used(found: pd.DataFrame) -> pd.Series:
    (row,) = found[found["used"]].to_dict("records")
    return pd.Series(row)


# What is measured ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.7])
@pytest.mark.parametrize("first", [MONTHS[:1], MONTHS[5:6], MONTHS[9:]], ids=["first", "middle", "last-quarter"])
def test_a_part_of_the_period_against_the_rest_tells_the_movement_that_is_there(first: list[str], rho: float) -> None:
    made = world(11, rho=rho)
    found = made.measure(made.of(*MONTHS), made.of(*first)).set_index("rho")
    assert list(found.index) == [0.0, 0.5, 0.7] and (found["rho_from"] == "assumed").all()
    row = found.loc[rho]
    assert row["v"] == pytest.approx(0.04, abs=3.5 * row["v_se"])
    true_period = 0.04 * float(reliability.averaging_factor(12, rho))
    assert row["v_period"] == pytest.approx(true_period, rel=0.15)
    assert row["reliability_year"] == pytest.approx(0.2 / (0.2 + true_period), abs=0.01)


def test_one_month_against_the_next_eleven_is_the_estimate_of_the_library() -> None:
    made = world(3)
    april, year = made.of(MONTHS[0]), made.of(*MONTHS)
    found = made.measure(year, april).set_index("rho")
    parts = [april, year.assign(numerator=year["numerator"] - april["numerator"],
                                denominator=year["denominator"] - april["denominator"])]  # fmt: skip
    share = [(part["numerator"] + 0.5) / (part["denominator"] + 1.0) for part in parts]
    link = [np.log(p / (1.0 - p)).to_numpy() for p in share]
    noise = [(1.0 / (part["denominator"] * p * (1.0 - p))).to_numpy() for part, p in zip(parts, share, strict=True)]
    for rho in passing.ASSUMED:
        direct = reliability.transient_variance(*link, *noise, periods=(1, 11), rho=rho)
        assert found.loc[rho, "v"] == pytest.approx(direct.v, rel=1e-9)
        assert found.loc[rho, "v_robust"] == pytest.approx(direct.v_robust, rel=1e-9)
        assert found.loc[rho, "correlation"] == pytest.approx(direct.correlation, rel=1e-12)


def test_practices_are_judged_with_half_of_one_month_carried_to_the_next() -> None:
    made = world(4)
    found = made.measure(made.of(*MONTHS), made.of(MONTHS[0]))
    row = used(found)
    assert row["rho"] == 0.5 and passing.transient_of(found) == row["v_period"]
    independent = found.loc[found["rho"] == 0.0, "v_period"].iloc[0]
    assert row["v_period"] > 2.5 * independent


def test_a_study_of_one_month_takes_the_year_beside_it_apart() -> None:
    made = world(5)
    month = made.measure(made.of(*MONTHS), made.of(MONTHS[0]), study=APRIL)
    year = made.measure(made.of(*MONTHS), made.of(MONTHS[0]))
    assert month["second"].iloc[0] == "2025-05..2026-03"
    np.testing.assert_allclose(month["v"], year["v"])
    np.testing.assert_allclose(month["v_period"], month["v"])


def test_two_periods_side_by_side_are_compared_as_they_are() -> None:
    made = world(6)
    study = Period(MONTHS[0], MONTHS[5])
    found = made.measure(made.of(*MONTHS[:6]), made.of(*MONTHS[6:]), study=study)
    assert list(found["second_months"]) == [6, 6, 6]
    assert used(found[found["rho"] == 0.0].assign(used=True))["v"] == pytest.approx(0.04, abs=0.006)


def test_of_periods_beside_the_study_s_own_the_nearest_is_taken() -> None:
    made = world(7)
    study = Period(MONTHS[6], MONTHS[8])
    found = made.measure(made.of(*MONTHS[6:9]), made.of(MONTHS[0], MONTHS[1]), made.of(MONTHS[9]), study=study)
    assert "2026-01" in set(found["first"]) | set(found["second"])


def test_nothing_is_compared_across_a_break_of_the_series() -> None:
    made = world(7)
    own = made.of(*MONTHS)
    before = own.assign(start="2021-04", end="2022-03", numerator=own["numerator"] + 1)
    assert made.measure(own, before, study=YEAR).empty
    after = own.assign(start="2024-04", end="2025-03", numerator=own["numerator"] + 1)
    assert len(made.measure(own, before, after, study=YEAR))


def test_of_several_stretches_the_one_that_needs_the_assumption_least_is_taken() -> None:
    made = world(7)
    study = Period(MONTHS[0], MONTHS[5])
    found = made.measure(made.of(*MONTHS[:6]), made.of(MONTHS[1]), made.of(*MONTHS[6:]), study=study)
    assert found["second"].iloc[0] == "2025-10..2026-03"
    alone = made.measure(made.of(*MONTHS[:6]), made.of(MONTHS[1]), study=study)
    assert alone["second"].iloc[0] == "2025-04..2025-09 without 2025-05"
    assert np.ptp(np.log(found["v_period"])) < np.ptp(np.log(alone["v_period"]))


@pytest.mark.parametrize(("rho", "v"), [(0.0, 0.04), (0.5, 0.04), (0.6, 0.02)])
def test_every_month_tells_how_one_resembles_the_next(rho: float, v: float) -> None:
    made = world(8, v=v, rho=rho)
    found = made.measure(made.of(*MONTHS), *(made.of(month) for month in MONTHS))
    row = used(found)
    assert len(found) == 4 and row["rho_from"] == "estimated" and row["second"] == passing.EACH
    assert row["first"] == "2025-04..2026-03" and (row["first_months"], row["second_months"]) == (1, 11)
    assert row["rho"] == pytest.approx(rho, abs=0.05)
    assert row["v"] == pytest.approx(v, abs=3.5 * row["v_se"])
    assert row["v_period"] == pytest.approx(v * float(reliability.averaging_factor(12, rho)), rel=0.15)


def test_months_that_do_not_tell_movement_from_what_lasts_are_not_judged_with() -> None:
    made = world(10, v=0.04, rho=0.9, units=100)
    found = made.measure(made.of(*MONTHS), *(made.of(month) for month in MONTHS[:3]))
    row = used(found)
    assert set(found["rho_from"]) == {"assumed", "estimated"} and row["rho_from"] == "assumed" and row["rho"] == 0.5
    assert "The months known cannot tell" in sentences.assumption(catalogue.metric(SHARE), found)


def test_a_rate_is_measured_on_its_own_scale() -> None:
    rng = np.random.default_rng(10)
    n = 3000
    lasting = rng.normal(-1.0, 0.3, n)
    exposure = np.full(n, 8000.0)
    april = rng.poisson(exposure * np.exp(lasting + rng.normal(0, 0.1, n)))
    rest = rng.poisson(11 * exposure * np.exp(lasting))
    codes = [f"A{i:05d}" for i in range(n)]
    periods = pd.concat(
        [rows(APRIL, codes, april, exposure, RATE), rows(YEAR, codes, april + rest, 12 * exposure, RATE)]
    )
    found = passing.measure(table_of(periods), catalogue.metric(RATE), counts_of(codes, rest, exposure, "rate"))
    assert found.set_index("rho").loc[0.0, "v"] * (1 + 1 / 11) == pytest.approx(0.01, rel=0.1)


def test_practices_whose_files_disagree_are_left_out_and_counted() -> None:
    made = world(12, units=200)
    april, year = made.of(MONTHS[0]), made.of(*MONTHS)
    april.loc[:2, ["numerator", "denominator"]] = [9e6, 9.5e6]
    april.loc[3, "numerator"] = year.loc[3, "numerator"] + 1.0
    found = made.measure(year, april)
    assert (found["disagree"] == 4).all() and (found["units"] == 196).all()
    (note,) = passing.notes_of(found, catalogue.metric(SHARE))
    assert note.numbers["disagree"] == 4
    assert "4 practices had more in a part of the period than in the whole of it" in boxes.notes([note])[0]


def test_only_sound_practices_take_part() -> None:
    made = world(13, units=200)
    stopped, unusable = np.arange(200) >= 10, np.arange(200) % 50 != 20
    counts = made.counts(decidable=stopped, usable=unusable)
    periods = pd.concat([made.of(*MONTHS), made.of(MONTHS[0])])
    found = passing.measure(table_of(periods, excluded=(made.codes[11],)), catalogue.metric(SHARE), counts)
    assert (found["units"] == 200 - 10 - 4 - 1).all()


def test_a_practice_known_for_fewer_months_is_left_out() -> None:
    made = world(13, units=200)
    year = made.of(*MONTHS)
    year.loc[:4, "months"] = 11
    assert (made.measure(year, made.of(MONTHS[0]))["units"] == 195).all()


@pytest.mark.parametrize("case", ["none", "one", "overlap", "few", "other metric"])
def test_where_nothing_can_be_compared_nothing_is_measured(case: str) -> None:
    made = world(14, units=20 if case == "few" else 100)
    periods = {
        "none": [made.of(*MONTHS).iloc[:0]],
        "one": [made.of(*MONTHS)],
        "overlap": [made.of(*MONTHS[:6]), made.of(*MONTHS[3:9])],
        "few": [made.of(*MONTHS), made.of(MONTHS[0])],
        "other metric": [made.of(*MONTHS), made.of(MONTHS[0]).assign(metric=RATE)],
    }[case]
    found = made.measure(*periods, study=Period(MONTHS[0], MONTHS[5]) if case == "overlap" else YEAR)
    assert list(found) == schema.names("passing") and found.empty
    assert np.isnan(passing.transient_of(found))
    assert passing.notes_of(found, catalogue.metric(SHARE)) == (Note("no_months"),)
    assert passing.notes_of(found, SimpleNamespace(activity=False)) == ()


# What is judged with ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judged() -> dict[tuple[str, bool], object]:
    """A world's year, judged without and with its passing movement, against both comparators."""
    counts = world(20, units=600).counts()
    link = np.zeros(600)
    known = dataclasses.replace(counts, transient=0.03)
    return {
        (comparator, with_v): judge(known if with_v else counts, link, 1, comparator)
        for comparator in ("england", "own_icb")
        for with_v in (False, True)
    }


@pytest.mark.parametrize("comparator", ["england", "own_icb"])
def test_no_number_moves_without_passing_movement(comparator: str, judged) -> None:
    counts = world(20, units=600).counts()
    none = judge(dataclasses.replace(counts, transient=0.0), np.zeros(600), 1, comparator)
    before = judged[comparator, False]
    pd.testing.assert_frame_equal(before.practices, none.practices, check_exact=True)
    differs = {name for name in before.spread if before.spread[name] != none.spread[name]}
    assert differs == {"transient"} and np.isnan(before.spread["transient"])


@pytest.mark.parametrize("comparator", ["england", "own_icb"])
def test_passing_movement_is_taken_off_the_shared_spread_and_counted_as_chance(comparator: str, judged) -> None:
    before, after = judged[comparator, False], judged[comparator, True]
    assert after.spread["tau2"] + 0.03 == pytest.approx(before.spread["tau2"], rel=1e-3)
    np.testing.assert_allclose(after.practices["z"], before.practices["z"], rtol=1e-3, atol=1e-3)
    for end in ("middle_lower", "middle_upper"):
        np.testing.assert_allclose(after.practices[end], before.practices[end], rtol=1e-3)
    wide = after.practices["sampling_upper_95"] - after.practices["sampling_lower_95"]
    assert (wide > 5 * (before.practices["sampling_upper_95"] - before.practices["sampling_lower_95"])).all()


def test_limits_and_interval_of_the_difference_hold_sampling_and_passing_movement(judged) -> None:
    after = judged["england", True].practices
    counts = world(20, units=600).counts()
    link = np.log((counts.observed + 0.5) / (counts.denominator - counts.observed + 0.5))
    centre = np.log(after["centre"] / (1.0 - after["centre"]))
    s2 = 1.0 / (counts.denominator * after["centre"] * (1.0 - after["centre"]))
    np.testing.assert_allclose(after["z_sampling"], (link - centre) / np.sqrt(s2 + 0.03), rtol=1e-9)
    inside = after["flag_sampling"] == ""
    assert (inside == (np.abs(after["z_sampling"]) <= 1.959963984540054)).all() and 0.1 < inside.mean() < 0.9
    # The interval of the difference covers nought for nearly the same practices: its variance is at their own figure.
    covers = (after["difference_lower"] <= 0) & (after["difference_upper"] >= 0)
    assert (covers == inside).mean() > 0.99


# The real April -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def england() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The year 2025/26 of practices with 1,000 patients or more, and April 2025 of all."""
    year = pd.read_csv(shared("data", "joined", "england_2025_26.csv.gz"), low_memory=False)
    month = pd.read_csv(shared("data", "joined", "appointments_april_2025_wide.csv.gz"))
    month.columns = [" ".join(name.split()) for name in month.columns]
    first = month.columns.get_loc("Same Day")
    month["n"] = month.iloc[:, first : first + 8].sum(axis=1)
    return year[year["mean_monthly_list_size"] >= 1000], month


def april(england: tuple[pd.DataFrame, pd.DataFrame], metric: str, study: Period = YEAR) -> pd.DataFrame:
    year, month = england
    if metric == SHARE:
        seen, of = year["gpad_annual_same_day"], year["gpad_annual_total_appointments"]
        part = rows(APRIL, month["GP_CODE"], month["Same Day"], month["n"])
    else:
        seen, of = year["gpad_annual_total_appointments"], year["annual_patient_month_exposure"]
        known = month.merge(
            year[["practice_code", "mean_monthly_list_size"]], left_on="GP_CODE", right_on="practice_code"
        )
        part = rows(APRIL, known["GP_CODE"], known["n"], known["mean_monthly_list_size"], metric)
    card = catalogue.metric(metric)
    periods = pd.concat([rows(YEAR, year["practice_code"], seen, of, metric), part])
    return passing.measure(table_of(periods, study), card, counts_of(year["practice_code"], seen, of, card.kind))


def test_april_against_the_other_eleven_months_is_as_measured_in_england(england) -> None:
    row = used(april(england, SHARE))
    assert row["units"] > 6000 and row["disagree"] == 0
    assert 0.205 <= row["sd_difference"] <= 0.215
    assert round(row["sd_difference_robust"], 2) == 0.16
    assert round(row["sampling_sd"], 2) == 0.04
    assert round(row["correlation"], 3) == 0.914
    assert round(row["shifted"], 3) == 0.036


def test_the_middle_half_of_practices_moves_half_as_much(england) -> None:
    row = used(april(england, SHARE))
    assert 0.45 < row["v_robust"] / row["v"] < 0.6


def test_a_quarter_of_aprils_lowest_tenth_is_not_in_that_of_the_rest(england) -> None:
    row = used(april(england, SHARE))
    assert round(1.0 - row["stay_observed"], 2) == 0.24
    # Heavier tails than normal: more stay than a normal spread of this correlation would let.
    assert row["stay_expected"] < row["stay_observed"]


def test_appointments_per_patient_move_less(england) -> None:
    share, rate = used(april(england, SHARE)), used(april(england, RATE))
    assert round(rate["correlation"], 3) == 0.931
    assert rate["v"] < share["v"] / 3


def test_one_month_allows_a_range_of_ranks_and_a_year_a_rank_whatever_is_assumed(england) -> None:
    found = april(england, SHARE)
    assert found["reliability_month"].between(0.7, 0.9).all()
    assert (found["reliability_year"] > 0.9).all()


def study_of(period: str) -> dict[str, object]:
    """A study of England's same-day share over the year with April beside it, or of April with the year beside it."""
    file = str(shared("data", "joined", "england_2025_26.csv.gz"))
    about = {key: heading for key, heading in COLUMNS.items() if "." not in key and not key.startswith(("imd", "age"))}
    year = {key: heading for key, heading in COLUMNS.items() if key.startswith(SHARE)}
    intervals = [
        "Same Day", "1 Day", "2 to 7 Days", "8  to 14 Days", "15  to 21 Days", "22  to 28 Days", "More than 28 Days",
        "Unknown / Data Quality",
    ]  # fmt: skip
    month = {"practice_code": "GP_CODE", f"{SHARE}.numerator": "Same Day", f"{SHARE}.denominator": intervals}
    april_file = str(shared("data", "joined", "appointments_april_2025_wide.csv.gz"))
    beside = {"year": {"period": "2025-04..2026-03"}} if period == "2025-04" else {"april": {"period": "2025-04"}}
    return {
        "schema": 1,
        "title": "Same-day share in North East and North Cumbria",
        "seed": 20260401,
        "declared": "2026-04-14",
        "period": period,
        "metrics": [SHARE],
        "area": {"kind": "icb", "code": "QHM"},
        "reference": {"set": "england", "exclude": ["list_under_1000"]},
        "adjust": {"M1": [], "M2": []},
        "source": [
            {"id": "practices", "file": file, "columns": about},
            {
                "id": "year",
                "file": file,
                "columns": {"practice_code": "practice_code", **year},
                **beside.get("year", {}),
            },
            {"id": "april", "file": april_file, "columns": month, **beside.get("april", {})},
        ],
    }


@pytest.fixture(scope="module")
def of_april(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("april")
    return gpvar.run(load_study(study_of("2025-04"), base=folder))


def at_m0(analysis: object, comparator: str) -> pd.DataFrame:
    rows = analysis.practices
    return rows[(rows["rung"] == "M0") & (rows["comparator"] == comparator)].set_index("practice_code")


def test_a_study_of_april_is_judged_with_the_movement_of_one_month(of_april: Run) -> None:
    analysis = of_april.analyses[SHARE]
    row = used(analysis.passing)
    assert 0.205 <= row["sd_difference"] <= 0.215 and row["v_period"] == row["v"]
    assert (analysis.spread["transient"] == row["v_period"]).all()
    assert [note.id for note in analysis.notes if note.id in ("passing_movement", "no_months")] == ["passing_movement"]


@pytest.mark.parametrize("comparator", ["england", "own_icb"])
def test_some_practices_beyond_the_chance_of_sampling_show_no_clear_difference_in_one_month(
    of_april: Run, comparator: str
) -> None:
    analysis = of_april.analyses[SHARE]
    known = at_m0(analysis, comparator)
    unknown = at_m0(
        gpvar.analyse(dataclasses.replace(of_april.table, periods=of_april.table.periods[:0]), SHARE), comparator
    )
    was = unknown.loc[unknown["position"] == "usual"].index
    assert (known.loc[was, "position"] == "no_detectable_difference").mean() > 0.3
    # Nobody inside the limits of sampling alone is outside the wider ones.
    inside = unknown.index[unknown["position"] == "no_detectable_difference"]
    assert (known.loc[inside, "position"] == "no_detectable_difference").all()


def test_as_many_practices_are_outside_the_usual_range_as_there_should_be(of_april: Run) -> None:
    for row in of_april.analyses[SHARE].spread.to_dict("records"):
        assert 0.035 <= row["flagged_95"] / row["n"] <= 0.065, row["comparator"]


def test_passing_movement_comes_back_from_a_stored_run(of_april: Run) -> None:
    again = gpvar.load_run(of_april.folder).analyses[SHARE]
    before = of_april.analyses[SHARE]
    pd.testing.assert_frame_equal(again.passing, before.passing, check_dtype=False)
    assert again.notes == before.notes and sentences.used(again.passing) is not None


def test_the_pages_of_april_say_what_was_measured(of_april: Run) -> None:
    code = of_april.table.area_codes[0]
    said = words.practice_verdict(of_april, code)
    assert "95% interval for chance: " in said and "could not be separated" not in said
    assert "Chance is sampling and a practice's own movement from month to month (up to about 9.7 percentage" in said
    quality = words.practice_quality(of_april, code)
    assert "**Passing movement was measured**, and counts as chance." in quality
    assert "Of the lowest tenth in April 2025, 76% were in the lowest tenth of May 2025 to March 2026 too." in quality
    area = words.area_quality(of_april)
    assert "95 in 100 were within 10.1 percentage points of their own figure for May 2025 to March 2026" in area
    assert "Measured this way it includes changes that last." in area
    assert area.endswith("How many practices show “No clear difference” depends on that assumption.")
    section = words.passing_section(of_april)
    row = of_april.analyses[SHARE].passing.query("used").iloc[0]
    assert row["v_robust"] < row["v"]
    assert f"passing movement is {row['v']:.4f}; {row['v_robust']:.4f} when practices that moved far count" in section


# What is said -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return synthetic.make_run(tmp_path_factory.mktemp("passing"), (synthetic.Card(), synthetic.RATE))


def with_passing(run: Run, found: pd.DataFrame, metric: str = SHARE) -> Run:
    analysis = dataclasses.replace(run.analyses[metric], passing=found)
    return dataclasses.replace(run, analyses={**run.analyses, metric: analysis})


@pytest.fixture(scope="module")
def assumed() -> pd.DataFrame:
    made = world(30, rho=0.5, units=2000)
    return made.measure(made.of(*MONTHS), made.of(MONTHS[0]))


@pytest.fixture(scope="module")
def estimated() -> pd.DataFrame:
    made = world(30, rho=0.5, units=2000)
    return made.measure(made.of(*MONTHS), *(made.of(month) for month in MONTHS))


def pages(run: Run, metric: str) -> str:
    code = run.table.area_codes[0]
    said = [words.practice_verdict(run, code, metric), words.practice_quality(run, code, metric)]
    said += [words.practice_funnel_note(run, code, metric), words.area_verdict(run, metric)]
    said += [words.area_quality(run, metric), words.area_icb_right(run, metric), words.area_funnel_note(run, metric)]
    said += [words.area_after(run, metric), words.passing_section(run, metric)]
    return "\n\n".join(said)


@pytest.mark.parametrize("metric", [SHARE, RATE])
def test_without_a_second_period_the_pages_leave_chance_open(without: Run, metric: str) -> None:
    said = pages(without, metric)
    assert "Chance could not be separated from passing movement" in said
    assert "was measured" not in said and "the chance of sampling alone" in said
    assert words.passing_section(without, metric) == ""
    assert charts.passing(without, metric) == () and tables.passing(without, metric) == ""


@pytest.mark.parametrize("metric", [SHARE, RATE])
@pytest.mark.parametrize("which", ["assumed", "estimated"])
def test_with_one_the_pages_say_what_was_measured_and_nothing_else(
    without: Run, metric: str, which: str, request: pytest.FixtureRequest
) -> None:
    run = with_passing(without, request.getfixturevalue(which), metric)
    said = pages(run, metric)
    assert "could not be separated" not in said and "sampling alone" not in said
    assert said.count("**Passing movement was measured") == 2
    assert "the chance of sampling and passing movement" in said
    assert not re.search(r"\bnan\b|None|\S  \S|\.\.| \.|\(\)", said)


def test_the_assumption_and_what_others_would_give_are_said(assumed: pd.DataFrame, estimated: pd.DataFrame) -> None:
    card = catalogue.metric(SHARE)
    said = sentences.assumption(card, assumed)
    low, half, high = (f"{100 * swing:.1f}" for swing in assumed["swing_period"])
    assert f"a correlation of 0.5 is assumed (with 0 it would be {low}, with 0.7 {high})" in said
    assert f"up to about {half} percentage points off" in sentences.measured(card, assumed, "the year")
    brief = sentences.briefly(card, assumed)
    assert f"is assumed; with 0 the movement would be {low}, with 0.7 {high}." in brief
    found = sentences.assumption(card, estimated)
    assert f"was estimated from the months (correlation {used(estimated)['rho']:.2f})" in found
    assert "assumed" not in found


def test_the_swing_is_the_movement_of_a_middling_figure(assumed: pd.DataFrame) -> None:
    made = world(30, rho=0.5, units=2000)
    share = np.median(made.numerator.sum(axis=1) / made.denominator.sum(axis=1))
    for row in assumed.to_dict("records"):
        near = 1.96 * np.sqrt(row["v_period"]) * share * (1.0 - share)
        assert row["swing_period"] == pytest.approx(near, rel=0.03)


def test_most_practices_are_as_near_to_their_other_months_as_is_said(assumed: pd.DataFrame) -> None:
    made = world(30, rho=0.5, units=2000)
    first = made.numerator[:, 0] / made.denominator[:, 0]
    rest = made.numerator[:, 1:].sum(axis=1) / made.denominator[:, 1:].sum(axis=1)
    away = np.abs(first - rest - np.median(first - rest))
    row = used(assumed)
    assert np.mean(away <= row["gap_95"]) == pytest.approx(0.95, abs=0.001)
    assert np.mean(away <= row["gap_half"]) == pytest.approx(0.5, abs=0.001)


def test_the_picture_shows_how_many_of_a_hundred_stay(without: Run, assumed: pd.DataFrame) -> None:
    (chart,) = charts.passing(with_passing(without, assumed))
    stay = round(100 * used(assumed)["stay_observed"])
    drawn = [len(line.get_xdata()) for line in chart.figure.axes[0].get_lines()]
    assert drawn == [stay, 100 - stay] == list(chart.data["practices"])
    assert f"{stay} are there in the other months too" in chart.title and "luck alone, 10" in chart.alt
    filled, empty = chart.figure.axes[0].get_lines()
    assert filled.get_markerfacecolor() != "white" == empty.get_markerfacecolor()


def test_the_table_has_a_row_for_each_assumption(without: Run, assumed: pd.DataFrame, estimated: pd.DataFrame) -> None:
    first = tables.passing(with_passing(without, assumed)).frame
    assert list(first["One month and the next"]) == [
        "correlation 0.00, assumed", "correlation 0.50, assumed; used here", "correlation 0.70, assumed",
    ]  # fmt: skip
    second = tables.passing(with_passing(without, estimated)).frame
    assert second["One month and the next"].iloc[-1].endswith("estimated; used here")
    assert not second.astype(str).isin(["nan", "not known", ""]).any(axis=None)


def test_chance_is_said_for_a_metric_that_is_no_activity_too(assumed: pd.DataFrame) -> None:
    card = synthetic.Card()
    row = sentences.used(assumed)
    assert verdict.chance(card, has_months=False, moved=row).startswith("Chance is sampling and")
