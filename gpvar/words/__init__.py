"""Every sentence a reader sees.

Sentences are Markdown; text that came from a file goes through `escape_markdown` and stays text.
"""

from __future__ import annotations

from gpvar.words.area_pages import (
    area_after,
    area_calibration,
    area_funnel_note,
    area_icb_right,
    area_methods,
    area_moved,
    area_not_shown,
    area_private_note,
    area_private_title,
    area_quality,
    area_raw,
    area_sources,
    area_summary_line,
    area_title,
    area_verdict,
)
from gpvar.words.console import (
    check_summary,
    explanation,
    new_study_written,
    published_summary,
    without_markdown,
)
from gpvar.words.facts import area_facts, practice_facts
from gpvar.words.gathering import fetched_files, proposed_events, sources_needed, taken_in
from gpvar.words.pages import (
    practice_after,
    practice_funnel_note,
    practice_icb_right,
    practice_not_shown,
    practice_quality,
    practice_raw,
    practice_real_terms,
    practice_sources,
    practice_title,
    practice_verdict,
    summary_line,
)
from gpvar.words.phrases import label, movement_phrase, position_phrase
from gpvar.words.reference import reference_built, reference_contents, reference_used
from gpvar.words.shared import banner
from gpvar.words.text import escape_markdown, plain

__all__ = [
    "area_after",
    "area_calibration",
    "area_facts",
    "area_funnel_note",
    "area_icb_right",
    "area_methods",
    "area_moved",
    "area_not_shown",
    "area_private_note",
    "area_private_title",
    "area_quality",
    "area_raw",
    "area_sources",
    "area_summary_line",
    "area_title",
    "area_verdict",
    "banner",
    "check_summary",
    "escape_markdown",
    "explanation",
    "fetched_files",
    "label",
    "movement_phrase",
    "new_study_written",
    "plain",
    "position_phrase",
    "practice_after",
    "practice_facts",
    "practice_funnel_note",
    "practice_icb_right",
    "practice_not_shown",
    "practice_quality",
    "practice_raw",
    "practice_real_terms",
    "practice_sources",
    "practice_title",
    "practice_verdict",
    "proposed_events",
    "published_summary",
    "reference_built",
    "reference_contents",
    "reference_used",
    "sources_needed",
    "summary_line",
    "taken_in",
    "without_markdown",
]
