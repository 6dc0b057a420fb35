"""The analysis, declared in advance: study.toml becomes a frozen, validated, hashed `Study`."""

from __future__ import annotations

from gpvar.study.model import (
    Area,
    ListSpec,
    Period,
    Reference,
    Reports,
    SourceSpec,
    Study,
    Ways,
    months_between,
    months_of,
    parse_period,
    period_asked,
)
from gpvar.study.reading import find_study, load_study

__all__ = [
    "Area",
    "ListSpec",
    "Period",
    "Reference",
    "Reports",
    "SourceSpec",
    "Study",
    "Ways",
    "find_study",
    "load_study",
    "months_between",
    "months_of",
    "parse_period",
    "period_asked",
]
