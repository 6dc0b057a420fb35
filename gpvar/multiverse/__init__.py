"""One question analysed in every declared way that is defensible: a multiverse, and what stands in it.

The rung (patients' needs, M1) and the comparators stay as they are; what another careful analyst could choose otherwise
is in ``catalogue/multiverse.toml``. See docs/methods.md, "Other defensible ways".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gpvar.errors import ConvergenceError, StatsError, TableError
from gpvar.multiverse import summary
from gpvar.multiverse.figures import NotHeld
from gpvar.multiverse.fitting import Placed, Workshop
from gpvar.multiverse.options import options_of
from gpvar.multiverse.setting import Setting, setting_of
from gpvar.multiverse.specification import Specification, listed, named, sampled
from gpvar.results import Multiverse
from gpvar.study import Ways

if TYPE_CHECKING:
    from gpvar.multiverse.specification import Options
    from gpvar.results import Analysis
    from gpvar.table import PracticeTable

__all__ = ["multiverse"]

Numbered = list[tuple[str, Specification]]


def multiverse(
    table: PracticeTable,
    metric: str,
    analysis: Analysis,
    specifications: int | Sequence[Mapping[str, str]] | None = None,
) -> Multiverse:
    """Analyse one metric in every declared way that answers the same question: pure, nothing read or written.

    Parameters
    ----------
    table
        What `gpvar.build_table` returned.
    metric
        A card id.
    analysis
        What `gpvar.analyse` found of it: the primary way, which is made again and agrees with it.
    specifications
        None: those that the study declares, else the catalogue's default list. A number: the declared ones, then a
        seeded sample of every combination of options until so many could be made. A list of choice → option: the
        primary way and those.

    Returns
    -------
    Multiverse
        A way that cannot be made is a row with its reason, never an error.

    Raises
    ------
    TableError
        When the metric has no usable figures.
    StudyError
        When a list names a choice or an option that does not exist.

    Notes
    -----
    Steegen et al. 2016, Perspect Psychol Sci 11:702; Simonsohn, Simmons & Nelson 2020, Nat Hum Behav 4:1208. The share
    of ways that agree is no probability: the ways are of the same data and chosen by people.
    """
    setting = setting_of(table, metric, analysis)
    options = options_of(setting)
    ways = [(str(number), spec) for number, spec in enumerate(_chosen(setting, options, specifications), 1)]
    workshop = Workshop(setting)
    placed, why_not = _place_all(workshop, ways)
    made_ways = [(number, spec) for number, spec in ways if number in placed]
    yardstick = summary.yardstick_of(setting, workshop.fit(ways[0][1].taken))
    made = {
        comparator: summary.made_of(made_ways, [placed[number][comparator] for number, _ in made_ways], setting.known)
        for comparator in setting.comparators
    }
    return Multiverse(
        specifications=summary.specifications(setting, ways, why_not, made["england"]),
        practices=pd.concat([summary.of_practices(setting, *one) for one in made.items()], ignore_index=True),
        summary=pd.concat([summary.of_everyone(setting, *one, yardstick) for one in made.items()], ignore_index=True),
        meta=_meta(setting, options, ways, made["england"], yardstick),
    )


def _chosen(
    setting: Setting, options: Options, specifications: int | Sequence[Mapping[str, str]] | None
) -> list[Specification]:
    if specifications is not None and not isinstance(specifications, int):
        return named(options, specifications)
    asked = setting.table.study.multiverse or Ways()
    options = _narrowed(options, asked.choices)
    first = listed(options, asked.choices)
    count = specifications or asked.specifications
    return first if count is None else sampled(options, first, count, setting.table.study.seed)


def _narrowed(options: Options, choices: Sequence[str]) -> Options:
    """Return the options with those choices alone that may be made otherwise; all, where none is named."""
    return {
        choice: known if not choices or choice in choices else dict([next(iter(known.items()))])
        for choice, known in options.items()
    }


def _place_all(workshop: Workshop, ways: Numbered) -> tuple[dict[str, dict[str, Placed]], dict[str, str]]:
    """Return what each way gives by comparator, and why others could not be made."""
    placed: dict[str, dict[str, Placed]] = {}
    why_not: dict[str, str] = {}
    for number, spec in ways:
        if spec.why_not:
            why_not[number] = spec.why_not
            continue
        try:
            comparators = workshop.setting.comparators
            placed[number] = {comparator: workshop.place(spec.taken, comparator) for comparator in comparators}
        except NotHeld:
            why_not[number] = "no_data"
        except TableError:
            why_not[number] = "too_few"
        except (ConvergenceError, StatsError, np.linalg.LinAlgError):
            why_not[number] = "no_solution"
        if number == ways[0][0] and number not in placed:
            raise StatsError("The analysis itself could not be made again.", workshop.setting.card.id)
    return placed, why_not


def _meta(
    setting: Setting, options: Options, ways: Numbered, england: summary.Made, yardstick: summary.Yardstick
) -> dict[str, Any]:
    return {
        "metric": setting.card.id,
        "rung": setting.rung,
        "seed": setting.table.study.seed,
        "declared": len(ways),
        "made": len(england.specs),
        "need_share": yardstick.need_share,
        "tau": england.placed[0].tau,
        "strongest": yardstick.covariate,
        "strongest_sd": yardstick.sd,
        "available_options": {
            choice: [option for option, why in known.items() if not why] for choice, known in options.items()
        },
        "not_available": {
            choice: {option: why for option, why in known.items() if why} for choice, known in options.items()
        },
    }
