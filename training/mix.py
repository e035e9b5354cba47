"""Make the training mix: one JSON object a line, each an example of one or more of the reader's four tasks.

    python training/mix.py --data DATA --benchmark DATA/squad/dev-v2.0.json --seed 1 --out mix1.jsonl

An example: `question`, `title`, `passage`, `spans` (the short answer's offsets in the passage; [] means none in there,
null means unknown), `relevant` (offsets of the sentences that answer; null: unknown), `answerable` and `support`
(0, 1 or null: not asked). Every generated negative has a counterpart among the positives made by the same edit, so that
the edit itself gives nothing away.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import written
from made import news, topics
from paraphrase import Synonyms, rephrase
from sklearn.feature_extraction.text import TfidfVectorizer
from slots import slots
from sources import Question, claims, read_all
from statements import quoted_examples, support_examples
from swaps import candidates, disjoint_pairs, mentions, negate
from text import Span, cut, exchange, overlapping, sentences, window, without

# How often each source's questions are used in one pass, and the longest answer, in words, taken as a short answer.
WEIGHTS = {
    "squad": 2.5, "new_wiki": 2.0, "reddit": 0.6, "amazon": 0.6, "policyqa": 0.25, "covid_qa": 1.0,
    "timeqa": 1.0, "friendsqa": 0.6, "qamr": 0.8, "selqa": 1.0, "subjqa": 0.5, "news": 0.6, "topic": 0.3,
    "written": 3.0, "explained": 3.0,
}  # fmt: skip
SHORT = {"policyqa": 10, "covid_qa": 15, "subjqa": 8, "selqa": 0, "topic": 0, "explained": 0}
HAS_NEGATIVES = {"subjqa": 1.0, "written": 0.6, "explained": 0.6}  # the share of questions that need none made
SHINGLE = 12
LENGTHS = (40, 80, 110, 130, 150, 170)  # words; the product reads 100 to 200 tokens
BRIEF = (20, 40, 60)


def read_clean(data: Path, benchmarks: Sequence[Path]) -> list[Question]:
    """All questions but those on a text that shares twelve words in a row with a benchmark's."""
    seen: set[str] = set()
    for path in benchmarks:
        for article in json.loads(path.read_text())["data"]:
            for paragraph in article["paragraphs"]:
                seen |= shingles(paragraph["context"])
    every = read_all(data)
    shared = {text: bool(shingles(text) & seen) for text in {question.text for question in every}}
    print(f"{sum(shared.values())} texts dropped, shared with a benchmark")
    return [question for question in every if not shared[question.text]]


def shingles(text: str) -> set[str]:
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)}


@dataclass
class Mixer:
    """Turns questions into examples; `near` maps a question's index to texts that look like it and lack its answer."""

    questions: list[Question]
    rng: Random
    synonyms: Synonyms

    def __post_init__(self) -> None:
        self.by_article: dict[tuple[str, str], list[Question]] = defaultdict(list)
        for question in self.questions:
            self.by_article[question.source, question.article].append(question)
        self.near = {}
        for source in WEIGHTS:
            self.near.update(near_texts([(i, q) for i, q in enumerate(self.questions) if q.source == source]))

    def examples(self) -> Iterator[dict]:
        for index, question in enumerate(self.questions):
            weight = WEIGHTS[question.source]
            for _ in range(int(weight) + (self.rng.random() < weight % 1)):
                yield from self.examples_of(index, question)

    def left_out(self, count: int) -> Iterator[dict]:
        for question, (asked, passage, answers) in slots(self.questions, self.rng, count):
            yield {**self.asked(question, asked, passage, answers), "source": "slot"}

    def examples_of(self, index: int, question: Question) -> Iterator[dict]:
        if not question.answers:
            for _ in range(3 if question.source == "squad" else 1):
                yield self.asked(question, question.question, self.piece(question.text, question.near)[0], [])
            return
        lengths = BRIEF if question.source == "qamr" else LENGTHS
        marks = list(question.answers)
        if question.source == "explained":  # each is a part of the answer, not another place of it
            self.rng.shuffle(marks)
        passage, answers = self.piece(question.text, marks, lengths)
        if not answers:  # it lay between sentences
            return
        kind = self.rng.choices(["swapped", "thinned", "plain"], [25, 10, 65])[0]
        yield self.positive(kind, question, passage, answers)
        if self.rng.random() < HAS_NEGATIVES.get(question.source, 0.0):
            return
        order = self.rng.choices(
            ["ask", "passage", "turned", "dropped", "near", "elsewhere", "negated", "random"],
            [34, 15, 8, 11, 25, 15, 4, 3],
            k=4,
        )
        if question.source == "topic":  # another text near it may well say something about it
            order = [self.rng.choice(["dropped", "random"])]
        made = (self.negative(kind, index, question, passage, answers) for kind in [*order, "near"])
        example = next(filter(None, made), None)
        if example:
            yield example

    def piece(self, text: str, marks: Sequence[Span], sizes: Sequence[int] = LENGTHS) -> tuple[str, list[Span]]:
        """A passage of the length that the product reads, with the first mark in it."""
        size = self.rng.choice(sizes)
        if len(text.split()) <= size + 20:
            return text, list(marks)
        return cut(text, window(text, marks[:1], size, self.rng), marks)

    def positive(self, kind: str, question: Question, passage: str, answers: list[Span]) -> dict:
        asked = question.question
        if kind == "swapped":
            pair = self.pair(question, passage, answers)
            if pair:
                swapped, moved = exchange(passage, *pair, answers)
                if moved:
                    return self.asked(question, exchange(asked, *pair)[0], swapped, moved, title=pair)
        if kind == "thinned":
            spare = [s for s in sentences(passage) if not overlapping([s], answers)]
            if spare:
                passage, answers = without(passage, [self.rng.choice(spare)], answers)
        return self.asked(question, asked, passage, answers)

    def negative(self, kind: str, index: int, question: Question, passage: str, answers: list[Span]) -> dict | None:
        asked = question.question
        if kind in ("ask", "passage"):
            pair = self.pair(question, passage, answers)
            if pair is None:
                return None
            if kind == "ask":
                return self.asked(question, exchange(asked, *pair)[0], passage, [])
            return self.asked(question, asked, exchange(passage, *pair)[0], [], title=pair)
        if kind == "turned":
            pairs = turnable(asked, passage)
            return self.asked(question, exchange(asked, *self.rng.choice(pairs))[0], passage, []) if pairs else None
        if kind == "dropped":
            rest, _ = without(passage, answers, [])
            text = passage[slice(*answers[0])]
            return self.asked(question, asked, rest, []) if len(rest.split()) > 15 and text not in rest else None
        if kind == "elsewhere":
            rest = self.elsewhere(question)
            return self.asked(question, asked, rest, []) if rest else None
        if kind == "negated":
            negated = negate(asked, self.rng)
            return self.asked(question, negated, passage, []) if negated else None
        if kind == "near":
            texts = self.near.get(index)
            text, title = self.rng.choice(texts) if texts else ("", "")
        else:
            other = self.rng.choice(self.questions)
            text, title = other.text, other.title
        if not text or question.text[slice(*question.answers[0])].lower() in text.lower():
            return None
        return self.asked(
            question, asked, self.piece(text, [], BRIEF if question.source == "qamr" else LENGTHS)[0], [], named=title
        )

    def elsewhere(self, question: Question) -> str | None:
        """Another passage of the same text, with no sentence of the answer in it."""
        around = self.rng.choice(sentences(question.text))
        start, end = window(question.text, [around], self.rng.choice(LENGTHS), self.rng)
        passage, gold = question.text[start:end], question.text[slice(*question.answers[0])]
        return None if overlapping(question.answers, [(start, end)]) or gold in passage else passage

    def pair(self, question: Question, passage: str, answers: Sequence[Span]) -> tuple[str, str] | None:
        """A word of the question that the passage has too, and one to exchange it with; neither touches the answer."""
        others = self.by_article[question.source, question.article]
        nearby = [passage, *(self.rng.choice(others).question for _ in range(4))]
        golds = " | ".join(passage[s:e] for s, e in answers).lower()
        for word, other in candidates(question.question, nearby, self.rng):
            present = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", passage, re.IGNORECASE)
            if present and other.lower() not in golds and word.lower() not in golds:
                return word, other
        return None

    def asked(
        self,
        question: Question,
        asked: str,
        passage: str,
        answers: Sequence[Span],
        *,
        title: tuple[str, str] | None = None,
        named: str | None = None,
    ) -> dict:
        """One example; `title` exchanges two words in the title, `named` replaces it."""
        name = question.title if named is None else named
        name = exchange(name, *title)[0] if title else name
        short = bool(answers) and len(passage[slice(*answers[0])].split()) <= SHORT.get(question.source, 30)
        if question.source not in written.SOURCES and self.rng.random() < 0.35:
            asked = rephrase(asked, self.synonyms, self.rng)
        return {
            "source": question.source,
            "question": self.restyle(asked),
            "title": self.heading(name),
            "passage": passage,
            "spans": [list(answers[0])] if short else None if answers else [],
            "relevant": overlapping(sentences(passage), answers[:1] if short else answers),
            "answerable": int(bool(answers)),
            "support": None,
        }

    def heading(self, title: str) -> str:
        """The title as the product may show it: alone, with author, publisher and date, or not at all; one that has its
        own byline keeps it, since questions are asked about it."""
        if " — " in title:
            return title
        draw = self.rng.random()
        if draw < 0.2:
            return ""
        if draw > 0.7:
            return " — ".join(part for part in (title, self.byline()) if part)
        return title

    def byline(self) -> str:
        rng = self.rng
        author = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
        date = f"{rng.randint(1990, 2025)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        return ", ".join(part for part in (author, rng.choice(PUBLISHERS), date) if rng.random() < 0.7)

    def restyle(self, question: str) -> str:
        """Sometimes as people type: lower case, no question mark, a slip of the finger, key words only."""
        draw, rng = self.rng.random(), self.rng
        if draw < 0.15:
            question = question.lower().rstrip(" ?")
        elif draw < 0.19:
            question = question.rstrip(" ?")
        elif draw < 0.23:
            question = " ".join(w for w in question.rstrip(" ?").split() if w.lower() not in FILLERS) or question
        elif draw < 0.27:
            question = rng.choice(FRAMES).format(question[0].lower() + question[1:] if question else question)
        if rng.random() < 0.15:
            question = CONTRACTED.sub(lambda match: match.group(1) + rng.choice(["'s", "s"]), question)
        if rng.random() < 0.08 and len(question) > 12:
            at = rng.randrange(1, len(question) - 2)
            question = question[:at] + rng.choice([question[at + 1] + question[at], ""]) + question[at + 2 :]
        return question


CONTRACTED = re.compile(r"^(what|who|where|when|how) is\b", re.IGNORECASE)
FRAMES = (
    "Can you tell me {}",
    "According to the article, {}",
    "Please tell me: {}",
    "hi, {}",
    "I'd like to know {}",
    "Does the text say {}",
    "so {}",
)
FILLERS = {"the", "a", "an", "is", "was", "are", "were", "did", "does", "do", "of", "to", "has", "have", "had"}
FIRST = "Anna Li Maria John Wei Fatima David Elena Kofi Sarah Ming Ahmed Julia Peter Yuki Carlos Grace Ivan Tom".split()
LAST = (
    "Smith Zhang Garcia Novak Okafor Jones Huiyao Khan Müller Rossi Tanaka Silva Brown Petrov Wang Haddad Lee".split()
)
PUBLISHERS = (
    "The Guardian|Reuters|SCMP|The New York Times|BBC News|China Daily|Le Monde|Wikipedia|The Hindu|Bloomberg|"
    "Der Spiegel|CNN|South China Morning Post|Nature|The Economist|Al Jazeera|AP"
).split("|")


def turnable(question: str, passage: str) -> list[tuple[str, str]]:
    """Pairs of names of the question, both in the passage, that aren't on a par ("A and B")."""
    if " and " in question:
        return []
    return disjoint_pairs(name for name in mentions(question)["name"] if name in passage)


def near_texts(numbered: Sequence[tuple[int, Question]]) -> dict[int, list[tuple[str, str]]]:
    """For each answerable question the four texts of its source most like it without its answer, and their titles."""
    texts = list({q.text: (q.text, q.title, written.matter(q.article)) for _, q in numbered}.values())
    asked = [(i, q) for i, q in numbered if q.answers]
    if len(texts) < 20 or not asked:
        return {}
    vectorizer = TfidfVectorizer(sublinear_tf=True, stop_words="english", ngram_range=(1, 1))
    matrix = vectorizer.fit_transform(f"{title} {text}" for text, title, _ in texts).T.tocsr()
    result = {}
    for start in range(0, len(asked), 1000):
        batch = asked[start : start + 1000]
        scores = (vectorizer.transform([q.question for _, q in batch]) @ matrix).toarray()
        best = np.argpartition(-scores, 12, axis=1)[:, :12]
        for row, (index, question) in enumerate(batch):
            gold = question.text[slice(*question.answers[0])].lower()
            ranked = (texts[i] for i in sorted(best[row], key=lambda i: -scores[row, i]))
            others = [(text, title) for text, title, matter in ranked if matter != written.matter(question.article)]
            result[index] = [(text, title) for text, title in others if gold not in text.lower()][:4]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--benchmark", type=Path, nargs="+", required=True, help="SQuAD files whose texts must not be trained on"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--claims", type=float, default=1.0, help="the share of the entailment pairs to use")
    parser.add_argument("--quoted", type=int, default=8000, help="how many claims to make from passages")
    parser.add_argument("--slots", type=int, default=16000, help="how many questions for what may be left out")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"), help="WordNet's database files")
    parser.add_argument("--models", type=Path, default=Path(__file__).parent.parent / "rag" / "models")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rng = Random(args.seed)
    items = list(written.read(args.data, held_out=False))
    questions = [*read_clean(args.data, args.benchmark), *news(args.data, rng), *topics(args.data, rng)]
    questions += written.questions(items)
    synonyms = Synonyms(args.wordnet, args.models)
    mixer = Mixer(questions, rng, synonyms)
    examples = [*mixer.examples(), *mixer.left_out(args.slots)]
    pairs = [pair for pair in claims(args.data) if rng.random() < args.claims]
    pairs += 3 * list(written.claims(items))
    examples += [*support_examples(pairs, rng), *quoted_examples(questions, synonyms, rng, args.quoted)]
    rng.shuffle(examples)
    with args.out.open("w") as out:
        out.writelines(json.dumps(example, ensure_ascii=False) + "\n" for example in examples)
    counts = Counter((e["source"], e["answerable"], e["support"]) for e in examples)
    for key, count in sorted(counts.items(), key=str):
        print(*key, count)
    print(len(examples), "examples,", sum(len(e["passage"].split()) for e in examples), "words of passages")


if __name__ == "__main__":
    main()
