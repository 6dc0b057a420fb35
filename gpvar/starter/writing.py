"""A draft as the text of study.toml, with remarks for the person who reads it."""

from __future__ import annotations

import datetime as dt
import re

from gpvar import catalogue
from gpvar.catalogue import letter_form
from gpvar.starter.headings import Draft
from gpvar.starter.own import noun
from gpvar.study.columns import TO_FILL_IN, headings

#: What a second file can give, where the first is an extract of requests.
SECOND = ("list_size", "icb_code")
_FACTS = {
    "icb_code": "the code of each practice's integrated care board",
    "list_size": "registered patients",
    "practices": "the codes of those that get a page of their own",
    "file": "a table that has what the first file lacks",
    "practice_code": "its heading of practice codes",
}


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
    lines = [
        "# A study: what is asked, of which data, declared before anything is looked at.",
        "# Lines that start with # are remarks. Paths are relative to this file.",
        "",
        *_heading(draft, today),
        "",
        "[area]                                     # whom the reports are about",
        *_area(draft),
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
        *(_table(draft) if draft.file else []),
        *(line for other in draft.beside for line in _other_months(other)),
        "[reports]",
        'kinds = ["claims", "practice", "area"]',
        'formats = ["html", "docx"]',
        "",
    ]
    return "\n".join(lines)


def _table(draft: Draft) -> list[str]:
    """Return the lines of a table of the study's own."""
    return [
        "[[source]]",
        'id   = "local"',
        f"file = {_quoted(draft.file)}",
        *([f"sheet = {_quoted(draft.sheet)}"] if draft.sheet else []),
        "",
        "[source.columns]                           # what it is = the heading in the file; a list is added up",
        *[_column(name, value, draft) for name, value in draft.columns.items()],
        *_gaps(draft),
        "",
        "[source.dates]                             # when characteristics were measured: add what is missing",
        *[f'{name} = "{month}"' for name, month in draft.dates.items()],
        *[f'# {name} = "2025-03"' for name in _undated(draft)],
        "",
        *_second_source(draft),
    ]


def _other_months(other: Draft) -> list[str]:
    """Return the lines of a table of other months."""
    assert other.period is not None
    period = "..".join(dict.fromkeys((other.period.start, other.period.end)))
    return [
        f"[[source]]                                 # the same counts of {other.period.label}: how far do they move?",
        f'id     = "months_{period}"',
        f"file   = {_quoted(other.file)}",
        *([f"sheet  = {_quoted(other.sheet)}"] if other.sheet else []),
        f'period = "{period}"',
        "",
        "[source.columns]",
        *[_column(name, value, other) for name, value in other.columns.items()],
        "",
    ]


def _heading(draft: Draft, today: dt.date) -> list[str]:
    assert draft.period is not None
    what = catalogue.metric(draft.metrics[0]).title if len(draft.metrics) == 1 else "Access"
    title = f"{what}, {draft.area_name or 'our practices'}, {draft.period.label}"
    lines = [
        "schema   = 1",
        f"title    = {_quoted(title)}",
        "seed     = 20260401",
        f"declared = {today.isoformat()}                      # the day this was fixed",
        f'period   = "{draft.period.start}..{draft.period.end}"              # {draft.period_from}',
        f"metrics  = {_value(draft.metrics)}",
        f'letter   = "{letter_form.FILE}"                # what the board\'s letter says; it may stay empty',
    ]
    if draft.simulated:
        lines.append("simulated = true                           # invented practices: every page says so")
    return lines


def _area(draft: Draft) -> list[str]:
    area = [f"kind = {_quoted(draft.kind)}"]
    if draft.code:
        area.append(f"code = {_quoted(draft.code)}{' ' * 27}# {_comment(draft.area_name)}")
    if draft.list_file:
        area.append(f"file = {_quoted(draft.list_file)}")
        area.append(
            f"name = {_quoted(draft.area_name)}{' ' * 8}# what the reports call these practices: change it as you like"
        )
    codes = ", ".join(_quoted(code) for code, _ in draft.practices)
    names = _comment(draft.area_gap or ", ".join(name for code, name in draft.practices if name != code))
    area.append(f"practices = [{codes}]{' ' * 8}# {names or 'codes of practices that get a page of their own'}")
    return area


def _column(name: str, value: str | list[str], draft: Draft) -> str:
    remark = draft.remarks.get(name, "")
    return f"{_word(name)} = {_value(value)}" + (f"{' ' * 8}# {_comment(remark)}" if remark else "")


def _gaps(draft: Draft) -> list[str]:
    """Return the lines that the person must fill in, each with what may fit."""
    gaps = [name for name in draft.gaps if name not in SECOND or not in_second_file(draft)]
    if not gaps or draft.finder is None:
        return []
    used = {heading for value in draft.columns.values() for heading in headings(value)}
    free = [f"'{heading}'" for heading in draft.headings if heading.strip() and heading not in used]
    lines = [
        f"# STILL TO BE FILLED IN: write one of the file's headings in place of {TO_FILL_IN}, or a list",
        '# of headings that are added up, such as ["attended", "dna"]. '
        + ("Headings not used above:" if free else "Every heading is used above."),
        *[f"#   {_comment(', '.join(free[at : at + 6]))}" for at in range(0, min(len(free), 60), 6)],
    ]
    for name in gaps:
        near = " or ".join(f"'{item}'" for item in nearest_headings(draft, name))
        remark = _comment(words_of(name) + (f"; perhaps {near}" if near else ""))
        lines.append(f"{_word(name)} = {_quoted(TO_FILL_IN)}    # {remark}")
    return lines


def nearest_headings(draft: Draft, name: str) -> list[str]:
    """Return headings of the table that may be the one to be filled in."""
    if draft.finder is None:
        return []
    metric, dot, part = name.partition(".")
    wanted = catalogue.conventions()["figures"][metric][part == "denominator"] if dot else name
    used = {heading for value in draft.columns.values() for heading in headings(value)}
    return [heading for heading in draft.finder.nearest(wanted) if heading not in used]


def words_of(name: str) -> str:
    """Return what a column is to hold, in words."""
    metric, dot, part = name.partition(".")
    return noun(metric, part) if dot and metric in catalogue.metrics() else _FACTS.get(name, name)


def in_second_file(draft: Draft) -> bool:
    """Return whether what is missing is sooner found in a table of practices than in an extract of requests."""
    return any(catalogue.metric(metric).source == "ag_extract" for metric in draft.metrics)


def _second_source(draft: Draft) -> list[str]:
    lacking = [name for name in draft.gaps if name in SECOND]
    if not lacking or not in_second_file(draft):
        return []
    return [
        "# STILL TO BE FILLED IN: an extract of requests does not say this of practices. Name a table that does (any",
        "# CSV or Excel sheet with a row per practice), and its headings. Characteristics may come from it as well.",
        "[[source]]",
        'id   = "practices"',
        f"file = {_quoted(TO_FILL_IN)}",
        "",
        "[source.columns]",
        f"practice_code = {_quoted(TO_FILL_IN)}",
        *[f"{name} = {_quoted(TO_FILL_IN)}    # {words_of(name)}" for name in dict.fromkeys(lacking)],
        "",
    ]


def _word(name: str) -> str:
    return f'"{name}"' if "." in name else name


def _undated(draft: Draft) -> list[str]:
    there = dict.fromkeys(
        name.partition(".")[0] for name in draft.columns if name.partition(".")[0] in catalogue.covariates()
    )
    return [name for name in there if name not in draft.dates]
