"""The letter that asks how an ICB's figures were made, and what the contract wording says and leaves open."""

from __future__ import annotations

import datetime as dt
import io
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from gpvar import catalogue, cli
from gpvar.catalogue.letters import questions, templates
from gpvar.claims import asking
from gpvar.reporting.ask import one_page, publish_ask
from gpvar.reporting.assemble import Page
from gpvar.reporting.publish import Look, to_docx
from gpvar.results import Claim, Figure
from gpvar.words import without_markdown
from gpvar.words.ask import AT_END, LISTED, ask_letter
from gpvar.words.contract import contract_card, sentences
from gpvar.words.paper import PAGE, height
from tests.letters import GOOD, as_csv, as_xlsx
from tests.support import shared
from tests.test_catalogue import UNVERIFIED

#: The topics of which a letter is asked, as the field lists them.
TWELVE = (
    "definition",
    "period",
    "list",
    "exclusions",
    "comparator",
    "adjustment",
    "threshold",
    "small_numbers",
    "tested",
    "changes",
    "clause",
    "support",
)
LONG = (
    "The Riverside and Saint Bartholomew Family Health Partnership",
    "Doctors Abernathy, Featherstonehaugh, Okonkwo and Partners",
    "Copper Heron Surgery",
    "Upper Wharfedale and Nidderdale Rural Medical Group Practice",
    "St Thomas of Canterbury Memorial Road Health Centre (Branch)",
)
BOARD = "NHS North East and North Cumbria Integrated Care Board"
ENGAGE = "engage with support from their ICB where unwarranted variation"


def claim(template: str, number: int = 1, **changes: object) -> Claim:
    """Return a sentence of a kind about its own measure, with nothing copied from the letter."""
    card = templates()[template]
    metric = (card.metrics or ("dna_share",))[0] if "metric" in card.needs else ""
    metric = "urgent_same_day_share" if template == "below_target" else metric
    practice = "Copper Heron Surgery" if card.about == "practice" else ""
    return replace(Claim(str(number), template, practice=practice, metric=metric), **changes)


def many(names: tuple[str, ...] = tuple(templates()), **changes: object) -> tuple[Claim, ...]:
    """Return one sentence of each kind, worded as the catalogue's example, about five practices in turn."""
    found = []
    for number, name in enumerate(names, 1):
        who = LONG[number % 5]
        text = templates()[name].example.replace("Copper Heron Surgery", who)
        found.append(claim(name, number, text=text, practice=who if claim(name).practice else "", **changes))
    return tuple(found)


TWELVE_SENTENCES = (
    *("tail", "below_target", "low_ag_user", "cannot_get_through", "patients_per_gp", "change"),
    *("rag_red", "league_place", "emergency_use", "outlier", "many_red", "payment"),
)


def read(markdown: str) -> str:
    """Return Markdown as a reader meets it, on one line."""
    return re.sub(r"\s+", " ", without_markdown(markdown))


def numbered(markdown: str) -> list[str]:
    return [without_markdown(line) for line in markdown.splitlines() if re.match(r"\d+\. ", line)]


# --- the questions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", templates())
def test_one_sentence_of_any_kind_gets_a_few_questions_that_name_it(template: str) -> None:
    asked = numbered(ask_letter([claim(template, 3)]))
    assert 3 <= len(asked) <= 8
    assert [line.split(". ")[0] for line in asked] == [str(n) for n in range(1, len(asked) + 1)]
    assert all("(sentence\u00a03)" in line for line in asked)
    assert all(line.count("?") == 1 for line in asked)
    for name in templates()[template].ask:
        assert sum(said(name) in line.casefold() for line in asked) == 1


def said(name: str) -> str:
    """Return a question as it stands among others under one number."""
    return questions()[name].question.removesuffix("?").casefold()


def test_a_letter_with_every_kind_of_sentence_is_asked_all_twelve_topics_in_eight_questions() -> None:
    asked = numbered(ask_letter(many()))
    assert len(asked) == 8
    for name in (*TWELVE, "survey", "ag_extract", "workforce", "emergency_extract", "months"):
        assert sum(said(name) in line.casefold() for line in asked) == 1
    assert ask_letter(many()).count("?") == 8


@pytest.mark.parametrize(
    ("template", "stated", "name", "instead"),
    [
        ("tail", {"period": "2025-04..2026-03"}, "period", ""),
        ("change", {"period": "2026-03", "period_before": "2025-03"}, "period", ""),
        ("tail", {"comparator": "england"}, "comparator", ""),
        ("rag_red", {"threshold": Figure("8%", 8.0, 0, True)}, "threshold", "threshold_source"),
    ],
)
def test_what_a_sentence_states_is_not_asked(template: str, stated: dict[str, object], name: str, instead: str) -> None:
    assert name in asking.topics(claim(template))
    asked = asking.topics(claim(template, **stated))
    assert name not in asked and (not instead or instead in asked)


@pytest.mark.parametrize(
    ("template", "half", "name"),
    [
        ("change", {"period": "2026-03"}, "period"),
        ("tail", {"comparator": "similar"}, "comparator"),
        ("many_red", {"threshold": Figure("5%", 5.0, 0, True)}, "threshold"),
    ],
)
def test_what_a_sentence_half_states_is_asked(template: str, half: dict[str, object], name: str) -> None:
    assert name in asking.topics(claim(template, **half))


def test_every_question_has_a_group_and_sentences_that_need_it() -> None:
    known = {"every", "practice", "per_patient", "threshold", "comparator", "sanction", "support", "urgent", "ag"}
    known |= {"comparator_figure"}
    instead = {question.instead for question in questions().values()}
    for question in questions().values():
        assert question.group in asking.GROUPS
        assert set(question.asked_of) <= known | set(templates())
        assert bool(question.asked_of) != (question.id in instead)


@pytest.mark.parametrize(
    ("template", "own", "others"),
    [
        ("low_ag_user", "requests and referrals by month, specialty and platform", ["GP Patient Survey", "doctors"]),
        ("cannot_get_through", "Which question of the GP Patient Survey", ["referrals by month", "slot mapping"]),
        ("patients_per_gp", "Which doctors were counted", ["GP Patient Survey", "slot mapping", "threshold and"]),
        ("emergency_use", "attendances or calls by month", ["GP Patient Survey", "doctors", "slot mapping"]),
        ("no_improvement", "hat support is offered", ["GP Patient Survey", "Which practices were they"]),
        ("rag_red", "Which threshold and which weights", ["GP Patient Survey", "Which list of patients"]),
        ("change", "Which months do the figures cover", ["Which threshold", "How many practices"]),
        ("opportunity", "What exactly was counted", ["Which clause", "What support"]),
    ],
)
def test_each_kind_of_sentence_has_questions_of_its_own(template: str, own: str, others: list[str]) -> None:
    text = read(ask_letter([claim(template)]))
    assert own in text
    assert [other for other in others if other in text] == []


def test_a_question_for_some_sentences_names_them_and_one_for_all_says_so() -> None:
    text = ask_letter([claim("tail", 1), claim("cannot_get_through", 2), claim("tail", 3), claim("low_ag_user", 4)])
    text = text.casefold()
    assert f"{said('survey')} (sentence\u00a02);" in text
    assert f"{said('tested')} (sentences\u00a01, 3);" in text
    assert f"{said('definition')} (all);" in text


@pytest.mark.parametrize(
    ("ids", "said"),
    [("3", "sentence 3"), ("1 3", "sentences 1, 3"), ("1 2", "sentences 1, 2"), ("1 2 3 5", "sentences 1 to 3, 5")],
)
def test_sentences_are_named_by_their_numbers(ids: str, said: str) -> None:
    assert sentences(ids.split()).replace("\u00a0", " ") == said
    assert re.search(r"\d to | to \d|sentences? \d", sentences(ids.split())) is None


def test_the_list_is_asked_of_figures_per_patient_and_not_of_shares() -> None:
    assert "list" in asking.topics(claim("below_mean", metric="appointments_per_1000"))
    assert "list" not in asking.topics(claim("below_mean", metric="dna_share"))


def test_a_step_that_the_letter_proposes_is_asked_about_and_not_repeated() -> None:
    text = read(ask_letter([claim("tail", 1), claim("tail", 2, sanction="remedial notice of 3 May")]))
    assert "which clause allows the step that your letter proposes (sentence 2);" in text
    assert "remedial" not in text
    assert "allows the step" not in read(ask_letter([claim("tail")]))


# --- the letter's own words ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", templates())
def test_the_letter_concedes_first_and_judges_nothing(template: str) -> None:
    letter = ask_letter([claim(template)])
    text = read(letter)
    assert text.index("We do not dispute that its figures may be right") < text.index("Please would you tell us")
    assert "we take no view of any practice" in text and "no figure has been checked yet" in text
    own = "\n".join(line for line in letter.splitlines() if not line.startswith("|"))
    own = re.sub(r"“[^”]*”", "", without_markdown(own))
    blame = (
        r"(?i)\b(fail\w*|poor\w*|bad\w*|worst|outlier|unwarranted|unfair|blame|wrong|penalt\w*|holds? true|nan|None)\b"
    )
    assert re.search(blame, own) is None
    assert re.search(r"(?i)(?<!statistically )significan", own) is None
    assert re.search(r"\d%(?! of)", own) is None


def test_sender_date_and_addressee_are_left_to_be_filled_in() -> None:
    text = read(ask_letter([claim("tail")]))
    assert re.findall(r"\[[^]]+\]", text) == [
        "[your name and organisation]",
        "[name]",
        "[name of the ICB]",
        "[Date]",
        "[date]",
        "[name]",
        "[date]",
        "[name]",
    ]
    assert BOARD in ask_letter([claim("tail")], BOARD)


def test_a_readers_own_remark_is_in_nothing_that_is_sent() -> None:
    private = [claim("tail", note="Dr Quill is off sick"), claim("below_target", 2, note="Dr Quill")]
    assert "Quill" not in ask_letter(private) + ask_letter(private, listed="at_end") + contract_card(private)


def test_a_sentence_stands_in_the_letters_own_words_beside_its_practice() -> None:
    said = claim("tail", text="Copper Heron Surgery is in the highest decile nationally for missed appointments.")
    text = read(ask_letter([said]))
    quoted = "“Copper Heron Surgery is in the highest decile nationally for missed appointments.”"
    assert f"| 1 | Copper Heron Surgery | {quoted} |" in text


def test_a_sentence_that_was_not_copied_is_described_and_not_quoted() -> None:
    figure = Figure("12.3%", 12.3, 1, True)
    text = read(ask_letter([claim("tail", figure=figure, comparator="icb", period="2025-04..2026-03")]))
    row = "in the lowest or highest tenth (or fifth), missed appointment share, 12.3%, against the ICB, "
    assert f"| {row}April 2025 to March 2026 |" in text


@pytest.mark.parametrize("listed", LISTED)
def test_sentences_stand_whole_however_they_are_listed(listed: str) -> None:
    long = f"{LONG[0]} {'is far from the others in this and in that ' * 20}, at 31.2%."
    about = [
        claim("tail", 1, text=long, practice=LONG[0]),
        claim("outlier", 2, practice="A81001", text="It stands out."),
    ]
    text = read(ask_letter(about, listed=listed))
    assert re.sub(r"\s+", " ", long) in text and "It stands out." in text and "…" not in text
    assert text.count("A81001") == 1
    # No line break parts a sentence from its number.
    assert listed != "lines" or f"1\u00a0“{LONG[0]}" in without_markdown(ask_letter(about, listed=listed))


def test_text_from_the_letter_stays_text() -> None:
    hostile = "</td><script>alert(1)</script> ![x](https://x.y/z.png) | `a` $x$ {=openxml} ## Questions"
    page = ask_letter([claim("tail", text=hostile, practice="# <b>Dale|Surgery</b>")])
    assert len(re.findall(r"(?m)^\|", page)) == 3
    document = to_docx(Page(page, ()), Look("x", False, False))
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        body = archive.read("word/document.xml").decode("utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body and "<w:drawing" not in body


# --- the wording -----------------------------------------------------------------------------------------------------


def test_a_quotation_stands_with_who_said_it_its_day_and_how_it_is_known() -> None:
    for text in (read(ask_letter([claim("below_target")])), read(contract_card([claim("below_target")]))):
        assert ENGAGE in text
        assert "NHS England, contract letter, 24 February 2026, as reported by Pulse, 25 February 2026" in text
        assert "published by NHS England, Supplementary information" in text and "20 May 2026" in text
        assert "in force from 1 April 2026" in text
        assert "no threshold was found" in text


def test_what_favours_the_board_is_quoted_with_what_does_not() -> None:
    text = read(ask_letter([claim("below_target")]))
    assert "where practices are not meeting their requirement to see all clinically urgent patients" in text
    assert "patients for each GP" in read(ask_letter([claim("patients_per_gp")]))
    assert "Contract changes for 2026/27, on advice and guidance" in read(ask_letter([claim("low_ag_user")]))


@pytest.mark.parametrize("template", templates())
def test_only_wording_that_bears_on_the_sentences_is_quoted(template: str) -> None:
    about = [claim(template)]
    for text in (ask_letter(about), contract_card(about)):
        assert ENGAGE in text
        assert ("planned care referral" in text) == (template in ("low_ag_user", "low_ag_high_referral"))
        assert ("Requests identified as clinically urgent" in text) == (template == "below_target")
        assert ("Neighbourhood Health Framework" in text) == (template == "below_target")


def test_where_wording_bears_on_some_sentences_they_are_named() -> None:
    about = [claim("tail", 1), claim("low_ag_user", 2), claim("low_ag_high_referral", 3)]
    for text in (read(ask_letter(about)), read(contract_card(about))):
        assert "where clinically appropriate” (on sentences 2, 3)" in text
        assert "identified in contractor performance” (on every sentence): NHS England" in text


def test_the_duty_is_quoted_before_the_half_that_bears_on_some_sentences() -> None:
    for text in (read(card([claim("below_target", 1), claim("tail", 2)])) for card in (ask_letter, contract_card)):
        duty, half = text.index(f"{ENGAGE} has"), text.index("where practices are not meeting")
        assert duty < half
        assert "performance” (on every sentence) and “where" in text
        assert "breach” (on sentence 1)" in text


@pytest.mark.parametrize(
    ("changes", "urgent"),
    [
        ({"metric": "urgent_same_day_share"}, True),
        ({"metric": "same_day_share", "threshold": Figure("90%", 90.0, 0, True)}, True),
        ({"metric": "same_day_share", "threshold": Figure("50%", 50.0, 0, True)}, False),
        ({"metric": "", "metric_written": "urgent requests met on the day"}, True),
        ({"metric": "dna_share", "text": "It has many missed non-urgent appointments."}, False),
    ],
)
def test_a_sentence_is_about_urgent_requests_by_its_measure_its_words_or_a_borrowed_target(
    changes: dict[str, object], urgent: bool
) -> None:
    assert ("urgent" in asking.marks(claim("below_target", **changes))) == urgent


def test_advice_and_guidance_is_known_by_its_measure_and_its_usual_names() -> None:
    assert "ag" in asking.marks(claim("rag_red", metric="", metric_written="A&G rate"))
    assert "ag" in asking.marks(claim("outlier", text="An outlier for Advice & Guidance."))
    assert "ag" not in asking.marks(claim("outlier", text="An outlier in the ag trade's age group."))


def test_figures_of_months_before_the_wording_was_in_force_are_named() -> None:
    old, new = claim("tail", 1, period="2025-04..2026-03"), claim("tail", 2, period="2026-04")
    none = claim("tail", 3)
    since = "1 April 2026, when the wording quoted came into force"
    for text in (read(ask_letter([old, new, none])), read(contract_card([old, new, none]))):
        assert f"The figure of sentence 1 is of months before {since}. Sentence 3 names no months." in text
    assert f"The figure is of months before {since}." in read(ask_letter([old]))
    assert "of months before" not in read(ask_letter([new])) + read(ask_letter([none]))
    two = [old, none, claim("outlier", 4)]
    assert "Sentences 3, 4 name no months." in read(ask_letter(two))


def test_where_data_were_looked_at_the_months_judged_count() -> None:
    said = [claim("tail", 1), claim("outlier", 2, period="2026-05")]
    card = read(contract_card(said, judged={"1": "2025-04..2026-03", "2": "2025-04..2026-03"}))
    assert "Every figure here is of months before 1 April 2026, when the wording quoted came into force." in card
    assert "months before" not in read(contract_card(said, judged={"1": "2026-04", "2": "2026-05"}))


def test_what_is_not_dated_to_the_month_is_sent_to_nobody() -> None:
    unsure = [item for item in catalogue.contract().values() if not item.sendable]
    assert [item.id for item in unsure] == ["ag_not_mandated"]
    everything = many() + tuple(claim(name) for name in templates())
    sent = ask_letter(everything) + ask_letter(everything, listed="at_end") + contract_card(everything)
    assert all(item.quotation not in sent and item.dated not in sent for item in unsure)


@pytest.mark.parametrize(
    ("dated", "sendable", "day_known"),
    [
        ("25 February 2026", True, True),
        ("March 2026", True, False),
        ("summer 2026", False, False),
        ("2026", False, False),
        ("about May 2026", False, False),
    ],
)
def test_a_quotation_may_be_sent_when_its_month_is_known(dated: str, sendable: bool, day_known: bool) -> None:
    item = replace(catalogue.contract()["urgent_same_day"], dated=dated)
    assert (item.sendable, item.day_known) == (sendable, day_known)


def test_of_a_quotation_of_unknown_day_the_document_is_named_with_the_month_of_its_report() -> None:
    for text in (ask_letter([claim("low_ag_user")]), contract_card([claim("low_ag_user")])):
        assert "Contract changes for 2026/27, on advice and guidance, as reported by Pulse, April 2026" in read(text)


def test_every_quotation_that_is_sent_names_its_document_and_a_day_of_it_or_of_the_report() -> None:
    for item in (item for item in catalogue.contract().values() if item.sendable):
        assert item.day_known or "2026/27" in item.speaker, item.id
    sent = read(contract_card(many()))
    assert "day not known" not in sent and "parliamentary" not in sent


def test_reported_words_are_not_called_word_for_word() -> None:
    card = read(contract_card([claim("tail")]))
    assert "As reported or published (each says which; the clause itself was not seen)" in card
    assert "Word for word" not in card


def test_no_note_of_the_catalogues_keeper_is_sent() -> None:
    everything = many()
    sent = read(ask_letter(everything) + contract_card(everything))
    assert [item.id for item in catalogue.contract().values() if item.note in sent] == []


def unverified_words() -> set[str]:
    """Return names and figures that the design's account of the domain has in its unverified statements alone."""
    text = shared("design", "DOMAIN.md").read_text(encoding="utf-8")
    tag = re.compile(r"\[(?:[^\[\]]*[/;:, ])?K(?:[/;:,][^\[\]]*| *)\]")
    ends = ("\n", "| ", "]; ", "]. ", "]) ", ". ", "; ")
    spans = [(max(text.rfind(end, 0, found.start()) for end in ends), found.end()) for found in tag.finditer(text)]
    rest = "".join(text[b:a] for (_, b), (a, _) in zip([(0, 0), *spans], [*spans, (len(text), 0)], strict=True))
    word = re.compile(r"[A-Za-z0-9][\w-]{2,}")
    elsewhere = {found.casefold() for found in word.findall(rest)}
    said = {found for a, b in spans for found in word.findall(text[a:b])}
    return {found for found in said if re.search(r"[A-Z0-9]", found) and found.casefold() not in elsewhere}


def test_nothing_unverified_about_the_domain_is_sent() -> None:
    about = [claim(name, number) for number, name in enumerate(templates(), 1)]
    about += [claim("outlier", 90 + n, metric=metric) for n, metric in enumerate(catalogue.metrics())]
    sent = read(ask_letter(about, listed="at_end") + contract_card(about))
    assert [pattern for pattern in UNVERIFIED if re.search(pattern, sent)] == []
    unsure = unverified_words()
    assert {"OpenPrescribing", "Kinesis", "Y61"} <= unsure
    assert [word for word in unsure if re.search(rf"\b{word}\b", sent)] == []


# --- the contract card -----------------------------------------------------------------------------------------------


def test_the_contract_card_says_with_each_quotation_what_it_leaves_open() -> None:
    card = read(contract_card([claim("low_ag_user")]))
    assert card.index(ENGAGE) < card.index("no threshold was found") < card.index("planned care referral")
    assert card.index("planned care referral") < card.index("No rate and no number of requests is named.")
    assert card.endswith("The wording of the clause itself was not found. Whoever relies on it is asked to quote it.")
    assert contract_card([claim("tail")], heading="### Wording").startswith("### Wording\n")
    assert contract_card([]) == ""


# --- one page --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("about", [many(("tail",)), many(TWELVE_SENTENCES), many()], ids=["one", "twelve", "all"])
def test_the_letter_is_set_to_stay_on_its_page(about: tuple[Claim, ...]) -> None:
    text, half_points = one_page(about, BOARD)
    assert height(text.split(AT_END)[0], half_points / 2) <= PAGE
    assert 20 <= half_points <= 24


def test_a_short_letter_is_set_large_and_only_a_very_long_one_lists_its_sentences_after_it() -> None:
    assert one_page(many(("tail",)), BOARD)[1] == 24
    assert AT_END not in one_page(many(TWELVE_SENTENCES), BOARD)[0]
    long, _ = one_page(many(), BOARD)
    assert AT_END in long and len(re.findall(r"(?m)^\| \d+ \|", long)) == len(templates())


def test_the_measured_height_is_that_of_the_page_in_word(tmp_path: Path) -> None:
    soffice, pdfinfo = shutil.which("soffice"), shutil.which("pdfinfo")
    if not (soffice and pdfinfo):
        pytest.skip("needs LibreOffice and pdfinfo to count the pages of a Word file")
    letters = {
        "one": many(("tail",)),
        "urgent": many(("below_target", "low_ag_user")),
        "twelve": many(TWELVE_SENTENCES),
    }
    for name, about in letters.items():
        text, half_points = one_page(about, BOARD)
        look = Look(name, False, False, half_points=half_points)
        (tmp_path / f"{name}.docx").write_bytes(to_docx(Page(text, ()), look))
    command = [soffice, f"-env:UserInstallation=file://{tmp_path}/office", "--headless", "--convert-to", "pdf"]
    files = [str(tmp_path / f"{name}.docx") for name in letters]
    subprocess.run([*command, "--outdir", str(tmp_path), *files], check=True, capture_output=True)
    for name in letters:
        said = subprocess.run([pdfinfo, str(tmp_path / f"{name}.pdf")], check=True, capture_output=True, text=True)
        assert re.search(r"Pages:\s+1\n", said.stdout), name


# --- the command -----------------------------------------------------------------------------------------------------


def test_a_letter_alone_in_a_folder_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = as_xlsx(tmp_path, GOOD)
    assert cli.main(["ask", str(path)]) == cli.DONE
    said = capsys.readouterr().out
    assert "about 1 sentence" in said and "square brackets" in said
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "letter.xlsx",
        "questions_to_icb.docx",
        "questions_to_icb.html",
    ]
    html = (tmp_path / "questions_to_icb.html").read_text(encoding="utf-8")
    assert "is in the lowest decile nationally for same-day appointments" in html and "A81001" in html
    assert "Simulated" not in html and "://" not in html


def test_the_folder_of_a_letter_without_a_study_is_taken_for_it(tmp_path: Path) -> None:
    as_xlsx(tmp_path, GOOD)
    (word, _), said = publish_ask(tmp_path, tmp_path / "out")
    assert word == tmp_path / "out" / "questions_to_icb.docx" and len(said) == 1


def test_a_letter_that_was_filled_in_is_not_written_over(tmp_path: Path) -> None:
    path = as_csv(tmp_path, GOOD)
    (first, _), _ = publish_ask(path)
    first.write_bytes(b"filled in by hand")
    (second, _), _ = publish_ask(path)
    assert first.read_bytes() == b"filled in by hand"
    assert second.name == "questions_to_icb_2.docx"


STUDY = """
declared = 2026-11-22
period = "2025-04..2026-03"
metrics = ["dna_share"]
SIMULATED
[area]
kind = "icb"
code = "QHM"
[[claim]]
template = "outlier"
text = "Densham Surgery is an outlier for missed appointments."
practice = "Densham Surgery"
metric = "dna_share"
direction = "high"
note = "rang on Monday"
"""


@pytest.mark.parametrize("simulated", [False, True])
def test_a_study_without_any_data_is_enough(tmp_path: Path, simulated: bool) -> None:
    text = STUDY.replace("SIMULATED", "simulated = true" if simulated else "")
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    (word, page), _ = publish_ask(tmp_path)
    assert word.parent == tmp_path / "reports" / "to-send"
    html = page.read_text(encoding="utf-8")
    assert "Densham Surgery" in html and "rang on Monday" not in html
    assert (catalogue.icbs()["QHM"].name in html, "Simulated example" in html) == (not simulated, simulated)


def test_what_cannot_be_asked_about_is_answered_in_three_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wrong").mkdir()
    empty, wrong = as_csv(tmp_path), as_csv(tmp_path / "wrong", {**GOOD, "figure": "130%"})
    for path, word in ((empty, "No sentence"), (tmp_path / "lettre.xlsx", "no letter"), (wrong, "more than 100%")):
        assert cli.main(["ask", str(path)]) == cli.YOUR_INPUT
        said = capsys.readouterr().err.strip().splitlines()
        assert word in said[0] and said[-1].startswith("What to do: ") and len(said) == 3
    assert not list(tmp_path.rglob("questions_to_icb*"))


def test_the_target_asked_about_is_the_one_of_the_catalogue() -> None:
    (target,) = asking.goals([claim("below_target")])
    assert target.due == dt.date(2027, 3, 31)
    assert target.wording.replace(" %", "%") in read(contract_card([claim("below_target")]))
    assert asking.goals([claim("tail")]) == ()
