"""What the pages say when figures are missing, hidden, not adjusted, or compared with less than England."""

from __future__ import annotations

import dataclasses
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from gpvar import catalogue, charts, tables, words
from gpvar.results import Note
from gpvar.words import area, boxes, console, hidden, marks, pages, phrases, verdict
from tests import synthetic
from tests.test_words import SECTIONS

METRIC = "same_day_share"
SOMEWHERE = "NHS Some_where ICB"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):
    return synthetic.make_run(tmp_path_factory.mktemp("limits"), n=120)


def said(run, *, prefix: tuple[str, ...] = ("area_", "practice_"), code: str = "X10001") -> str:
    """Return every section of a page as plain text."""
    parts = []
    for name in (n for n in SECTIONS if n.startswith(prefix)):
        write = getattr(words, name)
        parts.append(write(run, code, METRIC) if name.startswith("practice_") else write(run, METRIC))
    return console.without_markdown("\n".join(parts))


def undecided_at_m1(run, codes):
    def change(frame):
        frame.loc[frame["practice_code"].isin(codes) & (frame["rung"] == "M1"), ["position", "movement"]] = [
            "not_decidable",
            "",
        ]
        return frame

    return synthetic.changed(run, METRIC, change)


def flagged_in_area(run) -> list[str]:
    facts = words.area_facts(run, METRIC)
    raw = facts.at("M0")
    return list(raw.loc[raw["position"].isin(boxes.FLAGGED), "practice_code"])


def test_an_area_of_which_nobody_can_be_judged_is_not_reported_as_clean(run) -> None:
    gone = undecided_at_m1(run, run.table.area_codes)
    text = said(gone, prefix=("area_",))
    assert "The data cannot answer this for any practice of the area" in text
    for wrong in ("No practice stands out", "brings none", "into line", "of 30 here"):
        assert wrong not in text
    line = words.area_summary_line(gone, METRIC)
    assert line.endswith("the data cannot answer for any of the 30 practices.")
    assert charts.who_moved(gone, METRIC) == () and len(charts.area_funnels(gone, METRIC)) == 1


def test_practices_that_cannot_be_judged_are_counted_apart(run) -> None:
    mine = flagged_in_area(run)
    calm = [c for c in run.table.area_codes if c not in mine]
    some = undecided_at_m1(run, calm[:4])
    text = said(some, prefix=("area_",))
    assert "For 4 of 30 practices the data cannot answer" in text and re.search(r"of 26 stands? out", text)
    assert "of 26 practices outside" in words.area_summary_line(some, METRIC)
    assert "For 4 of 30 practices" in words.area_summary_line(some, METRIC)


def test_who_stood_out_and_is_lost_is_not_said_to_stay_out_of_line(run) -> None:
    mine = flagged_in_area(run)
    assert mine
    gone = undecided_at_m1(run, mine)
    text = said(gone, prefix=("area_",))
    assert "brings none" not in text and "be compared like with like, which says nothing either way" in text
    judged = area.counts(words.area_facts(gone, METRIC).at("M1"), 30, words.area_facts(gone, METRIC).at("M0"))
    assert judged["lost"] == len(mine) and judged["n"] == 30 - len(mine)


def test_a_hidden_count_is_placed_and_never_given_a_figure(run) -> None:
    def far(frame):
        frame = synthetic.hide(frame, "X10001")
        frame.loc[frame["practice_code"] == "X10001", "position"] = "far_outside"
        frame.loc[frame["practice_code"] == "X10001", "denominator"] = 400.0
        return frame

    hid = synthetic.changed(run, METRIC, far)
    text = console.without_markdown(pages.verdict_text(words.practice_facts(hid, "X10001", METRIC)))
    assert text.startswith(
        "Far outside the usual range. The count was hidden because it is small. Whatever it was (0 to 4)"
    )
    assert "between 0.0% and 1.0% of appointments" in text
    raw = words.practice_raw(hid, "X10001", METRIC)
    assert "It can be 0 to 4, so the figure is between 0.0% and 1.0%" in raw and "This practice" not in raw
    box = words.practice_icb_right(hid, "X10001", METRIC)
    assert "cannot be worked out here" in box and "right as arithmetic" not in box and "is lower than England's" in box
    every = said(hid, prefix=("practice_",)).replace("whose booking interval is not known", "")
    assert not re.search(r"\bnan\b|not known", every), re.findall(r".{0,80}(?:nan|not known).{0,20}", every)
    assert charts.funnel_before_after(hid, "X10001", METRIC) == ()
    table = tables.practice_rungs(hid, "X10001", METRIC)
    assert set(table.frame["Difference"]) == {"[c]"} and "[c] means hidden" in table.notes
    listed = tables.area_practices(hid, METRIC).frame.set_index("Code").loc["X10001"]
    assert listed["Figure"] == listed["Gap a week"] == "[c]"


def test_a_hidden_count_whose_ends_disagree_gives_the_reason(run) -> None:
    def torn(frame):
        frame = synthetic.hide(frame, "X10001")
        frame.loc[frame["practice_code"] == "X10001", "position"] = "not_decidable"
        return frame

    hid = synthetic.changed(run, METRIC, torn)
    text = pages.verdict_text(words.practice_facts(hid, "X10001", METRIC))
    assert "The two ends of what it can be give different answers" in text


def test_a_hidden_count_of_many_thousands_is_not_nought_to_nought() -> None:
    row = {"observed": np.nan, "observed_low": 1.0, "observed_high": 4.0, "denominator": 60_000.0}
    assert "less than 0.1% of appointments" in verdict.hidden_figure(synthetic.Card(), row)


@pytest.mark.parametrize("kind", ["icb", "region"])
def test_a_smaller_reference_set_is_named_everywhere(run, kind: str) -> None:
    inside = synthetic.changed(run, METRIC, lambda f: f, reference={"set": kind, "name": SOMEWHERE})
    text = said(inside) + words.explanation(inside, "X10001", METRIC)
    made = [
        *charts.funnel_before_after(inside, "X10001", METRIC),
        *charts.practice_ladder(inside, "X10001", METRIC),
        *charts.area_funnels(inside, METRIC),
        *charts.area_ladder(inside, METRIC),
        *charts.who_moved(inside, METRIC),
        *charts.methods_bars(inside, METRIC),
    ]
    drawn = " ".join(t.get_text() for c in made for t in c.figure.findobj(lambda a: hasattr(a, "get_text")))
    text += drawn + " ".join(c.title + c.alt for c in made)
    for table in (
        tables.practice_rungs(inside, "X10001", METRIC),
        tables.area_positions(inside, METRIC),
        tables.area_methods(inside, METRIC),
        tables.area_practices(inside, METRIC),
    ):
        text += console.without_markdown(table.to_markdown())
    rest = text.replace("NHS England", "")  # the publisher of the data, in the licence lines
    rest = re.sub("On England's figures for 2025/26", "", rest)
    assert "England" not in rest, rest[max(0, rest.find("England") - 80) : rest.find("England") + 40]
    assert f"(M1, {SOMEWHERE})" in text and f"{SOMEWHERE}'s" in text


def test_where_nothing_was_allowed_for_the_pages_say_so_and_why(run) -> None:
    bare = synthetic.only_raw(run, METRIC)
    text = said(bare) + words.area_summary_line(bare, METRIC) + words.explanation(bare, "X10001", METRIC)
    for wrong in ("M1", "fter allowing for patients", "into line", "like-for-like", "patients like these"):
        assert wrong not in text, text[max(0, text.find(wrong) - 80) : text.find(wrong) + 60]
    assert "Nothing about the patients was allowed for: the study has no data on deprivation." in text
    assert charts.who_moved(bare, METRIC) == ()
    assert "Patients" not in tables.area_practices(bare, METRIC).frame
    assert "Nothing here shows that the ICB is wrong" not in words.practice_icb_right(bare, "X10001", METRIC)


@pytest.mark.parametrize(("marked", "true"), [(0, False), (30, False), (51, True), (100, True)])
def test_chance_is_called_small_only_where_most_are_marked(marked: int, true: bool) -> None:
    frame = pd.DataFrame(
        [("none", "M0", 100, marked, 0), ("consistent", "M0", 100, 3, 2)],
        columns=["method", "rung", "n", "flagged_low_95", "flagged_high_95"],
    )
    text = marks.methods(frame, 100, 61_234.0, "appointments")
    assert ("most practices are marked" in text) is true
    assert ("about 61,000 appointments" in text) is true


def test_methods_that_agree_are_not_said_to_differ() -> None:
    frame = pd.DataFrame(
        [("none", "M0", 100, 3, 2), ("consistent", "M0", 100, 3, 2)],
        columns=["method", "rung", "n", "flagged_low_95", "flagged_high_95"],
    )
    assert "differ" not in marks.methods(frame, 100) and "same number" in marks.methods(frame, 100)


def test_two_counts_on_one_page_are_reconciled(run) -> None:
    mine = flagged_in_area(run)[0]
    judged = words.area_facts(run, METRIC).at("M1")
    stand = judged[judged["position"].isin(boxes.FLAGGED)]
    out = str(stand["practice_code"].iloc[0]) if len(stand) else mine

    def left(frame):
        frame.loc[frame["practice_code"] == out, "in_fit"] = False
        return frame

    less = synthetic.changed(run, METRIC, left)
    table = SimpleNamespace(**vars(run.table))
    table.excluded = pd.DataFrame([(out, "list_under_1000"), (out, "atypical")], columns=["practice_code", "gate"])
    text = words.area_methods(dataclasses.replace(less, table=table), METRIC)
    assert "At M1, 1 practice of the area takes no part in the fit: 1 because of the check “" in text
    assert "1 of them stands out, which is why" in text
    assert "takes no part" not in words.area_methods(run, METRIC)


def test_the_shape_of_the_spread_is_printed_with_what_it_would_flag(run) -> None:
    text = words.area_methods(run, METRIC)
    assert "a skewness of −0.2" in text and "a kurtosis of 3.6" in text and "a bell shape would give 6" in text
    assert marks.tails({"n": 3}) == ""


def test_the_urgent_card_shows_its_formula_and_its_faults() -> None:
    card = catalogue.metric("urgent_same_day_share")
    text = console.without_markdown(verdict.definition(card))
    assert card.formula.rstrip(".") in text and text.startswith("As reported:") and "was not read" in text
    assert len(card.validity_faults) == 6
    assert all(fault in boxes.not_shown(card, [], {}, most=99) for fault in card.validity_faults)
    assert sum(fault in boxes.not_shown(card, [], {}) for fault in card.validity_faults) == 2


def test_columns_that_say_nothing_new_are_named() -> None:
    (one,) = boxes.notes([Note("term_dropped", {"rung": "M1", "terms": ["age_sex.share_a*b"]})])
    assert "was left out of the comparison at M1" in one and r"\*" in one
    (two,) = boxes.notes([Note("term_dropped", {"rung": "M1-", "terms": ["a", "b"]})])
    assert "“a” and “b” were left out of the comparison at M1−" in two


def test_the_verdict_counts_the_checks_that_could_not_be_made(run) -> None:
    assert "2 checks of the data could not be made (they are named below)." in words.practice_verdict(run, "X10001")
    assert verdict.unchecked(0) == "" and "1 check of the data could not be made (it is named" in verdict.unchecked(1)


def ag(observed: list[float]) -> pd.DataFrame:
    codes = [f"X{i}" for i in range(len(observed))]
    return pd.DataFrame({"practice_code": codes, "observed": observed, "value": 0.1, "denominator": 90.0})


EXTRACT = synthetic.Card(source="ag_extract")


@pytest.mark.parametrize(
    ("observed", "gone"),
    [([3, 50, 20, 90], {"X0", "X2"}), ([3, 4, 20], {"X0", "X1"}), ([0, 5, 20], set()), ([2, 0], {"X0", "X1"})],
)
def test_small_counts_given_in_confidence_stay_out_and_take_the_next_smallest_with_them(observed, gone) -> None:
    frame = ag(observed)
    assert hidden.not_to_be_exported(frame, EXTRACT) == gone
    assert hidden.not_to_be_exported(frame, synthetic.Card()) == set()
    masked = hidden.masked(frame, gone)
    assert set(masked.loc[masked["value"] == phrases.CONFIDENTIAL, "practice_code"]) == gone
    assert (masked["denominator"] == 90.0).all()


def test_one_count_hidden_by_its_supplier_is_not_left_alone() -> None:
    frame = ag([np.nan, 60, 20]).assign(observed_low=[1, 60, 20], observed_high=[4, 60, 20])
    assert hidden.not_to_be_exported(frame, EXTRACT) == {"X2"}
