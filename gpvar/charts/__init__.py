"""Every picture a reader sees. Pictures draw what the analysis found; they estimate nothing."""

from __future__ import annotations

from gpvar.charts.calibration import calibration_charts
from gpvar.charts.funnel import area_funnels, funnel_before_after
from gpvar.charts.resources import resources_strips
from gpvar.charts.robustness import area_other_ways, standing_other_ways
from gpvar.charts.standing import standing_neighbours, standing_waterfall
from gpvar.charts.stays import passing
from gpvar.charts.steps import area_ladder, methods_bars, practice_ladder, who_moved
from gpvar.charts.style import Chart, save
from gpvar.charts.variation import variation_fifths, variation_shares, variation_strip

__all__ = [
    "Chart",
    "area_funnels",
    "area_ladder",
    "area_other_ways",
    "calibration_charts",
    "funnel_before_after",
    "methods_bars",
    "passing",
    "practice_ladder",
    "resources_strips",
    "save",
    "standing_neighbours",
    "standing_other_ways",
    "standing_waterfall",
    "variation_fifths",
    "variation_shares",
    "variation_strip",
    "who_moved",
]
