"""A scripted model for Text-to-SQL that knows queries about databases, with a question for each."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

LIBRARY = {
    "SELECT name FROM author WHERE born IS NULL": "Whose year of birth is not known?",
    "SELECT genre, SUM(copies) AS n FROM book GROUP BY genre ORDER BY n DESC": "How many copies of each genre are there, most first?",
    "SELECT b.title FROM loan AS l JOIN book AS b ON b.id = l.book_id WHERE l.returned IS NULL": "Which titles are out?",
    "SELECT name FROM member WHERE id NOT IN (SELECT member_id FROM loan WHERE fine > 0)": "Who has never paid a fine?",
    "SELECT title FROM books": "Which books are there?",  # no such table
    "SELECT title FROM book WHERE pages > 9999": "Which books are endless?",  # no rows
}
HARBOUR = {
    "SELECT name FROM ship ORDER BY length_m DESC LIMIT 1": "Which ship is the longest?",
    "SELECT goods, SUM(tonnes) FROM cargo WHERE dangerous = 1 GROUP BY goods": "How many tonnes of each dangerous good came in?",
    "SELECT DISTINCT s.name FROM visit AS v JOIN ship AS s ON s.id = v.ship_id WHERE v.pilot IS NULL": "Which ships came without a pilot?",
    "SELECT COUNT(*) FROM berth WHERE depth_m > 12": "How many berths are deeper than 12 metres?",
    "SELECT name FROM ship WHERE bult > 2000": "Which ships are new?",  # no such column
}
MOVIES = {
    "SELECT Title FROM omdb WHERE Oscars > 8": "Which films won more than eight Oscars?",  # easy
    "SELECT Rating, COUNT(*) FROM omdb GROUP BY Rating": "How many films have each rating?",  # medium
    "SELECT Title FROM omdb WHERE Year = 1994 AND ID NOT IN (SELECT ID FROM tomatoes WHERE Meter > 50)": "Which films of 1994 were not liked?",
    "SELECT Title FROM omdb WHERE Runtime = (SELECT MAX(Runtime) FROM omdb)": "Which film is the longest?",  # hard
    "SELECT Title FROM omdb WHERE Oscars > 8 UNION SELECT Title FROM omdb WHERE imdbRating > 9.4 ORDER BY Title": "Which films are the most honoured?",
    "SELECT Title FROM omdb WHERE Yaer = 1994": "Which films are of 1994?",  # no such column
    "SELECT Title FROM omdb WHERE Year > 3000": "Which films are yet to come?",  # no rows
    "SELECT COUNT(*) FROM omdb AS a, omdb AS b, omdb AS c": "How many triples are there?",  # takes for ever
}
FILMS = {
    "SELECT rowid, distance FROM film_vec WHERE plot_embedding MATCH lembed('all-MiniLM-L6-v2', 'lonely at sea') AND k = 3 ORDER BY distance": "Which three films come closest to loneliness at sea?",
    "WITH near AS (SELECT rowid, distance FROM film_vec WHERE plot_embedding MATCH lembed('all-MiniLM-L6-v2', 'machines that feel') AND k = 5) SELECT f.title FROM near AS n JOIN film AS f ON f.id = n.rowid ORDER BY n.distance": "The five films nearest to machines that feel?",
}


@dataclass(frozen=True)
class Knowing:
    """Answers every prompt of the pipelines out of queries with questions.

    Reasoning gives the query inside of another; for those in `missed` it gives something else. Those in `hard` it does not
    find when it is asked for them.
    """

    known: Sequence[dict[str, str]]
    missed: frozenset[str] = frozenset()
    hard: frozenset[str] = frozenset()

    def __call__(self, prompt: str) -> str:
        if "query on this database" in prompt or "with sqlite-vec on this database" in prompt:
            return self.fresh(prompt, list(self.of(prompt)))
        if "Make one new" in prompt:
            before = between(prompt, "query")
            return self.fresh(prompt, [sql for sql in self.of(prompt) if sql != before])
        if "Write the question" in prompt:
            question = self.question(between(prompt, "query"))
            return f"[EXPLANATION-START]It looks.[EXPLANATION-END]\n[QUESTION-START]{question}[QUESTION-END]"
        if "Does the query answer" in prompt:
            fits = self.question(between(prompt, "query")) in between(prompt, "question")
            return json.dumps({"finds": "a", "asked": "b", "difference": "", "answers": fits})
        if "Write the reasoning" in prompt:
            return self.reasoned(between(prompt, "reference"))
        sql = next((s for k in self.known for s, q in k.items() if q in prompt), "")
        return "I do not know." if sql in self.hard or not sql else fenced(sql)

    def fresh(self, prompt: str, queries: list[str]) -> str:
        return fenced(queries[crc32(prompt.encode()) % len(queries)])

    def of(self, prompt: str) -> dict[str, str]:
        """The queries about the database whose tables the prompt shows."""
        tables = set(re.findall(r"CREATE (?:VIRTUAL )?TABLE \"?(\w+)", prompt))
        return next(
            k for k in self.known if any(re.search(rf"\b(FROM|JOIN) {t}\b", s) for t in tables for s in k)
        )

    def question(self, sql: str) -> str:
        return next((k[sql] for k in self.known if sql in k), "What else?")

    def reasoned(self, sql: str) -> str:
        if sql in self.missed:
            return fenced("SELECT 'something else' AS other")
        return fenced(f"SELECT * FROM ({sql}) AS found", "I think of the tables.")


def between(prompt: str, tag: str) -> str:
    return prompt.split(f"<{tag}>\n")[1].split(f"\n</{tag}>")[0]


def fenced(sql: str, said: str = "It finds out.") -> str:
    return f"{said}\n```sql\n{sql};\n```"
