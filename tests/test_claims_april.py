"""April 2025 on the real table: "bottom tenth in April", practice by practice, beside the other eleven months.

The chance that a practice's lasting figure is in the lowest tenth is worked out from April alone; that April's figures
move, and by how much, is known from the year. The other eleven months are then looked at. Measured on 6,032 practices
for same-day share:

====================  =========  ============  =====================================
chance from April     practices  mean chance   in the lowest tenth of the other months
====================  =========  ============  =====================================
under 0.1             4,791      0.009         0.004
0.1 to 0.2            316        0.146         0.108
0.2 to 0.3            200        0.244         0.275
0.3 to 0.4            148        0.349         0.345
0.4 to 0.5            99         0.449         0.495
0.5 to 0.6            95         0.554         0.716
0.6 to 0.7            83         0.650         0.759
0.7 to 0.8            76         0.749         0.763
0.8 to 0.9            72         0.856         0.903
0.9 and over          152        0.963         0.928
====================  =========  ============  =====================================

Passing movement has heavy tails: a few practices moved far, most less than its variance says. Chances in the middle are
therefore a little too cautious and the highest a little too sure.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gpvar
from gpvar import claims
from gpvar.results import Claim, Run
from tests.test_passing import study_of
from tests.test_real_study import COLUMNS

SHARE = "same_day_share"
#: What the chances may be off by beside the chance of counting, as in the bars on worlds with known truth.
OFF = 0.02


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """April with the year beside it, patients and setting allowed for as in the study of the year."""
    study = study_of("2025-04")
    study["adjust"] = {"M1": ["age_sex", "imd2025", "qof_dm", "qof_dep"], "M2": ["rurality"]}
    counted = (SHARE, "dna_share", "appointments_per_1000")
    study["source"][0]["columns"] = {name: heading for name, heading in COLUMNS.items() if not name.startswith(counted)}
    return gpvar.run(gpvar.load_study(study, base=tmp_path_factory.mktemp("april")))


@pytest.fixture(scope="module")
def seen(run: Run) -> pd.DataFrame:
    """Each practice's chance from April, its place in April, and whether the other eleven months have it in a tenth."""
    effects = run.analyses[SHARE].effects
    april = effects[effects["rung"] == "M0"].set_index("practice_code")
    rows = run.analyses[SHARE].practices.query("rung == 'M0' and comparator == 'england'").set_index("practice_code")
    periods = run.table.periods.set_index(["start", "end", "practice_code"])[["numerator", "denominator"]]
    rest = periods.loc["2025-04", "2026-03"] - periods.loc["2025-04", "2025-04"]
    share = (rest["numerator"] / rest["denominator"]).reindex(april.index)
    assert share.notna().all()
    # Places by their order, so that the tenth has as many practices as a tenth is.
    in_rest = share.rank(method="first") <= np.ceil(0.1 * len(share))
    place = rows["rank"].reindex(april.index) / rows["ranked"].reindex(april.index)
    return pd.DataFrame(
        {"p": april["p_bottom"], "rest": in_rest, "place": place, "rule": april["rule"], "r": april["reliability"]}
    )


def test_one_month_is_steady_enough_for_odds_and_for_no_place(seen: pd.DataFrame) -> None:
    assert (seen["rule"] == "interval").all()
    assert seen["r"].between(0.7, 0.9).all()


def test_a_quarter_of_april_s_lowest_tenth_is_not_there_in_the_other_months(seen: pd.DataFrame) -> None:
    tenth = seen[seen["place"] <= 0.1]
    assert 590 <= len(tenth) <= 610
    assert tenth["rest"].mean() == pytest.approx(0.77, abs=0.01)
    # The chances know it: a letter that takes April for the truth is wrong of one practice in four.
    assert tenth["p"].mean() == pytest.approx(tenth["rest"].mean(), abs=0.08)


def test_the_other_months_agree_with_the_chances_by_tenths(seen: pd.DataFrame) -> None:
    tenths = np.minimum((10 * seen["p"]).astype(int), 9)
    found = seen.groupby(tenths).agg(n=("p", "size"), p=("p", "mean"), rest=("rest", "mean"))
    assert len(found) == 10 and found["n"].min() > 60
    error = np.sqrt(found["p"] * (1 - found["p"]) / found["n"])
    assert ((found["rest"] - found["p"]).abs() <= 3.5 * error + OFF).all(), found
    assert found["rest"].is_monotonic_increasing


def test_the_chances_foretell_the_other_months_better_than_april_s_own_tenth_does(seen: pd.DataFrame) -> None:
    """Mean squared distance from what the other months show: of the chances, and of April taken for the truth."""
    chances = ((seen["p"] - seen["rest"]) ** 2).mean()
    april = (((seen["place"] <= 0.1).astype(float) - seen["rest"]) ** 2).mean()
    assert chances < 0.8 * april
    # No further off than chances that are right would be: they are cautious, not sure of too much.
    assert chances <= (seen["p"] * (1 - seen["p"])).mean()


@pytest.fixture(scope="module")
def letter(run: Run, seen: pd.DataFrame) -> pd.DataFrame:
    """The finding on "in the lowest tenth nationally in April" for each practice of QHM's lowest fifth."""
    here = seen.index.intersection(list(run.table.area_codes))
    low = seen.loc[here].query("place <= 0.2")
    said = [
        Claim(
            str(i), "tail", text="bottom tenth in April", practice=code, practice_code=code, metric=SHARE,
            comparator="england", direction="low", period="2025-04",
        )
        for i, code in enumerate(low.index)
    ]  # fmt: skip
    found = claims.check_all(said, run)
    return low.assign(
        verdict=[each.verdict for each in found],
        reason=[each.reason for each in found],
        arithmetic=[each.numbers["in_tail"] for each in found],
        p_found=[each.numbers["p_raw"] for each in found],
    )


def test_practice_by_practice_the_sentence_holds_does_not_or_stays_open(letter: pd.DataFrame) -> None:
    assert (letter["p_found"] - letter["p"]).abs().max() < 1e-9
    expected = np.select([letter["p"] >= 0.8, letter["p"] <= 0.2], ["supported", "contradicted"], "not_decidable")
    assert list(letter["verdict"]) == list(expected)
    assert set(letter["reason"]) == {"rank_holds", "rank_unlikely", "rank_odds"}
    assert letter["verdict"].value_counts().min() >= 5


def test_what_is_true_as_arithmetic_is_said_whatever_is_found(letter: pd.DataFrame) -> None:
    assert (letter["arithmetic"] == (letter["place"] <= 0.1)).all()
    april = letter[letter["arithmetic"]]
    assert (april["verdict"] == "not_decidable").mean() > 0.5
    assert not (april["verdict"] == "contradicted").any()


def test_the_other_months_bear_the_findings_out(letter: pd.DataFrame) -> None:
    later = letter.groupby("verdict")["rest"].mean()
    assert later["supported"] >= 0.9
    assert later["contradicted"] <= 0.2
    assert 0.3 < later["not_decidable"] < 0.9
