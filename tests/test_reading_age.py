"""The reports that are sent can be read at school-leaving age: their Flesch-Kincaid grade is at most 10."""

from __future__ import annotations

import dataclasses
import re
from types import SimpleNamespace

import pytest

from gpvar import words
from gpvar.catalogue import letters
from tests import synthetic
from tests.claim_findings import finding, templates_of
from tests.reading import body, grade, syllables

METRICS = ("same_day_share", "appointments_per_1000")
#: Terms of the glossary.
GLOSSARY = ("percentage points", "percentage point", "interval", "reliability", "sampling", "deprivation")
SECTIONS = [n for n in words.__all__ if n.startswith("practice_") and not n.endswith(("_facts", "_line", "_sources"))]
_NO_BODY = ("_title", "_line", "_sources", "_console")
ANNEX, REPORT = (
    [n for n in words.__all__ if n.startswith(kind) and not n.endswith(_NO_BODY)] for kind in ("annex_", "claims_")
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):
    return synthetic.make_run(tmp_path_factory.mktemp("reading"), (synthetic.Card(), synthetic.RATE), n=120)


def terms(run, metric: str) -> tuple[str, ...]:
    card = words.practice_facts(run, "X10001", metric).card
    names = [str(name) for name in run.table.practices["practice_name"]]
    return (*GLOSSARY, card.short, card.title, card.unit, card.noun_numerator, card.noun_denominator, *names)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("code", ["X10001", "X10002", "X10005", "X10009"])
def test_a_practice_report_can_be_read_at_school_leaving_age(run, metric: str, code: str) -> None:
    sections = {name: body(getattr(words, name)(run, code, metric)) for name in SECTIONS}
    grades = {name: grade(text, terms(run, metric)) for name, text in sections.items() if name != "practice_title"}
    assert max(grades.values()) <= 10, grades
    whole = " ".join(sections.values())
    assert len(whole.split()) > 300 and grade(whole) <= 10


def letter_of(run, tests: tuple[str, ...]):
    """Return the run with findings of some tests, one for each rule, as a letter has them."""
    rules = [rule for rule in letters.rules() if rule.test in tests]
    found = [finding(run, rule, templates_of(rule.test)[0], METRICS[n % 2]) for n, rule in enumerate(rules)]
    renumbered = [
        dataclasses.replace(one, claim=dataclasses.replace(one.claim, id=str(n))) for n, one in enumerate(found[:8], 1)
    ]
    letter = dataclasses.replace(run, findings=tuple(renumbered))
    letter.study.reports = SimpleNamespace(kinds=("practice", "area"), formats=("html", "docx"))
    return letter


@pytest.mark.parametrize(
    "tests",
    [("rank", "margin"), ("significant", "outlier"), ("threshold", "change"), ("no_improvement", "many"),
     ("exemplar", "ratio", "joint"), ("fold", "opportunity", "worst_improved", "association"), ("any",)],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("page", [ANNEX, REPORT], ids=["annex", "report"])
def test_the_pages_on_a_letter_can_be_read_at_school_leaving_age(run, tests: tuple[str, ...], page) -> None:
    letter = letter_of(run, tests)
    text = " ".join(body(getattr(words, name)(letter)) for name in page)
    said = re.sub(r"“[^”]*”", "that", text)  # what others wrote is not ours to make easy
    assert (
        len(page) > 2
        and len(said.split()) > 80
        and grade(said, (*terms(run, METRICS[0]), *terms(run, METRICS[1]))) <= 10
    )


@pytest.mark.parametrize(
    ("word", "many"),
    [("chance", 1), ("practice", 2), ("practices", 3), ("named", 1), ("wanted", 2), ("table", 2), ("settled", 2),
     ("changes", 2), ("comparison", 4), ("reliability", 6), ("circumstances", 4), ("usual", 3), ("doing", 2),
     ("science", 2), ("region", 2), ("association", 5), ("statement", 2), ("people", 2), ("rules", 1)],
)  # fmt: skip
def test_syllables_are_counted_as_they_are_spoken(word: str, many: int) -> None:
    assert syllables(word) == many


def test_a_grade_is_that_of_the_formula_and_leaves_names_out() -> None:
    assert grade("The cat sat on the mat.") == pytest.approx(0.39 * 6 + 11.8 - 15.59)
    assert grade("Copper Heron Surgery sat.", ["Copper Heron Surgery"]) == pytest.approx(0.39 * 2 + 11.8 - 15.59)


def test_a_hard_text_is_found_hard() -> None:
    hard = (
        "Notwithstanding considerable methodological heterogeneity, the investigators subsequently demonstrated "
        "statistically indistinguishable characteristics across organisationally dissimilar administrative entities."
    )
    assert grade(hard) > 20


def test_headings_tables_labels_and_sources_are_no_body_text() -> None:
    page = (
        "## A heading\n\nIt is higher (M1, England).\n\n| a | b |\n\n"
        '::: {.sources custom-style="Sources"}\n\nFiles.\n\n:::\n'
    )
    assert body(page).split() == ["It", "is", "higher."]
