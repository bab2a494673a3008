"""What each operator of text2sql must do, as cases."""

from __future__ import annotations

import math

from text2sql_databases import DATABASES

from dataflow.operators.text2sql.data_set import (
    DatabaseSplitGenerator,
    SQLDeduplicateFilter,
    Text2SQLDatasetEvaluator,
)
from dataflow.operators.text2sql.difficulty import SQLComponentClassifier, SQLExecutionClassifier
from dataflow.operators.text2sql.filters import SQLExecutabilityFilter, SQLExecutionFilter, SQLResultFilter
from dataflow.operators.text2sql.formats import Text2SQLMessagesGenerator, Text2SQLSpiderGenerator
from dataflow.operators.text2sql.generate import SQLByColumnGenerator, SQLGenerator, SQLVariationGenerator
from dataflow.operators.text2sql.questions import Text2SQLCorrespondenceFilter, Text2SQLQuestionGenerator
from dataflow.operators.text2sql.reasoning import (
    Text2SQLCoTGenerator,
    Text2SQLCoTVotingGenerator,
    Text2SQLPromptGenerator,
)
from dataflow.testing import FAILED, Case, ScriptedServing, keeps, maps

CUPS = "SELECT name FROM product WHERE price < 10"
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"


def fence(sql: str, said: str = "So:") -> str:
    return f"{said}\n```sql\n{sql}\n```"


def written(*answers: str | None, each: int | None = None) -> SQLGenerator:
    return SQLGenerator(ScriptedServing(*answers), DATABASES, len(answers) // 2 if each is None else each)


GENERATE = [
    Case(
        written(fence("SELECT 1;"), "no SQL here", f"{fence('SELECT 2')}\nor better\n```SQL\nSELECT 3\n```", None),
        [],
        [{"SQL": "SELECT 1", "db_id": "city-zoo"}, {"SQL": "SELECT 3", "db_id": "city-zoo"}],
        failed=2,
    ),
    Case(
        written("```\nWITH a AS (SELECT 1) SELECT * FROM a\n```", "SELECT 5;", "```python\nprint(1)\n```", "<think>```sql\nSELECT 6\n```</think>```sql\nSELECT 7\n```"),
        [],
        [{"SQL": "WITH a AS (SELECT 1) SELECT * FROM a"}, {"SQL": "SELECT 5"}, {"SQL": "SELECT 7"}],
        failed=1,
    ),
    Case(
        SQLByColumnGenerator(ScriptedServing(fence("SELECT 1")), DATABASES, 1),
        [],
        [{"SQL": "SELECT 1", "db_id": "city-zoo"}] * 3 + [{"SQL": "SELECT 1", "db_id": "shop"}] * 8,
    ),
    Case(
        SQLVariationGenerator(ScriptedServing(by={"WHERE price": fence("SELECT 8"), "legs": "none", "kind": None}), DATABASES, 2),
        [
            {"SQL": CUPS, "db_id": "shop", "question": "What is cheap?", "note": "a"},
            {"SQL": "SELECT legs FROM animal", "db_id": "city-zoo", "question": None, "note": "b"},
            {"SQL": CUPS, "db_id": "nowhere", "question": None, "note": "c"},
            {"SQL": None, "db_id": "shop", "question": None, "note": "d"},
        ],
        [{"SQL": "SELECT 8", "db_id": "shop", "question": None, "evidence": None, "note": "a"}] * 2,
        failed=2,
        dropped=1,
    ),
    Case(
        SQLVariationGenerator(ScriptedServing(fence("SELECT 8")), DATABASES, 1, keep_original=True),
        [{"SQL": CUPS, "db_id": "shop", "question": "What is cheap?", "evidence": "below 10"}],
        [
            {"SQL": CUPS, "sql_variation_type": None, "question": "What is cheap?", "evidence": "below 10"},
            {"SQL": "SELECT 8", "question": None, "evidence": None},
        ],
    ),
    Case(
        SQLVariationGenerator(ScriptedServing(fence("select 8\n;")), DATABASES, 2),
        [{"SQL": "SELECT  8", "db_id": "shop"}, {"SQL": "SELECT 9", "db_id": "shop"}],
        [{"SQL": "select 8"}] * 2,
        failed=1,
    ),
]  # fmt: skip


def tagged(question: str, knowledge: str = "", explanation: str = "It lists.") -> str:
    told = f"[EXTERNAL-KNOWLEDGE-START]\n{knowledge}\n[EXTERNAL-KNOWLEDGE-END]" if knowledge else ""
    return f"[EXPLANATION-START]\n{explanation}\n[EXPLANATION-END]\n[QUESTION-START]\n{question}\n[QUESTION-END]\n{told}"


class Placed(ScriptedServing):
    """Embeds a text where its first digit says: 1 and 2 lie side by side, 9 far off."""

    async def embed(self, texts, scope):  # type: ignore[no-untyped-def]
        self.embedded = list(texts)
        return [[math.cos(a), math.sin(a)] for a in (int(t[-1]) / 6 for t in texts)]


QUESTIONS = [
    Case(
        Text2SQLQuestionGenerator(Placed(*map(tagged, ("q 9", "q 1", "q 2", "q 3"))), Placed(), DATABASES, 4),
        [{"SQL": CUPS, "db_id": "shop"}],
        [{"question": "q 3", "evidence": ""}],
    ),
    Case(
        Text2SQLQuestionGenerator(
            ScriptedServing("[QUESTION-START]no explanation[QUESTION-END]", tagged("Which are cheap?", "below 10")), None, DATABASES, 2
        ),
        [
            {"SQL": CUPS, "db_id": "shop", "question": ""},
            {"SQL": CUPS, "db_id": "shop", "question": "There already?"},
            {"SQL": None, "db_id": "shop", "question": None},
            {"SQL": CUPS, "db_id": "nowhere", "question": None},
        ],
        [
            {"question": "Which are cheap?", "evidence": "below 10"},
            {"question": "There already?", "evidence": None, "question_type": None},
            {"question": None, "evidence": None, "question_type": None},
        ],
        failed=1,
    ),
    Case(
        Text2SQLQuestionGenerator(ScriptedServing(tagged("Q?"), tagged("", "k"), tagged("Q?", explanation=" "), "Q?", None), None, DATABASES, 1),
        [{"SQL": CUPS, "db_id": "shop"}] * 5,
        [{"question": "Q?"}],
        failed=4,
    ),
    Case(
        Text2SQLCorrespondenceFilter(
            ScriptedServing(
                "fits\n```\nYES\n```", "```\nNo: not all\n```", "Conclusion: YES", "```\nYES or NO\n```\nNO", "maybe", None,
                '{"finds": "cups", "asked": "cups, yes", "difference": "none", "answers": true}',
                '{"finds": "yes", "asked": "cups", "difference": "no cups", "answers": false}',
            ),
            DATABASES,
        ),
        [{"SQL": CUPS, "db_id": "shop", "question": f"q{n}", "evidence": math.nan} for n in range(8)]
        + [{"SQL": CUPS, "db_id": "shop", "question": " ", "evidence": math.nan}, {"SQL": None, "db_id": "shop", "question": "q", "evidence": math.nan}],
        [{"question": "q0"}, {"question": "q2"}, {"question": "q6"}],
        failed=2,
        dropped=5,
    ),
]  # fmt: skip

PROMPT = "prompt"
REASONING = [
    Case(
        Text2SQLPromptGenerator(DATABASES),
        [
            {"question": "Which?", "db_id": "shop", "evidence": math.nan},
            {"question": None, "db_id": "shop", "evidence": None},
            {"question": "Which?", "db_id": "nowhere", "evidence": None},
        ],
        [{"question": "Which?"}, {"question": None, PROMPT: None}],
        failed=1,
    ),
    Case(
        Text2SQLCoTGenerator(ScriptedServing("a", "b", None), DATABASES, sampling_num=2),
        [{"SQL": CUPS, "question": "Which?", "db_id": "shop", "evidence": e} for e in (math.nan, None)],
        [{"cot_responses": ["a", "b"]}],
        failed=1,
    ),
]  # fmt: skip


def voted(
    answers: list[str] | None, gold: str | None, gives: str | None, votes: int | None = None, **how: int
) -> Case:
    row = {"cot_responses": answers, "db_id": "shop", "SQL": gold}
    keys = {"output_votes_key": "votes"} | ({"input_sql_key": "SQL"} if gold else {})
    made = [{"cot_reasoning": gives, "votes": votes}] if not how else []
    return Case(Text2SQLCoTVotingGenerator(DATABASES), [row], made, keys, **how)  # type: ignore[arg-type]


ALIASED = "SELECT p.name AS article FROM product p WHERE p.price < 10"
ALL, NONE, FAULT = (
    "SELECT name FROM product",
    "SELECT name FROM product WHERE price > 99",
    "SELECT nope FROM product",
)
VOTES = [
    voted([fence(ALL), fence(CUPS), fence(CUPS)], None, fence(CUPS), 2),
    voted([fence(FAULT), fence(ALL)], None, fence(ALL), 1),
    voted([fence(CUPS), fence(ALL)], None, fence(ALL), 1),  # no two agree: the shortest
    voted([fence(NONE), fence("SELECT 1 WHERE 0"), fence(ALL)], None, fence("SELECT 1 WHERE 0"), 1),  # empty ones do not agree
    voted([fence(FAULT), "none"], None, None, dropped=1),
    voted([], None, None, dropped=1),
    voted(None, None, None),
    voted([fence(ALL), fence(ALL), fence(ALIASED)], CUPS, fence(ALIASED), 1),
    voted([fence(ALL)], CUPS, None, dropped=1),
    voted([fence(ALL)], FAULT, None, dropped=1),
    Case(
        Text2SQLCoTVotingGenerator(DATABASES),
        [{"cot_responses": [fence(ALL)], "db_id": "nowhere"}, {"cot_responses": [fence(ALL)], "db_id": "shop"}],
        [{"cot_reasoning": fence(ALL)}],
        failed=1,
    ),
]  # fmt: skip

CLASSES = {
    "SELECT name FROM product": "easy",
    "SELECT MIN(name) FROM product": "easy",  # no IN inside of a word
    "SELECT name FROM product WHERE kind = 'in or like (select'": "easy",
    "SELECT p.name, COUNT(*) FROM product p JOIN sale s ON s.product_id = p.id GROUP BY p.name": "medium",
    "SELECT name FROM product WHERE id NOT IN (SELECT product_id FROM sale)": "hard",
    "SELECT name FROM product WHERE price > (SELECT AVG(price) FROM product) AND kind = 'x' UNION SELECT name FROM product": "extra",
    None: None,
    "SELECT FROM WHERE": FAILED,
}
DIFFICULTY = [
    maps(SQLComponentClassifier(), CLASSES),
    maps(
        SQLComponentClassifier([0, 2], ["plain", "some", "much"]),
        {
            "SELECT MIN(name) FROM product": "plain",
            "SELECT name, price FROM product ORDER BY price": "some",
            "SELECT name, price FROM product WHERE id IN (SELECT product_id FROM sale) ORDER BY price LIMIT 3": "much",
        },
    ),
    Case(
        SQLExecutionClassifier(
            ScriptedServing(by=lambda p: {"right": fence(ALIASED), "wrong": fence(ALL), "void": "I cannot", "lost": None}[p]),
            DATABASES, 2, [0, 1], ["hard", "medium", "easy"],
        ),
        [
            {"db_id": "shop", "SQL": CUPS, "prompt": "right"},
            {"db_id": "shop", "SQL": CUPS, "prompt": "wrong"},
            {"db_id": "shop", "SQL": CUPS, "prompt": "void"},
            {"db_id": "shop", "SQL": CUPS, "prompt": "lost"},
            {"db_id": "shop", "SQL": FAULT, "prompt": "right"},
            {"db_id": "nowhere", "SQL": CUPS, "prompt": "right"},
            {"db_id": "city-zoo", "SQL": 'SELECT "common name" FROM animal', "prompt": "right"},
            {"db_id": "shop", "SQL": None, "prompt": "right"},
        ],
        [
            {"sql_execution_difficulty": "easy", "right": 2},
            {"sql_execution_difficulty": "hard", "right": 0},
            {"sql_execution_difficulty": "hard", "right": 0},
            {"sql_execution_difficulty": "gold error", "right": None},
            {"sql_execution_difficulty": "hard", "right": 0},
            {"sql_execution_difficulty": None, "right": None},
        ],
        {"output_correct_key": "right"},
        failed=2,
    ),
]  # fmt: skip

SHOP_QUERIES = [
    (s, "shop")
    for s in (
        CUPS,
        NONE,
        FAULT,
        "DELETE FROM sale",
        "WITH a AS (SELECT 1) DELETE FROM sale",
        "",
        None,
    )
]
FILTERS = [
    keeps(SQLExecutionFilter(DATABASES), SHOP_QUERIES, [(CUPS, "shop"), (NONE, "shop")]),
    keeps(SQLExecutabilityFilter(DATABASES), [*SHOP_QUERIES, (ENDLESS, "shop")], [(CUPS, "shop"), (NONE, "shop"), (ENDLESS, "shop")]),
    # what is said of it hangs on the load of the machine, so no page shows it
    keeps(SQLExecutionFilter(DATABASES), [(ENDLESS, "shop"), (CUPS, "shop")], [(CUPS, "shop")], shown=False),
    keeps(SQLResultFilter(DATABASES), [*SHOP_QUERIES, ("SELECT price FROM product WHERE id = 4", "shop")], [(CUPS, "shop")]),
    keeps(SQLResultFilter(DATABASES, 2, 3), [(CUPS, "shop"), (ALL, "shop"), ("SELECT id FROM sale", "shop")], [("SELECT id FROM sale", "shop")]),
    Case(
        SQLExecutionFilter(DATABASES),
        [{"SQL": "SELECT 1", "db_id": d} for d in ("shop", "nowhere", "city-zoo", None)],
        [{"db_id": "shop"}, {"db_id": "city-zoo"}],
        failed=1,
        dropped=1,
    ),
    keeps(
        SQLDeduplicateFilter(),
        [(CUPS, "shop"), (ALIASED, "shop"), ("select NAME from product where 10 > price;", "shop"), (CUPS, "city-zoo"), ("SELECT", "shop"), (" SELECT ", "shop"), (None, "shop"), (None, "shop")],
        [(CUPS, "shop"), (CUPS, "city-zoo"), ("SELECT", "shop"), (None, "shop"), (None, "shop")],
    ),
]  # fmt: skip

SETS = [
    Case(
        Text2SQLMessagesGenerator(system_prompt="You know SQL."),
        [{"prompt": "p", "SQL": "SELECT 1", "cot": "Think."}, {"prompt": "p", "SQL": "SELECT 1", "cot": None}, {"prompt": None, "SQL": "x", "cot": "y"}],
        [
            {"messages": [{"role": "system", "content": "You know SQL."}, {"role": "user", "content": "p"}, {"role": "assistant", "content": "Think."}]},
            {"messages": [{"role": "system", "content": "You know SQL."}, {"role": "user", "content": "p"}, {"role": "assistant", "content": "```sql\nSELECT 1\n```"}]},
            {"messages": None},
        ],
        {"input_cot_key": "cot"},
    ),
    Case(
        Text2SQLSpiderGenerator(),
        [{"db_id": "shop", "question": "Who's cheap?", "SQL": "SELECT name FROM product WHERE price < 4.5", "e": math.nan}],
        [{"spider": {
            "db_id": "shop", "question": "Who's cheap?", "question_toks": ["Who's", "cheap", "?"],
            "query": "SELECT name FROM product WHERE price < 4.5",
            "query_toks": ["SELECT", "name", "FROM", "product", "WHERE", "price", "<", "4.5"],
            "query_toks_no_value": ["select", "name", "from", "product", "where", "price", "<", "value"],
        }}],
        {"input_evidence_key": "e"},
    ),
    Case(
        DatabaseSplitGenerator(dev_share=0.3),
        [{"db_id": d} for d in ("a", "a", "b", "a", None, "a", "b")],
        [{"split": s} for s in ("train", "train", "dev", "train", None, "train", "dev")],
    ),
    Case(
        Text2SQLDatasetEvaluator(),
        [{"SQL": CUPS, "db_id": "shop"}, {"SQL": None, "db_id": None}, {"SQL": "SELECT", "db_id": "shop"}],
        [{"SQL": CUPS, "db_id": "shop"}, {"SQL": None, "db_id": None}, {"SQL": "SELECT", "db_id": "shop"}],
    ),
]  # fmt: skip

CASES = [*GENERATE, *QUESTIONS, *REASONING, *VOTES, *DIFFICULTY, *FILTERS, *SETS]
