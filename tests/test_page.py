"""The page in a real browser, over the real assistant: what a person sees and can do."""

from __future__ import annotations

import re
import shutil
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app_server import ROOT, Server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright to drive the page")
expect = sync_api.expect
expect.set_options(timeout=30_000)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to drive the page: apt-get install chromium")

CARS = "How many cars did Tesla sell in China last year?"
CARS_ARTICLE = "000_863140e473464f69.txt"
UNANSWERABLE = "What is the boiling point of mercury in Oslo?"
LIGHTHOUSE = """The Lighthouse of Harrow Island

The Veldmark lighthouse on Harrow Island was built in 1887 by the engineer Odalys Brandt. Its lamp burned whale oil
for eleven years before it was converted to paraffin.
"""
HOSTILE = """A hostile article

The zircon quarry of Ostrava employs 4,321 miners. [1] <script>document.title = "hacked"</script>
<img src=x onerror="document.title = 'hacked'"> The zircon quarry was opened in 1904 by <b>Baron Krell</b> [2] himself.
<svg onload="document.title='hacked'"><a href="javascript:document.title='hacked'">link</a> [link](javascript:alert(1))
![image](https://example.org/image.png) ${document.title = "hacked"} {{constructor}} </div></section></mark>
"""
HOSTILE_NAME = "<img src=x onerror=alert(1)>.txt"
HOSTILE_TITLE = "<script>document.title='hacked'</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(ROOT / "seeds", folder / "corpus")
    (folder / "corpus" / HOSTILE_NAME).write_text(HOSTILE, encoding="utf-8")
    with (folder / "corpus" / "metadata.toml").open("a", encoding="utf-8") as metadata:
        metadata.write(f'\n["{HOSTILE_NAME}"]\ntitle = "{HOSTILE_TITLE}"\nauthors = ["{HOSTILE_TITLE}"]\n')
    server = Server(folder)
    try:
        server.wait()
        yield server
    finally:
        log = server.stop()
    assert "Traceback" not in log


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


class Visitor:
    """A person at the page; whatever the browser complains of is kept."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}} | options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.complaints: list[str] = []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.complaints.append("a dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self._watch(request.url, url))
        self.page.goto(url)
        expect(self.page.locator("#question textarea")).to_be_visible()

    def _listen(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")

    def _watch(self, requested: str, url: str) -> None:
        if not requested.startswith((url, "data:", "blob:")):
            self.complaints.append(f"request to {requested}")

    def ask(self, question: str) -> Any:
        """Asks and waits for the whole answer; returns its section."""
        turns = self.page.locator(".turn")
        before = turns.count()
        self.page.locator("#question textarea").fill(question)
        self.page.keyboard.press("Enter")
        turn = turns.nth(before)
        expect(turn.locator(".facts, .failed")).to_be_visible()
        return turn

    def open_tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    def marked(self, number: int = 1) -> str:
        """The text that is marked for a citation, as the browser holds it."""
        marks = self.page.locator(f'#source mark[data-numbers~="{number}"]')
        expect(marks.first).to_be_in_viewport()
        return "".join(marks.all_text_contents())

    def wait_for_sync(self) -> None:
        expect(self.page.locator("#sync progress")).to_have_count(0)
        expect(self.page.locator("#sync [role=status]")).to_be_visible()


@pytest.fixture
def visit(browser: Any, server: Server) -> Iterator[Any]:
    visitors: list[Visitor] = []

    def visit(**options: Any) -> Visitor:
        visitors.append(Visitor(browser, server.url, **options))
        return visitors[-1]

    yield visit
    for visitor in visitors:
        visitor.context.close()
        assert visitor.complaints == []


def source_text(server: Server, source: str) -> str:
    with (server.corpus / source).open(encoding="utf-8", newline="") as file:
        return file.read()


def test_a_citation_opens_its_article_at_the_exact_quote(visit: Any, server: Server) -> None:
    visitor = visit()
    turn = visitor.ask(CARS)
    expect(turn).to_contain_text("657,000")
    turn.locator(".marker").first.click()
    marked = visitor.marked()
    assert marked in source_text(server, CARS_ARTICLE)
    assert "it sold more than 657,000 cars in China" in marked
    expect(visitor.page.locator("#source header")).to_contain_text("Wang Huiyao · SCMP · 2025-01-18")
    expect(visitor.page.locator("#source .text > b").first).to_have_text("1")


def test_the_answer_comes_in_pieces(visit: Any) -> None:
    page = visit().page
    page.evaluate("""() => {
        window.seen = [];
        const note = () => {
            const turn = document.querySelector(".turn");
            const now = !turn ? "" : turn.querySelector(".facts") ? "answered" : "working";
            if (now && window.seen.at(-1) !== now) window.seen.push(now);
        };
        new MutationObserver(note).observe(document.body, { childList: true, subtree: true });
    }""")
    page.locator("#question textarea").fill(CARS)
    page.keyboard.press("Enter")
    expect(page.locator(".facts")).to_contain_text(re.compile(r"searched in .*read in .*bundled reader"))
    assert page.evaluate("window.seen") == ["working", "answered"]
    expect(page.locator("#spoken [role=status]")).to_contain_text("657,000")


def test_a_declined_question_looks_different_and_offers_the_nearest_passages(visit: Any, server: Server) -> None:
    visitor = visit()
    turn = visitor.ask(UNANSWERABLE)
    expect(turn.locator(".declined")).to_contain_text("The articles don’t say")
    expect(turn.locator(".marker, .sure")).to_have_count(0)
    turn.locator(".citation").first.click()
    expect(visitor.page.locator("#source mark.current").first).to_be_in_viewport()


def test_a_follow_up_is_understood_from_the_conversation(visit: Any) -> None:
    visitor = visit()
    visitor.ask("Where is BYD's electric bus facility?")
    turn = visitor.ask("And how many workers does it employ?")
    expect(turn).to_contain_text("more than 750 workers")


def test_the_keyboard_opens_a_citation_and_comes_back(visit: Any) -> None:
    visitor = visit()
    marker = visitor.ask(CARS).locator(".marker").first
    marker.focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("#source mark.current").first).to_be_focused()
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator("#source .article")).to_have_count(0)
    expect(marker).to_be_focused()


def test_retry_edit_undo_and_new_conversation(visit: Any) -> None:
    visitor = visit()
    page, turns = visitor.page, visitor.page.locator(".turn")
    visitor.ask(CARS)
    visitor.ask(UNANSWERABLE)
    page.get_by_role("button", name="Undo").click()
    expect(turns).to_have_count(1)
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".turn .facts")).to_have_count(1)
    page.get_by_role("button", name="Edit question").click()
    expect(turns).to_have_count(0)
    expect(page.locator("#question textarea")).to_have_value(CARS)
    visitor.ask(CARS)
    page.get_by_role("button", name="New conversation").click()
    expect(turns).to_have_count(0)
    expect(page.locator("#invitation")).to_be_visible()


def test_examples_are_made_from_the_corpus_and_can_be_asked(visit: Any) -> None:
    page = visit().page
    expect(page.locator(".example").first).to_be_visible(timeout=60_000)
    example = page.locator(".example").first.inner_text()
    page.locator(".example").first.click()
    expect(page.locator(".turn .question")).to_have_text(example)
    expect(page.locator(".turn .reply:not(.declined) .marker").first).to_be_visible()


def test_the_conversation_is_exported_with_its_citations(visit: Any) -> None:
    visitor = visit()
    visitor.ask(CARS)
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="Export as Markdown").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith(f"## {CARS}\n")
    assert re.search(r"1\. \*\*Wang Huiyao: .*:\d+-\d+\n   > ", text)


def test_an_uploaded_article_is_cited_and_a_removed_one_is_gone(visit: Any, server: Server, tmp_path: Path) -> None:
    visitor, question = visit(), "Who built the Veldmark lighthouse?"
    page = visitor.page
    (tmp_path / "lighthouse.txt").write_text(LIGHTHOUSE, encoding="utf-8")
    (tmp_path / "program.exe").write_bytes(b"MZ")
    visitor.open_tab("Articles")
    visitor.wait_for_sync()
    page.locator("#upload input[type=file]").set_input_files(tmp_path / "lighthouse.txt")
    expect(page.locator("#sync")).to_contain_text("lighthouse.txt")
    expect(page.locator("#articles")).to_contain_text("The Lighthouse of Harrow Island")

    visitor.open_tab("Ask")
    turn = visitor.ask(question)
    expect(turn).to_contain_text("Odalys Brandt")
    turn.locator(".marker").first.click()
    assert visitor.marked() in LIGHTHOUSE

    visitor.open_tab("Articles")
    row = page.locator("#articles li", has_text="lighthouse.txt")
    row.locator("summary").click()
    row.get_by_role("button", name="Remove").click()
    row.get_by_role("button", name="Remove this article?").click()
    expect(row).to_have_count(0)
    assert not (server.corpus / "lighthouse.txt").exists()
    visitor.open_tab("Ask")
    expect(visitor.ask(question).locator(".declined")).to_be_visible()


def test_metadata_is_edited_in_place(visit: Any, server: Server) -> None:
    visitor = visit()
    visitor.open_tab("Articles")
    row = visitor.page.locator("#articles li", has_text="002_666798c1856710d8.txt")
    row.locator("summary").click()
    row.get_by_label("Authors").fill("Nora Quill; Ben Ito")
    row.get_by_role("button", name="Save").click()
    expect(row.locator("summary")).to_contain_text("Nora Quill, Ben Ito")
    written = tomllib.loads((server.corpus / "metadata.toml").read_text(encoding="utf-8"))
    assert written["002_666798c1856710d8.txt"]["authors"] == ["Nora Quill", "Ben Ito"]


def test_a_hostile_article_is_shown_and_does_nothing(visit: Any) -> None:
    visitor = visit()
    page = visitor.page
    turn = visitor.ask("Who opened the zircon quarry of Ostrava?")
    turn.locator(".marker, .citation").first.click()
    expect(page.locator("#source .text")).to_contain_text('<script>document.title = "hacked"</script>')
    expect(page.locator("#source h2")).to_have_text(HOSTILE_TITLE)
    visitor.open_tab("Articles")
    expect(page.locator("#articles")).to_contain_text(HOSTILE_NAME)
    visitor.open_tab("Ask")
    visitor.ask("<img src=x onerror=alert(1)> <script>alert(1)</script> zircon?")
    assert page.locator("#main img, #side img, #main svg a, #side svg, #main iframe").count() == 0
    assert page.title() == "Ask the articles"


def test_two_people_share_no_conversation(visit: Any) -> None:
    one, other = visit(), visit()
    one.page.locator("#question textarea").fill(CARS)
    other.page.locator("#question textarea").fill(UNANSWERABLE)
    one.page.keyboard.press("Enter")
    other.page.keyboard.press("Enter")
    expect(one.page.locator(".turn .facts")).to_have_count(1)
    expect(other.page.locator(".turn .facts")).to_have_count(1)
    expect(one.page.locator(".turn .question")).to_have_text(CARS)
    expect(other.page.locator(".turn .question")).to_have_text(UNANSWERABLE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_without_sideways_scrolling(visit: Any, scheme: str) -> None:
    visitor = visit(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page = visitor.page

    def overflow() -> int:
        return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")

    turn = visitor.ask(CARS)
    assert overflow() == 0
    turn.locator(".marker").first.click()
    visitor.marked()
    assert overflow() == 0
    page.get_by_role("button", name="Close").click()
    for tab in ("Articles", "Quality"):
        visitor.open_tab(tab)
        expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        assert overflow() == 0


def test_a_rating_is_kept_and_becomes_a_draft(visit: Any, server: Server) -> None:
    visitor = visit()
    page = visitor.page
    turn = visitor.ask("How much did CRRC invest into establishing a manufacturing facility?")
    turn.get_by_role("button", name="Helpful", exact=True).click()
    turn.get_by_role("button", name="Make it a draft").click()
    expect(turn.locator(".noted")).to_contain_text("gold_drafts.jsonl")
    assert "US$100 million" in (server.store / "gold_drafts.jsonl").read_text(encoding="utf-8")
    turn.get_by_role("button", name="Not helpful").click()
    turn.get_by_label("What is wrong with it?").fill("too <b>short</b>")
    page.keyboard.press("Enter")
    expect(turn.locator(".noted")).to_contain_text("kept")
    visitor.open_tab("Quality")
    expect(page.locator("#feedback")).to_contain_text("Not helpful: too <b>short</b>")


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    import gradio_client

    return gradio_client.Client(server.url, verbose=False)


def test_only_the_named_endpoints_are_public(client: Any) -> None:
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {"/query", "/retrieve", "/sync"}


def test_query_by_program(client: Any, server: Server) -> None:
    answer = client.predict(CARS, [], api_name="/query")
    [citation] = answer["citations"]
    assert answer["answered"]
    assert source_text(server, citation["source"])[citation["start"] : citation["end"]] == citation["quote"]


def test_retrieve_by_program(client: Any) -> None:
    passages = client.predict(CARS, 3, api_name="/retrieve")
    assert [len(passages), passages[0]["source"]] == [3, CARS_ARTICLE]


def test_sync_by_program(client: Any) -> None:
    assert CARS_ARTICLE in client.predict(api_name="/sync")["unchanged"]


def test_an_empty_question_is_answered_with_what_is_wrong(client: Any) -> None:
    with pytest.raises(Exception, match="question is empty"):
        client.predict("  ", [], api_name="/query")


def test_files_of_the_machine_are_not_served(server: Server) -> None:
    for path in ("/etc/hostname", f"{server.corpus}/metadata.toml", f"{ROOT}/pyproject.toml"):
        with pytest.raises(urllib.error.HTTPError, match=r"40[34]"):
            urllib.request.urlopen(f"{server.url}/gradio_api/file={path}")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host=0.0.0.0"], "password"),
        (["--password=short"], "USER:PASSWORD"),
        (["--password=ann:secret", "--mcp"], "--mcp"),
        (["--corpus=/nowhere/at/all"], "no folder /nowhere/at/all"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    import app

    assert app.main(options) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1


def test_with_a_password_nobody_else_comes_in(tmp_path: Path) -> None:
    server = Server(tmp_path, "--password=ann:secret")
    try:
        server.wait()
        for path, data in (
            ("config", None),
            ("gradio_api/call/query", b'{"data": ["x", []]}'),
            ("gradio_api/upload", b""),
        ):
            request = urllib.request.Request(f"{server.url}/{path}", data, {"Content-Type": "application/json"})
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(request)
    finally:
        server.stop()
