"""Claims about change: planted practices and groups in a small England of two years, breaks, periods, hidden counts."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

import gpvar
from gpvar import catalogue
from gpvar.catalogue import Break
from gpvar.claims import change, check_all, check_claim, checking, periods, twice
from gpvar.claims import group as chosen
from gpvar.claims.decide import decide
from gpvar.claims.evidence import Evidence
from gpvar.claims.evidence import Tested as Seen
from gpvar.results import Claim, Figure, Finding, Run
from gpvar.stats.change import GroupChange
from gpvar.study import Period
from tests.support import shared

SHARE = "same_day_share"
AFTER, BEFORE = "2025-04..2026-03", "2024-04..2025-03"
ENGLAND_ROSE = 0.3
_N = 180
_COLUMNS = {
    "practice_code": "code",
    "icb_code": "icb",
    "list_size": "list",
    "imd2025": "imd",
    "same_day_share.numerator": "same_day",
    "same_day_share.denominator": "total",
}
#: Code → denominator, and where its figure stands on the logit scale in the first and the second year.
_PLANTED = {
    "A80000": (20000, -0.6, 0.4),  # rose far more than England
    "A80001": (20000, -0.5, -0.2),  # rose as England did
    "A80002": (20000, -0.4, -0.9),  # fell
    "A80003": (60, -2.2, -0.7),  # few appointments, far below the middle at first
    "A80004": (60, -0.4, -0.2),  # few appointments, near the middle
    "A80005": (20000, -0.5, -0.5),  # stayed, while England rose
}
_HIDDEN = {"A80006": 20000, "A80007": 30}
_ABSENT = "A80008"


def _frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two years of invented practices: what lasts, what passes, deprivation, and those of `_PLANTED`."""
    rng = np.random.default_rng(3)
    imd = rng.normal(25.0, 8.0, _N).clip(5.0, 60.0)
    size = rng.integers(15000, 40000, _N)
    lasting = -0.4 - 0.01 * (imd - 25.0) + rng.normal(0.0, 0.4, _N)
    years = []
    for year in (0, 1):
        link = lasting + year * ENGLAND_ROSE + rng.normal(0.0, 0.06, _N)
        years.append(
            pd.DataFrame(
                {
                    "code": [f"A{80000 + i}" for i in range(_N)],
                    "icb": [f"QZ{i % 4}" for i in range(_N)],
                    "list": 8000,
                    "imd": imd,
                    "same_day": rng.binomial(size, special.expit(link)),
                    "total": size,
                }
            )
        )
    for code, (n, *links) in _PLANTED.items():
        for frame, link in zip(years, links, strict=True):
            here = frame["code"] == code
            frame.loc[here, ["same_day", "total", "list"]] = [round(n * special.expit(link)), n, n // 5]
    years[1]["same_day"] = years[1]["same_day"].astype(object)
    for code, n in _HIDDEN.items():
        years[1].loc[years[1]["code"] == code, ["same_day", "total", "list"]] = ["<5", n, n // 5]
    return years[0][years[0]["code"] != _ABSENT], years[1]


def _study(folder: Path, frames: tuple[pd.DataFrame, ...], **changes: Any) -> gpvar.Study:
    before, after = frames
    before.to_csv(folder / "before.csv", index=False)
    after.to_csv(folder / "after.csv", index=False)
    counts = {name: head for name, head in _COLUMNS.items() if name == "practice_code" or "." in name}
    declared = {
        "schema": 1,
        "title": "Two years",
        "seed": 1,
        "declared": "2026-04-14",
        "period": AFTER,
        "metrics": [SHARE],
        "area": {"kind": "icb", "code": "QZ1", "practices": ["A80001"]},
        "reference": {"set": "england", "exclude": []},
        "adjust": {"M1": ["imd2025"], "M2": []},
        "source": [
            {"id": "after", "file": "after.csv", "columns": _COLUMNS},
            {"id": "before", "file": "before.csv", "period": BEFORE, "columns": counts},
        ],
    }
    return gpvar.load_study(declared | changes, base=folder)


def _run(study: gpvar.Study) -> Run:
    table = gpvar.build_table(study)
    return Run(study, table, {SHARE: gpvar.analyse(table, SHARE)}, Path("nowhere"), {"key": "test"})


_KNOWN: dict[int, dict[Any, Any]] = {}


def judged(claim: Claim, run: Run) -> Finding:
    """Return the finding; runs of other periods are kept from one test to the next, as for a letter of many claims."""
    return checking._checked(claim, run, _KNOWN.setdefault(id(run), {}))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return _run(_study(tmp_path_factory.mktemp("two_years"), _frames()))


def said(code: str, direction: str, template: str = "change", **more: Any) -> Claim:
    more = {"period": AFTER, "period_before": BEFORE} | more
    return Claim("1", template, practice=code, practice_code=code, metric=SHARE, direction=direction, **more)


def percent(number: float) -> Figure:
    return Figure(f"{number:.1f}%", number, 1, percent=True)


# "It fell", "it rose" -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def changes(run: Run) -> dict[tuple[str, str], Finding]:
    asked = [(code, direction) for code in [*_PLANTED, "A80010"] for direction in ("low", "high")]
    found = [judged(said(*item), run) for item in asked]
    return dict(zip(asked, found, strict=True))


def test_how_many_would_seem_to_change_as_far_by_chance_is_said_where_it_is_one_or_more(
    changes: dict[tuple[str, str], Finding],
) -> None:
    told = set()
    for (_, direction), found in changes.items():
        numbers = found.numbers
        error = (numbers["left_upper"] - numbers["left_lower"]) / (2 * 1.959964)
        z = numbers["left"] / error * (1 if direction == "high" else -1)
        expected = numbers["panel"] * NormalDist().cdf(-z)
        assert numbers["by_chance"] == pytest.approx(expected, rel=1e-3, abs=1e-9)
        assert ("some_change_by_chance" in found.because) == (expected >= 1.0)
        told.add(expected >= 1.0)
    assert told == {True, False}


@pytest.mark.parametrize(
    ("code", "direction", "verdict", "reason"),
    [
        ("A80000", "high", "supported", "change_holds"),
        ("A80000", "low", "contradicted", "change_other_side"),
        ("A80001", "high", "not_attributable", "change_shared"),
        ("A80002", "low", "supported", "change_holds"),
        ("A80002", "high", "contradicted", "change_other_side"),
        ("A80003", "high", "not_attributable", "change_is_regression"),
        ("A80004", "high", "not_shown", "change_within_chance"),
        ("A80004", "low", "not_shown", "change_within_chance"),
    ],
)
def test_a_change_is_judged_by_chance_england_and_what_is_given_back(
    changes: dict, code: str, direction: str, verdict: str, reason: str
) -> None:
    found = changes[code, direction]
    assert (found.verdict, found.reason) == (verdict, reason)


def made_of(whole: float, england: float, given: float, half: float = 0.02) -> dict[str, float]:
    """The numbers of a change, every interval of which is `half` to either side."""
    parts = {"change": whole, "excess": whole - england, "left": whole - england - given}
    ends = {f"{name}_{end}": value + side * half for name, value in parts.items() for end, side in _ENDS}
    shares = {"shared_part": england / whole, "foreseen_part": (england + given) / whole}
    return {**parts, **ends, **shares, "margin": 0.05}


_ENDS = (("lower", -1), ("upper", 1))


@pytest.mark.parametrize(
    ("england", "given", "reason"),
    [
        (0.018, 0.0, "change_shared"),
        # A third of the change is England's: that is too little to call it shared.
        (0.012, 0.0, "change_not_shown"),
        (0.009, 0.010, "change_is_regression"),
        (0.009, 0.004, "change_not_shown"),
        (0.002, 0.003, "change_holds"),
    ],
)
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_change_is_englands_or_regression_only_where_these_are_half_of_it(
    england: float, given: float, reason: str, sign: int
) -> None:
    numbers = made_of(sign * 0.03, sign * england, sign * given)
    rule = decide("change", set(change._changed(numbers, sign, known=True)))
    assert rule is not None and rule.reason == reason


@pytest.mark.parametrize(
    ("whole", "england", "reason"),
    [
        (0.06, 0.0, "improved"),
        # It stayed where it was while all others fell: that is no improvement, and no lack of one either.
        (0.005, -0.06, "held_while_others_fell"),
        (-0.03, -0.09, "held_while_others_fell"),
        (0.005, 0.0, "no_improvement_holds"),
    ],
)
def test_who_held_while_others_fell_is_not_said_to_have_improved(whole: float, england: float, reason: str) -> None:
    rule = decide("no_improvement", set(change._not_improved(made_of(whole, england, 0.0), 1, known=True)))
    assert rule is not None and rule.reason == reason


def test_the_parts_of_a_change_add_up_and_are_those_of_the_counts(changes: dict) -> None:
    for (code, _), found in changes.items():
        n = found.numbers
        assert n["change"] == pytest.approx(n["england_change"] + n["given_back"] + n["left"], abs=1e-12)
        assert n["excess"] == pytest.approx(n["change"] - n["england_change"], abs=1e-12)
        if code in _PLANTED:
            size, *links = _PLANTED[code]
            counts = [round(size * special.expit(link)) / size for link in links]
            assert [n["before"], n["after"]] == pytest.approx(counts) and n["after"] == pytest.approx(n["value"])
        moved = special.expit(special.logit(n["before"]) + ENGLAND_ROSE) - n["before"]
        assert n["england_change"] == pytest.approx(moved, abs=0.012)
        assert n["panel"] == _N - len(_HIDDEN) - 1
        assert n["england_after"] - n["england_before"] == pytest.approx(0.07, abs=0.015)


def test_a_small_figure_far_from_the_middle_gives_back_more_than_a_large_one(changes: dict) -> None:
    small, large = changes["A80003", "high"].numbers, changes["A80000", "high"].numbers
    assert small["kept"] < 0.8 < large["kept"] and small["given_back"] > 0.03
    assert abs(large["given_back"]) < 0.02


def test_what_could_have_been_missed_is_the_far_end_on_the_side_named(changes: dict) -> None:
    up, down = (changes["A80004", side].numbers for side in ("high", "low"))
    assert up["could_have_been_missed"] == pytest.approx(up["change_upper"])
    assert down["could_have_been_missed"] == pytest.approx(-down["change_lower"])


def test_a_first_figure_that_is_far_from_these_data_is_not_judged(run: Run) -> None:
    before = 100 * round(20000 * special.expit(-0.4)) / 20000
    right, off, far = (said("A80002", "low", figure_before=percent(x)) for x in (before, before + 2.0, before + 9.0))
    found = [judged(one, run) for one in [right, off, far]]
    assert [item.reason for item in found] == ["change_holds", "change_holds", "figure_far"]
    assert ["figure_differs" in item.because for item in found] == [False, True, False]
    assert "first_figure_far" in found[2].because
    assert found[2].numbers["value"] == pytest.approx(before / 100) and found[2].numbers["written"] > before / 100


# "It has not improved" ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "direction", "verdict", "reason"),
    [
        ("A80000", "high", "contradicted", "improved"),
        ("A80001", "high", "not_shown", "improved_as_others"),
        ("A80002", "high", "supported", "no_improvement_holds"),
        ("A80005", "high", "supported", "no_improvement_holds"),
        ("A80004", "high", "not_shown", "improvement_not_settled"),
        ("A80002", "low", "contradicted", "improved"),
    ],
)
def test_no_improvement_is_judged_against_the_margin(
    run: Run, code: str, direction: str, verdict: str, reason: str
) -> None:
    found = judged(said(code, direction, "no_improvement"), run)
    assert (found.verdict, found.reason) == (verdict, reason)
    assert found.numbers["margin"] == pytest.approx(0.05)


# "The worst improved" -------------------------------------------------------------------------------------------------


def group(direction: str = "high", **more: Any) -> Claim:
    more = {"period": AFTER, "period_before": BEFORE} | more
    return Claim("1", "worst_improved", metric=SHARE, direction=direction, **more)


@pytest.fixture(scope="module")
def improved(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The ten lowest of the area gained more than England; every figure rests on few appointments."""
    rng = np.random.default_rng(21)
    n = 640
    lasting = -0.4 + rng.normal(0.0, 0.4, n)
    size = rng.integers(150, 400, n)
    before = rng.binomial(size, special.expit(lasting))
    here = np.flatnonzero(np.arange(n) % 8 == 1)
    lowest = here[np.argsort((before / size)[here])[:10]]
    lasting[lowest] += 0.6
    after = rng.binomial(size, special.expit(lasting + ENGLAND_ROSE))
    plain = pd.DataFrame(
        {
            "code": [f"A{80000 + i}" for i in range(n)],
            "icb": [f"QZ{i % 8}" for i in range(n)],
            "list": size // 5,
            "imd": rng.normal(25.0, 8.0, n).clip(5.0, 60.0),
            "total": size,
        }
    )
    return _run(_study(tmp_path_factory.mktemp("improved"), tuple(plain.assign(same_day=y) for y in (before, after))))


def test_a_group_that_gained_more_than_england_and_what_it_gives_back_is_found(improved: Run) -> None:
    found = judged(group(place=10), improved)
    assert (found.verdict, found.reason) == ("supported", "group_improved_more")
    n = found.numbers
    assert n["group"] - n["ties"] == 10 and n["pool"] == 80
    assert n["group_change"] == pytest.approx(n["expected_change"] + n["left"], abs=1e-12)
    assert n["expected_change"] == pytest.approx(n["england_change"] + n["given_back"], abs=1e-12)
    assert n["given_back"] > 0.01 and n["left_lower"] > 0.0
    assert n["elsewhere"] > 10 and n["elsewhere_change"] == pytest.approx(n["expected_change"], abs=0.03)


def test_a_group_that_only_gave_back_is_no_improvement(improved: Run) -> None:
    table = improved.table
    elsewhere = tuple(table.hierarchy.loc[table.hierarchy["icb_code"] == "QZ2", "practice_code"])
    other = replace(improved, table=replace(table, area_codes=elsewhere))
    found = judged(group(place=10), other)
    assert (found.verdict, found.reason) == ("not_attributable", "regression_to_the_mean")
    assert found.numbers["group_change"] > 0.05 and found.numbers["left_lower"] < 0.0 < found.numbers["left_upper"]


def test_the_default_is_a_tenth_and_a_share_or_a_number_says_otherwise(improved: Run) -> None:
    asked = [group(), group(threshold=percent(20.0)), group(place=5), group(comparator="england")]
    found = [item.numbers for item in [judged(one, improved) for one in asked]]
    assert [n["group"] - n["ties"] for n in found] == [8, 16, 5, 64]
    assert [n["pool"] for n in found] == [80, 80, 80, 640]
    assert found[3]["elsewhere"] == 0 and found[3]["elsewhere_change"] is None


def test_the_group_is_at_the_other_end_from_the_improvement(improved: Run) -> None:
    up, down = [judged(one, improved) for one in [group("high"), group("low")]]
    assert up.numbers["group_before"] < up.numbers["england_before"] < down.numbers["group_before"]
    assert (down.verdict, down.reason) == ("contradicted", "group_not_improved")


@pytest.mark.parametrize(
    ("whole", "expected", "half", "reason"),
    [
        (0.06, 0.01, 0.02, "group_improved_more"),
        (0.03, 0.02, 0.02, "regression_to_the_mean"),
        # Most of it was not foreseen, and it may be chance: neither the visits nor regression can be told.
        (0.03, 0.01, 0.04, "group_not_settled"),
        (-0.01, 0.02, 0.03, "group_not_settled"),
        (-0.06, 0.02, 0.03, "group_not_improved"),
    ],
)
def test_a_group_is_settled_only_by_what_its_intervals_exclude(
    whole: float, expected: float, half: float, reason: str
) -> None:
    left = whole - expected
    ends = {"left_lower": left - half, "left_upper": left + half, "change_lower": whole - half}
    found = GroupChange(
        10, 10, 0, 0.3, 0.3 + whole, whole, 0.0, expected, expected, left, correlation=0.7, change_upper=whole + half,
        **ends,
    )  # fmt: skip
    rule = decide("worst_improved", set(chosen._holding(found, 1, known=True)))
    assert rule is not None and rule.reason == reason


@pytest.mark.parametrize("more", [{"place": 0}, {"place": 11, "of": 10}, {"threshold": percent(0.0)}])
def test_a_group_that_cannot_be_is_not_followed(improved: Run, more: dict) -> None:
    found = judged(group(**more), improved)
    assert (found.verdict, found.reason) == ("not_decidable", "many_not_counted")


def test_a_group_of_more_than_half_is_followed(improved: Run) -> None:
    assert judged(group(threshold=percent(60.0)), improved).numbers["group"] >= 48


def test_practices_that_tie_with_the_last_are_in_the_group_and_counted(run: Run) -> None:
    table = run.table
    rows = table.periods.copy()
    area = sorted(table.area_codes)[:4]
    tied = rows["practice_code"].isin(area) & (rows["start"] == "2024-04")
    rows.loc[tied, ["numerator", "denominator"]] = [100.0, 20000.0]
    found = judged(group(place=2), replace(run, table=replace(table, periods=rows)))
    assert (found.numbers["group"], found.numbers["ties"]) == (4, 2)


def test_a_letters_figure_for_the_group_is_compared_with_the_groups_change(improved: Run) -> None:
    change = 100 * judged(group(place=10), improved).numbers["group_change"]
    asked = [group(place=10, figure=percent(round(x, 1))) for x in (change, -change, change + 1.0)]
    assert ["figure_differs" in item.because for item in [judged(one, improved) for one in asked[::2]]] == [False, True]


# Breaks ---------------------------------------------------------------------------------------------------------------


def between(kind: str) -> Break:
    return Break("new_way", "gpad", dt.date(2025, 4, 1), kind, "The way of counting changed.", "read")


@pytest.mark.parametrize("claim", [said("A80000", "high"), said("A80000", "high", "no_improvement"), group()],
                         ids=lambda claim: claim.template)  # fmt: skip
def test_a_change_across_a_new_series_is_never_judged(run: Run, monkeypatch: pytest.MonkeyPatch, claim: Claim) -> None:
    monkeypatch.setattr(catalogue, "breaks", lambda series: (between("series"),))
    found = check_claim(claim, run)
    assert (found.verdict, found.reason) == ("not_decidable", "crosses_break")
    assert found.numbers["breaks"] == ["new_way"]


@pytest.mark.parametrize("kind", ["method", "data fault"])
def test_england_on_both_sides_carries_a_change_of_method(run: Run, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(catalogue, "breaks", lambda series: (between(kind),))
    found = check_claim(said("A80004", "high"), run)
    assert found.reason == "change_within_chance"
    assert {"break_controlled", "chance_not_separated"} <= set(found.because)
    # Movement cannot be measured across the break: nothing is then said to be beyond chance.
    assert check_claim(said("A80000", "high"), run).reason == "change_not_shown"
    assert check_claim(group(), run).reason == "group_movement_unknown"


def test_without_england_nothing_carries_a_change_of_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = tuple(frame[frame["icb"].isin(["QZ1", "QZ2"])] for frame in _frames())
    study = _study(tmp_path, frames, reference={"set": "icb", "exclude": []})
    area = _run(study)
    assert "panel_not_england" in check_claim(said("A80001", "high"), area).because
    monkeypatch.setattr(catalogue, "breaks", lambda series: (between("method"),))
    assert check_claim(said("A80001", "high"), area).reason == "crosses_break"


def test_a_change_of_policy_is_no_break(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "breaks", lambda series: (between("policy"),))
    assert check_claim(said("A80000", "high"), run).reason == "change_holds"


def test_the_patient_survey_of_2024_begins_a_new_series() -> None:
    found = twice.crossed("gpps", "", dt.date(2023, 1, 1), dt.date(2024, 12, 31))
    assert [item.id for item in found] == ["gpps_2024"] and not twice.controllable(found)
    assert twice.crossed("gpps", "", dt.date(2018, 1, 1), dt.date(2019, 12, 31)) == []
    assert [item.id for item in twice.crossed("gpps", "", dt.date(2017, 1, 1), dt.date(2018, 12, 31))] == ["gpps_2018"]


def test_a_target_announced_between_two_periods_is_a_break_of_its_measure_alone() -> None:
    days = dt.date(2025, 4, 1), dt.date(2026, 3, 31)
    found = twice.crossed("gpad", "urgent_same_day_share", *days)
    assert [item.id for item in found] == ["urgent_same_day_90"] and twice.controllable(found)
    assert twice.crossed("gpad", SHARE, *days) == []


def test_a_fault_in_the_middle_of_the_first_period_is_crossed() -> None:
    found = twice.crossed("ocs", "", dt.date(2024, 1, 1), dt.date(2024, 3, 31))
    assert [item.id for item in found] == ["ocs_winter_2023"] and twice.controllable(found)


# Periods --------------------------------------------------------------------------------------------------------------


def test_a_claim_about_another_period_is_judged_on_that_period(run: Run) -> None:
    asked = [Claim("1", "rag_red", practice_code="A80002", metric=SHARE, direction="high", threshold=percent(35.0),
                   period=period) for period in (AFTER, BEFORE, "")]  # fmt: skip
    after, before, own = [judged(one, run) for one in asked]
    assert [after.source["period"], before.source["period"]] == [AFTER, BEFORE]
    assert after.numbers["value"] == pytest.approx(special.expit(-0.9), abs=1e-4)
    assert before.numbers["value"] == pytest.approx(special.expit(-0.4), abs=1e-4)
    assert (after.verdict, before.verdict) == ("contradicted", "supported")
    assert own.numbers == after.numbers


def test_a_period_that_the_study_does_not_hold_is_said(run: Run) -> None:
    claim = Claim("1", "below_mean", practice_code="A80002", metric=SHARE, direction="low", period="2023-04..2024-03")
    found = judged(claim, run)
    assert found.reason == "period_not_held"
    assert (found.numbers["period"], found.numbers["held"]) == ("2023-04..2024-03", AFTER)


def test_the_run_of_another_period_is_that_of_a_study_of_it(tmp_path: Path, run: Run) -> None:
    seen = Evidence(said("A80000", "high"), run)
    other = periods.run_of(seen, Period("2024-04", "2025-03"))
    assert other is not None
    before = _frames()[0]
    alone = {"id": "alone", "file": "before.csv", "columns": _COLUMNS}
    table = gpvar.build_table(_study(tmp_path, (before, before), period=BEFORE, source=[alone]))
    direct = gpvar.analyse(table, SHARE).spread
    made = other.run.analyses[SHARE].spread
    row = (made["rung"] == "M1") & (made["comparator"] == "england")
    total = made.loc[row, "tau2"].iloc[0] + made.loc[row, "transient"].iloc[0]
    assert total == pytest.approx(direct.loc[row, "tau2"].iloc[0], rel=0.01)
    assert seen.run.analyses[SHARE] is run.analyses[SHARE]


def test_what_a_period_is_analysed_for_is_done_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = periods.analyse
    monkeypatch.setattr(periods, "analyse", lambda table, metric: calls.append(metric) or real(table, metric))
    check_all([said("A80000", "high"), said("A80001", "high"), group(), said("A80002", "low", "no_improvement")], run)
    assert calls == [SHARE]


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        ({"period_before": "2023-04..2024-03"}, ["2023-04..2024-03"]),
        ({"period": "2026-04..2026-06"}, ["2026-04..2026-06"]),
        ({"period_before": AFTER}, [AFTER]),
    ],
)
def test_a_comparison_with_a_period_that_is_not_held_is_not_made(run: Run, more: dict, missing: list[str]) -> None:
    for claim in (said("A80000", "high", **more), group(**more)):
        found = judged(claim, run)
        assert (found.verdict, found.reason) == ("not_decidable", "no_second_period")
        assert found.numbers["missing"] == missing and found.numbers["held"] == [BEFORE, AFTER]


def test_a_practice_without_a_figure_in_the_first_period_is_not_compared(run: Run) -> None:
    assert judged(said(_ABSENT, "high"), run).reason == "no_second_period"


def test_where_the_letter_names_no_first_period_the_year_before_is_taken_and_said(run: Run) -> None:
    named, chosen = [
        judged(one, run) for one in [said("A80000", "high"), said("A80000", "high", period="", period_before="")]
    ]
    assert chosen.numbers["period_before"] == BEFORE and chosen.numbers["change"] == named.numbers["change"]
    assert "period_before_chosen" in chosen.because and "period_before_chosen" not in named.because


@pytest.mark.parametrize(
    ("known", "chosen"),
    [
        (["2024-04..2024-06", "2025-01..2025-03", "2024-01..2024-12"], "2024-04..2024-06"),
        (["2025-01..2025-03", "2024-01..2024-12"], "2025-01..2025-03"),
        (["2024-01..2024-12", "2024-02"], "2024-01..2024-12"),
        (["2025-05..2025-06"], None),
    ],
)
def test_the_first_period_is_the_same_months_a_year_before_else_the_months_before_else_the_nearest(
    known: list[str], chosen: str | None
) -> None:
    found = twice._before([periods.period_in(text) for text in known], Period("2025-04", "2025-06"))
    assert found == (periods.period_in(chosen) if chosen else None)


def test_a_figure_of_another_period_is_not_held_against_the_studys(run: Run) -> None:
    found = judged(said("A80000", "high", period="2026-04..2026-06", figure=percent(90.0)), run)
    assert found.reason == "no_second_period" and found.arithmetic == "not_checked"


# Hidden counts --------------------------------------------------------------------------------------------------------


def test_a_hidden_count_that_gives_one_answer_at_both_ends_is_judged(run: Run) -> None:
    claim = Claim("1", "rag_red", practice_code="A80006", metric=SHARE, direction="low", threshold=percent(30.0))
    found = judged(claim, run)
    assert (found.verdict, found.reason) == ("supported", "threshold_holds")
    assert "hidden_both_ends" in found.because and (found.numbers["low"], found.numbers["high"]) == (0.0, 4.0)
    # Shown at the end that speaks least for the sentence.
    assert found.numbers["value"] == pytest.approx(4 / 20000)
    assert all(row["value"] is None for row in found.rungs)
    other_side = judged(replace(claim, direction="high"), run)
    assert other_side.verdict == "contradicted" and other_side.numbers["value"] == pytest.approx(4 / 20000)


def test_two_ends_that_give_one_verdict_for_different_reasons_give_no_answer(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = Claim("1", "rag_red", practice_code="A80006", metric=SHARE, direction="low", threshold=percent(30.0))
    assert "hidden_both_ends" in judged(claim, run).because
    turned = iter([{"side": "low"}, {"side": "high"}])
    tested = checking.TESTS["threshold"]

    def sided(evidence: Any) -> Seen:
        found = tested(evidence)
        return replace(found, numbers=found.numbers | next(turned))

    monkeypatch.setitem(checking.TESTS, "threshold", sided)
    assert judged(claim, run).reason == "hidden"


def test_a_hidden_count_that_gives_different_answers_is_not_decided(run: Run) -> None:
    claim = Claim("1", "rag_red", practice_code="A80007", metric=SHARE, direction="low", threshold=percent(10.0))
    found = judged(claim, run)
    assert (found.verdict, found.reason) == ("not_decidable", "hidden")
    assert (found.numbers["low"], found.numbers["high"]) == (0.0, 4.0) and "hidden_both_ends" not in found.because


# The real April -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def april(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """April 2025 and the eleven months after it, of England, nothing adjusted for."""
    year = pd.read_csv(shared("data", "joined", "england_2025_26.csv.gz"), low_memory=False)
    month = pd.read_csv(shared("data", "joined", "appointments_april_2025_wide.csv.gz"))
    month.columns = [" ".join(name.split()) for name in month.columns]
    first = month.columns.get_loc("Same Day")
    month = month.assign(total=month.iloc[:, first : first + 8].sum(axis=1), code=month["GP_CODE"])
    month = month.rename(columns={"Same Day": "same_day"})[["code", "same_day", "total"]]
    both = year.merge(month, left_on="practice_code", right_on="code")
    rest = pd.DataFrame(
        {
            "code": both["code"],
            "icb": both["icb_code_2024"],
            "list": both["mean_monthly_list_size"],
            "same_day": both["gpad_annual_same_day"] - both["same_day"],
            "total": both["gpad_annual_total_appointments"] - both["total"],
        }
    )
    rest = rest[(rest["same_day"] >= 0) & (rest["total"] >= rest["same_day"]) & (rest["list"] >= 1000)]
    folder = tmp_path_factory.mktemp("april")
    columns = {name: head for name, head in _COLUMNS.items() if name != "imd2025"}
    sources = [
        {"id": "rest", "file": "after.csv", "columns": columns},
        {"id": "april", "file": "before.csv", "period": "2025-04",
         "columns": {name: head for name, head in columns.items() if name == "practice_code" or "." in name}},
    ]  # fmt: skip
    area = {"kind": "icb", "code": "QHM", "practices": []}
    study = _study(folder, (month, rest), period="2025-05..2026-03", area=area, adjust={"M1": [], "M2": []},
                   source=sources)  # fmt: skip
    return _run(study)


@pytest.mark.slow
def test_englands_lowest_tenth_of_april_rose_by_what_such_a_group_gives_back(april: Run) -> None:
    claim = group(period="", period_before="2025-04", comparator="england")
    found = judged(claim, april)
    n = found.numbers
    assert (found.verdict, found.reason) == ("not_attributable", "regression_to_the_mean")
    assert n["group"] > 600 and n["group_change"] > 0.015 and n["england_change"] < 0.0
    assert n["left_lower"] < 0.0 < n["left_upper"] and n["left_upper"] - n["left_lower"] < 0.02


@pytest.mark.slow
def test_a_boards_lowest_practices_of_april_rose_as_those_as_low_elsewhere(april: Run) -> None:
    n = judged(group(period="", period_before="2025-04"), april).numbers
    assert n["elsewhere"] > 300 and n["left_lower"] < 0.0 < n["left_upper"]
    assert n["group_change"] == pytest.approx(n["elsewhere_change"], abs=0.02)
