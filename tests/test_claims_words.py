"""Every sentence on a statement of a letter is rendered for every finding and read for what must never be said."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import re

import pandas as pd
import pytest

from gpvar.catalogue import letters
from gpvar.results import Claim, Figure
from gpvar.words import claims, claims_beside, claims_facts, console, phrases
from gpvar.words.claims_facts import odds, part
from tests import synthetic
from tests.claim_findings import finding, placed, templates_of
from tests.reading import grade
from tests.support import ROOT
from tests.test_words import FORBIDDEN, PERCENT_OF_NOTHING, UNQUALIFIED_SIGNIFICANT

METRICS = ("same_day_share", "appointments_per_1000")
WAYS = ("usual", "unknown", "nought", "turned", "certain", "nearly")
RULES = {f"{rule.test}-{rule.reason}": rule for rule in letters.rules()}
CERTAIN = re.compile(
    r"\b(0|100) in 100\b|\b99\.9\d*[1-9]%|\b100%|\bcertain(ly)?\b|(?<!not )\bprove[nds]?\b|\bundoubted", re.IGNORECASE
)
#: Reasons that something is not known.
NOT_KNOWN = (
    "rank_needs_months",
    "rank_outside_model",
    "chance_not_separated",
    "sum_needs_months",
    "group_movement_unknown",
    "variation_needs_months",
)
TERMS = ("percentage points", "percentage point", "interval", "reliability", "sampling", "deprivation")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):
    return synthetic.make_run(tmp_path_factory.mktemp("claims"), (synthetic.Card(), synthetic.RATE), n=60)


def every_sentence(facts: claims.ClaimFacts) -> list[str]:
    return [
        claims.finding_sentence(facts),
        claims.finding_verdict(facts),
        claims.finding_position(facts),
        claims.finding_arithmetic(facts),
        claims.finding_gates(facts),
        claims.finding_summary(facts),
        *claims.finding_right(facts),
        *claims.finding_beside(facts),
        *claims.finding_change(facts),
        *claims.finding_ask(facts),
    ]


def outside_quotations(said: str) -> str:
    return re.sub(r"“[^”]*”", "“so”", console.without_markdown(said))


def refuse(said: str, situation: object) -> None:
    plain = outside_quotations(said)
    for pattern in (FORBIDDEN, UNQUALIFIED_SIGNIFICANT, PERCENT_OF_NOTHING, CERTAIN):
        assert not pattern.search(plain), (situation, pattern.search(plain), said)
    assert plain[0].isupper() or plain[0].isdigit() or plain[0] == "“", (situation, said)
    assert plain[-1] in ".?", (situation, said)


@pytest.mark.parametrize("name", RULES)
def test_no_sentence_on_a_statement_says_what_must_never_be_said(run, name: str) -> None:
    rule, read = RULES[name], set()
    every = tuple(claims_beside.BESIDE)
    ways = itertools.product(templates_of(rule.test), METRICS, ("low", "high", ""), WAYS)
    for number, (template, metric, direction, way) in enumerate(ways):
        comparator = ("england", "own_icb")[number % 5 == 0]
        found = finding(run, rule, template, metric, direction, way, comparator, every)
        for said in every_sentence(claims.claim_facts(run, found)):
            if said and said not in read:
                read.add(said)
                refuse(said, (name, template.id, metric, direction, way, comparator))


@pytest.mark.parametrize("name", RULES)
def test_every_reason_has_a_sentence_that_holds_its_numbers(run, name: str) -> None:
    rule = RULES[name]
    assert rule.reason in claims.REASONS
    for template, metric in itertools.product(templates_of(rule.test), METRICS):
        facts = claims.claim_facts(run, finding(run, rule, template, metric))
        said = claims.finding_sentence(facts)
        assert said and "Reason:" not in said, said
        assert rule.reason in NOT_KNOWN or "not known" not in said, said
        assert len(said.split()) < 150, said


def test_every_sentence_belongs_to_a_reason_that_is_still_in_the_table() -> None:
    assert set(claims.REASONS) == {rule.reason for rule in letters.rules()}


def test_everything_that_would_change_a_finding_has_a_sentence() -> None:
    assert set(claims_beside.CHANGE) == {name for rule in letters.rules() for name in rule.would_change}


# What a module says beside a finding, read from its source: a new id without a sentence must not slip through.


def _words(node: ast.AST) -> set[str]:
    asked = {id(n) for test in ast.walk(node) if isinstance(test, ast.IfExp) for n in ast.walk(test.test)}
    said = (n for n in ast.walk(node) if isinstance(n, ast.Constant) and id(n) not in asked)
    texts = {n.value for n in said if isinstance(n.value, str)}
    return {text for text in texts if re.fullmatch(r"[a-z]+(_[a-z]+)+|warned", text)}


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _given(function: ast.FunctionDef) -> list[ast.AST]:
    """Return what a function gives as `beside`: the third of `Tested`, by place or by name."""
    found: list[ast.AST] = []
    for call in (n for n in ast.walk(function) if isinstance(n, ast.Call)):
        if isinstance(call.func, ast.Name) and call.func.id == "Tested":
            found += call.args[2:3] + [word.value for word in call.keywords if word.arg == "beside"]
    return found


def ids_beside(source: str) -> set[str]:
    """Return the ids that a module of the claims can say beside a finding."""
    functions = {n.name: n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)}
    found: set[str] = set()
    for function in functions.values():
        given = _given(function)
        names = set().union(*map(_names, given), {"beside"})
        for node in ast.walk(function):
            targets = getattr(node, "targets", [getattr(node, "target", None)])
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and node.value is not None:
                if any(isinstance(target, ast.Name) and target.id in names for target in targets):
                    given.append(node.value)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                given += node.args if _names(node.func.value) & names else []
        found |= set().union(*map(_words, given))
        for name in set().union(*map(_names, given)) & set(functions):
            yielded = [
                n.value for n in ast.walk(functions[name]) if isinstance(n, (ast.Yield, ast.YieldFrom, ast.Return))
            ]
            found |= set().union(*(_words(value) for value in yielded if value is not None))
    return found


def test_the_reader_of_what_stands_beside_a_finding_sees_every_way_of_saying_it() -> None:
    source = """
def one(seen):
    beside = ["first_id"] if seen else []
    beside.append("second_id")
    beside += ["third_id"]
    own = ("fourth_id",) if seen["a_name"] else ()
    return Tested(frozenset({"a_condition"}), {"a_number": 1}, (*beside, *own))
def two(seen):
    return Tested(frozenset(), beside=tuple(_said(seen)))
def _said(seen):
    if seen["a_column"] == "failed":
        yield "fifth_id"
"""
    assert ids_beside(source) == {"first_id", "second_id", "third_id", "fourth_id", "fifth_id"}


def test_everything_that_the_checks_say_beside_a_finding_has_a_sentence() -> None:
    modules = sorted((ROOT / "gpvar" / "claims").glob("*.py"))
    named = {path.name: ids_beside(path.read_text(encoding="utf-8")) for path in modules}
    missing = {name: sorted(ids - set(claims_beside.BESIDE)) for name, ids in named.items()}
    assert {"comparator_changed", "warned"} <= named["always.py"]
    assert not {name: ids for name, ids in missing.items() if ids}


def test_the_phrases_of_the_findings_are_those_of_the_method() -> None:
    assert claims_facts.VERDICT == {
        "supported": "The statement holds",
        "not_attributable": "True, but not a fair comparison of practices",
        "contradicted": "The data do not show this",
        "not_shown": "The data do not show this",
        "not_decidable": "Cannot be checked yet",
        "wrong_metric": "Measures something else",
    }


@pytest.mark.parametrize("name", RULES)
def test_the_finding_comes_first_and_what_the_board_has_right_is_never_empty(run, name: str) -> None:
    rule = RULES[name]
    for template, way in itertools.product(templates_of(rule.test), WAYS):
        facts = claims.claim_facts(run, finding(run, rule, template, METRICS[0], way=way))
        assert claims.finding_verdict(facts).startswith(f"**{claims_facts.VERDICT[rule.verdict]}.** ")
        assert claims.finding_summary(facts).startswith(f"{claims_facts.VERDICT[rule.verdict]}. ")
        assert all(claims.finding_right(facts)) and claims.finding_right(facts)


@pytest.mark.parametrize("position", phrases.POSITION)
@pytest.mark.parametrize("verdict", letters.VERDICTS)
def test_statement_and_position_stand_in_one_sentence(run, verdict: str, position: str) -> None:
    rule = next(rule for rule in letters.rules() if rule.verdict == verdict)
    found = placed(finding(run, rule, letters.templates()["tail"], METRICS[0]), position)
    said = claims.finding_position(claims.claim_facts(run, found))
    plain = console.without_markdown(said)
    assert phrases.POSITION[position] in said and "(M1, England)" in plain
    assert len(re.findall(r"[.!?](?=\s|$)", plain)) == 1 and said.endswith(".")


def test_holds_beside_so_are_many_is_not_left_to_read_as_a_contradiction(run) -> None:
    rule = RULES["rank-rank_holds"]
    found = placed(finding(run, rule, letters.templates()["tail"], METRICS[0]), "usual")
    assert claims.finding_position(claims.claim_facts(run, found)) == (
        "The sentence in the letter holds, and the practice's position among others, after allowing for patients, is "
        "“Different, but so are many” (M1, England): a sentence can be true of a practice and of many others too."
    )


def test_a_practice_that_stands_out_on_the_other_side_is_not_said_to_agree(run) -> None:
    rule = RULES["rank-rank_unlikely"]
    found = placed(finding(run, rule, letters.templates()["tail"], METRICS[0]), "unusual")
    way = "low" if found.rungs[1]["difference"] > 0 else "high"
    found = dataclasses.replace(found, claim=dataclasses.replace(found.claim, direction=way))
    assert "it stands out on the other side" in claims.finding_position(claims.claim_facts(run, found))


def test_a_sentence_about_an_area_has_no_position(run) -> None:
    found = finding(run, RULES["fold-variation_is_real"], letters.templates()["fold"], METRICS[0])
    assert claims.finding_position(claims.claim_facts(run, found)) == ""


def test_what_is_true_as_arithmetic_is_said_of_a_place(run) -> None:
    found = finding(run, RULES["rank-rank_unlikely"], letters.templates()["tail"], METRICS[0])
    facts = claims.claim_facts(run, found)
    place = "True as arithmetic on the published figures: 190th lowest of 6,067."
    assert claims.finding_arithmetic(facts).startswith(place) and claims.finding_right(facts)[0] == place
    out = dataclasses.replace(found, numbers={**found.numbers, "in_tail": False})
    facts = claims.claim_facts(run, out)
    assert "Not so as arithmetic" in claims.finding_arithmetic(facts)
    assert not any("arithmetic" in said for said in claims.finding_right(facts))


def test_the_chance_of_a_place_is_said_before_and_after_allowing_for_patients(run) -> None:
    found = finding(run, RULES["rank-rank_holds"], letters.templates()["tail"], METRICS[0])
    said = claims.finding_sentence(claims.claim_facts(run, found))
    assert said.startswith(
        "The chance that the practice's lasting figure is in the lowest tenth of practices in England is 93 in 100 on "
        "the raw figures, 88 in 100 after allowing for patients and 91 in 100 after allowing for setting too."
    )
    assert "between 120th and 310th lowest of 5,990, 95 times in 100" in said
    assert "its reliability is 0.84; a claim with consequences needs 0.9" in said.replace("Its", "its")


@pytest.mark.parametrize(
    ("p", "said"),
    [(0.0, "less than 1 in 100"), (1.0, "more than 99 in 100"), (0.7996, "79 in 100"), (0.8, "80 in 100"),
     (0.2004, "21 in 100"), (0.2, "20 in 100"), (0.55, "55 in 100")],
)  # fmt: skip
def test_a_chance_is_never_rounded_on_to_a_line_that_it_does_not_reach(p: float, said: str) -> None:
    assert odds(p) == said


@pytest.mark.parametrize(
    ("tail", "sign", "said"),
    [(0.1, -1, "in the lowest tenth"), (0.2, 1, "in the highest fifth"), (0.25, -1, "in the lowest quarter"),
     (0.5, 1, "in the upper half"), (0.15, -1, "among the lowest 15 in 100")],
)  # fmt: skip
def test_the_part_of_all_practices_is_named(tail: float, sign: int, said: str) -> None:
    assert part(tail, sign) == said


def test_a_difference_that_could_have_been_missed_is_said_where_nothing_is_shown(run) -> None:
    found = finding(run, RULES["margin-shortfall_not_shown"], letters.templates()["below_mean"], METRICS[0])
    said = claims.finding_sentence(claims.claim_facts(run, found))
    assert "8.1 percentage points lower than the middle of practices in England, " in said
    assert "(95% interval for sampling alone: 6.2 to 10.1)" in said
    assert "a difference of 6.0 percentage points could have been missed" in said


def test_the_side_that_the_check_settled_on_is_the_side_that_is_said(run) -> None:
    found = finding(run, RULES["rank-rank_holds"], letters.templates()["league_place"], METRICS[0], "high")
    low = dataclasses.replace(found, numbers={**found.numbers, "side": "low", "tail": 0.25})
    assert "in the lowest quarter" in claims.finding_sentence(claims.claim_facts(run, low))
    assert "in the highest tenth" in claims.finding_sentence(claims.claim_facts(run, found))


def test_a_letter_is_quoted_as_text(run) -> None:
    hostile = "<b>Copper</b> is | `worst` $x$"
    assert claims.letter_quotation(Claim("1", "tail", text=hostile)) == (r"“\<b\>Copper\<\/b\> is \| \`worst\` \$x\$”")
    assert claims.letter_quotation(Claim("1", "tail")) == r"In the lowest or highest tenth \(or fifth\)"
    found = finding(run, RULES["any-figure_far"], letters.templates()["tail"], METRICS[0], way="turned")
    figure = Figure("<31>", 31.0, 0)
    odd = dataclasses.replace(found, claim=dataclasses.replace(found.claim, figure=figure))
    assert r"“\<31\>”" in claims.finding_arithmetic(claims.claim_facts(run, odd))


def test_a_finding_of_another_version_is_named_and_not_hidden(run) -> None:
    found = finding(run, RULES["rank-rank_holds"], letters.templates()["tail"], METRICS[0], beside=("a_new_remark",))
    found = dataclasses.replace(found, because=("a_new_reason", "a_new_remark"), would_change=("a_new_thing",))
    facts = claims.claim_facts(run, found)
    assert claims.finding_sentence(facts) == "Reason: a new reason."
    assert claims.finding_beside(facts) == ["Note from the check: a new remark."]
    assert claims.finding_change(facts) == ["A new thing."]


def test_checks_that_failed_and_checks_not_made_are_named(run) -> None:
    found = finding(run, RULES["rank-rank_holds"], letters.templates()["tail"], METRICS[0])
    said = claims.finding_gates(claims.claim_facts(run, found))
    assert "could not be made" in said
    clean = dataclasses.replace(found, gates=())
    assert claims.finding_gates(claims.claim_facts(run, clean)) == "**No check of the data failed.**"


def test_what_is_said_of_a_statement_can_be_read_at_school_leaving_age(run) -> None:
    grades = {}
    for name, rule in RULES.items():
        template = templates_of(rule.test)[0]
        facts = claims.claim_facts(run, finding(run, rule, template, METRICS[0]))
        said = [claims.finding_verdict(facts), claims.finding_position(facts), *claims.finding_right(facts)]
        said += [*claims.finding_beside(facts), *claims.finding_change(facts)]
        plain = re.sub(r"\s*\(M\d−?, [^()]*\)", "", console.without_markdown(" ".join(said)))
        grades[name] = grade(plain, (*TERMS, facts.card.short, facts.card.noun_denominator))
    assert sum(grades.values()) / len(grades) <= 9
    assert max(grades.values()) <= 10.5, sorted(grades, key=lambda name: -grades[name])[:5]


def test_variation_that_is_real_is_not_thereby_said_to_be_unwarranted(run) -> None:
    found = finding(run, RULES["fold-variation_is_real"], letters.templates()["fold"], METRICS[0])
    facts = claims.claim_facts(run, found)
    assert claims.finding_sentence(facts).startswith(
        "That is so of the range and of the variation: it is real. That it is “unwarranted” does not follow: that is a "
        "judgement. Of 100 parts"
    )
    assert "statement holds" not in " ".join(claims.finding_right(facts))


def test_chances_that_are_the_same_are_said_once(run) -> None:
    found = finding(run, RULES["rank-rank_holds"], letters.templates()["tail"], METRICS[0])
    sure = {"p_raw": 0.999, "p_adjusted": 0.998, "p_setting": 0.997}
    sure = dataclasses.replace(found, numbers={**found.numbers, **sure})
    said = claims.finding_sentences(claims.claim_facts(run, sure))[0]
    assert said.count("in 100") == 1 and "more than 99 in 100, on the raw figures and after allowing" in said


def test_a_practice_that_the_data_cannot_place_is_conceded_nothing_of_its_figure(run) -> None:
    found = placed(finding(run, RULES["any-stop_gate"], letters.templates()["tail"], METRICS[0]), "not_decidable")
    found = dataclasses.replace(found, numbers={"gates": ["suppressed"]}, arithmetic="not_checked")
    right = claims.finding_right(claims.claim_facts(run, found))
    assert right == ["Nothing here shows that the ICB is wrong. These data cannot settle it either way."]


def test_a_check_that_warns_is_said_beside_the_finding_with_what_it_means(run) -> None:
    found = finding(
        run, RULES["margin-shortfall_holds"], letters.templates()["too_low"], METRICS[1], beside=("warned",)
    )
    gate = {"gate": "atypical", "severity": "warn", "state": "failed", "detail": ""}
    facts = claims.claim_facts(run, dataclasses.replace(found, gates=(gate,)))
    assert claims.finding_beside(facts)[0].startswith("A warning from the checks. The list sets the practice apart")


def test_nothing_is_called_good_enough_where_no_direction_is_known_to_be_better(run) -> None:
    found = placed(finding(run, RULES["rank-rank_unlikely"], letters.templates()["tail"], METRICS[0]), "usual")
    facts = claims.claim_facts(run, found)
    assert facts.card is not None and facts.card.better == "unknown"
    said = f"{claims.finding_position(facts)} {' '.join(claims.finding_right(facts))}"
    assert "good enough" not in said and "settle whether the figure matters to patients" in said


# What a hostile reader found --------------------------------------------------------------------------------------


def of(run, rule: str, template: str, metric: str = METRICS[0], beside: tuple[str, ...] = (), **changed):
    """Return the facts of a finding with other numbers; a field of the claim where it has one of that name."""
    found = finding(run, RULES[rule], letters.templates()[template], metric, beside=beside)
    fields = {name: value for name, value in changed.items() if name in Claim.__dataclass_fields__}
    numbers = {name: value for name, value in changed.items() if name not in fields}
    claim = dataclasses.replace(found.claim, **fields)
    return claims.claim_facts(run, dataclasses.replace(found, claim=claim, numbers={**found.numbers, **numbers}))


def placed_like(facts: claims.ClaimFacts, **row) -> claims.ClaimFacts:
    rows = tuple({**each, **row} for each in facts.finding.rungs)
    return dataclasses.replace(facts, finding=dataclasses.replace(facts.finding, rungs=rows))


def test_arithmetic_that_is_not_so_says_where_the_tenth_ends_and_is_not_followed_by_a_denial(run) -> None:
    said = {"from_side": 697, "counted_from": "low", "in_tail": False, "cut_place": 607, "cut_value": 0.28}
    facts = of(run, "rank-rank_odds", "tail", figure=None, **said)
    assert claims.finding_arithmetic(facts) == (
        "Not so as arithmetic on the published figures: 697th lowest of 6,067; the lowest tenth ends at the 607th, "
        "28.0% of appointments."
    )
    assert "Nothing here shows that the ICB is wrong" not in " ".join(claims.finding_right(facts))
    right = of(run, "rank-rank_odds", "tail", figure=None, **{**said, "from_side": 190, "in_tail": True})
    assert claims.finding_arithmetic(right).startswith("True as arithmetic on the published figures: 190th lowest of")
    assert "Nothing here shows that the ICB is wrong" in " ".join(claims.finding_right(right))


@pytest.mark.parametrize("beside", ["figure_differs", "first_figure_far", "place_differs", "of_differs"])
def test_nothing_printed_that_disagrees_is_followed_by_a_denial(run, beside: str) -> None:
    facts = of(run, "rank-rank_odds", "tail", beside=(beside,))
    assert "Nothing here shows that the ICB is wrong" not in " ".join(claims.finding_right(facts))


def test_a_figure_that_is_right_is_not_called_wrong_for_a_place_that_is(run) -> None:
    facts = of(run, "rank-rank_odds", "tail", in_tail=False, figure_right=True, counted_from="low")
    facts = dataclasses.replace(facts, finding=dataclasses.replace(facts.finding, arithmetic="wrong"))
    said = claims.finding_arithmetic(facts)
    assert "Not so as arithmetic" in said and "is what the data give" in said and "is not what" not in said


def test_too_few_never_goes_without_what_could_not_be_checked(run) -> None:
    beside = ("warned", "outside_fit", "coverage_not_checked")
    facts = of(run, "margin-shortfall_holds", "too_low", METRICS[1], beside)
    caveats = claims.finding_caveats(facts)
    assert caveats[0] == "Whether all of its appointments are in the file could not be checked."
    assert caveats[1] == "Whether that is “too few” is a judgement, which figures cannot make."
    assert caveats[2].startswith("Its list is unlike those it is compared with") and "left out of the fit" in caveats[2]
    said = claims.finding_sentences(facts)
    first = said.index(caveats[0])
    assert said[first : first + 3] == caveats and said[first + 3 :] == [claims_facts.NOT_WHY]
    assert all(text in claims.finding_short(facts) for text in caveats)
    assert not set(caveats) & set(claims.finding_beside(facts))


def test_a_line_of_the_boards_own_stands_inside_the_finding_that_holds(run) -> None:
    beside = ("many_on_that_side", "threshold_is_the_boards_own")
    holds, not_so = (of(run, f"threshold-threshold_{end}", "rag_red", beside=beside) for end in ("holds", "unlikely"))
    assert "No national target at this line is known here" in claims.finding_sentence(holds)
    assert "71 in 100 practices in England are on the same side" in claims.finding_sentence(holds)
    assert claims.finding_beside(holds) == [] and len(claims.finding_beside(not_so)) == 2


def test_a_difference_that_counts_alone_call_significant_is_conceded(run) -> None:
    facts = of(run, "significant-within_chance", "significant", z_counts=-14.2)
    said = " ".join(claims.finding_right(facts))
    assert "By the usual test of counts alone the difference is statistically significant." in said
    for other in ({"z_counts": -1.9}, {"z_counts": 14.2}, {"z_counts": None}):
        facts = of(run, "significant-within_chance", "significant", **other)
        assert "counts alone" not in " ".join(claims.finding_right(facts))
    holds = of(run, "significant-more_than_chance", "significant", z_counts=-14.2)
    assert "counts alone" not in " ".join(claims.finding_right(holds))


def test_what_widens_an_interval_is_named_with_the_months_it_was_seen_in(run) -> None:
    moved = dict.fromkeys(("used",), True) | {"first": "2025-04", "second": "2025-05..2026-03"}
    analysis = dataclasses.replace(run.analyses[METRICS[0]], passing=pd.DataFrame([moved]))
    known = dataclasses.replace(run, analyses={**run.analyses, METRICS[0]: analysis})
    facts = of(known, "significant-within_chance", "significant", z_counts=-14.2)
    assert "estimated from how April 2025 and May 2025 to March 2026 differ in all practices." in " ".join(
        claims.finding_right(facts)
    )
    assert "95% interval for sampling and passing movement: " in claims.finding_sentence(facts)


@pytest.mark.parametrize("name", RULES)
def test_every_interval_says_what_it_allows_for(run, name: str) -> None:
    rule = RULES[name]
    for template, metric in itertools.product(templates_of(rule.test), METRICS):
        facts = claims.claim_facts(run, finding(run, rule, template, metric))
        for said in every_sentence(facts):
            assert said.count("95% interval") == said.count("95% interval for sampling"), said


def test_places_in_england_and_in_its_own_board_are_conceded(run) -> None:
    there = {"england_from_side": 190, "england_ranked": 6067, "icb_from_side": 4, "icb_ranked": 331}
    facts = of(run, "margin-shortfall_not_shown", "below_mean", counted_from="low", **there)
    assert "By the raw figure it is 190th lowest of 6,067 in England and 4th lowest of 331 in its own ICB." in " ".join(
        claims.finding_right(facts)
    )
    facts = of(run, "significant-within_chance", "significant", counted_from="high", **{**there, "icb_from_side": 1})
    assert "190th highest of 6,067 in England and the highest of 331 in its own ICB" in " ".join(
        claims.finding_right(facts)
    )
    facts = of(run, "rank-rank_holds", "tail", counted_from="low", **there)
    said = " ".join(claims.finding_right(facts))
    assert said.count("190th lowest of 6,067") == 1 and "By the raw figure it is 4th lowest of 331" in said


def test_an_average_is_given_as_that_of_all_together_and_as_a_plain_mean(run) -> None:
    means = {"comparator_pooled": 0.412, "comparator_mean": 0.398}
    said = claims.finding_sentence(of(run, "margin-shortfall_holds", "below_mean", **means))
    assert (
        "The figure of all practices in England together is 41.2% of appointments; their plain mean is 39.8% of "
        "appointments."
    ) in said
    assert "plain mean" not in claims.finding_sentence(of(run, "margin-shortfall_holds", "too_low", **means))


def test_differences_are_those_of_the_figures_printed(run) -> None:
    facts = of(run, "margin-shortfall_holds", "below_mean", difference=-0.19266, difference_lower=-0.22)
    facts = placed_like(facts, value=0.22846, centre=0.42114)
    assert "19.3 percentage points lower than the middle of practices in England, 22.8 beside 42.1" in (
        claims.finding_sentence(facts)
    )
    facts = placed_like(
        of(run, "margin-shortfall_holds", "below_mean", difference=-0.19249), value=0.22846, centre=0.42095
    )
    assert "19.3 percentage points lower" in claims.finding_sentence(facts)  # 42.1 less 22.8, though 19.25 itself
    other = placed_like(of(run, "margin-shortfall_holds", "below_mean", difference=-0.081), value=0.3, centre=0.5)
    assert "8.1 percentage points lower" in claims.finding_sentence(other)  # a row of another comparison
    rose = of(run, "change-change_other_side", "change", change=0.1627, before=0.2936, after=0.4563)
    assert "rose by 16.2 percentage points" in claims.finding_sentence(rose)


def test_a_margin_is_named_with_its_value_at_each_rung(run) -> None:
    facts = of(run, "margin-shortfall_holds", "too_low", METRICS[1], margin=0.0478)
    facts = placed_like(facts, centre=0.249, exceeds_margin=True, difference=-0.138)
    assert (
        "beyond the margin of the measure: 48 appointments per 1,000 patients a month on the raw figures, 25 "
        "after allowing for patients"
    ) in claims.finding_sentence(facts)
    assert (
        "after allowing for patients it is more than 25 appointments per 1,000 patients a month, the margin"
        in " ".join(claims.finding_right(facts))
    )


def test_a_gap_within_the_margin_is_said_to_be_there(run) -> None:
    said = claims.finding_sentence(
        of(
            run,
            "margin-less_than_margin",
            "below_mean",
            difference=-0.02,
            difference_lower=-0.03,
            difference_upper=-0.01,
        )
    )
    assert said.startswith(
        "The practice is below the middle, and that is beyond chance, but by less than 5.0 percentage points"
    )
    may_be = of(
        run, "margin-less_than_margin", "below_mean", difference=0.02, difference_lower=-0.01, difference_upper=0.04
    )
    assert claims.finding_sentence(may_be).startswith(
        "The practice is above the middle, though that may be chance, but"
    )


def test_a_place_in_a_league_table_is_set_beside_what_lasts_of_it(run) -> None:
    table = {"from_side": 4, "ranked": 331, "among": 326, "rank_lower": 1, "rank_upper": 23, "tail": 0.25}
    facts = of(run, "rank-rank_holds", "league_place", place=4, of=331, counted_from="low", figure=None, **table)
    assert claims.finding_sentences(facts)[0] == (
        "4th is right as arithmetic; what lasts is a place between 1st and 23rd lowest of 326, in the lowest quarter, "
        "95 times in 100."
    )
    assert claims.finding_arithmetic(facts) == "True as arithmetic on the published figures: 4th lowest of 331."
    wrong = of(run, "rank-rank_holds", "league_place", place=6, of=340, counted_from="low", figure=None, **table)
    assert claims.finding_arithmetic(wrong) == (
        "Not so as arithmetic on the published figures: 4th lowest of 331; the letter has 6th lowest of 340."
    )
    tied = of(run, "rank-rank_holds", "league_place", place=6, of=331, counted_from="low", figure=None, tied=3, **table)
    assert claims.finding_arithmetic(tied).startswith("True as arithmetic")


def test_a_share_of_the_gap_says_on_which_scale_it_is(run) -> None:
    facts = of(
        run, "margin-shortfall_goes_with_patients", "below_mean", explained_share=0.68, explained_share_shown=0.58
    )
    assert claims.finding_sentence(facts).startswith(
        "About 68% of the raw gap is also seen with similar patients, on the scale of odds on which practices are "
        "judged (58% of it in percentage points)."
    )
    rate = of(run, "margin-shortfall_goes_with_patients", "below_mean", METRICS[1], explained_share=0.68)
    assert "on the scale of ratios on which practices are judged. " in claims.finding_sentence(rate)


def test_no_right_share_is_said_where_no_direction_is_known(run) -> None:
    facts = of(run, "rank-rank_holds", "tail", beside=("no_known_direction",))
    assert claims.finding_beside(facts) == [
        "No right share is known: a lower one does not by itself mean less good care."
    ]


def test_a_period_that_is_what_is_left_of_a_longer_one_is_said_to_be(run) -> None:
    derived = [["2025-05..2026-03", "2025-04..2026-03", "2025-04"]]
    facts = of(run, "change-change_holds", "change", beside=("period_derived",), derived=derived)
    assert claims.finding_beside(facts) == [
        "The figures of May 2025 to March 2026 are those of April 2025 to March 2026 less those of April 2025."
    ]


def test_a_warning_names_what_it_touches(run) -> None:
    analysis = run.analyses[METRICS[0]]
    meta = {**analysis.meta, "covariates": {"M1": ["age_sex"], "M2": ["age_sex", "rurality"]}}
    known = dataclasses.replace(run, analyses={METRICS[0]: dataclasses.replace(analysis, meta=meta)})
    gate = {
        "gate": "covariate_old",
        "severity": "warn",
        "state": "failed",
        "detail": "rurality: 25 months before the period",
    }
    facts = of(known, "rank-rank_holds", "tail", beside=("warned",))
    facts = dataclasses.replace(facts, finding=dataclasses.replace(facts.finding, gates=(gate,)))
    assert claims.finding_beside(facts) == [
        "A warning from the checks. What is known of rurality was recorded 25 months before the period. It is used "
        "only where setting is allowed for too; that then does less than it should."
    ]
    assert claims.finding_gates(facts).startswith(
        "**1 warning.** From the check “characteristics of the right date” (rurality"
    )


def test_no_checks_are_spoken_of_where_nothing_was_analysed(run) -> None:
    facts = of(run, "any-not_analysed", "tail")
    facts = dataclasses.replace(facts, run=dataclasses.replace(run, analyses={}))
    assert claims.finding_gates(facts) == ""


def test_a_change_the_other_way_is_conceded_as_a_change_and_as_nothing_more(run) -> None:
    facts = of(run, "change-change_other_side", "change", change=0.162, before=0.294, after=0.456, figure=None)
    assert claims.finding_sentence(facts).startswith("The practice's figure rose by 16.2 percentage points")
    assert "; the letter says that it fell. That is beyond chance." in claims.finding_sentence(facts)
    assert claims.finding_right(facts) == ["The figure did change, by 16.2 percentage points."]


@pytest.mark.parametrize("template", ["change", "no_improvement", "worst_improved"])
def test_a_position_in_one_period_is_not_set_beside_a_change(run, template: str) -> None:
    rule = next(name for name in RULES if name.startswith(f"{letters.templates()[template].test}-"))
    assert claims.finding_position(of(run, rule, template)) == ""


def test_a_group_chosen_for_being_far_out_is_said_to_do_so_anyhow(run) -> None:
    parts = {"group_before": 0.201, "group_after": 0.241, "group_change": 0.04, "expected_change": 0.024,
             "given_back": 0.029, "england_change": -0.0044}  # fmt: skip
    said = claims.finding_sentence(of(run, "worst_improved-regression_to_the_mean", "worst_improved", **parts))
    assert said.startswith("Any group chosen for being far out would have done so. The mean of the 10 practices rose")
    assert "a return of about 2.9 towards the middle, and a fall of about 0.4 that all practices share." in said


def test_what_a_count_of_reds_rests_on_is_in_the_sentence_itself(run) -> None:
    both = of(
        run, "many-red_within_chance", "many_red", beside=("red_share_assumed", "correlation_assumed"), correlation=0.3
    )
    assert claims.finding_sentences(both)[0].endswith(
        ", if 5 in 100 practices are red on each and indicators go together by 0.30, both assumed."
    )
    first = of(run, "many-red_within_chance", "many_red", beside=("red_share_assumed",))
    assert claims.finding_sentences(first)[0].endswith("go together by 0.62, the first assumed.")
    neither = of(run, "many-red_within_chance", "many_red")
    assert "assumed" not in claims.finding_sentences(neither)[0]


def test_a_sentence_on_being_exceptional_needs_another_period_to_change(run) -> None:
    changed = claims.finding_change(of(run, "outlier-not_exceptional", "outlier"))
    assert changed == ["Figures of another period that lie outside those limits."]


def test_how_far_out_is_said_in_words_and_not_in_units(run) -> None:
    said = claims.finding_sentence(
        of(run, "outlier-not_exceptional", "outlier", z_raw=1.8, z_adjusted=1.3, z_setting=1.3)
    )
    assert said.startswith(
        "Its distance from the middle is 1.8 times the usual spread of practices on the raw figures, 1.3 times after "
        "allowing for patients and 1.3 times after allowing for setting too; the 99.8% limits lie at 3.1 times."
    )


def test_what_letter_and_data_have_answered_is_not_asked_again(run) -> None:
    every = dataclasses.replace(
        of(run, "rank-rank_holds", "tail").finding, disclose=("definition", "period", "comparator", "adjustment")
    )
    asked = claims.finding_ask(claims.claim_facts(run, every))
    assert asked == [letters.questions()["adjustment"].question]
    bare = dataclasses.replace(every.claim, comparator="", period="")
    wrong = dataclasses.replace(every, claim=bare, arithmetic="wrong")
    assert len(claims.finding_ask(claims.claim_facts(run, wrong))) == 4
    only = dataclasses.replace(every, disclose=("period",))
    assert claims.finding_ask(claims.claim_facts(run, only)) == [letters.questions()["period"].question]


@pytest.mark.parametrize("template", ["tail", "worst_improved"])
@pytest.mark.parametrize(
    ("rule", "said"), [("threshold-threshold_not_given", "none or all of them"), ("many-many_not_counted", "can be")]
)
def test_a_part_or_a_place_that_cannot_be_is_not_spoken_of_as_a_line_or_as_reds(run, template, rule, said) -> None:
    text = claims.finding_sentence(of(run, rule, template))
    assert said in text and "red" not in text and "line" not in text and "target" not in text


def test_a_range_is_quoted_as_the_letter_prints_it(run) -> None:
    facts = of(run, "fold-variation_is_real", "fold", figure=Figure("8-fold", 8.0, 0), fold=8.0, fold_now=7.7)
    assert claims.finding_arithmetic(facts) == (
        "True as arithmetic on the published figures: the highest figure is 7.7 times the lowest; the letter has "
        r"“8\-fold”."
    )
    assert "8 times the lowest in the letter and 7.7 times in these data" in claims.finding_sentence(facts)


def test_checks_of_single_practices_are_not_denied_of_an_area(run) -> None:
    facts = of(run, "fold-variation_is_real", "fold")
    facts = dataclasses.replace(facts, finding=dataclasses.replace(facts.finding, gates=()))
    assert claims.finding_gates(facts) == "**No check of the figures as a whole failed.**"
