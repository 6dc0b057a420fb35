"""What the command prints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gpvar.words import quality, robustness, sources, verdict
from gpvar.words.facts import practice_facts
from gpvar.words.robustness_facts import practice_ways
from gpvar.words.text import plain, plural, typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpvar.results import Run


def without_markdown(text: str) -> str:
    r"""Return Markdown of ours as plain text: bold marks and backslashes go."""
    unbold = re.sub(r"(?<!\\)\*\*", "", text)
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", unbold)


def check_summary(table: Any) -> str:
    """Return the state of the data in a few lines."""
    lines = [
        f"{plural(len(table.practices), 'practice')} in the table, {len(table.area_codes)} of them in "
        f"{plain(table.area_name) or 'the area'}.",
        without_markdown(quality.table_quality(table.gates)),
        *quality.period_sentences(table),
        *quality.unmatched_sentences(table.unmatched),
    ]
    return "\n".join(lines)


def frozen_study(path: Any, name: str, state: Any, written: bool) -> str:
    """Return that a study is frozen, and what of it changed since it was first."""
    done = "The study is frozen" if written else "The study was frozen like this already"
    return f"{done}: {path} (analysis {name[:12]}).{sources.frozen(state)}"


def published_summary(published: Any) -> str:
    """Return what was written and what was not."""
    pages = [f for f in published.files if f.suffix in (".html", ".docx") and f.name != "index.html"]
    lines = [f"{plural(len(pages), 'page')} written. Start here: {published.index}"]
    for title, reason in getattr(published, "unanswered", ()):
        lines.append(f"Could not be answered: {plain(title)}. {plain(reason, 300)}")
    for name, reason in published.failed:
        lines.append(f"Not written: {name}. {plain(reason, 300)}")
    return "\n".join(lines)


def new_study_written(path: Any, found: Sequence[str]) -> str:
    """Return where the study is, what was understood of its file, and what to do next.

    Parameters
    ----------
    path
        The study file.
    found
        What `gpvar.starter.describe` says of it, a sentence each.
    """
    unfinished = any(text.startswith(("The study is not ready", "Warning: the file cannot be used")) for text in found)
    gathering = any(text.startswith("It names no file yet") for text in found)
    state = "written" if unfinished or gathering else "ready"
    lines = [f"The study is {state}: {path}", *(plain(text, 2000) for text in found)]
    if gathering:
        lines.append(
            f"Next: python run.py sources {typed(path)}   says which are needed, which are here and where to get them"
        )
        return "\n".join(lines)
    lines.append(f"{'When that is mended' if unfinished else 'Next'}: python run.py check {typed(path)}")
    lines.append(f"Then: python run.py run {typed(path)}")
    return "\n".join(lines)


def explanation(run: Run, code: str, metric: str) -> str:
    """Return one practice on one metric, for the terminal."""
    from gpvar.words import pages

    facts = practice_facts(run, code, metric)
    ways = practice_ways(run, facts.code, facts.card.id)
    parts = [
        f"{facts.name} ({facts.code}): {facts.card.title}, {facts.meta['period_label']}",
        pages.verdict_text(facts),
        verdict.own_icb(facts.rows, facts.headline),
        "" if robustness.warns(ways) else robustness.brief(ways),
        robustness.unmeasured(ways),
        pages.real_terms_text(facts),
        quality.practice_quality(facts.gates, facts.code),
        verdict.direction(facts.card),
    ]
    return "\n\n".join(without_markdown(part) for part in parts if part)
