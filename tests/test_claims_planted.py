"""One England in which a sentence of every kind is true, false, and behind a check that stops."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gpvar
from gpvar import claims
from gpvar.catalogue import letters
from gpvar.results import Claim, Figure, Run
from gpvar.simulate import AREA, england
from gpvar.simulate._month import month_of
from tests.support import ROOT

METRICS = [
    "same_day_share", "dna_share", "appointments_per_1000", "urgent_same_day_share", "ag_requests_per_1000",
    "referrals_per_1000",
]  # fmt: skip
_YEAR = "gpad_annual_"
#: Who is planted: rows of the area, by what is true of them.
WHO = ("far", "plain", "stopped", "rose", "fell")


@dataclass(frozen=True)
class Planted:
    """The run, and the codes of the planted practices."""

    run: Run
    code: dict[str, str]

    def claim(self, who: str, template: str, **more: Any) -> Claim:
        code = self.code.get(who, "")
        more = {name: _figure(value) if name in _PRINTED else value for name, value in more.items()}
        return Claim("1", template, practice=code, practice_code=code, **more)


_PRINTED = ("figure", "figure_before", "comparator_figure", "threshold")


def _figure(text: str) -> Figure:
    number = text.rstrip("%").replace(",", "")
    return Figure(text, float(number), len(number.partition(".")[2]), text.endswith("%"))


def _plant(frame: pd.DataFrame, rows: dict[str, int]) -> None:
    """Make one practice far out on everything, one plain, one hardly recorded, in place."""
    year = {name: f"{_YEAR}{name}" for name in ("same_day", "2_to_7_days", "dna", "attended", "total_appointments")}
    numeric = frame.select_dtypes("number").columns
    frame[numeric] = frame[numeric].astype(float)
    plain = frame.drop(list(rows.values())).median(numeric_only=True)
    counts = [name for name in frame if name.startswith(_YEAR) or name in ("ag_requests", "referrals_total")]
    for who in ("far", "plain", "rose", "fell"):
        row = rows[who]
        patients = [name for name in frame if name.startswith(("share_", "qof_", "imd", "smoking"))]
        frame.loc[row, patients] = plain[patients]
        size = frame.loc[row, "annual_patient_month_exposure"] / plain["annual_patient_month_exposure"]
        for name in counts:
            frame.loc[row, name] = round(plain[name] * size)
    far = rows["far"]
    for name in counts:  # few appointments
        frame.loc[far, name] = round(frame.loc[far, name] * 0.45)
    moved = round(frame.loc[far, year["same_day"]] * 0.75)
    frame.loc[far, [year["same_day"], year["2_to_7_days"]]] += [-moved, moved]
    missed = 3 * frame.loc[far, year["dna"]]
    frame.loc[far, [year["dna"], year["attended"]]] += [missed, -missed]
    acute, on_the_day = f"{_YEAR}general_consultation_acute", f"{_YEAR}general_consultation_acute_same_day"
    for who in ("plain", "rose", "fell"):
        frame.loc[rows[who], on_the_day] = round(0.97 * frame.loc[rows[who], acute])
    frame.loc[far, on_the_day] = round(0.5 * frame.loc[far, acute])
    frame.loc[far, ["ag_requests", "referrals_total"]] *= [0.3, 5.0]
    stopped = rows["stopped"]
    for name in counts:
        frame.loc[stopped, name] = round(frame.loc[stopped, name] * 0.04)
    for name in counts:
        frame[name] = frame[name].astype(int)


def _changed(april: pd.DataFrame, rose: int, fell: int) -> None:
    """Let a practice have held few same-day appointments in April, and another many, in place."""
    moved = round(april.loc[rose, "same_day"] * 0.7)
    april.loc[rose, ["same_day", "2_to_7_days"]] += [-moved, moved]
    moved = round(april.loc[fell, "2_to_7_days"] * 0.9)
    april.loc[fell, ["same_day", "2_to_7_days"]] += [moved, -moved]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    folder: Path = tmp_path_factory.mktemp("planted")
    made = england(seed=5, practices=600, planted=False)
    frame = made.practices.copy()
    rows = dict(zip(WHO, np.flatnonzero(frame["icb_code"] == AREA)[2:27:5], strict=True))
    _plant(frame, rows)
    frame["all_gp_fte"] = 1.3 * frame["gp_fte"]
    april = month_of(frame, made.seed)
    _changed(april, rows["rose"], rows["fell"])
    frame.to_csv(folder / "practices_2025_26.csv", index=False)
    april.to_csv(folder / "april_2025.csv", index=False)
    study = tomllib.loads((ROOT / "data" / "demo" / "study.toml").read_text(encoding="utf-8"))
    study |= {"metrics": METRICS, "claim": [], "adjust": {"M1": ["age_sex", "imd2025"], "M2": ["rurality"]}}
    study["area"] = {"kind": "icb", "code": AREA, "practices": []}
    study["source"][0]["columns"]["all_gp_fte"] = "all_gp_fte"
    study["source"][0]["dates"]["all_gp_fte"] = "2025-06"
    run = gpvar.run(gpvar.load_study(study, base=folder))
    return Planted(run, {who: str(frame.loc[row, "practice_code"]) for who, row in rows.items()})


SAME, DNA, APP, URGENT, AG = METRICS[:5]
_CHANGED = {"period_before": "2025-04", "period": "2025-05..2026-03"}
#: Kind of sentence → (who, what the letter says) that is true, and that is false; None where nothing can make it so.
SENTENCES: dict[str, tuple[Any, Any]] = {
    "tail": (("far", {"metric": SAME, "direction": "low"}), ("plain", {"metric": SAME, "direction": "low"})),
    "below_mean": (
        ("far", {"metric": SAME, "direction": "low", "comparator": "icb"}),
        ("far", {"metric": DNA, "direction": "low", "comparator": "icb"}),
    ),
    "significant": (("far", {"metric": DNA}), ("far", {"metric": DNA, "direction": "low"})),
    "outlier": (("far", {"metric": DNA, "direction": "high"}), ("plain", {"metric": DNA, "direction": "high"})),
    "rag_red": (
        ("far", {"metric": DNA, "direction": "high", "threshold": "10%"}),
        ("plain", {"metric": DNA, "direction": "high", "threshold": "10%"}),
    ),
    "league_place": (
        ("far", {"metric": SAME, "direction": "low", "place": 1, "of": 80, "comparator": "icb"}),
        ("plain", {"metric": SAME, "direction": "low", "place": 1, "of": 80, "comparator": "icb"}),
    ),
    "change": (
        ("rose", {"metric": SAME, "direction": "high", **_CHANGED}),
        ("rose", {"metric": SAME, "direction": "low", **_CHANGED}),
    ),
    "below_target": (
        ("far", {"metric": URGENT, "threshold": "90%"}),
        ("plain", {"metric": URGENT, "threshold": "90%"}),
    ),
    "too_low": (("far", {"metric": APP}), ("plain", {"metric": APP})),
    "cannot_get_through": (None, None),
    "emergency_use": (None, None),
    "low_ag_user": (("far", {"metric": AG}), ("plain", {"metric": AG})),
    "low_ag_high_referral": (("far", {}), ("plain", {})),
    "no_improvement": (
        ("fell", {"metric": SAME, "direction": "high", **_CHANGED}),
        ("rose", {"metric": SAME, "direction": "high", **_CHANGED}),
    ),
    "many_red": (("far", {"place": 30, "of": 33}), ("plain", {"place": 1, "of": 33})),
    "fold": (("", {"metric": SAME, "figure": "3"}), ("", {"metric": SAME, "figure": "40"})),
    "exemplar": (
        ("far", {"metric": SAME, "threshold": "35%", "direction": "low"}),
        ("plain", {"metric": SAME, "threshold": "90%", "direction": "low"}),
    ),
    "patients_per_gp": (("plain", {"threshold": "200"}), ("plain", {"threshold": "90000"})),
    "association": (None, ("far", {"metric": SAME})),
    "worst_improved": (None, ("", {"metric": SAME, "direction": "high", "place": 8, **_CHANGED})),
    "opportunity": (
        ("", {"metric": SAME, "direction": "high", "figure": "100"}),
        ("", {"metric": SAME, "direction": "high", "figure": "9,000,000"}),
    ),
    "payment": (("far", {"metric": URGENT, "threshold": "85%"}), ("plain", {"metric": URGENT, "threshold": "85%"})),
}


def test_every_kind_of_sentence_is_tried() -> None:
    assert set(SENTENCES) == set(letters.templates())


@pytest.mark.parametrize("template", [name for name, (true, _) in SENTENCES.items() if true])
def test_a_true_sentence_holds(planted: Planted, template: str) -> None:
    who, more = SENTENCES[template][0]
    found = claims.check_claim(planted.claim(who, template, **more), planted.run)
    assert found.verdict == "supported", (found.because, found.numbers)


@pytest.mark.parametrize("template", [name for name, (_, false) in SENTENCES.items() if false])
def test_a_false_sentence_does_not(planted: Planted, template: str) -> None:
    who, more = SENTENCES[template][1]
    found = claims.check_claim(planted.claim(who, template, **more), planted.run)
    refuted = found.verdict in ("contradicted", "not_shown", "not_attributable")
    # A figure that these data do not give may have been counted in another way: that is asked, not refuted.
    assert refuted or found.reason in ("fold_not_reproduced", "place_far"), (found.because, found.numbers)


def _stopping(run: Run, gate: str, metric: str, code: str) -> Run:
    """Return the run with a check that stops failed: for a practice, or for the whole table."""
    failed = {
        "gate": gate,
        "severity": "stop",
        "state": "failed",
        "metric": metric,
        "practice_code": code,
        "detail": "",
    }
    gates = pd.concat([run.table.gates, pd.DataFrame([failed])], ignore_index=True)
    return replace(run, table=replace(run.table, gates=gates))


#: An association rests on no figure, and "red on k of m" on the letter's own count.
UNGATED = ("association", "many_red", "cannot_get_through", "emergency_use")


@pytest.mark.parametrize("template", [name for name in SENTENCES if name not in UNGATED])
def test_behind_a_check_that_stops_no_sentence_is_decided(planted: Planted, template: str) -> None:
    who, more = next(item for item in SENTENCES[template] if item)
    run, claim = planted.run, planted.claim("stopped" if who else "", template, **more)
    if "ag" in template.split("_"):
        run = _stopping(run, "ag_capped", AG, claim.practice_code)
    elif template == "patients_per_gp":
        run = _stopping(run, "denominator_mixed", "", claim.practice_code)
    elif not who:
        run = _stopping(run, "denominator_mixed", more["metric"], "")
    found = claims.check_claim(claim, run)
    assert found.verdict == "not_decidable", (found.because, found.numbers)
    assert found.disclose and found.would_change


@pytest.mark.parametrize("template", ["cannot_get_through", "emergency_use"])
def test_a_sentence_without_its_source_cannot_be_checked_and_says_what_to_ask_for(
    planted: Planted, template: str
) -> None:
    found = claims.check_claim(planted.claim("far", template), planted.run)
    assert (found.verdict, found.reason) == ("not_decidable", "no_source") and found.disclose
