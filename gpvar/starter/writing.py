"""A draft as the text of study.toml, with remarks for the person who reads it."""

from __future__ import annotations

import datetime as dt
import re

from gpvar import catalogue
from gpvar.starter.headings import Draft


def _quoted(text: str) -> str:
    """Return text as TOML between double quotation marks, whatever it holds."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(letter if ord(letter) >= 32 and ord(letter) != 127 else " " for letter in escaped) + '"'


def _value(value: str | list[str]) -> str:
    return _quoted(value) if isinstance(value, str) else f"[{', '.join(_quoted(item) for item in value)}]"


def _comment(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())


def as_toml(draft: Draft, today: dt.date) -> str:
    """Return the draft as the text of a study file."""
    assert draft.period is not None
    what = catalogue.metric(draft.metrics[0]).title if len(draft.metrics) == 1 else "Access"
    title = f"{what}, {draft.area_name or 'our practices'}, {draft.period.label}"
    area = [f"kind = {_quoted(draft.kind)}"]
    if draft.code:
        area.append(f"code = {_quoted(draft.code)}{' ' * 27}# {_comment(draft.area_name)}")
    if draft.list_file:
        area.append(f"file = {_quoted(draft.list_file)}")
    codes = ", ".join(_quoted(code) for code, _ in draft.practices)
    names = _comment(", ".join(name for _, name in draft.practices))
    area.append(f"practices = [{codes}]{' ' * 8}# {names or 'codes of practices that get a page of their own'}")
    lines = [
        "# A study: what is asked, of which data, declared before anything is looked at.",
        "# Lines that start with # are remarks. Paths are relative to this file.",
        "",
        "schema   = 1",
        f"title    = {_quoted(title)}",
        "seed     = 20260401",
        f"declared = {today.isoformat()}                      # the day this was fixed",
        f'period   = "{draft.period.start}..{draft.period.end}"              # {draft.period_from}',
        f"metrics  = {_value(draft.metrics)}",
        *(
            ["simulated = true                           # invented practices: every page says so"]
            if draft.simulated
            else []
        ),
        "",
        "[area]                                     # whom the reports are about",
        *area,
        "",
        "[reference]                                # whom practices are compared with",
        'set = "england"',
        *([f"hierarchy_date = {draft.hierarchy_date.isoformat()}"] if draft.hierarchy_date else []),
        'exclude = ["atypical", "list_under_1000"]  # left out of the fit, still placed against it',
        "",
        "# What is allowed for is on each metric's card. To choose it yourself, before looking at results:",
        "# [adjust]",
        '# M1 = ["age_sex", "imd2025"]',
        '# M2 = ["rurality"]',
        "",
        "[[source]]",
        'id   = "local"',
        f"file = {_quoted(draft.file)}",
        *([f"sheet = {_quoted(draft.sheet)}"] if draft.sheet else []),
        "",
        "[source.columns]                           # what it is = the heading in the file; a list is added up",
        *[f"{_word(name)} = {_value(value)}" for name, value in draft.columns.items()],
        "",
        "[source.dates]                             # when characteristics were measured: add what is missing",
        *[f'{name} = "{month}"' for name, month in draft.dates.items()],
        *[f'# {name} = "2025-03"' for name in _undated(draft)],
        "",
        "[reports]",
        'kinds = ["practice", "area"]',
        'formats = ["html", "docx"]',
        "",
    ]
    return "\n".join(lines)


def _word(name: str) -> str:
    return f'"{name}"' if "." in name else name


def _undated(draft: Draft) -> list[str]:
    there = dict.fromkeys(
        name.partition(".")[0] for name in draft.columns if name.partition(".")[0] in catalogue.covariates()
    )
    return [name for name in there if name not in draft.dates]
