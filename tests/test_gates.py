"""The gates: passed, failed, could not be checked, each with a planted fault."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gpvar import catalogue, gates
from gpvar.study import SourceSpec, Study, load_study, months_of, parse_period
from gpvar.words import quality

CODES = ["A81001", "A81002", "A81003"]


def study(metrics: tuple[str, ...] = ("same_day_share",), **changes: Any) -> Study:
    columns: dict[str, Any] = {"practice_code": "code", "list_size": "list"}
    for metric in metrics:
        columns |= {f"{metric}.numerator": "a", f"{metric}.denominator": "b"}
    return load_study(
        {
            "declared": "2026-04-14",
            "period": "2025-04..2026-03",
            "metrics": list(metrics),
            "area": {"kind": "icb", "code": "QHM"},
            "adjust": {"M1": ["imd2025"], "M2": []},
            "source": {"id": "local", "file": "x.csv", "columns": columns, "dates": changes.pop("dates", {})},
            **changes,
        },
        base=Path("."),
    )


def evidence(of: Study | None = None, **changes: Any) -> gates.Evidence:
    """Return evidence in which every gate that can be checked passes."""
    of = of or study()
    outcomes = pd.concat(
        [
            pd.DataFrame(
                {
                    "practice_code": CODES,
                    "metric": metric,
                    "numerator": [40000.0, 30000.0, 20000.0],
                    "denominator": [90000.0, 80000.0, 60000.0],
                    "numerator_low": [40000.0, 30000.0, 20000.0],
                    "numerator_high": [40000.0, 30000.0, 20000.0],
                    "state": "",
                }
            )
            for metric in of.metrics
        ],
        ignore_index=True,
    )
    practices = pd.DataFrame(
        {
            "practice_code": CODES,
            "practice_name": "",
            "list_size": [9000.0, 8000.0, 7000.0],
            "list_jump_pct": [0.5, 0.4, -0.3],
            "imd2025": [10.0, 20.0, 30.0],
        }
    )
    hierarchy = pd.DataFrame({"practice_code": CODES, "icb_code": "QHM", "pcn_code": "U00001"})
    months = outcomes[["practice_code", "metric"]].assign(months=12)
    homes = {f"{metric}.{part}": "local" for metric in of.metrics for part in ("numerator", "denominator")}
    parts: dict[str, Any] = {"outcomes": outcomes, "practices": practices, "hierarchy": hierarchy, "months": months}
    parts |= {"homes": homes, "lost": {"local": 0.0}, "dates": dict(of.sources[0].dates)}
    return gates.Evidence(study=of, **{**parts, **changes})


def with_practices(**columns: Any) -> gates.Evidence:
    return evidence(practices=evidence().practices.assign(**columns))


def state_of(found: pd.DataFrame, gate: str) -> str:
    row = gates.summary(found).set_index("gate").loc[gate]
    return str(row["state"])


def failed(found: pd.DataFrame, gate: str) -> list[str]:
    return found.loc[(found["gate"] == gate) & (found["practice_code"] != ""), "practice_code"].tolist()


def test_clean_evidence_passes_whatever_can_be_checked() -> None:
    found = gates.run(evidence())
    assert (found["practice_code"] == "").all(), "no practice fails"
    states = gates.summary(found).set_index("gate")["state"]
    unchecked = {"unmapped_over_40", "mapping_step", "supplier_change", "months_missing"}
    unchecked |= {"covariate_old", "join_loss", "hierarchy_date"}
    assert set(states[states == "could not be checked"].index) == unchecked
    # Three practices are neither England nor enough to compare, whatever else is right.
    assert set(states[states == "failed"].index) == {"not_england", "too_few_practices"}


def test_a_hidden_count_is_a_warning_because_both_its_ends_are_tried() -> None:
    e = evidence()
    e.outcomes.loc[0, ["state", "numerator_low", "numerator_high"]] = ["suppressed", 0.0, 4.0]
    found = gates.run(e).query("gate == 'suppressed' and practice_code != ''")
    assert found[["practice_code", "severity", "detail"]].values.tolist() == [["A81001", "warn", "between 0 and 4"]]


@pytest.mark.parametrize(
    ("gate", "column", "value", "words"),
    [
        ("list_under_1000", "list_size", 640.0, "640 patients"),
        ("atypical", "list_size", 640.0, "640 patients"),
        ("atypical", "list_jump_pct", 23.0, "changed by 23 %"),
        ("merger_or_list_jump", "list_jump_pct", 23.0, "changed by 23 %"),
        ("merger_or_list_jump", "list_jump_pct", -23.0, "changed by -23 %"),
        ("appointments_under_one_per_patient", "list_size", 90001.0, "1.00 appointments per patient"),
        ("covariate_missing", "imd2025", np.nan, "no deprivation (IMD 2025)"),
    ],
)
def test_a_planted_fault_is_found_in_its_practice_alone(gate: str, column: str, value: float, words: str) -> None:
    e = evidence()
    e.practices.loc[0, column] = value
    found = gates.run(e)
    assert failed(found, gate) == ["A81001"]
    row = found[(found["gate"] == gate) & (found["practice_code"] == "A81001")].iloc[0]
    assert words in row["detail"]
    assert row["state"] == "failed"


@pytest.mark.parametrize(
    ("column", "usual", "value"),
    [
        ("age_sex.share_65plus", 0.18, 0.01),
        ("age_sex.share_85plus", 0.02, 0.2),
        ("age_sex.Share_20_29", 0.15, 0.7),
        ("age_sex.share_female_15_44", 0.2, 0.5),
        ("age_sex.share_female", 0.5, 0.2),
        ("age_sex.share_female", 0.5, 0.9),
    ],
)
def test_ages_unlike_ordinary_practice_are_atypical(column: str, usual: float, value: float) -> None:
    e = with_practices(**{column: [usual, usual, value]})
    assert failed(gates.run(e), "atypical") == ["A81003"]


def test_the_threshold_itself_passes() -> None:
    e = with_practices(list_size=[1000.0, 8000.0, 7000.0], list_jump_pct=[15.0, 0.0, 0.0])
    found = gates.run(e)
    assert failed(found, "list_under_1000") == []
    assert failed(found, "merger_or_list_jump") == []


def test_without_lists_and_ages_nothing_about_them_is_called_passed() -> None:
    found = gates.run(with_practices(list_size=np.nan, list_jump_pct=np.nan))
    for gate in ("list_under_1000", "atypical", "merger_or_list_jump", "appointments_under_one_per_patient"):
        assert state_of(found, gate) == "could not be checked"


def test_a_list_that_is_not_known_is_said_and_not_failed() -> None:
    found = gates.run(with_practices(list_size=[np.nan, 8000.0, 7000.0]))
    assert failed(found, "list_under_1000") == []
    whole = found[(found["gate"] == "list_under_1000") & (found["practice_code"] == "")].iloc[0]
    assert whole["detail"] == "the list size of 1 practice is not known"


@pytest.mark.parametrize(
    ("gate", "changes", "words"),
    [
        ("no_denominator", {"denominator": 0.0}, "the denominator is 0"),
        ("no_denominator", {"state": "missing", "denominator": np.nan}, "a count is missing"),
        ("numerator_over_denominator", {"numerator_low": 90001.0}, "90,001 of 90,000"),
    ],
)
def test_a_count_that_cannot_be_used_stops_its_practice_and_metric(
    gate: str, changes: dict[str, Any], words: str
) -> None:
    e = evidence(study(("same_day_share", "dna_share")))
    for column, value in changes.items():
        e.outcomes.loc[0, column] = value
    found = gates.run(e)
    rows = found[(found["gate"] == gate) & (found["practice_code"] != "")]
    assert rows[["practice_code", "metric", "severity", "detail"]].values.tolist() == [
        ["A81001", "same_day_share", "stop", words]
    ]


def test_unmapped_appointments() -> None:
    e = with_practices(**{"unmapped.numerator": [40.0, 39.0, 0.0], "unmapped.denominator": [100.0, 100.0, 0.0]})
    assert failed(gates.run(e), "unmapped_over_40") == ["A81001"]


def test_months_that_are_missing_are_counted() -> None:
    e = evidence(has_months=True)
    e.months.loc[1, "months"] = 11
    found = gates.run(e)
    assert failed(found, "months_missing") == ["A81002"]
    assert "11 of 12 months" in found["detail"].tolist()


def test_a_cap_that_is_reached_censors_the_count() -> None:
    of = study(("ag_share",))
    e = evidence(of, practices=evidence().practices.assign(ag_cap=[100.0, 100.0, 0.0], ag_claims=[100.0, 99.0, 50.0]))
    found = gates.run(e)
    assert failed(found, "ag_capped") == ["A81001"]
    assert state_of(found, "ag_platform_incomplete") == "could not be checked"


@pytest.mark.parametrize(
    ("month", "state", "words"),
    [
        ("2025-10", "passed", "within the period"),
        ("2024-04", "passed", "12 months before"),
        ("2024-03", "failed", "13 months before"),
        ("2023-03", "failed", "25 months before"),
        ("2026-07", "passed", "4 months after"),
    ],
)
def test_the_date_of_deprivation(month: str, state: str, words: str) -> None:
    found = gates.run(evidence(study(dates={"imd2025": month})))
    row = found[found["gate"] == "covariate_old"].iloc[0]
    assert row["state"] == state
    assert words in row["detail"]


@pytest.mark.parametrize(("month", "far"), [("2023-04", ()), ("2023-03", ("imd2025",)), ("2026-07", ())])
def test_beyond_24_months_the_finding_is_to_be_repeated_without_it(month: str, far: tuple[str, ...]) -> None:
    assert gates.out_of_date(study(), {"imd2025": month}, ["imd2025", "age_sex"]) == far


def test_what_is_measured_after_the_outcome_fails_but_for_age_sex_and_deprivation() -> None:
    of = study(adjust={"M1": ["qof_dm"], "M2": []}, dates={"qof_dm": "2026-04"})
    columns = {"qof_dm.numerator": 500.0, "qof_dm.denominator": 8000.0}
    found = gates.run(evidence(of, practices=evidence().practices.assign(**columns)))
    assert found.loc[found["gate"] == "covariate_old", "state"].tolist() == ["failed"]


@pytest.mark.parametrize(
    ("day", "state"), [("2026-03-31", "passed"), ("2026-04-01", "failed"), ("2024-06-01", "failed")]
)
def test_the_areas_must_be_those_of_the_period(day: str, state: str) -> None:
    found = gates.run(evidence(study(reference={"hierarchy_date": day})))
    assert state_of(found, "hierarchy_date") == state


def test_codes_of_2024_on_a_date_of_2026_fail_by_name() -> None:
    ended = next(code for code, board in catalogue.icbs().items() if board.valid_to is not None)
    e = evidence(
        study(
            reference={"hierarchy_date": "2026-05-01"},
            period="2026-04..2026-06",
            area={"kind": "icb", "code": ended},
        ),
        hierarchy=evidence().hierarchy.assign(icb_code=["QHM", ended, "QHM"]),
    )
    row = gates.run(e).query("gate == 'hierarchy_date'").iloc[0]
    assert row["state"] == "failed"
    assert ended in row["detail"]


def test_a_period_that_crosses_a_break_of_the_series_fails() -> None:
    breaks = [item for item in catalogue.breaks("gpad") if item.breaks_series]
    first = breaks[0].start
    period = f"{first.year - 1}-{first.month:02d}..{first.year}-{first.month:02d}"
    found = gates.run(evidence(study(period=period)))
    rows = found[(found["gate"] == "series_break") & (found["severity"] == "warn")]
    assert rows["state"].tolist() == ["failed"] * len(rows)
    assert any(breaks[0].what in detail for detail in rows["detail"])


def test_a_target_announced_within_the_period_is_noted_for_its_own_metric_alone() -> None:
    found = gates.run(evidence(study(("urgent_same_day_share", "same_day_share"))))
    rows = found[found["gate"] == "target_change"].set_index("metric")["state"]
    assert rows["urgent_same_day_share"] == "failed"
    assert rows["same_day_share"] == "passed"


def test_a_rule_that_changed_is_told_beside_figures_that_did_not() -> None:
    found = gates.run(evidence(study(period="2025-04..2026-03")))
    (row,) = [r for r in quality.gate_rows(found).to_dict("records") if r["Check"] == "No break in the series"]
    assert row["State"] == "passed"
    assert row["What it means"].startswith(
        "What is counted did not change within the period, as far as is known. A rule did, on 1 October 2025: Online "
    )


def test_a_target_is_told_as_announced_and_not_as_changed() -> None:
    found = gates.run(evidence(study(("urgent_same_day_share",))))
    (row,) = [r for r in quality.gate_rows(found).to_dict("records") if r["Check"] == "One target throughout"]
    assert row["What it means"] == (
        "A target was announced or ended within the period, so not all of it can be judged against it (90 % of "
        "clinically urgent patients seen on the same day by March 2027, announced on 17 March 2026)."
    )


def test_losses_in_the_join() -> None:
    assert state_of(gates.run(evidence(lost={"a": 0.0, "b": 0.05})), "join_loss") == "passed"
    assert state_of(gates.run(evidence(lost={"a": 0.0, "b": 0.06})), "join_loss") == "failed"
    lonely = evidence(hierarchy=evidence().hierarchy.assign(icb_code=["QHM", "", "QHM"]))
    assert state_of(gates.run(lonely), "join_loss") == "failed"


def test_figures_of_an_area_need_not_hold_englands_practices_of_another_month() -> None:
    beside = (("April 2025", 90, 100),)
    assert state_of(gates.run(evidence(beside=beside)), "join_loss") == "failed"
    assert state_of(gates.run(evidence(beside=(("April 2025", 5, 100),))), "join_loss") == "passed"
    found = gates.run(evidence(study(reference={"set": "icb"}), beside=beside))
    assert state_of(found, "join_loss") == "could not be checked"
    said = gates.summary(found).set_index("gate").loc["join_loss", "detail"]
    assert said == "90 of 100 in the figures of April 2025 are not in the study's"


def test_a_board_that_no_change_touched_is_the_same_among_codes_of_another_date() -> None:
    new = next(code for code, board in catalogue.icbs().items() if board.valid_from.year == 2026)
    boards = evidence().hierarchy.assign(icb_code=["QHM", new, "QHM"])
    row = gates.run(evidence(study(reference={"hierarchy_date": "2026-03-31"}), hierarchy=boards))
    row = row.query("gate == 'hierarchy_date'").iloc[0]
    assert row["state"] == "passed"
    assert row["detail"] == "1 other board of the table of another date; QHM is the same on both"
    listed = study(reference={"hierarchy_date": "2026-03-31"}, area={"kind": "list", "file": "x.csv"})
    assert state_of(gates.run(evidence(listed, hierarchy=boards)), "hierarchy_date") == "failed"


@pytest.mark.parametrize(
    ("practices", "changes", "state"),
    [
        (4999, {}, "failed"),
        (5000, {}, "passed"),
        (300, {"simulated": True}, "passed"),
        (300, {"reference": {"set": "region"}}, "passed"),
    ],
)
def test_a_file_without_england_is_called_that(practices: int, changes: dict[str, Any], state: str) -> None:
    many = pd.DataFrame({"practice_code": [f"A{n:05d}" for n in range(practices)], "imd2025": 20.0})
    many = many.assign(list_size=9000.0, list_jump_pct=0.0)
    row = gates.run(evidence(study(**changes), practices=many)).query("gate == 'not_england'").iloc[0]
    assert (row["state"], row["severity"], row["value"], row["metric"]) == (state, "warn", practices, "")
    if state == "failed":
        assert row["detail"].startswith("The file holds 4,999 practices; England has about 6,000.")


@pytest.mark.parametrize(
    ("practices", "state", "severity"), [(19, "failed", "stop"), (20, "failed", "warn"), (100, "passed", "warn")]
)
def test_few_practices_warn_and_very_few_stop(practices: int, state: str, severity: str) -> None:
    some = evidence().outcomes.iloc[[0] * (practices + 1)].reset_index(drop=True)
    some["practice_code"] = [f"A{n:05d}" for n in range(practices + 1)]
    some.loc[0, "state"] = "missing"
    row = gates.run(evidence(outcomes=some)).query("gate == 'too_few_practices'").iloc[0]
    assert (row["state"], row["severity"], row["value"]) == (state, severity, practices)


def test_a_characteristic_that_cannot_be_true_fails_its_practice() -> None:
    e = evidence(impossible=(("A81002", "imd2025", -5.0), ("A81003", "smoking", 3.2)))
    found = gates.run(e)
    assert failed(found, "covariate_impossible") == ["A81002"], "smoking is not allowed for here"
    assert "deprivation (IMD 2025): -5" in found["detail"].tolist()


@pytest.mark.parametrize(
    ("platforms", "specialties", "state", "words"),
    [
        (["All"] * 3, ["All"] * 3, "passed", ""),
        (["e-RS"] * 3, ["All"] * 3, "failed", "only the platform e-RS"),
        (["All"] * 3, ["All", "Cardiology", "All"], "failed", "only the specialty Cardiology"),
        (["e-RS + Line"] * 3, ["All"] * 3, "could not be checked", "whether e-RS + Line are all is not said"),
        ([""] * 3, ["All"] * 3, "could not be checked", ""),
    ],
)
def test_what_an_extract_says_it_holds(platforms: list[str], specialties: list[str], state: str, words: str) -> None:
    of = study(("ag_share",))
    e = evidence(of, practices=evidence().practices.assign(ag_platform=platforms, ag_specialty=specialties))
    found = gates.run(e)
    assert state_of(found, "ag_platform_incomplete") == state
    assert words in found.loc[found["gate"] == "ag_platform_incomplete", "detail"].tolist()


def test_a_rate_of_the_list_from_another_file_is_a_note() -> None:
    of = study(("ag_requests_per_1000",))
    homes = {"ag_requests_per_1000.numerator": "a", "ag_requests_per_1000.denominator": "b"}
    for places in (homes, {"ag_requests_per_1000.numerator": "a"}):
        row = gates.run(evidence(of, homes=places)).query("gate == 'denominator_mixed'").iloc[0]
        assert (row["state"], row["severity"]) == ("failed", "note")


def test_a_share_whose_counts_come_from_two_files_stops() -> None:
    e = evidence(homes={"same_day_share.numerator": "a", "same_day_share.denominator": "b"})
    row = gates.run(e).query("gate == 'denominator_mixed'").iloc[0]
    assert (row["state"], row["severity"], row["detail"]) == ("failed", "stop", "taken from a and b")


def test_the_severity_is_the_one_on_the_metrics_card() -> None:
    of = study(("same_day_share", "ag_share"))
    found = gates.run(evidence(of, homes={"same_day_share.numerator": "a", "ag_share.numerator": "a"}))
    for metric in of.metrics:
        for use in catalogue.metric(metric).gates:
            rows = found[(found["gate"] == use.id) & found["metric"].isin(["", metric])]
            assert len(rows), f"{use.id} was not asked of {metric}"
            assert set(rows["severity"]) <= {use.severity, "note"}, use.id


def test_the_practices_left_out_are_those_of_the_gates_named() -> None:
    e = with_practices(list_size=[640.0, 8000.0, 7000.0], list_jump_pct=[0.0, 40.0, 0.0])
    found = gates.run(e)
    assert gates.excluded(found, ["list_under_1000"]).values.tolist() == [["A81001", "list_under_1000"]]
    assert gates.excluded(found, ["atypical"])["practice_code"].tolist() == ["A81001", "A81002"]
    assert gates.excluded(found, []).empty


def test_every_gate_in_the_catalogue_is_asked_and_says_what_each_state_means() -> None:
    from gpvar.gates.asking import _LOOKS

    assert set(_LOOKS) == set(catalogue.gates())
    for card in catalogue.gates().values():
        for sentence in (card.checks, card.passed, card.failed, card.unchecked):
            assert sentence.endswith(".") and len(sentence) >= 20, card.id


def test_sources_give_dates_whichever_file_they_stand_in() -> None:
    spec = study(dates={"imd2025": "2025-10"}).sources[0]
    assert isinstance(spec, SourceSpec) and spec.dates == {"imd2025": "2025-10"}


def monthly_shares(acute: list[float], start: str = "2025-04") -> pd.DataFrame:
    """Counts by month of one practice whose share of acute slots is as given, month by month."""
    months = months_of(parse_period(f"{start}..2026-03"))[: len(acute)]
    rows = [
        (CODES[0], month, f"category: {name}", value)
        for month, share in zip(months, acute, strict=True)
        for name, value in (("Acute", 1000 * share), ("Routine", 1000 * (1 - share)))
    ]
    return pd.DataFrame(rows, columns=["practice_code", "month", "name", "value"])


def steps(acute: list[float], period: str) -> pd.DataFrame:
    of = replace(study(), period=parse_period(period))
    found = gates.run(evidence(of, monthly=monthly_shares(acute)))
    return found[found["gate"] == "mapping_step"]


@pytest.mark.parametrize(
    ("acute", "period", "words"),
    [
        ([0.1] * 6 + [0.6] * 6, "2025-04..2026-03", "three months from October 2025"),
        ([0.1] * 6 + [0.6] * 2, "2025-04..2025-11", "three months from September 2025"),
        ([0.1] * 9 + [0.6] * 2, "2025-04..2026-02", "three months from December 2025"),
    ],
)
def test_a_step_in_the_labels_is_found_wherever_it_lies(acute: list[float], period: str, words: str) -> None:
    found = steps(acute, period)
    assert found.loc[found["state"] == "failed", "practice_code"].tolist() == [CODES[0]]
    assert words in found.loc[found["state"] == "failed", "detail"].iloc[0]


def test_labels_that_drift_slowly_are_no_step() -> None:
    found = steps([0.30 + 0.02 * month for month in range(12)], "2025-04..2026-03")
    assert found["state"].tolist() == ["passed"] * len(found)


def test_fewer_than_six_months_cannot_show_a_step() -> None:
    assert set(steps([0.1, 0.1, 0.6, 0.6, 0.6], "2025-04..2025-08")["state"]) == {"could not be checked"}


def test_a_label_that_was_not_used_before_counts_as_a_step() -> None:
    rows = monthly_shares([0.0] * 3 + [0.4] * 3)
    of = replace(study(), period=parse_period("2025-04..2025-09"))
    found = gates.run(evidence(of, monthly=rows[rows["value"] > 0]))
    failed = found[(found["gate"] == "mapping_step") & (found["state"] == "failed")]
    assert failed["practice_code"].tolist() == [CODES[0]]


def test_publications_are_called_by_their_titles_on_the_check_page() -> None:
    homes = {"same_day_share.numerator": "gpad", "same_day_share.denominator": "local"}
    found = gates.run(evidence(homes=homes))
    said = found.loc[(found["gate"] == "denominator_mixed") & (found["metric"] == "same_day_share"), "detail"]
    assert said.tolist() == ["taken from Appointments in General Practice and local"]
