"""The catalogue: every card is complete, says nothing unverified, and refuses what it must."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pandas as pd
import pytest

from gpvar import catalogue
from gpvar.catalogue import _cards
from gpvar.errors import SourceError, StudyError
from tests.support import shared

ELEVEN = {
    "same_day_share",
    "within_14_days_share",
    "appointments_per_1000",
    "dna_share",
    "face_to_face_share",
    "urgent_same_day_share",
    "routine_within_7_days_share",
    "routine_within_14_days_share",
    "ag_requests_per_1000",
    "ag_share",
    "referrals_per_1000",
}
CARDS = list(catalogue.metrics().values())
IDS = [card.id for card in CARDS]
FOLDER = Path(catalogue.__file__).parent


def raw_card(**changes: object) -> dict[str, object]:
    return {**catalogue._raw_metrics()["dna_share"], **changes}


def test_there_is_a_card_for_each_of_the_eleven_metrics() -> None:
    assert set(catalogue.metrics()) == ELEVEN


@pytest.mark.parametrize("card", CARDS, ids=IDS)
def test_a_card_is_complete(card: catalogue.MetricCard) -> None:
    assert card.question.endswith("?")
    assert len(card.artefacts) >= 5
    assert card.short[0].islower() and card.noun_numerator[0].islower()
    assert card.scale == (100 if card.kind == "proportion" else 1000)
    assert card.margin == {"dna_share": 1.0}.get(card.id, 5.0 if card.kind == "proportion" else 10.0)
    assert card.author == "gpvar founders" and card.reviewed >= dt.date(2026, 1, 1)
    assert card.source in catalogue.sources()
    assert (card.unit == "%") == (card.kind == "proportion")


@pytest.mark.parametrize("card", CARDS, ids=IDS)
def test_every_gate_of_a_card_exists_and_is_named_once(card: catalogue.MetricCard) -> None:
    used = [use.id for use in card.gates]
    assert set(used) <= set(catalogue.gates())
    assert len(used) == len(set(used))
    assert {"no_denominator", "numerator_over_denominator", "list_under_1000", "covariate_old"} <= set(used)


@pytest.mark.parametrize("card", CARDS, ids=IDS)
def test_no_card_presumes_a_good_direction(card: catalogue.MetricCard) -> None:
    assert card.better == "unknown"


@pytest.mark.parametrize("card", CARDS, ids=IDS)
def test_defaults_adjust_for_need_then_setting_and_never_for_supply_or_process(card: catalogue.MetricCard) -> None:
    classes = {rung: {catalogue.covariate(name).cls for name in ids} for rung, ids in card.adjust.items()}
    assert classes == {"M1": {"need"}, "M2": {"context"}}
    assert sum(catalogue.covariate(name).recorded for name in card.adjust["M1"]) <= 8


@pytest.mark.parametrize("card", CARDS, ids=IDS)
def test_leaving_out_what_practices_record_still_leaves_a_comparison(card: catalogue.MetricCard) -> None:
    kept = [name for name in card.adjust["M1"] if not catalogue.covariate(name).recorded]
    assert kept == ["age_sex", "imd2025"]


def test_what_practices_record_is_marked_as_recorded() -> None:
    recorded = {name for name, card in catalogue.covariates().items() if card.recorded and card.cls == "need"}
    registers = re.findall(r"[a-z]+", "af ast can chd ckd copd dem dep dm ep hf hyp ld mh ndh ob ost pad pc ra stia")
    assert recorded == {f"qof_{name}" for name in registers} | {"smoking"}


def test_a_metric_that_rests_on_categories_stops_at_unmapped_appointments() -> None:
    severity = {card.id: {use.id: use.severity for use in card.gates} for card in CARDS}
    assert severity["urgent_same_day_share"]["unmapped_over_40"] == "stop"
    assert severity["same_day_share"]["unmapped_over_40"] == "warn"
    assert severity["dna_share"]["appointments_under_one_per_patient"] == "stop"
    assert severity["ag_share"]["ag_capped"] == "stop"
    assert "unmapped_over_40" not in severity["ag_share"]


def test_the_urgent_card_is_as_reported_with_its_formula_and_six_faults() -> None:
    card = catalogue.metric("urgent_same_day_share")
    assert card.definition_status == "as reported"
    assert "General Consultation Acute" in card.formula and "all statuses" in card.formula
    assert len(card.validity_faults) == 6


def test_only_the_measures_of_the_contract_are_as_reported_and_each_has_its_faults() -> None:
    reported = {card.id for card in CARDS if card.definition_status == "as reported"}
    assert reported == {"urgent_same_day_share", "routine_within_7_days_share", "routine_within_14_days_share"}
    assert reported == {card.id for card in CARDS if card.validity_faults}
    assert {card.definition_status for card in CARDS if card.id not in reported} == {"in use"}


def test_the_target_is_held_against_its_own_metric_only() -> None:
    on = dt.date(2026, 9, 1)
    target = catalogue.target("urgent_same_day_share", on)
    assert target is not None and target.value == 0.90 and target.due == dt.date(2027, 3, 31)
    for metric in ELEVEN - {"urgent_same_day_share"}:
        with pytest.raises(StudyError, match="There is no target for"):
            catalogue.target(metric, on)


def test_the_target_holds_from_its_announcement_and_is_due_at_its_date() -> None:
    metric = "urgent_same_day_share"
    assert catalogue.target(metric, dt.date(2026, 3, 16)) is None
    target = catalogue.target(metric, dt.date(2026, 3, 17))
    assert target is not None
    assert not target.is_due(dt.date(2027, 3, 30)) and target.is_due(dt.date(2027, 3, 31))


@pytest.mark.parametrize(
    ("look_up", "word", "meant"),
    [
        (catalogue.metric, "dna_shar", "dna_share"),
        (catalogue.metric, "Same_Day_Share", "same_day_share"),
        (catalogue.covariate, "imd_2025", "imd2025"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(look_up: object, word: str, meant: str) -> None:
    with pytest.raises(StudyError) as caught:
        look_up(word)  # type: ignore[operator]
    assert caught.value.fix == f"Did you mean {meant}?"
    assert word in caught.value.problem


def test_a_name_like_no_other_is_answered_with_the_list() -> None:
    with pytest.raises(StudyError) as caught:
        catalogue.metric("zzzz")
    assert all(name in caught.value.fix for name in ELEVEN)


@pytest.mark.parametrize("card", [card for card in CARDS if card.source == "gpad"], ids=lambda card: card.id)
def test_every_card_of_the_appointments_says_which_rows_it_counts(card: catalogue.MetricCard) -> None:
    counted = {"numerator", "denominator"} if card.kind == "proportion" else {"numerator"}
    assert set(card.appointments) == counted


@pytest.mark.parametrize(
    ("counted", "says"),
    [
        ({"numerator": {"APPT_STATUS": ["Missed"]}, "denominator": {}}, "'Missed', which is not in the catalogue"),
        ({"numerator": {"STATUS": ["DNA"]}, "denominator": {}}, "'STATUS', which is not in the catalogue"),
        ({"numerator": {"APPT_STATUS": ["DNA"]}}, "of both its counts"),
        ({"numerator": {}, "denominator": {"APPT_STATUS": {"but": ["DNA"]}}}, "counts 'DNA' above and not below"),
        ({"numerator": {"APPT_STATUS": {"not": ["DNA"]}}, "denominator": {}}, "may hold but only"),
        ({"whole": {}}, "numerator and denominator only"),
    ],
)
def test_a_card_that_counts_what_the_crosstab_does_not_hold_is_refused(counted: dict[str, object], says: str) -> None:
    with pytest.raises(SourceError, match=says):
        catalogue._check_metric(_cards.build(catalogue.MetricCard, raw_card(appointments=counted), "dna_share.toml"))


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"kind": "ratio"}, "kind", "not allowed"),
        ({"margin": "one"}, "margin", "not of the type float"),
        ({"activity": 1}, "activity", "not of the type bool"),
        ({"scale": True}, "scale", "not of the type int"),
        ({"question": "  "}, "question", "empty"),
        ({"colour": "red"}, "colour", "not known"),
        ({"gates": [{"id": "suppressed", "severity": "fatal"}]}, "severity", "not allowed"),
        ({"adjust": {"M1": "imd2025"}}, "adjust.M1", "list of texts"),
    ],
)
def test_a_bad_card_is_refused_by_card_and_field(changes: dict[str, object], field: str, says: str) -> None:
    with pytest.raises(SourceError) as caught:
        _cards.build(catalogue.MetricCard, raw_card(**changes), "dna_share.toml")
    assert says in caught.value.problem
    assert caught.value.where.startswith("dna_share.toml") and caught.value.where.endswith(f"field {field}")


def test_a_card_without_a_field_is_refused() -> None:
    raw = raw_card()
    del raw["denominator"]
    with pytest.raises(SourceError) as caught:
        _cards.build(catalogue.MetricCard, raw, "dna_share.toml")
    assert caught.value.where == "dna_share.toml, field denominator"


@pytest.mark.parametrize(
    ("adjust", "says"),
    [
        ({"M1": ["age_sex", "gp_fte"]}, "class supply"),
        ({"M1": ["age_sex"], "M2": ["triage_model"]}, "class process"),
        ({"M1": ["rurality"]}, "class context"),
        ({"M1": ["imd_2025"]}, "not in the catalogue"),
        ({"M3": ["gp_fte"]}, "unknown rung"),
    ],
)
def test_a_card_that_adjusts_for_the_wrong_thing_is_refused(adjust: dict[str, list[str]], says: str) -> None:
    card = _cards.build(catalogue.MetricCard, raw_card(adjust=adjust), "dna_share.toml")
    with pytest.raises(SourceError, match=says):
        catalogue._check_metric(card)


def test_the_fingerprint_is_of_the_cards_used_and_of_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    first = catalogue.fingerprint(["dna_share"], ["imd2025", "age_sex"])
    assert re.fullmatch(r"[0-9a-f]{64}", first)
    assert first == catalogue.fingerprint(("dna_share", "dna_share"), ("age_sex", "imd2025"))
    assert first != catalogue.fingerprint(["dna_share"], ["imd2025"])
    changed = {name: dict(raw) for name, raw in catalogue._raw_metrics().items()}
    monkeypatch.setattr(catalogue, "_raw_metrics", lambda: changed)
    changed["ag_share"]["margin"] = 6.0
    assert first == catalogue.fingerprint(["dna_share"], ["imd2025", "age_sex"])
    changed["dna_share"]["margin"] = 2.0
    assert first != catalogue.fingerprint(["dna_share"], ["imd2025", "age_sex"])


def test_42_boards_became_36_and_every_ended_board_says_where_its_practices_went() -> None:
    before, after = catalogue.icb_members(dt.date(2026, 3, 31)), catalogue.icb_members(dt.date(2026, 4, 1))
    assert (len(before), len(after)) == (42, 36)
    ended = {code: card for code, card in catalogue.icbs().items() if card.valid_to}
    assert len(ended) == 12
    assert all(card.successors and set(card.successors) <= set(after) for card in ended.values())
    assert not any(card.successors for code, card in before.items() if code not in ended)


def test_boards_and_successors_are_those_of_the_real_table() -> None:
    columns = ["icb_code_2024", "icb_code_2026", "icb_name_2026", "region_code"]
    table = pd.read_csv(shared("data", "joined", "england_2025_26.csv.gz"), usecols=columns, dtype=str).dropna()
    boards = catalogue.icbs()
    for old, rows in table.groupby("icb_code_2024"):
        moved = list(rows["icb_code_2026"].value_counts().index)
        assert list(boards[str(old)].successors or (str(old),)) == moved
    for row in table.drop_duplicates("icb_code_2026").itertuples():
        board = boards[str(row.icb_code_2026)]
        assert (board.name, board.region_code) == (row.icb_name_2026, row.region_code)


def test_breaks_of_a_series_come_by_date_with_those_of_every_series() -> None:
    found = catalogue.breaks("gpad")
    assert [item.start for item in found] == sorted(item.start for item in found)
    assert {"contract_2026", "icb_codes_2026"} <= {item.id for item in found}
    assert {item.series for item in found} == {"gpad", "all"}
    assert catalogue.breaks("ag_extract") == catalogue.breaks("ag")
    assert {item.id for item in catalogue.breaks("gpps") if item.breaks_series} == {"gpps_2018", "gpps_2024"}


def test_every_source_has_a_licence_line() -> None:
    assert set(catalogue.attributions()) == set(catalogue.sources())
    opened = [card for card in catalogue.sources().values() if card.licence.startswith("Open Government")]
    assert len(opened) >= 8
    assert all("Licence" in card.attribution for card in opened)


def test_quotations_are_dated_and_say_how_they_are_known() -> None:
    assert len(catalogue.contract()) >= 4
    for item in catalogue.contract().values():
        assert item.status in ("published", "as reported")
        assert re.search(r"20\d\d$", item.dated)


# Numbers and statements that DOMAIN tags as unverified or second-hand: none may stand in a card as a fact.
UNVERIFIED = [
    r"77\.5",
    r"29 ?% of practices",
    r"0\.067",
    r"CQC",
    r"Friends and Family",
    r"ACC-0",
    r"RightCare",
    r"penalt(y|ies) (for|of|on)",
    r"reduce unwarranted variation in the use",
    r"\br ?[≈=]",
]


@pytest.mark.parametrize("pattern", UNVERIFIED)
def test_nothing_unverified_is_stated_in_the_catalogue(pattern: str) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.toml")}
    assert [name for name, text in texts.items() if re.search(pattern, text)] == []
