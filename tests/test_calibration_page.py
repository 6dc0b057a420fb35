"""The page "How often is this tool wrong?": missed bars first, every number with its error, and who links it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gpvar
from gpvar import charts, reporting, share, simulate, tables
from gpvar.errors import ReportError, StudyError
from gpvar.reporting import calibration
from gpvar.words import calibration as words
from gpvar.words import calibration_bars, calibration_rows
from tests import trial_rows as trial
from tests.reading import body, grade

FAR, OUT = ("alarms_far_england", "england", ""), ("alarms_out_england", "england", "")
ICB_SD = ("coverage_icb_sd", "", "")
FETCHES = r"""(?:src|srcset|data|poster|action|@import|url\()\s*=?\s*["'(]?\s*((?:https?:)?//[^"')\s]+)"""


#: How many rows over all have a bar.
N = len(trial.facts().barred)


def said(changed: dict | None = None, **about: object) -> str:
    """The whole page as Markdown, escapes taken away."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", calibration.markdown(trial.facts(changed, **about)))


def section(text: str, heading: str) -> str:
    return text.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def test_every_row_of_the_trial_has_its_words() -> None:
    assert {bar["id"] for bar in trial.bars()} <= set(calibration_bars.BARS)
    assert {bar["section"] for bar in trial.bars()} <= set(calibration_bars.SECTIONS)


def test_a_missed_bar_is_said_before_anything_else_is_counted_out() -> None:
    text = said({FAR: {"estimate": 0.0047, "se": 0.0002}, ICB_SD: {"estimate": 0.89, "se": 0.002}})
    lead = text.partition("## ")[0]
    assert f"2 of {N} bars were missed" in lead
    assert lead.index("The intervals are too narrow") < lead.index("flagged more often than promised")
    first = section(text, "What was not kept")
    # The furthest from its bar comes first, each with its error, what it is counted from, its bar and what it means.
    far, sd = first.index("0.47%"), first.index("89.0%")
    assert sd < far
    assert (
        "(error 0.020 points; 300,000 practices in 300 worlds). The bar is 0.1% to 0.4%. Missed by 3.5 errors." in first
    )
    assert "flagged more often than promised" in first and "too narrow" in first


def test_a_bar_missed_from_below_says_the_other_thing() -> None:
    first = section(said({OUT: {"estimate": 0.035, "se": 0.001}}), "What was not kept")
    assert "Fewer practices are flagged than promised" in first and "more often than promised" not in first


def test_a_bar_missed_by_little_counts_as_missed_and_one_kept_by_little_is_named() -> None:
    text = said({FAR: {"estimate": 0.0041, "se": 0.0001}, OUT: {"estimate": 0.0599, "se": 0.0001}})
    assert f"1 of {N} bars was missed" in text
    first = section(text, "What was not kept")
    assert "it counts as missed all the same" in first
    assert "Kept by less than two" not in first
    assert "met by 1.0 errors" in text.partition("### Kept by little\n")[2].partition("## To repeat it")[0]


def test_what_one_measure_misses_is_not_hidden_by_the_others() -> None:
    text = said({("coverage_icb_sd", "", "dna_share"): {"estimate": 0.85, "se": 0.01}})
    assert f"All {N} bars were kept" in text
    first = section(text, "What was not kept")
    assert re.search(r", 1 of [0-9]+ bars is missed", first)
    row = text.partition("### Missed when taken apart\n")[2].partition("## To repeat it")[0]
    assert "| Missed appointment (DNA) share | 85.0% |" in row
    assert "85.0% (1.00); missed by 5.0 errors" in text


def test_what_one_kind_of_statement_misses_is_not_hidden_by_the_others() -> None:
    text = said({("claims_true_right", "many_red", ""): {"estimate": 0.6, "se": 0.03}})
    assert f"All {N} bars were kept" in text
    first = section(text, "What was not kept")
    assert "by kind of statement" in first
    row = text.partition("### Missed when taken apart\n")[2].partition("## To repeat it")[0]
    assert "“Red on several of many indicators” | all | 60.0% |" in row
    assert "60.0% (3.00; of 300,000); missed by 5.0 errors" in text


def test_changes_that_are_none_are_told_apart_by_who_was_picked() -> None:
    text = said({("claims_unchanged", "change_seeming", ""): {"estimate": 1.0, "se": 0.01, "chances": 1.0}})
    assert "because they seemed to have changed the most, the first ten of some 1,200, it is about 100" in section(
        text, "In plain words"
    )
    assert "nothing changed for good, practices that seem to have changed the most | 100.0%" in text
    assert "| 1 statement in 300 worlds |" in text


def test_where_nothing_is_missed_the_page_says_that_it_proves_little() -> None:
    text = said()
    assert f"All {N} bars" in text and "no proof for real ones" in text
    assert "Of all measures together, nothing." in text


def test_a_bar_that_asks_for_all_is_not_called_close() -> None:
    assert "behind a failed check" not in section(said(), "What was not kept")
    missed = said({("stopped_not_decidable", "", ""): {"estimate": 0.999, "se": 0.0005}})
    assert "Statements were judged although a check" in section(missed, "What was not kept")


def test_a_short_run_and_an_older_version_are_said_at_the_top() -> None:
    head = said(small=True, worlds=12, asked=12).partition("## ")[0]
    assert "This run has 12 worlds" in head and "too short" in head
    old = said(numbers=gpvar.__numbers__ - 1).partition("## ")[0]
    assert "Numbers have changed since this trial" in old
    now = said().partition("## ")[0]
    assert "too short" not in now and "have changed since" not in now


def test_worlds_that_failed_and_rows_that_were_not_counted_are_said() -> None:
    failures = [{"number": 17, "metric": "dna_share", "error": "ConvergenceError: <script>alert(1)</script>"}]
    facts = trial.trial_facts(
        trial.frame().query("section != 'claims'"), trial.about(failures=failures, worlds=297, asked=300)
    )
    text = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", words.calibration_missed(facts))
    assert "1 world of 300 failed and is in no row: world 17" in text
    assert "2 worlds of 300 were not finished" in text
    assert "no case came up in this run: " in text and "statements decided either way" in text
    assert b"<script" not in calibration.page(facts)


def test_every_number_in_plain_words_stands_with_its_error_and_what_it_is_counted_from() -> None:
    plain = section(said(), "In plain words")
    items = re.findall(r"^- (.*)$", plain, flags=re.MULTILINE)
    assert len(items) == 9
    for item in items:
        assert re.search(r"error [\d.]+ points", item), item
    for item in (each for each in items if "Intervals" not in each and "Odds" not in each):
        assert re.search(r"of [\d,]+ [a-z ]+ in 300 worlds\)", item), item
    assert "about 3 of them far outside" in said({FAR: {"estimate": 0.0026, "se": 0.0001}})


def test_none_is_not_said_of_a_share_that_is_only_small() -> None:
    facts = trial.facts({("claims_opposite", "", ""): {"estimate": 0.0003, "se": 0.0001}})
    assert "it is said of fewer than 1." in words.calibration_plain(facts)
    none = trial.facts({("claims_opposite", "", ""): {"estimate": 0.0, "se": 0.0001}})
    assert "It is said of none of the 300,000 statements counted" in words.calibration_plain(none)


def test_what_is_found_and_what_is_flagged_wrongly_are_told_at_the_same_two_limits() -> None:
    changed = {
        OUT: {"estimate": 0.051},
        FAR: {"estimate": 0.001},
        ("plants_found", "r 0.9", ""): {"estimate": 0.796},
        ("plants_far", "r 0.9", ""): {"estimate": 0.388},
    }
    facts = trial.facts(changed)
    lead = words.calibration_first(facts)
    assert "about 51 are called outside the usual range, about 1 of them far outside" in lead
    assert "about 80 are called outside it, about 39 of them far outside, where reliability is 0.9" in lead
    assert "not the chance that a practice which is flagged is ordinary" in lead
    assert "about 8 are outside with nobody unusual at all" in lead and "like a bell shape: of 1,000" in lead
    for part in (words.calibration_plain(facts), words.calibration_icb_right(facts)):
        assert "about 80 are called outside the usual range, about 39 of them far outside" in part
    assert "longer tails" in words.calibration_icb_right(facts)


def test_none_is_of_those_counted_and_concedes_nothing_to_anybody() -> None:
    none = {("noise_explained", "england", ""): {"estimate": 0.0, "hits": 0.0, "chances": 1225.0}}
    text = said(none)
    assert "none of the 1,225 flagged practices counted (so probably of no more than about 3 in 1,000)" in text
    assert "excuse by mere chance" not in text and "excuse by mere chance" in said()


def test_the_example_of_a_planted_practice_is_that_of_the_simulated_worlds() -> None:
    spreads = simulate.world(1, practices=300, icbs=4, metric="dna_share").spreads.set_index("metric")
    centre, shared = spreads.loc["dna_share", ["centre", "shared"]].astype(float)
    at = [100 / (1 + np.exp(-(centre + by * shared))) for by in (0, 3, -3)]
    assert (f"{at[0]:.1f}%", f"{at[1]:.0f}%", f"{at[2]:.1f}%") == words.MOVED


def test_what_is_counted_as_what_is_said_beside_it() -> None:
    near = {("claims_opposite_near", "", ""): {"estimate": 0.02, "hits": 40.0, "chances": 2000.0}}
    strict = {("claims_false_contradicted", "", ""): {"estimate": 0.41}}
    text = said(near | strict)
    assert "near the edge or on less reliable figures, it is said of 40 of 2,000" in text
    assert "about 41 are contradicted outright" in text and "refuted by a reason of “not shown”" in text
    assert "own definitions of middle, spread and likeness" in section(text, "What this does not show")
    assert "SD of practices, with what passes within the year" in text


def test_terms_stand_before_the_first_count_and_the_index_has_none_of_them() -> None:
    text = said()
    assert text.index("A *bar* is a rate we set before this run") < text.index("of 1,000 practices")
    facts = trial.facts({FAR: {"estimate": 0.0047, "se": 0.0002}})
    assert f"1 of the {N} rates promised was not kept" in calibration_rows.trial_line(facts)
    assert all("bars" not in calibration_rows.trial_line(trial.facts(small=short)) for short in (True, False))


def test_the_rows_beside_reports_say_in_words_what_each_is(tmp_path: Path) -> None:
    _, rows = calibration.lay_beside(tmp_path)
    frame = pd.read_csv(rows, keep_default_na=False)
    assert frame["in_words"].str.len().min() > 10
    first = frame[(frame["bar"] == "alarms_far_england") & (frame["group"] == "england")]["in_words"].iloc[0]
    assert first == "Called far outside the usual range, all of England, against England"


def test_nothing_is_said_of_what_was_not_counted() -> None:
    facts = trial.trial_facts(trial.frame().query("section == 'noise'"), trial.about())
    text = calibration.markdown(facts)
    assert "**Excuses.**" in text and "### What a letter says" not in text and "### Planted practices" not in text
    assert "moved by three times" not in text.partition("## What this does not show")[0]
    empty = trial.trial_facts(trial.frame().head(0), trial.about(worlds=0))
    assert "No row of this run has a bar" in calibration.markdown(empty)
    assert calibration.page(empty).startswith(b"<!DOCTYPE html>")


def test_every_row_stands_in_a_table_with_error_count_and_bar() -> None:
    facts = trial.facts()
    rows = [
        row for name in calibration_rows.section_names(facts) for row in _rows(tables.calibration_rows(name, facts))
    ]
    odds = _rows(tables.calibration_odds(facts))
    assert len(rows) + 3 * len(odds) == len(facts.rows)
    bound = [row for row in odds if row["Beside its bar"] != "reported only"]
    assert len(bound) == 20 and all(row["Between"].endswith("in 100") for row in odds)
    assert all(row["Error"].endswith("points") and "300 worlds" in row["Counted"] for row in rows)
    assert {row["Beside its bar"] for row in rows if row["Bar"] == "no bar"} == {"reported only"}
    barred = [row for row in rows if row["Bar"] != "no bar"]
    assert len(barred) + len(bound) == N and all(row["Beside its bar"].startswith("met") for row in barred)


def test_bars_are_written_as_they_were_declared() -> None:
    rows = {row["What was counted"]: row["Bar"] for row in _rows(tables.calibration_by_measure(trial.facts()))}
    found = set(rows.values())
    assert {"0.1% to 0.4%", "4% to 6%", "3.5% to 6.5%", "at most 0.6%", "at least 77%", "93% to 97%", "90% to 97%",
            "at least 80%", "at least 75%", "100%"} <= found  # fmt: skip
    assert len(rows) == N - len(trial.EVERYONE)


def _rows(table: tables.Table | str) -> list[dict[str, str]]:
    return [] if isinstance(table, str) else table.frame.to_dict("records")


def test_an_id_without_words_is_shown_and_not_lost() -> None:
    extra = pd.DataFrame(
        [trial.row({"id": "tides_turned", "section": "tides", "high": 0.01}, "", "", estimate=0.5, se=0.01)]
    )
    facts = trial.trial_facts(pd.concat([trial.frame(), extra]), trial.about())
    text = calibration.markdown(facts)
    assert f"1 of {N + 1} bars was missed" in text and "Tides turned" in text


def test_the_pictures_show_what_the_tables_say() -> None:
    facts = trial.facts()
    plants, odds = charts.calibration_charts(facts)
    found = {row["group"]: row for row in facts.rows if row["bar"] in ("plants_found", "plants_found_below")}
    assert list(plants.data["reliability"]) == [0.7, 0.8, 0.9, 1.0]
    for column, name in (("found", "estimate"), ("error", "se")):
        assert list(plants.data[column]) == [found[f"r {r}"][name] for r in ("0.7", "0.8", "0.9", "1")]
    assert len(odds.data) == 20 and "said 5%, true 5% (error 0.10 points)" in odds.alt
    assert charts.calibration_charts(trial.trial_facts(trial.frame().head(5), trial.about())) == ()


def test_the_page_fetches_nothing_and_says_its_pictures_in_words() -> None:
    page = re.sub(r"base64,[A-Za-z0-9+/=]+", "base64", calibration.page(trial.facts()).decode("utf-8"))
    assert "default-src &#39;none&#39;" in page and not re.findall(FETCHES, page)
    assert len(re.findall(r"<img [^>]*alt=\"[^\"]{40,}\"", page)) == 2
    assert "<script" not in page


def test_the_page_can_be_read_at_school_leaving_age() -> None:
    facts = trial.facts()
    terms = [bar.what for bar in calibration_bars.BARS.values()]
    for part in (
        words.calibration_first(facts),
        words.calibration_plain(facts),
        calibration_rows.calibration_not_shown(facts),
    ):
        text = re.sub(r"\([^()]*error[^()]*\)", "", body(part))
        assert grade(text, terms) <= 10, part


def test_calibrate_gets_its_page_from_its_two_files(tmp_path: Path) -> None:
    trial.frame().to_csv(tmp_path / "calibration.csv", index=False)
    (tmp_path / "calibration.json").write_text(json.dumps(trial.about()), encoding="utf-8")
    page = reporting.publish_calibration(tmp_path)
    assert page == tmp_path / "calibration.html" and f"All {N} bars were kept" in page.read_text(encoding="utf-8")
    assert f"All {N} bars were kept" in (tmp_path / "calibration.md").read_text(encoding="utf-8")


def test_a_folder_without_a_trial_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="could not be read"):
        reporting.publish_calibration(tmp_path)
    (tmp_path / "calibration.csv").write_text("bar,section\n", encoding="utf-8")
    (tmp_path / "calibration.json").write_text("{}", encoding="utf-8")
    with pytest.raises(StudyError, match="not one that calibrate wrote"):
        reporting.publish_calibration(tmp_path)


def test_the_trial_that_comes_with_gpvar_is_whole_and_its_page_is_that_of_its_files() -> None:
    facts = calibration.read_trial()
    assert facts.rows and facts.worlds > 0
    known = {bar["id"]: bar for bar in trial.bars()}
    for row in facts.rows:
        for end in ("low", "high"):
            declared = known[row["bar"]].get(end, np.nan)
            assert row[end] == pytest.approx(declared, nan_ok=True), row["bar"]
    committed = (share.folder("calibration") / calibration.MARKDOWN).read_text(encoding="utf-8")
    # After a change of words or numbers: gpvar.reporting.publish_calibration("data/calibration") writes it again.
    assert committed == calibration.markdown(facts)
