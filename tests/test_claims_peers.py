"""Practices like one's own, requests and referrals together, and patients for each doctor: planted worlds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import gpvar
from gpvar import claims
from gpvar.claims import peers
from gpvar.claims.evidence import Evidence
from gpvar.results import Claim, Figure, Finding, Run
from tests.claim_worlds import METRIC, World, world

LOW = "A80010"
#: One in twenty of 399 others.
NEAR = 19


def figure(text: str) -> Figure:
    bare = text.rstrip("%")
    return Figure(text, float(bare), len(bare.partition(".")[2]), text.endswith("%"))


def exemplar_claim(code: str, threshold: str, direction: str) -> Claim:
    return Claim(
        "1", "exemplar", practice=code, practice_code=code, metric=METRIC, threshold=figure(threshold),
        direction=direction,
    )  # fmt: skip


@pytest.fixture(scope="module")
def needy(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Run]:
    """An England where figures follow deprivation closely; the first practices are of the most deprived."""
    planted = world(31, 400, need=0.9)
    planted.area = "QAA"
    return planted, planted.run(tmp_path_factory.mktemp("needy"))


def code_at(planted: World, share: float) -> str:
    """The urban practice of the area whose deprivation has this share of practices below it; most are urban."""
    score = planted.frame["imd2025"]
    here = (planted.frame["icb_code"] == planted.area) & (planted.frame["rurality"] == "Urban")
    nearest = (score[here] - score.quantile(share)).abs().idxmin()
    return str(planted.frame.loc[nearest, "practice_code"])


def short_at(planted: World, share: float, line: float) -> str:
    """The urban practice nearest to that deprivation whose own figure clearly falls short of a line."""
    frame = planted.frame
    score = frame["imd2025"]
    low = frame["period"] < -0.3 + frame["need"] + line - 0.2
    here = (frame["icb_code"] == planted.area) & (frame["rurality"] == "Urban") & low
    nearest = (score[here] - score.quantile(share)).abs().idxmin()
    return str(frame.loc[nearest, "practice_code"])


def expected_of(planted: World, code: str) -> float:
    row = planted.frame.set_index("practice_code").loc[code]
    return float(-0.3 + row["need"])


def share_reaching(planted: World, code: str, threshold: float) -> float:
    """How many practices with its patients would have a figure of at least so much, by the world's own spread."""
    spread = np.sqrt(0.10**2 + 0.15**2 + 0.40**2)
    return float(stats.norm.sf((special.logit(threshold) - expected_of(planted, code)) / spread))


def percent(link: float) -> str:
    return f"{100 * special.expit(link):.1f}%"


def test_a_figure_that_half_of_its_like_reach_is_one_that_practices_like_it_reach(needy: tuple[World, Run]) -> None:
    planted, run = needy
    code = short_at(planted, 0.5, 0.0)
    found = claims.check_claim(exemplar_claim(code, percent(expected_of(planted, code)), "low"), run)
    assert (found.verdict, found.reason) == ("supported", "practices_like_it_reach")
    numbers = found.numbers
    assert numbers["share"] == numbers["reach"] / numbers["neighbours"] and numbers["neighbours"] == NEAR
    assert numbers["share_lower"] < 0.5 < numbers["share_upper"]
    assert numbers["similar_share"] == pytest.approx(0.5, abs=0.12)


def test_a_figure_of_other_patients_is_not_reached_by_practices_like_it(needy: tuple[World, Run]) -> None:
    planted, run = needy
    code = code_at(planted, 0.15)
    threshold = percent(expected_of(planted, code) + 3 * 0.44)
    found = claims.check_claim(exemplar_claim(code, threshold, "low"), run)
    assert (found.verdict, found.reason) == ("contradicted", "hardly_any_reach")
    assert found.numbers["share_upper"] < 0.2 < found.numbers["england_share"]
    assert found.numbers["similar_share"] < 0.05


def test_the_side_of_the_practice_says_which_way_a_figure_is_reached(needy: tuple[World, Run]) -> None:
    planted, run = needy
    code = code_at(planted, 0.5)
    threshold = percent(expected_of(planted, code) - 0.3)
    up, down = (claims.check_claim(exemplar_claim(code, threshold, side), run).numbers for side in ("low", "high"))
    assert up["reach"] + down["reach"] == NEAR
    assert up["similar_share"] + down["similar_share"] == pytest.approx(1.0)
    assert up["lasting_share"] + down["lasting_share"] == pytest.approx(1.0)


def test_a_practice_that_reaches_the_figure_itself_is_told_so(needy: tuple[World, Run]) -> None:
    planted, run = needy
    code = code_at(planted, 0.5)
    own = special.logit(Evidence(exemplar_claim(code, "1%", "low"), run).rows["M0"]["value"])
    near, far = (claims.check_claim(exemplar_claim(code, percent(own + away), "low"), run) for away in (-0.01, 1.0))
    assert "reaches_itself" in near.because and "reaches_itself" not in far.because


def test_a_practice_whose_whole_interval_reaches_the_figure_is_not_on_the_side_that_the_letter_says(
    needy: tuple[World, Run],
) -> None:
    planted, run = needy
    code = code_at(planted, 0.5)
    for line, side in (("1%", "low"), ("99%", "high")):
        found = claims.check_claim(exemplar_claim(code, line, side), run)
        assert (found.verdict, found.reason) == ("not_decidable", "no_direction")


@pytest.mark.parametrize(("line", "side"), [("0%", "high"), ("100%", "low")])
def test_a_figure_of_nought_or_all_is_one_that_hardly_any_reach(needy: tuple[World, Run], line: str, side: str) -> None:
    planted, run = needy
    found = claims.check_claim(exemplar_claim(code_at(planted, 0.5), line, side), run)
    assert (found.verdict, found.reason) == ("contradicted", "hardly_any_reach")
    assert found.numbers["similar_share"] == found.numbers["lasting_share"] == 0.0


def test_the_nearest_are_those_of_the_page_and_more(needy: tuple[World, Run]) -> None:
    planted, run = needy
    code = code_at(planted, 0.5)
    near = peers.neighbours_of(Evidence(exemplar_claim(code, "50%", "low"), run))
    page = run.analyses[METRIC].neighbours
    page = page[page["practice_code"] == code].sort_values("place")
    assert near["practice_code"].tolist()[:10] == page["neighbour_code"].tolist()
    np.testing.assert_allclose(near["value"][:10], page["value"])
    assert code not in set(near["practice_code"]) and near["practice_code"].is_unique


def test_a_figure_that_is_only_reached_by_chance_is_not_one_that_practices_like_it_reach(
    needy: tuple[World, Run],
) -> None:
    planted, run = needy
    code = short_at(planted, 0.5, 0.25)
    claim = exemplar_claim(code, percent(expected_of(planted, code) + 0.25), "low")
    assert claims.check_claim(claim, run).verdict == "supported"
    # Nothing lasts: every practice's best estimate is what is expected of it, and sure.
    effects = run.analyses[METRIC].effects.copy()
    middle = special.expit(expected_of(planted, code))
    effects[["shrunken", "shrunken_lower", "shrunken_upper"]] = [middle, middle - 0.01, middle + 0.01]
    shrunk = replace(run, analyses={METRIC: replace(run.analyses[METRIC], effects=effects)})
    found = claims.check_claim(claim, shrunk)
    assert (found.verdict, found.reason) == ("not_shown", "some_reach") and "reached_by_chance" in found.because
    assert found.numbers["lasting_share"] < 0.05


def test_without_anything_to_be_alike_in_there_are_no_neighbours(needy: tuple[World, Run]) -> None:
    planted, run = needy
    meta = run.analyses[METRIC].meta | {"rungs": ["M0"], "covariates": {"M0": ()}}
    bare = replace(run, analyses={METRIC: replace(run.analyses[METRIC], meta=meta)})
    code = code_at(planted, 0.5)
    found = claims.check_claim(exemplar_claim(code, "50%", "low"), bare)
    assert (found.verdict, found.reason) == ("not_decidable", "no_neighbours")


def test_without_a_figure_to_reach_nothing_can_be_checked(needy: tuple[World, Run]) -> None:
    claim = replace(exemplar_claim(code_at(needy[0], 0.5), "50%", "low"), threshold=None)
    assert claims.check_claim(claim, needy[1]).reason == "threshold_not_given"


def test_practices_like_it_reach_about_as_often_as_the_truth_says(needy: tuple[World, Run]) -> None:
    planted, run = needy
    said, truth = [], []
    for code in planted.frame.loc[planted.frame["icb_code"] == planted.area, "practice_code"]:
        numbers = claims.check_claim(exemplar_claim(code, "50%", "low"), run).numbers
        said.append((numbers["share"], numbers["similar_share"]))
        truth.append(share_reaching(planted, code, 0.5))
    raw, modelled = np.array(said).T
    assert np.abs(modelled - truth).mean() < 0.05
    assert np.abs(raw - truth).mean() < 0.10 and abs((raw - truth).mean()) < 0.05


# Requests and referrals


def letters_of(seed: int = 3, n: int = 150) -> pd.DataFrame:
    """Practices with requests and referrals that have nothing to do with one another."""
    rng = np.random.default_rng(seed)
    size = np.full(n, 9000)
    need = rng.standard_normal(n)
    own = rng.normal(0, 0.25, (n, 2))
    frame = pd.DataFrame(
        {
            "code": [f"A{80001 + i:05d}" for i in range(n)],
            "icb": [f"Q{'ABCD'[i // 5 % 4]}Z" for i in range(n)],
            "pcn": [f"U{i // 5:05d}" for i in range(n)],
            "region": "Y60",
            "list": size,
            "months": size * 12,
            "imd": np.round(22 + 8 * need, 3).clip(1, 80),
            "rural": np.where(rng.random(n) < 0.2, "Rural", "Urban"),
        }
    )
    frame["need"] = need
    frame["requests"] = rng.poisson(size * 12 * 0.0045 * np.exp(own[:, 0] - 0.5 * need))
    frame["referrals"] = rng.poisson(size * 12 * 0.0180 * np.exp(own[:, 1] + 0.3 * need))
    return frame


def joint_run(folder: Path, frame: pd.DataFrame, metrics: tuple[str, ...] = (peers.REQUESTS, peers.REFERRALS)) -> Run:
    frame.drop(columns="need").to_csv(folder / "table.csv", index=False)
    columns: dict[str, Any] = {
        "practice_code": "code", "icb_code": "icb", "pcn_code": "pcn", "region_code": "region", "list_size": "list",
        "imd2025": "imd", "rurality": "rural",
    }  # fmt: skip
    for metric, name in ((peers.REQUESTS, "requests"), (peers.REFERRALS, "referrals")):
        columns |= {f"{metric}.numerator": name, f"{metric}.denominator": "months"}
    study = {
        "schema": 1, "title": "Invented", "seed": 1, "declared": "2026-04-14", "simulated": True,
        "period": "2025-04..2026-03", "metrics": list(metrics), "area": {"kind": "icb", "code": "QBZ", "practices": []},
        "adjust": {"M1": ["imd2025"], "M2": ["rurality"]},
        "source": [{"id": "local", "file": "table.csv", "columns": columns}],
    }  # fmt: skip
    return gpvar.run(gpvar.load_study(study, base=folder))


def both(run: Run, code: str = LOW, **more: Any) -> Finding:
    return claims.check_claim(Claim("1", "low_ag_high_referral", practice=code, practice_code=code, **more), run)


def planted_at(folder: Path, requests: float, referrals: float, imd: float = 22.0) -> Run:
    """An England in which one practice makes so many times the usual requests and referrals."""
    frame = letters_of()
    row = frame.index[frame["code"] == LOW][0]
    frame.loc[row, ["imd", "rural", "need"]] = [imd, "Urban", (imd - 22) / 8]
    months = frame.loc[row, "months"]
    frame.loc[row, "requests"] = int(months * 0.0045 * requests)
    frame.loc[row, "referrals"] = int(months * 0.0180 * referrals)
    return joint_run(folder, frame)


def test_few_requests_and_many_referrals_are_found(tmp_path: Path) -> None:
    found = both(planted_at(tmp_path, 0.15, 2.5))
    assert (found.verdict, found.reason) == ("supported", "different_in_both")
    assert found.numbers["requests_upper"] < 0 < found.numbers["referrals_lower"]


def test_without_months_the_period_is_spoken_of_and_that_nothing_is_known_of_what_passes_is_said(
    tmp_path: Path,
) -> None:
    found = both(planted_at(tmp_path, 0.6, 1.4))
    assert (found.verdict, found.reason) == ("supported", "different_in_both")
    assert "chance_not_separated" in found.because
    assert found.numbers["requests_upper"] < 0 < found.numbers["referrals_lower"]


@pytest.mark.parametrize(("requests", "referrals"), [(1.0, 1.7), (0.4, 1.0), (1.7, 0.4)])
def test_one_of_the_two_is_not_both(tmp_path: Path, requests: float, referrals: float) -> None:
    found = both(planted_at(tmp_path, requests, referrals))
    assert found.verdict == "contradicted" and found.reason == "not_both"


def test_what_such_patients_bring_elsewhere_too_is_no_comparison_of_practices(tmp_path: Path) -> None:
    found = both(planted_at(tmp_path, np.exp(-1.6), np.exp(1.0), imd=44.0))
    assert (found.verdict, found.reason) == ("not_attributable", "both_go_with_patients")
    assert abs(found.numbers["requests_adjusted"]) < abs(found.numbers["requests_difference"])


def test_between_the_margin_and_chance_neither_is_shown(tmp_path: Path) -> None:
    found = both(planted_at(tmp_path, 0.88, 2.5))
    assert (found.verdict, found.reason) == ("not_shown", "both_not_shown")


def test_hidden_referrals_leave_the_sentence_open(tmp_path: Path) -> None:
    frame = letters_of()
    frame["referrals"] = frame["referrals"].astype(object)
    frame.loc[frame["code"] == LOW, "referrals"] = "<5"
    run = joint_run(tmp_path, frame)
    for more in ({}, {"metric": peers.REQUESTS}, {"metric": peers.REFERRALS}):
        assert (both(run, **more).verdict, both(run, **more).reason) == ("not_decidable", "hidden")


def test_without_referrals_beside_the_requests_the_sentence_cannot_be_checked(tmp_path: Path) -> None:
    found = both(joint_run(tmp_path, letters_of(), (peers.REQUESTS,)))
    assert (found.verdict, found.reason) == ("not_decidable", "referrals_not_held")


def test_a_check_that_stops_either_of_the_two_stops_the_sentence(tmp_path: Path) -> None:
    run = planted_at(tmp_path, 0.4, 1.7)
    for metric in (peers.REQUESTS, peers.REFERRALS):
        row = {"gate": "ag_capped", "severity": "stop", "state": "failed", "practice_code": LOW, "metric": metric}
        gates = pd.concat([run.table.gates, pd.DataFrame([row | {"detail": ""}])], ignore_index=True)
        found = both(replace(run, table=replace(run.table, gates=gates)))
        assert (found.verdict, found.reason, found.numbers["gates"]) == ("not_decidable", "stop_gate", ["ag_capped"])


def test_the_letters_own_measure_does_not_decide_which_two_are_looked_at(tmp_path: Path) -> None:
    run = planted_at(tmp_path, 0.15, 2.5)
    named = both(run, metric=peers.REFERRALS)
    assert (named.verdict, named.numbers["requests_difference"]) == (
        "supported",
        both(run).numbers["requests_difference"],
    )


# Patients for each doctor


def supply_run(resources: pd.DataFrame | None = None, gates: list[dict[str, str]] | None = None, **facts: float) -> Run:
    """A run of which only one practice's doctors and patients are known."""
    columns = ["gate", "severity", "state", "practice_code", "metric", "detail"]
    if resources is None:
        resources = pd.DataFrame(columns=["practice_code", "resource", "percentile", "median", "compared", "dated"])
    table = SimpleNamespace(
        practices=pd.DataFrame([{"practice_code": LOW, **facts}]),
        gates=pd.DataFrame(gates or [], columns=columns),
        provenance=pd.DataFrame(columns=["source", "file", "sha256"]),
    )
    study = SimpleNamespace(seed=7, period=SimpleNamespace(start="2025-04", end="2026-03"))
    analyses = {METRIC: SimpleNamespace(resources=resources, meta={"rungs": ["M0"]}, notes=())}
    return Run(study=study, table=table, analyses=analyses, folder=None, meta={})  # type: ignore[arg-type]


FACTS = {"list_size": 9000.0, "gp_fte": 3.0, "all_gp_fte": 4.5, "registered_list": 8800.0, "weighted_list": 9680.0}


def ratio(run: Run, line: str = "", written: str = "") -> Finding:
    claim = Claim("1", "patients_per_gp", practice=LOW, practice_code=LOW)
    return claims.check_claim(
        replace(claim, threshold=figure(line) if line else None, figure=figure(written) if written else None), run
    )


def test_every_way_of_counting_doctors_and_patients_is_tried() -> None:
    numbers = ratio(supply_run(**FACTS)).numbers
    assert numbers["definitions"] == [
        "gp_fte registered",
        "gp_fte weighted",
        "all_gp_fte registered",
        "all_gp_fte weighted",
    ]
    np.testing.assert_allclose(numbers["ratios"], [3000, 3300, 2000, 2200])
    assert (numbers["ratio"], numbers["ratio_low"]) == (3000, 2000)
    assert numbers["ratio_high"] == pytest.approx(3300)


@pytest.mark.parametrize(
    ("line", "verdict", "reason"),
    [
        ("1999", "supported", "ratio_holds"),
        ("2000", "not_decidable", "ratio_depends"),
        ("2500", "not_decidable", "ratio_depends"),
        ("3299", "not_decidable", "ratio_depends"),
        ("3301", "contradicted", "ratio_below"),
        ("", "not_decidable", "ratio_without_line"),
    ],
)
def test_a_line_decides_only_where_every_way_of_counting_agrees(line: str, verdict: str, reason: str) -> None:
    found = ratio(supply_run(**FACTS), line)
    assert (found.verdict, found.reason) == (verdict, reason)


def test_one_way_of_counting_doctors_is_said_to_be_one() -> None:
    alone = {name: value for name, value in FACTS.items() if name != "all_gp_fte"}
    assert "one_definition" in ratio(supply_run(**alone), "2500").because
    everyone = {name: value for name, value in FACTS.items() if name != "gp_fte"}
    # All doctors could only lower the ratio, and fewer could only raise it.
    found = [ratio(supply_run(**facts), line).verdict for facts in (alone, everyone) for line in ("1999", "3301")]
    assert found == ["not_decidable", "contradicted", "supported", "not_decidable"]
    assert "one_definition" not in ratio(supply_run(**FACTS), "2500").because


def test_a_printed_ratio_that_no_way_of_counting_gives_is_said() -> None:
    run = supply_run(**FACTS)
    assert "ratio_differs" in ratio(run, "1999", "3400").because
    assert "ratio_differs" not in ratio(run, "1999", "3000").because
    assert "ratio_differs" not in ratio(run, "1999", "2.0e3").because


@pytest.mark.parametrize("missing", [{"gp_fte": np.nan}, {"gp_fte": 0.0}, {"list_size": np.nan}])
def test_without_doctors_or_patients_there_is_no_ratio(missing: dict[str, float]) -> None:
    known = {name: FACTS[name] for name in ("list_size", "gp_fte")} | missing
    found = ratio(supply_run(**known), "2000")
    assert (found.verdict, found.reason) == ("not_decidable", "workforce_not_held")


def test_a_weighted_list_of_nought_registered_patients_is_not_used() -> None:
    numbers = ratio(supply_run(**(FACTS | {"registered_list": 0.0})), "1999").numbers
    assert numbers["definitions"] == ["gp_fte registered", "all_gp_fte registered"]


def test_a_practice_whose_data_fail_a_check_that_stops_has_no_ratio_judged() -> None:
    stop = {
        "gate": "duplicates",
        "severity": "stop",
        "state": "failed",
        "practice_code": LOW,
        "metric": "",
        "detail": "",
    }
    assert ratio(supply_run(gates=[stop | {"detail": ""}], **FACTS), "1999").reason == "stop_gate"


def test_its_place_among_practices_is_that_of_the_page_of_staff_turned_over() -> None:
    row = {"practice_code": LOW, "resource": "gps_per_patient", "percentile": 10.0, "median": 4.0, "compared": 6000}
    numbers = ratio(supply_run(pd.DataFrame([row | {"dated": "2025-06"}]), **FACTS), "1999").numbers
    assert (numbers["percentile"], numbers["england_middle"], numbers["compared"]) == (90.0, 2500.0, 6000)


@pytest.mark.parametrize("template", ["patients_per_gp", "many_red", "low_ag_high_referral", "association"])
def test_a_sentence_that_needs_no_measure_is_judged_whatever_it_calls_one(template: str) -> None:
    claim = Claim("1", template, practice=LOW, practice_code=LOW, metric_written="patients for each GP")
    assert claims.check_claim(claim, supply_run(**FACTS)).reason != "no_card"


def test_figures_that_go_together_are_never_a_finding_on_their_own(needy: tuple[World, Run]) -> None:
    for more in ({}, {"metric": METRIC}, {"metric": METRIC, "figure": figure("0.9")}):
        found = claims.check_claim(Claim("1", "association", **more), needy[1])
        assert (found.verdict, found.reason) == ("not_shown", "association_is_not_cause")
