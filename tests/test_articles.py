"""Reading a folder of articles: kinds of files, metadata and where it comes from, prose and boilerplate."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import articles, layout
from rag.errors import ArticleError, CorpusError
from rag.types import Article, Metadata

SEEDS = Path(__file__).parent.parent / "seeds"
PROSE = (
    "The council voted on Tuesday to close three of its libraries, after months of protest by residents across the"
    " county and by staff.\n\nNobody was surprised, said the mayor, who has been in office for 12 years and plans to"
    " stay for longer than that.\n"
)
TITLE = "Council votes to close three libraries"


def read(folder: Path, content: str | bytes, name: str = "a.txt", known: Metadata | None = None) -> Article:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return articles.read_article(folder, name, known)


def parts(article: Article, spans: tuple[tuple[int, int], ...]) -> list[str]:
    return [article.text[start:end] for start, end in spans]


def body(article: Article) -> str:
    return "\n".join(parts(article, article.body))


def pdf(lines: list[str], title: str = "", author: str = "") -> bytes:
    """The smallest PDF that shows these lines."""
    stream = "BT /F1 12 Tf 72 720 Td 14 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Title ({title}) /Author ({author}) >>",
    ]
    out, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    trailer = f"trailer\n<< /Size 7 /Root 1 0 R /Info 6 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return f"{out}xref\n0 7\n0000000000 65535 f \n{table}{trailer}".encode()


# -- the folder ------------------------------------------------------------------------------------------------------


def test_lists_articles_of_subfolders_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b.txt", "a.MD", "sub/c.html", "sub/d.pdf", ".hidden.txt", ".git/e.txt", "metadata.toml", "f.docx"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    assert articles.list_files(tmp_path) == ["a.MD", "b.txt", "sub/c.html", "sub/d.pdf"]


def test_links_are_followed_within_the_corpus_only(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    (corpus / "sub").mkdir(parents=True)
    (corpus / "sub/real.txt").write_text("x")
    (tmp_path / "secret.txt").write_text("x")
    (corpus / "inside.txt").symlink_to(corpus / "sub/real.txt")
    (corpus / "outside.txt").symlink_to(tmp_path / "secret.txt")
    (corpus / "folder").symlink_to(tmp_path)
    (corpus / "broken.txt").symlink_to(corpus / "nothing")
    (corpus / "loop.txt").symlink_to(corpus / "loop.txt")
    assert articles.list_files(corpus) == ["inside.txt", "sub/real.txt"]


def test_a_name_that_is_not_unicode_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).write_text("x")
    assert articles.list_files(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "there is no folder"),
        (lambda path: path.write_text("x"), "is a file"),
        (lambda path: path.mkdir(), "holds no article"),
    ],
)
def test_a_corpus_without_articles_is_an_error(tmp_path: Path, make, said: str) -> None:  # type: ignore[no-untyped-def]
    make(tmp_path / "corpus")
    with pytest.raises(CorpusError, match=said):
        articles.list_files(tmp_path / "corpus")


# -- metadata.toml ---------------------------------------------------------------------------------------------------


def test_metadata_of_the_seeds() -> None:
    assert articles.read_metadata(SEEDS)["000_863140e473464f69.txt"] == Metadata(
        "Wang Huiyao: Business cooperation could reset US-China ties", ("Wang Huiyao",), "SCMP", "2025-01-18"
    )


@pytest.mark.parametrize(
    ("date", "iso"),
    [
        ('"2024-02-29"', "2024-02-29"),
        ('"2024-02"', "2024-02"),
        ('"2024"', "2024"),
        ('""', ""),
        ("2024-02-29", "2024-02-29"),
        ("2024-02-29T10:00:00Z", "2024-02-29"),
    ],
)
def test_dates_may_be_strings_or_toml_dates(tmp_path: Path, date: str, iso: str) -> None:
    (tmp_path / "metadata.toml").write_bytes(f'\ufeff["a.txt"]\r\ndate = {date}\r\n'.encode())
    assert articles.read_metadata(tmp_path) == {"a.txt": Metadata(date=iso)}


def test_no_metadata_file_says_nothing(tmp_path: Path) -> None:
    assert articles.read_metadata(tmp_path) == {}


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('["a.txt"]\nauthor = "A"', 'entry "a.txt": unknown key author'),
        ("[a.txt]\ntitle = 'A'", r'written in quotes: \["a.txt"\]'),
        ('"a.txt" = "A"', 'entry "a.txt": write a table'),
        ('["a.txt"]\nauthors = "A"', "authors has to be a list of strings"),
        ('["a.txt"]\nauthors = [1]', "authors has to be a list of strings"),
        ('["a.txt"]\ntitle = 1', "title has to be a string"),
        ('["a.txt"]\npublisher = ["A"]', "publisher has to be a string"),
        ('["a.txt"]\ndate = "2023-02-29"', "date has to be YYYY-MM-DD"),
        ('["a.txt"]\ndate = 2024', "date has to be YYYY-MM-DD"),
        ('["a.txt"]\ndate = 10:00:00', "date has to be YYYY-MM-DD"),
        ('["a.txt"]\ntitle = A', "line 2"),
        ("\udcff", "can't read"),
    ],
)
def test_metadata_that_cannot_be_used_is_named(tmp_path: Path, toml: str, said: str) -> None:
    (tmp_path / "metadata.toml").write_bytes(toml.encode("utf-8", "surrogateescape"))
    with pytest.raises(CorpusError, match=said) as error:
        articles.read_metadata(tmp_path)
    assert "metadata.toml" in str(error.value)


def test_an_entry_wins_field_by_field(tmp_path: Path) -> None:
    article = read(tmp_path, f"{TITLE}\nBy Jane Doe\n3 March 2021\n\n{PROSE}", known=Metadata(authors=("J. D.",)))
    assert article.metadata == Metadata(TITLE, ("J. D.",), "", "2021-03-03")


# -- bytes -> text ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        "One line.\r\n\r\nAnother line.\r\n",
        "\ufeffWith a byte order mark.\n",
        "Emoji 👩🏽‍🚀 and NFD cafe\u0301s.\n",
        "Old Mac\rlines.\r",
        "Separators \u2028 and \x0b and \x0c and \x85.\n",
    ],
)
def test_utf8_text_is_the_file_character_for_character(tmp_path: Path, content: str) -> None:
    article = read(tmp_path, content)
    with open(tmp_path / "a.txt", encoding="utf-8", newline="") as file:
        assert article.text == file.read() == content == articles.file_text(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Hello wörld.".encode("utf-16"), "Hello wörld."),
        (b"\xfe\xff" + "Hello wörld.".encode("utf-16-be"), "Hello wörld."),
        ("Le café était fermé, déjà.".encode("latin-1"), "Le café était fermé, déjà."),
        ("“It’s fine”, he said.".encode("cp1252"), "“It’s fine”, he said."),
        ("Caf\u00e9 “quoted” text with one bad byte: ".encode() + b"\xff.", "Café “quoted” text with one bad byte: �."),
    ],
)
def test_other_encodings_are_decoded(tmp_path: Path, data: bytes, text: str) -> None:
    assert read(tmp_path, data).text == text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "a.txt is empty"),
        (b" \r\n\t\n", "a.txt is empty"),
        ("\ufeff\u3000\n".encode(), "a.txt is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "renamed binary"),
        (b"\x01\x02\x03\x04 some words", "renamed binary"),
        ("Hello".encode("utf-16-le"), "renamed binary"),
        (b"\xff\xfea", "starts as UTF-16"),
        (("中国经济增长" * 50).encode("gbk"), "save it as UTF-8"),
    ],
)
def test_what_is_no_text_is_refused_in_one_line(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(ArticleError, match=said) as error:
        read(tmp_path, data)
    assert "\n" not in str(error.value)


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    with open(tmp_path / "a.txt", "wb") as file:
        file.truncate(articles.MAX_BYTES + 1)
    with pytest.raises(ArticleError, match="split it"):
        articles.read_article(tmp_path, "a.txt")


def test_a_source_outside_of_the_corpus_is_refused(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "secret.txt").write_text("x")
    with pytest.raises(ArticleError, match="outside"):
        articles.read_article(tmp_path / "corpus", "../secret.txt")


@pytest.mark.parametrize("name", ["absent.txt", "folder.txt", "a.docx"])
def test_what_cannot_be_opened_is_an_article_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(ArticleError, match=name):
        articles.file_text(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_an_article_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "a.txt").chmod(0)
    with pytest.raises(ArticleError, match="Permission denied"):
        articles.read_article(tmp_path, "a.txt")


def test_twenty_megabytes_are_read(tmp_path: Path) -> None:
    paragraph = "The quick brown fox jumps over the lazy dog and runs on. " * 20 + "\n\n"
    article = read(tmp_path, paragraph * 17_500)
    assert len(article.text) > 19_000_000
    assert article.body == ((0, len(article.text.rstrip())),)


# -- HTML and PDF ----------------------------------------------------------------------------------------------------

PAGE = f"""<html><head><title>{TITLE} - The Daily Bugle</title><meta name="author" content="Jane Doe">
<meta property="og:site_name" content="The Daily Bugle"><meta property="og:title" content="{TITLE}">
<meta property="article:published_time" content="2023-05-06T07:00:00Z"></head>
<body><nav><a href="/">Home</a> <a href="/n">News</a></nav><article><h1>{TITLE}</h1>
<p>The council voted on Tuesday to close three of its libraries, after months of protest.</p><h2>What now?</h2>
<p>Nobody was surprised, said the mayor of the caf&eacute;, who has been in office for 12 years.</p></article>
<footer>Copyright 2019 Bugle</footer></body></html>"""


def test_html_gives_main_text_below_its_metadata(tmp_path: Path) -> None:
    article = read(tmp_path, PAGE, "a.html")
    assert article.metadata == Metadata(TITLE, ("Jane Doe",), "The Daily Bugle", "2023-05-06")
    assert parts(article, article.bylines) == [TITLE, "By Jane Doe | The Daily Bugle", "Published: 2023-05-06"]
    assert body(article) == (
        "The council voted on Tuesday to close three of its libraries, after months of protest.\nWhat now?\n"
        "Nobody was surprised, said the mayor of the café, who has been in office for 12 years."
    )
    assert article.text == articles.file_text(tmp_path / "a.html")


def test_html_is_decoded_as_it_says(tmp_path: Path) -> None:
    page = "<html><head><meta charset=gb2312></head><body><p>中国经济增长很快，大家都很高兴。</p></body></html>"
    assert read(tmp_path, page.encode("gb2312"), "a.htm").text == "中国经济增长很快，大家都很高兴。"


@pytest.mark.parametrize(
    "page",
    [
        "",
        "<html><body></body></html>",
        "<html><body>" + "<div>" * 200_000 + "deep",
        "<" * 300_000,
        "<table><tr><td>" * 3_000 + "deep",
        '<html><head><meta charset="no-such"></head><body><script>alert(1)</script></body></html>',
    ],
)
def test_hostile_html_is_an_article_error(tmp_path: Path, page: str) -> None:
    with pytest.raises(ArticleError, match=r"a\.html"):
        read(tmp_path, page, "a.html")


def test_pdf_text_and_metadata(tmp_path: Path) -> None:
    lines = [TITLE, "By Jane Doe", "3 March 2021", "The council voted on Tuesday to close three", "of its libraries."]
    article = read(tmp_path, pdf(lines, title="Microsoft Word - draft.docx", author="jdoe"), "a.pdf")
    assert article.metadata == Metadata(TITLE, ("Jane Doe",), "", "2021-03-03")
    assert body(article) == "The council voted on Tuesday to close three\nof its libraries."


def test_pdf_metadata_serve_where_the_text_has_none(tmp_path: Path) -> None:
    article = read(tmp_path, pdf([PROSE.split("\n")[0]], title=TITLE, author="Jane Doe, John Roe"), "a.pdf")
    assert article.metadata == Metadata(TITLE, ("Jane Doe", "John Roe"))


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.4 garbage", pdf(["Text."])[:300]])
def test_a_broken_pdf_is_an_article_error(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ArticleError, match=r"a\.pdf") as error:
        read(tmp_path, data, "a.pdf")
    assert "\n" not in str(error.value)


def test_an_encrypted_pdf_is_an_article_error(tmp_path: Path) -> None:
    (tmp_path / "open.pdf").write_bytes(pdf(["Text."]))
    writer = pypdf.PdfWriter(clone_from=tmp_path / "open.pdf")
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "a.pdf")
    with pytest.raises(ArticleError, match="encrypted"):
        articles.read_article(tmp_path, "a.pdf")


def test_a_pdf_without_text_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match="scanned"):
        read(tmp_path, pdf([]), "a.pdf")


# -- metadata from the text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", sorted(path.name for path in SEEDS.glob("*.txt")))
def test_the_text_of_a_seed_tells_what_its_entry_tells(source: str) -> None:
    assert articles.read_article(SEEDS, source).metadata == articles.read_metadata(SEEDS)[source]


PEOPLE = ("Jane Doe", "John O'Neil")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (f"{TITLE}\n\n", Metadata(TITLE)),
        ("Is this the end of the library?\n\n", Metadata("Is this the end of the library?")),
        (f"Articles\n{TITLE}\n", Metadata(TITLE)),
        (f"Connect with us\n\nLocal News\n\n{TITLE}\n\n", Metadata(TITLE)),
        (f"# {TITLE}\n\n*By Jane Doe, 5 January 2024*\n\n", Metadata(TITLE, PEOPLE[:1], "", "2024-01-05")),
        (f"{TITLE} - BBC News\n3 March 2021\nBy Jane Doe\n\n", Metadata(TITLE, PEOPLE[:1], "BBC News", "2021-03-03")),
        (f"Jane Doe | {TITLE}\n2024-11-14\n", Metadata(TITLE, PEOPLE[:1], "", "2024-11-14")),
        (f"{TITLE}\nBy Jane Doe and John O'Neil | China Daily\n", Metadata(TITLE, PEOPLE, "China Daily")),
        (f"{TITLE}\nBy Jane Doe | Founder of the Centre\n", Metadata(TITLE, PEOPLE[:1])),
        (f"{TITLE}\nBy Jane Doe, John O'Neil\n", Metadata(TITLE, PEOPLE)),
        (f"{TITLE}\nBy Jane Doe, New York\n", Metadata(TITLE, PEOPLE[:1])),
        (f"{TITLE}\nBy Jane Doe in Paris and John O'Neil in Rome\n", Metadata(TITLE, PEOPLE)),
        (f"{TITLE}\nBy Jane Doe for The Guardian\n", Metadata(TITLE, PEOPLE[:1], "The Guardian")),
        (f"{TITLE}\nBY JANE DOE\n", Metadata(TITLE, PEOPLE[:1])),
        (f"{TITLE}\nJane Doe, Political Correspondent\n", Metadata(TITLE, PEOPLE[:1])),
        (f"{TITLE}\nBy Staff Writer\n", Metadata(TITLE)),
        (f"{TITLE}\nBy Reuters\n", Metadata(TITLE, (), "Reuters")),
        (f"{TITLE}\nSource: Xinhua\nEditor: huaxia\n", Metadata(TITLE, (), "Xinhua")),
        (f"{TITLE}\nAuthor: Jane Doe\nSource: https://example.com/a\n", Metadata(TITLE, PEOPLE[:1])),
        (f"{TITLE}\nJane Doe in Rome\nThu 14 Nov 2024 07.20 GMT\n", Metadata(TITLE, PEOPLE[:1], "", "2024-11-14")),
        (
            f"{TITLE}\nJane Doe\n\n·\nFollow\n\n5 min read\n·\nJan 5, 2024\n",
            Metadata(TITLE, PEOPLE[:1], "", "2024-01-05"),
        ),
        (f"{TITLE}\nA mayor called Jane Doe\n\n", Metadata(TITLE)),
        (f"{TITLE}\n\nSPRINGFIELD, Ill. (AP) — ", Metadata(TITLE, (), "AP")),
        (f"{TITLE}\n\nBEIJING, Jan. 18, 2025 (Xinhua) -- ", Metadata(TITLE, (), "Xinhua", "2025-01-18")),
    ],
)
def test_layouts_of_news_pages(tmp_path: Path, head: str, expected: Metadata) -> None:
    assert read(tmp_path, head + PROSE).metadata == expected


@pytest.mark.parametrize(
    ("line", "iso"),
    [
        ("2024-11-14", "2024-11-14"),
        ("2025-01-18 10:15:30", "2025-01-18"),
        ("Updated: 07:20 am (GMT+8) Nov 14, 2024", "2024-11-14"),
        ("January 18 , 2025From SCMP, 2025-1-18", "2025-01-18"),
        ("March 3, 20215:00 AM GMT+1Updated 3 years ago", "2021-03-03"),
        ("Published on 3 March 2021", "2021-03-03"),
        ("Sept. 3rd, 2021", "2021-09-03"),
        ("15/03/2022", "2022-03-15"),
        ("03/04/2022", ""),
        ("31 February 2022", ""),
        ("2024年11月14日", "2024-11-14"),
        ("March 2021", "2021-03"),
        ("LONDON, March 3, 2021", "2021-03-03"),
        ("Why January 6, 2021 still matters to the county", ""),
        ("The vote was held on 3 March 2021.", ""),
    ],
)
def test_dates(tmp_path: Path, line: str, iso: str) -> None:
    assert read(tmp_path, f"{TITLE}\n{line}\n\n{PROSE}").metadata.date == iso


def test_the_day_of_publishing_goes_before_that_of_an_update(tmp_path: Path) -> None:
    article = read(tmp_path, f"{TITLE}\nUpdated 5 March 2021\nPublished 3 March 2021\n\n{PROSE}")
    assert article.metadata.date == "2021-03-03"


@pytest.mark.parametrize(
    ("foot", "expected"),
    [
        ("Jane Doe is a professor of history at Yale.", Metadata(TITLE, ("Jane Doe",))),
        (
            "Jane Doe is a fellow at Yale.\n\nJohn O'Neil is an editor.\n\nTopic: Towns",
            Metadata(TITLE, PEOPLE),
        ),
        ("Ann Mayor is a professor of history.\n\nThen Mayor left the room.", Metadata(TITLE)),
        ("The views expressed are not those of The Carter Center.", Metadata(TITLE, (), "The Carter Center")),
        ("The writer is at Yale. These views don't reflect those of China Daily.", Metadata(TITLE, (), "China Daily")),
        (
            "Jane Doe is a fellow at Yale University.\n\nThe views are not those of Yale University.",
            Metadata(TITLE, ("Jane Doe",)),
        ),
        ("This article was originally published in Foreign Affairs.", Metadata(TITLE, (), "Foreign Affairs")),
        ("Cards first appeared in the United States, he said.", Metadata(TITLE)),
        ("“It will go on.” Reuters", Metadata(TITLE, (), "Reuters")),
        ("“It will go on.” Reuters\n\nCopyright © 2024 Town Today", Metadata(TITLE, ("Reuters",), "Town Today")),
        ("© 2021 Springfield Times. All rights reserved.", Metadata(TITLE, (), "Springfield Times")),
        ("From SCMP, 2025-1-18", Metadata(TITLE, (), "SCMP", "2025-01-18")),
        ("2 Comments\nJohn Smith\nJanuary 5, 2025 at 3:00 pm\nGreat!", Metadata(TITLE)),
    ],
)
def test_feet_of_news_pages(tmp_path: Path, foot: str, expected: Metadata) -> None:
    assert read(tmp_path, f"{TITLE}\n\n{PROSE}\n{foot}\n").metadata == expected


@pytest.mark.parametrize("authors", ["author: Jane Doe, John O'Neil", 'authors:\n  - Jane Doe\n  - "John O\'Neil"'])
def test_front_matter(tmp_path: Path, authors: str) -> None:
    front = f'---\ntitle: "{TITLE}"\n{authors}\ndate: 2024-01-05T10:00:00Z\npublisher: The Bugle\ntags: [a]\n---\n'
    article = read(tmp_path, f"{front}\n# {TITLE}\n\n{PROSE}", "a.md")
    assert article.metadata == Metadata(TITLE, PEOPLE, "The Bugle", "2024-01-05")
    assert body(article) == PROSE.strip()


def test_prose_alone_has_no_metadata(tmp_path: Path) -> None:
    article = read(tmp_path, PROSE)
    assert article.metadata == Metadata()
    assert article.bylines == ()


def test_hard_wrapped_prose_is_no_byline(tmp_path: Path) -> None:
    wrapped = (
        "Showers continued throughout the week, he said in\nthe note of\nJanuary 5, 1987.\nJane Doe, director of the\n"
        "bank, agreed with what was said\nby Wicks Capital Group and others\nabout the weather.\n"
    )
    article = read(tmp_path, wrapped)
    assert article.metadata == Metadata()
    assert body(article) == wrapped.strip()


# -- prose and boilerplate -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "Home",
        "Share on Facebook",
        "Share Tweet Email Print",
        "Click to comment",
        "Leave a Reply",
        "You must be logged in to post a comment Login",
        "Your email address will not be published. Required fields are marked *",
        "Subscribe to our newsletter",
        "Read more: The mayor's plan",
        "Related articles",
        "Advertisement",
        "This site uses cookies to give you the best experience.",
        "Copyright © 2024 Communications Today",
        "error: Content is protected !!",
        "Michael Fousert YhXlYJYlr3c Unsplash",
        "Photograph: Jane Doe/The Bugle",
        "Source.",
        "Topic: American Politics, U.S.-China",
        "12 Comments",
        "5 min read",
        "* * *",
        "![a chart](chart.png)",
    ],
)
def test_boilerplate_is_no_prose(tmp_path: Path, line: str) -> None:
    first, second = PROSE.split("\n\n")
    article = read(tmp_path, f"{TITLE}\n\n{first}\n\n{line}\n\n{second}")
    assert parts(article, article.body) == [first, second.strip()]


@pytest.mark.parametrize(
    "line",
    [
        "Copyright law is changing fast.",
        "Sources close to the mayor said so.",
        "More than 750 people work there.",
        "Related companies pay less tax. That is the law.",
        "Read the report, he said.",
        "Subscribers rose to 5 million.",
        "What now?",
        "He loved the photos in Getty's house.",
        "“Help!”",
        "750",
    ],
)
def test_short_prose_is_kept(tmp_path: Path, line: str) -> None:
    first, second = PROSE.split("\n\n")
    assert f"\n\n{line}\n\n" in body(read(tmp_path, f"{TITLE}\n\n{first}\n\n{second}\n{line}\n\n{second}"))


def test_prose_of_a_scraped_seed() -> None:
    article = articles.read_article(SEEDS, "003_78296adb63813134.txt")
    assert parts(article, article.bylines) == [article.metadata.title, "Reuters", "Communications Today"]
    (text,) = parts(article, article.body)
    assert text.startswith("China’s technology industry, one of")
    assert text.endswith("a certain degree of independence.”")


def test_bios_and_disclaimers_are_both_prose_and_byline() -> None:
    article = articles.read_article(SEEDS, "001_739934b5d587777d.txt")
    assert [line[:14] for line in parts(article, article.bylines)] == [
        "The Real Oppor",
        "Aaron Glasserm",
        "Mitch Presnick",
        "The views expr",
    ]
    assert body(article).endswith("and not those of The Carter Center.")


def test_a_page_of_nothing_but_menu_words_keeps_them(tmp_path: Path) -> None:
    assert body(read(tmp_path, "Share\n")) == "Share"


LINES = st.sampled_from(
    [
        *(TITLE, "By Jane Doe | The Bugle", "3 March 2021", "Share", "", "(Reuters) - It rained. Reuters", "# Head"),
        *("---", "title: a", "© 2024 The Bugle", "Jane Doe is a professor.", "cafe\u0301 👩🏽‍🚀", "\ufeff", "\u2028"),
        *PROSE.split("\n\n"),
    ]
)


@given(st.lists(LINES | st.text(max_size=40), min_size=1, max_size=30), st.sampled_from(["\n", "\r\n", "\n\n", "\r"]))
def test_spans_are_ordered_and_within_the_text(lines: list[str], newline: str) -> None:
    text = newline.join(lines)
    metadata, prose, bylines = layout.lay_out(text, Metadata()) if layout.LINE.search(text) else (None, (), ())
    for spans in (prose, bylines):
        assert all(0 <= start < end <= len(text) for start, end in spans)
        assert all(left[1] <= right[0] for left, right in pairwise(spans))
        assert all(text[start:end] == text[start:end].strip() for start, end in spans)
    assert metadata is None or all(isinstance(author, str) and author for author in metadata.authors)


@pytest.mark.parametrize(
    "line", ["By " + "A " * 70, "The views " + "Aa " * 2000, "© " + "Ab & " * 30, "(" * 150, "Aa Bb " * 25]
)
def test_no_line_takes_long(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, f"{line}\n" * 60).text
