"""Scores of texts, the filters made of them, languages, and what is taken out of texts."""

from __future__ import annotations

from dataflow.operators.general_text.entities import (
    NERRefiner,
    PIIAnonymizeRefiner,
    PresidioFilter,
    PresidioSampleEvaluator,
)
from dataflow.operators.general_text.language import (
    LanguageFilter,
    LanguageSampleEvaluator,
    LLMLanguageFilter,
)
from dataflow.operators.general_text.lexical_diversity import (
    LexicalDiversityFilter,
    LexicalDiversitySampleEvaluator,
)
from dataflow.operators.general_text.ngram import NgramFilter, NgramSampleEvaluator
from dataflow.operators.general_text.perspective import PerspectiveFilter, PerspectiveSampleEvaluator
from dataflow.operators.general_text.pii import PIIRefiner
from dataflow.operators.general_text.readability import LangkitFilter, LangkitSampleEvaluator
from dataflow.operators.general_text.references import BleuSampleEvaluator, CiderSampleEvaluator
from dataflow.testing import FAILED, Case, ScriptedServing, keeps, maps, replies

ENGLISH = "The weather was fine this morning, so we walked along the river to the old mill."
GERMAN = "Heute Morgen war das Wetter schön, also gingen wir am Fluss entlang zur alten Mühle."
CHINESE = "今天早上天气很好，所以我们沿着河走到了老磨坊。"
DISTINCT = " ".join(f"word{i}" for i in range(60))
REPEATED = "again " * 200
PERSONAL = "My name is John Smith, write to john@acme.co.uk or call 212-555-0123."
SIMPLE = "The cat sat on the mat."
PROSE = (
    "The old railway station had been closed for many years before a group of volunteers decided to restore it. "
    "They repaired the roof, painted the walls, and opened a small museum about the history of the valley."
)
SECRET = "sk-" + "a1B2" * 8

NGRAMS = [
    maps(
        NgramSampleEvaluator(ngrams=2),
        {
            "a b c d": 1.0,
            "a b a b": 2 / 3,
            "A, b! a (B)": 2 / 3,
            "don't dont": 1.0,
            "a a a a a": 0.25,
            "one": 1.0,
            "... !!!": 0.0,
            "": 0.0,
            None: None,
        },
    ),
    maps(NgramSampleEvaluator(), {"ha ha ha": 1.0, "a b c d e a b c d e a": 5 / 7}),
    maps(NgramSampleEvaluator(2, "zh"), {"哈哈 哈哈。": 1 / 3, "今天天气": 1.0, None: None}),
    keeps(NgramFilter(ngrams=1), ["a b c d e", "a b c d d", "a a a", "short", "", None], ["a b c d e", "a b c d d", "short"]),
    Case(
        NgramFilter(0.5, 0.9, 1),
        [{"t": "a a b c"}, {"t": "a b"}],
        [{"t": "a a b c", "s": 0.75}],
        {"input_key": "t", "output_key": "s"},
        dropped=1,
    ),
]  # fmt: skip

DIVERSITY = [
    maps(
        LexicalDiversitySampleEvaluator(),
        {
            DISTINCT: (1008.0, 1.0),
            "only a few words": (None, None),
            "": (None, None),
            None: (None, None),
        },
    ),
    keeps(
        LexicalDiversityFilter(),
        [DISTINCT, REPEATED, "only a few words", "", None],
        [DISTINCT, "only a few words", ""],
    ),
    keeps(LexicalDiversityFilter(), ["all", "are short"], ["all", "are short"]),
    keeps(LexicalDiversityFilter({"hdd": 1.5}, {}), [DISTINCT, REPEATED], []),
    keeps(LexicalDiversityFilter({}, {}), [DISTINCT, REPEATED], [DISTINCT, REPEATED]),
    keeps(
        LexicalDiversityFilter({"mtld": 50, "hdd": 2}),
        [DISTINCT, REPEATED],
        [DISTINCT],
        output_keys=["mtld"],
    ),
]

READABILITY = [
    Case(
        LangkitSampleEvaluator(),
        [{"raw_content": SIMPLE}, {"raw_content": ""}, {"raw_content": None}],
        [
            {
                "LangkitLexiconCountScore": 6,
                "LangkitSentenceCountScore": 1,
                "LangkitSyllableCountScore": 6,
                "LangkitMonosyllableCountScore": 6,
                "LangkitPolysyllableCountScore": 0,
                "LangkitCharacterCountScore": 18,
                "LangkitLetterCountScore": 17,
                "LangkitDifficultWordsScore": 0,
            },
            {"LangkitLexiconCountScore": 0, "LangkitFleschReadingEaseScore": 0.0},
            {"LangkitLexiconCountScore": None, "LangkitFleschReadingEaseScore": None},
        ],
    ),
    keeps(LangkitFilter(), [PROSE, SIMPLE, "", None], [PROSE]),
    keeps(
        LangkitFilter({"lexicon_count": 6}, {"lexicon_count": 6}),
        [PROSE, SIMPLE, None],
        [SIMPLE],
        shown=False,
    ),
    keeps(LangkitFilter(metrics_to_keep=["sentence_count"]), [PROSE, SIMPLE, ""], [PROSE, SIMPLE]),
    keeps(LangkitFilter(metrics_to_keep={"sentence_count": False}), [SIMPLE, ""], [SIMPLE, ""], shown=False),
    keeps(LangkitFilter(), [SIMPLE, ""], [SIMPLE], output_keys=["sentence_count"], shown=False),
]

REFERENCES = [
    maps(
        BleuSampleEvaluator(),
        {
            ("the cat sat on the mat", "the cat sat on the mat"): 1.0,
            ("the cat", "the cat"): 1.0,
            ("the cat sat on the mat", "a dog barked"): 0.0,
            ("", "the cat"): 0.0,
            ("the cat", ""): 0.0,
            ("the cat", None): None,
            (None, "the cat"): None,
            ("the cat", ("a dog", "the cat")): 1.0,
            ("the cat", ()): None,
            ("the cat", 3): FAILED,
        },
    ),
    maps(BleuSampleEvaluator(1, special_reflen=2), {("a b", "a b c d"): 1.0}),
    maps(BleuSampleEvaluator(1, "shortest"), {("a b", ("a b", "a b c d")): 1.0}),
    Case(
        CiderSampleEvaluator(),
        [
            {"raw_content": "a white whale swims", "reference": "a white whale swims"},
            {"raw_content": "a dog", "reference": "two birds sing"},
            {"raw_content": None, "reference": "a ship"},
            {"raw_content": "a ship", "reference": None},
        ],
        [{"CiderScore": 10.0}, {"CiderScore": 0.0}, {"CiderScore": None}, {"CiderScore": None}],
    ),
    Case(
        CiderSampleEvaluator(),
        [{"raw_content": "alone", "reference": "alone"}],
        [{"CiderScore": None}],
    ),
]

LANGUAGES = [
    keeps(LanguageFilter(["en"]), [ENGLISH, GERMAN, CHINESE, "12345", "", None], [ENGLISH]),
    keeps(LanguageFilter("__label__eng_Latn"), [ENGLISH, GERMAN], [ENGLISH]),
    keeps(LanguageFilter(["deu", "zho_Hans"]), [ENGLISH, GERMAN, CHINESE], [GERMAN, CHINESE]),
    keeps(LanguageFilter(["en"], min_confidence=1.0), [ENGLISH], []),
    keeps(LanguageFilter(["en"]), [ENGLISH.replace(" ", "\n")], [ENGLISH.replace(" ", "\n")]),
    Case(
        LanguageSampleEvaluator(),
        [{"raw_content": ENGLISH}, {"raw_content": CHINESE}, {"raw_content": "12"}, {"raw_content": None}],
        [{"Language": "en"}, {"Language": "zh"}, {"Language": None}, {"Language": None}],
    ),
    replies(
        LLMLanguageFilter,
        {
            "en": "en",
            "\nEN.": "en",
            "`en-GB`": "en",
            "eng": "en",
            "English": FAILED,
            "": FAILED,
            None: FAILED,
        },
    ),
    Case(
        LLMLanguageFilter(ScriptedServing(by={"Hello": "en", "Hallo": "de", "123": "Unknown"}), "eng"),
        [{"raw_content": t} for t in ("Hello", "Hallo", "123", " ", None)],
        [{"raw_content": "Hello", "language_label": "en"}],
        dropped=4,
    ),
]

TOXICITY = [
    Case(
        PerspectiveSampleEvaluator(ScriptedServing(by={"good": "0.1", "odd": "much", "over": "1.5"})),
        [{"raw_content": t} for t in ("good", "odd", "over", "silent", " ", None)],
        [{"PerspectiveScore": 0.1}, {"PerspectiveScore": None}, {"PerspectiveScore": None}],
        failed=3,
    ),
    Case(
        PerspectiveFilter(serving=ScriptedServing(by={"good": "0.5", "bad": "0.51"})),
        [{"raw_content": t} for t in ("good", "bad", "silent", "", None)],
        [{"raw_content": "good", "PerspectiveScore": 0.5}],
        dropped=3,
        failed=1,
    ),
]

PII = [
    maps(
        PIIRefiner(),
        {
            "Mail j.o+x@acme.co.uk, or me@bücher.example.": "Mail <EMAIL>, or <EMAIL>.",
            "Call (212) 555-0123, +44 20 7946 0958 or 212.555.0187!": "Call <PHONE>, <PHONE> or <PHONE>!",
            "At 192.168.0.1:80, 2001:db8::1 or fe80::1.": "At <IP>:80, <IP> or <IP>.",
            "Card 4111 1111 1111 1111, not 4111 1111 1111 1112.": "Card <CARD>, not 4111 1111 1111 1112.",
            "IBAN DE89 3704 0044 0532 0130 00 AND GB82WEST12345698765432.": "IBAN <IBAN> AND <IBAN>.",
            "DE88 3704 0044 0532 0130 00": "DE88 3704 0044 0532 0130 00",
            "plain": "plain",
            "": "",
            None: None,
        }
        | {
            same: same
            for same in (
                "At 12:30:45 on 2024-01-15 10:30, v1.2.3, a::b, 3.14159265358979",
                "x @ y, a@b, 999.1.1.1, 1.2.3.4.5, ISBN 978-3-16-148410-0",
                "std::vector<int> and [::2]",
            )
        },
    ),
    maps(
        PIIRefiner(kinds=("api_key",)),
        {
            f"key={SECRET}": "key=<API_KEY>",
            "-----BEGIN RSA " + "PRIVATE KEY-----\nab\n-----END RSA PRIVATE KEY-----": "<API_KEY>",
        },
        shown=False,
    ),
    maps(PIIRefiner(kinds=("email",)), {"a@b.org at 10.0.0.1": "<EMAIL> at 10.0.0.1"}),
    maps(PIIRefiner(phone_region=None), {"212-555-0123": "212-555-0123", "+12125550123": "<PHONE>"}),
    maps(PIIRefiner(phone_region="gb"), {"020 7946 0958": "<PHONE>"}),
]

ENTITIES = [
    maps(
        NERRefiner(),
        {
            "Barack Obama met 1 man in Paris; 1 man in 1 hat.": "[PERSON] met [CARDINAL] man in [GPE]; [CARDINAL] man in [CARDINAL] hat.",
            "nothing here": "nothing here",
            "": "",
            None: None,
        },
    ),
    maps(
        PIIAnonymizeRefiner(),
        {
            PERSONAL: "My name is <PERSON>, write to <EMAIL_ADDRESS> or call <PHONE_NUMBER>.",
            "nothing here": "nothing here",
            None: None,
        },
    ),
    maps(PresidioSampleEvaluator(), {PERSONAL: 3, "nothing here": 0, "": 0, None: None}),
    keeps(PresidioFilter(max_score=2), [PERSONAL, "nothing here", None], ["nothing here"]),
]

CASES = [
    *NGRAMS, *DIVERSITY, *READABILITY, *REFERENCES, *LANGUAGES, *TOXICITY, *PII, *ENTITIES,
]  # fmt: skip
