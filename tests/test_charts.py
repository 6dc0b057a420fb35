"""Pictures say their message, can be done without, and give nobody else away."""

from __future__ import annotations

import io
import re
import time

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from gpvar import charts
from gpvar.charts import scale, style
from tests import synthetic


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("charts")
    return synthetic.make_run(
        folder, (synthetic.Card(), synthetic.RATE), n=160, names={3: "A $\\frac{1}{2}$ <b> Surgery"}
    )


def every_chart(run, metric: str) -> list[charts.Chart]:
    return [
        *charts.funnel_before_after(run, "X10001", metric),
        *charts.practice_ladder(run, "X10001", metric),
        *charts.area_funnels(run, metric),
        *charts.area_ladder(run, metric),
        *charts.who_moved(run, metric),
        *charts.methods_bars(run, metric),
    ]


def as_svg(chart: charts.Chart) -> str:
    target = io.BytesIO()
    charts.save(chart, target, "svg")
    return target.getvalue().decode("utf-8")


@pytest.mark.parametrize("metric", ["same_day_share", "appointments_per_1000"])
def test_every_picture_has_a_message_an_alternative_with_numbers_and_its_data(run, metric: str) -> None:
    made = every_chart(run, metric)
    assert len({chart.name for chart in made}) == len(made) == 8
    for chart in made:
        assert chart.title and chart.alt.endswith(".") and re.search(r"\d", chart.alt), chart.name
        assert not re.search(r"\bnan\b|\bNone\b|  ", chart.alt), chart.alt
        assert len(chart.data) and not chart.data.isna().any().any(), chart.name


@pytest.mark.parametrize("metric", ["same_day_share", "appointments_per_1000"])
def test_no_peer_is_in_the_picture_or_its_data(run, metric: str) -> None:
    others = set(run.table.practices["practice_code"]) - {"X10001"}
    for chart in every_chart(run, metric):
        found = as_svg(chart) + chart.data.to_csv() + chart.alt + chart.title
        assert not others & set(re.findall(r"X1\d{4}", found)), chart.name
        assert "Invented Surgery" not in found
        if chart.name.startswith("area_"):
            assert "X10001" not in found


def test_the_practice_is_marked_and_named(run) -> None:
    for chart in charts.funnel_before_after(run, "X10001", "same_day_share"):
        assert "X10001" in as_svg(chart)
        assert (chart.data["group"] == "this practice").sum() == 1


def test_the_funnel_draws_the_practice_on_the_side_of_the_limits_its_position_says(run) -> None:
    frame = run.analyses["same_day_share"].practices
    for rung in ("M0", "M1"):
        rows = frame[(frame["rung"] == rung) & (frame["comparator"] == "england")]
        drawn = scale.placed(rows, 0.44, "proportion", 100.0)
        outside = (drawn["value"] < drawn["lower_95"]) | (drawn["value"] > drawn["upper_95"])
        assert (outside.to_numpy() == rows["position"].isin(["unusual", "far_outside"]).to_numpy()).all()


def test_raw_figures_are_drawn_as_they_are(run) -> None:
    frame = run.analyses["same_day_share"].practices
    rows = frame[(frame["rung"] == "M0") & (frame["comparator"] == "england")]
    drawn = scale.placed(rows, 0.40, "proportion", 100.0)
    assert np.allclose(drawn["value"], 100 * rows["value"])


def test_a_limit_drawn_through_groups_follows_the_limits(run) -> None:
    frame = run.analyses["appointments_per_1000"].practices
    rows = frame[(frame["rung"] == "M0") & (frame["comparator"] == "england")]
    drawn = scale.placed(rows, float(rows["centre"].iloc[0]), "rate", 1000.0)
    x, y = scale.curve(drawn, "upper_95")
    assert (np.diff(x) >= 0).all()
    assert np.abs(np.interp(drawn["size"], x, y) / drawn["upper_95"] - 1).max() < 0.05


def test_a_practice_that_cannot_be_placed_has_no_funnel(run) -> None:
    hidden = run.analyses["same_day_share"].practices.copy()
    mine = hidden["practice_code"] == "X10002"
    hidden.loc[mine, ["value", "centre"]] = np.nan
    import dataclasses

    analysis = dataclasses.replace(run.analyses["same_day_share"], practices=hidden)
    bare = dataclasses.replace(run, analyses={"same_day_share": analysis})
    assert charts.funnel_before_after(bare, "X10002", "same_day_share") == ()
    assert charts.practice_ladder(bare, "X10002", "same_day_share") == ()


def test_what_the_data_cannot_answer_is_not_drawn_against_limits(run) -> None:
    import dataclasses

    frame = run.analyses["same_day_share"].practices.copy()
    frame.loc[frame["practice_code"] == "X10002", "position"] = "not_decidable"
    analysis = dataclasses.replace(run.analyses["same_day_share"], practices=frame)
    stopped = dataclasses.replace(run, analyses={"same_day_share": analysis})
    assert charts.funnel_before_after(stopped, "X10002", "same_day_share") == ()


def test_the_colours_are_told_apart_from_white_and_carry_no_meaning_alone(run) -> None:
    def contrast(colour: str) -> float:
        channel = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return 1.05 / (0.2126 * channel[0] + 0.7152 * channel[1] + 0.0722 * channel[2] + 0.05)

    assert min(map(contrast, (style.DARK_BLUE, style.DARK_PINK, style.DARK_GREY))) >= 4.5
    (chart,) = charts.who_moved(run, "same_day_share")
    lines = [line for line in chart.figure.axes[0].lines if line.get_label() and not line.get_label().startswith("_")]
    assert len({(line.get_linestyle(), line.get_marker(), line.get_markersize()) for line in lines}) == len(lines) == 4


def test_the_same_picture_is_the_same_bytes(run) -> None:
    first, second = (as_svg(charts.methods_bars(run, "same_day_share")[0]) for _ in range(2))
    assert first == second and not re.search(r"<dc:date>", first)


def test_text_in_a_picture_is_never_read_as_mathematics(run) -> None:
    with style.style():
        figure, _ = style.canvas(2, 2)
        style.set_title(figure, r"$\frac{1}{$ <b>", 40)
    said = as_svg(style.Chart(figure, "t", "a", pd.DataFrame(), "n"))
    assert r"$\frac{1}{$ &lt;b&gt;" in said


def test_six_thousand_practices_are_drawn_in_seconds(tmp_path) -> None:
    run = synthetic.make_run(tmp_path, n=6000)
    start = time.perf_counter()
    for chart in charts.funnel_before_after(run, "X10001", "same_day_share"):
        charts.save(chart, io.BytesIO(), "png")
        assert len(as_svg(chart)) < 600_000
    assert time.perf_counter() - start < 8


def test_what_a_picture_was_drawn_from_finds_nobody(run) -> None:
    for chart in (
        *charts.funnel_before_after(run, "X10001", "same_day_share"),
        *charts.area_funnels(run, "same_day_share"),
    ):
        group = chart.data["group"] if "group" in chart.data else pd.Series("practice", index=chart.data.index)
        others = chart.data[group != "this practice"]
        assert np.allclose(others["size"], scale.significant(others["size"], 2), rtol=1e-12)
        assert np.allclose(others["value"], scale.significant(others["value"], 3), rtol=1e-12)
        assert chart.data["size"].is_monotonic_increasing
        assert set(group) <= {"practice", "this practice"} and ("group" in chart.data) is ("X10001" in chart.name)
    for chart, column in ((charts.area_ladder, "adjusted"), (charts.who_moved, "before")):
        (made,) = chart(run, "same_day_share")
        parts = made.data.groupby("rung", sort=False) if "rung" in made.data else [("", made.data)]
        assert all(part[column].is_monotonic_increasing for _, part in parts)


def test_small_counts_given_in_confidence_are_drawn_for_nobody_else(tmp_path) -> None:
    card = synthetic.Card(id="ag_share", source="ag_extract")
    bare = synthetic.make_run(tmp_path, (card,), n=80)

    def few(frame):
        frame.loc[frame["practice_code"].isin(["X10001", "X10005"]), "observed"] = 3.0
        return frame

    before = charts.funnel_before_after(bare, "X10001", "ag_share")[0]
    run = synthetic.changed(bare, "ag_share", few)
    after = charts.funnel_before_after(run, "X10001", "ag_share")[0]
    assert len(after.data) == len(before.data) - 1 and (after.data["group"] == "this practice").sum() == 1
    assert len(charts.area_funnels(run, "ag_share")[0].data) == len(before.data) - 2
    assert "2 of them are not drawn: small counts are hidden" in charts.area_funnels(run, "ag_share")[0].alt
    assert len(charts.who_moved(run, "ag_share")[0].data) == len(charts.who_moved(bare, "ag_share")[0].data) - 2


def test_only_the_reference_set_is_drawn_where_it_is_smaller_than_england(run) -> None:
    def outside(frame):
        frame["in_fit"] = frame["practice_code"].isin(run.table.area_codes)
        return frame

    own = {"set": "icb", "name": "NHS Somewhere ICB"}
    inside = synthetic.changed(run, "same_day_share", outside, reference=own)
    chart = charts.area_funnels(inside, "same_day_share")[0]
    assert len(chart.data) == len(run.table.area_codes) and "NHS Somewhere ICB" in chart.title
