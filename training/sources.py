"""The data sets, read into one shape: `Question`. Formats, licences and origins stand in training/README.md."""

from __future__ import annotations

import ast
import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from text import Span, untokenize


@dataclass(frozen=True)
class Question:
    """A question on a text. `answers` are offsets in `text`; empty means that people found no answer in it, though
    they may have said where it comes near to one."""

    source: str
    article: str
    title: str
    text: str
    question: str
    answers: tuple[Span, ...]
    near: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Claim:
    """A claim, a premise, and whether the premise entails the claim."""

    source: str
    premise: str
    claim: str
    entailed: bool


def _lines(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return file.readlines()


def read_all(data: Path) -> list[Question]:
    readers = (squad_family, timeqa, friendsqa, qamr, selqa, subjqa)
    return [question for reader in readers for question in reader(data)]


SQUAD_FILES = {
    "squad": ["squad/train-partial-union.json"],
    "new_wiki": ["squadshifts/new_wiki_v1.0.json"],
    "reddit": ["squadshifts/reddit_v1.0.json"],
    "amazon": ["squadshifts/amazon_reviews_v1.0.json"],
    "policyqa": ["policyqa/dev.json", "policyqa/test.json"],
    "covid_qa": ["covid_qa/200423_covidQA.json"],
}


def squad_family(data: Path) -> Iterator[Question]:
    for source, files in SQUAD_FILES.items():
        for name in files:
            for number, article in enumerate(json.loads((data / name).read_text())["data"]):
                yield from _squad_article(source, f"{name}:{number}", article)


def _squad_article(source: str, key: str, article: dict) -> Iterator[Question]:
    named = source in ("squad", "new_wiki", "policyqa")
    title = unquote(article.get("title", "")).replace("_", " ") if named else ""
    for number, paragraph in enumerate(article["paragraphs"]):
        text = paragraph["context"]
        place = f"{key}:{number}" if source in ("reddit", "amazon") else key
        for item in paragraph["qas"]:
            impossible = item.get("is_impossible", False)
            answers = () if impossible else _agreed(text, item["answers"])
            if impossible or answers:
                yield Question(source, place, title, text, item["question"].strip(), answers)


def _agreed(text: str, answers: list[dict]) -> tuple[Span, ...]:
    """The spans, the one that most annotators gave first, the shorter first among equals; wrong offsets dropped."""
    spans = []
    for answer in answers:
        start, value = answer["answer_start"], answer["text"]
        lead = len(value) - len(value.lstrip())
        if value.strip() and text[start : start + len(value)] == value:
            spans.append((start + lead, start + lead + len(value.strip())))
    votes = Counter(spans)
    return tuple(sorted(votes, key=lambda span: (-votes[span], span[1] - span[0])))


def timeqa(data: Path) -> Iterator[Question]:
    for name in ("train", "test"):
        for article in json.loads((data / f"timeqa/human_annotated_{name}.json").read_text()):
            title = unquote(article["link"]).removeprefix("/wiki/").replace("_", " ")
            parts = [untokenize(paragraph.split()) for paragraph in article["paras"]]
            text = "\n".join(part for part, _ in parts)
            starts = [sum(len(part) + 1 for part, _ in parts[:i]) for i in range(len(parts))]
            for question, answers in article["questions"]:
                spans = tuple(_timeqa_span(a, article["paras"], parts, starts) for a in answers if a["answer"])
                yield Question("timeqa", article["index"], title, text, question, spans)


def _timeqa_span(answer: dict, raw: list[str], parts: list, starts: list[int]) -> Span:
    number = answer["para"]
    first = raw[number][: answer["from"]].count(" ")
    last = raw[number][: answer["end"]].count(" ")
    offsets = parts[number][1]
    last = min(last, len(offsets) - 1)
    return starts[number] + offsets[first][0], starts[number] + offsets[last][1]


def friendsqa(data: Path) -> Iterator[Question]:
    for name in ("dev", "tst"):
        for scene in json.loads((data / f"friendsqa/friendsqa_{name}.json").read_text())["data"]:
            paragraph = scene["paragraphs"][0]
            text, places = "", []
            for turn in paragraph["utterances:"]:
                speaker = ", ".join(turn["speakers"])
                words, offsets = untokenize(turn["utterance"].split())
                start = len(text) + len(speaker) + 2
                places.append(((len(text), len(text) + len(speaker)), [(s + start, e + start) for s, e in offsets]))
                text += f"{speaker}: {words}\n"
            for item in paragraph["qas"]:
                question = untokenize(item["question"].split())[0]
                spans = tuple(filter(None, (_friends_span(answer, places) for answer in item["answers"])))
                if spans:
                    yield Question("friendsqa", scene["title"], "", text, question, spans)


def _friends_span(answer: dict, places: list) -> Span | None:
    speaker, offsets = places[answer["utterance_id"]]
    if answer["is_speaker"]:
        return speaker
    first, last = answer["inner_start"], answer["inner_end"]
    return (offsets[first][0], offsets[last][1]) if 0 <= first <= last < len(offsets) else None


def qamr(data: Path) -> Iterator[Question]:
    """Questions on single sentences; sentences that follow one another in an article are joined into one text."""
    rows = [json.loads(line) for name in ("dev", "test") for line in _lines(data / f"qamr/qamr_{name}.jsonl")]
    raw = {row["sent_id"]: row["sentence"].split() for row in rows}
    texts: dict[str, str] = defaultdict(str)
    offsets: dict[str, list[Span]] = {}
    for key in sorted(raw, key=lambda key: [int(x) if x.isdigit() else x for x in key.split(":")]):
        article = key.rsplit(":", 2)[0]
        text, spans = untokenize(raw[key])
        start = len(texts[article]) + bool(texts[article])
        texts[article] += (" " if texts[article] else "") + text
        offsets[key] = [(s + start, e + start) for s, e in spans]
    seen = set()
    for row in rows:
        key, indices = row["sent_id"], row["answer_token_idx"]
        votes = [set(vote.split(":")[1].split()) for vote in row["validators"]]
        agreed = sum(bool(vote & {str(i) for i in indices}) for vote in votes)
        if not indices or agreed < len(votes) or max(indices) - min(indices) > 12 or (key, row["question"]) in seen:
            continue
        seen.add((key, row["question"]))
        article = key.rsplit(":", 2)[0]
        span = offsets[key][min(indices)][0], offsets[key][max(indices)][1]
        yield Question("qamr", article, "", texts[article], row["question"].strip(), (span,))


def selqa(data: Path) -> Iterator[Question]:
    """Answers are whole sentences, picked by people among a section's sentences."""
    for name in ("dev", "test"):
        for row in json.loads((data / f"selqa/selqa-ass-{name}.json").read_text()):
            text, spans = "", []
            for sentence in row["candidates"]:
                spans.append((len(text), len(text) + len(sentence)))
                text += sentence + " "
            answers = tuple(spans[i] for i in row["answers"])
            yield Question("selqa", row["article"], row["article"], text.rstrip(), row["question"], answers)


def subjqa(data: Path) -> Iterator[Question]:
    for path in sorted((data / "subjqa").glob("*.csv")):
        for row in csv.DictReader(_lines(path)):
            text = re.sub(r"\s*ANSWERNOTFOUND\s*$", "", row["review"])
            found = row["human_ans_spans"] != "ANSWERNOTFOUND"
            span = ast.literal_eval(row["human_ans_indices"]) if found else None
            if found and text[slice(*span)] != row["human_ans_spans"]:
                continue
            key = f"{row['domain']}:{row['item_id']}:{row['review_id']}"
            yield Question("subjqa", key, "", text, row["question"], (span,) if span else ())


def claims(data: Path) -> Iterator[Claim]:
    """MNLI, SNLI, SciTail, RTE and SICK: neutral and contradiction both count as not entailed."""
    for path in sorted((data / "nli").glob("*.csv")):
        for row in csv.DictReader(_lines(path)):
            claim, premise = (re.sub(r"\s+", " ", row[name]).strip() for name in ("hypothesis", "premise"))
            if claim and premise:
                yield Claim(path.stem, premise, claim, row["label"] == "entailment")
