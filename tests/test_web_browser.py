"""The pages in a real browser: filtered, exported, compared, loaded; by keyboard, narrow, dark, bare."""

import csv
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browser_support import AXE, running_browser, screenshot, violations
from web_process import load, started
from web_support import DRIVER_WARNINGS, Web, insert, running_web

web = pytest.fixture(running_web, scope="module")
browser = pytest.fixture(running_browser, scope="module")
pytestmark = DRIVER_WARNINGS

STATES = ("NY", "CA", "TX")
MORE = [
    (number, f"person{number:03}@example.com", STATES[number % 3], f"{number:05d}", f"{number} Elm Street")
    for number in range(100, 350)
]
PAGES = {
    "home": "/",
    "people": "/rds/people?state=CA&facet=state&sort=-email&size=20",
    "nobody": "/redshift/people?q=nobody-at-all",
    "row": "/rds/people/1",
    "lookup": "/redshift/ann",
    "compare": "/compare",
    "network": "/network",
    "loads": "/loads",
    "progress": "/loads/progress?key=incoming/people-20260101T000000Z-abcdef-people.csv",
    "missing": "/rds/nobody@example.com",
}


@pytest.fixture(scope="module")
def site(web: Web, browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the pages, which the Procfile's command serves."""
    for source in (web.rds, web.redshift):
        insert(source, MORE)
    web.redshift.execute("UPDATE persons SET address = 'moved' WHERE id = 300")
    with started(tmp_path_factory.mktemp("pages"), {"WEB_CONCURRENCY": "1"}) as address:
        yield address


@contextmanager
def opened(browser: Any, site: str, **options: Any) -> Iterator[Any]:
    """A page of a fresh profile that asks nobody but the pages and logs no error."""
    context = browser.new_context(base_url=site, accept_downloads=True, **options)
    page = context.new_page()
    elsewhere: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: request.url.startswith(site) or elsewhere.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.set_default_timeout(300_000)
    yield page
    context.close()
    assert elsewhere == []
    # Chromium logs a failed request as an error; those of the pages under test are meant to fail.
    assert [error for error in errors if "404" not in error] == []


@pytest.fixture
def page(browser: Any, site: str) -> Iterator[Any]:
    """A page on a wide screen."""
    with opened(browser, site, viewport={"width": 1100, "height": 800}) as page:
        yield page


def emails(page: Any) -> list[str]:
    """Who is in the table."""
    return page.locator("#rows tbody th").all_inner_texts()


def test_search_from_the_start_page_and_one_click_to_a_person(page: Any) -> None:
    page.goto("/")
    page.get_by_label("E-mail, any part of it").fill("PERSON12")
    page.get_by_role("button", name="Search RDS").click()
    assert emails(page) == [f"person{number}@example.com" for number in range(120, 130)]
    page.get_by_role("link", name="person125@example.com").click()
    assert page.get_by_role("heading", level=1).inner_text() == "person125@example.com"
    page.get_by_role("link", name="Redshift").last.click()
    assert "/redshift/people/125" in page.url


def test_filter_sort_and_go_through_the_pages(page: Any) -> None:
    page.goto("/redshift/people")
    page.get_by_text("Filter and sort").click()
    page.get_by_role("textbox", name="State").fill("CA")
    page.get_by_label("Postal code from").fill("00100")
    page.get_by_label("Rows per page").select_option("50")
    page.get_by_label("Count values of").select_option("state")
    page.get_by_role("button", name="Search").click()
    assert "state=CA" in page.url and "q=" not in page.url
    page.get_by_role("link", name="email", exact=True).click()
    first = emails(page)
    assert first == sorted(first) and len(first) == 50
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("email")
    page.get_by_role("link", name="Next page").click()
    second = emails(page)
    assert second and min(second) > max(first)
    page.get_by_role("link", name="state is CA").click()
    assert page.get_by_role("link", name="state is CA").count() == 0


def test_a_filter_on_any_column_and_a_link_to_the_view(browser: Any, site: str) -> None:
    with opened(browser, site, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto("/rds/people?state=CA")
        page.get_by_text("Filter and sort").click()
        page.get_by_label("Column").select_option("email")
        page.get_by_label("Condition").select_option("ends with")
        page.get_by_label("Value", exact=True).fill("00@example.com")
        page.get_by_role("button", name="Apply").click()
        assert emails(page) == ["person100@example.com"]
        assert page.url.endswith("?state=CA&email__endswith=00%40example.com")
        page.get_by_role("button", name="Copy link").click()
        page.get_by_role("button", name="Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == page.url
        page.get_by_role("button", name="Keys").click()
        assert page.get_by_role("dialog").is_visible()


def test_exports_are_the_view(page: Any) -> None:
    page.goto("/rds/people?q=person10&sort=-email&size=20")
    shown = emails(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV of all").click()
    with Path(download.value.path()).open(newline="") as file:
        assert [row["email"] for row in csv.DictReader(file)] == shown
    page.get_by_role("link", name="This page as JSON").click()
    assert shown[0] in page.content()


def test_compare_shows_who_differs(page: Any) -> None:
    page.goto("/")
    page.get_by_role("link", name="Compare").click()
    assert "1 differ" in page.get_by_role("status").inner_text()
    assert page.get_by_role("row", name="300 address 300 Elm Street moved").count() == 1


def wait_for(found: Callable[[], Any]) -> Any:
    """What a question answers as soon as the answer is true."""
    end = time.monotonic() + 300
    while not (answer := found()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return answer


def new_key(web: Web, name: str) -> str:
    """The key of an upload, once it is in the bucket."""

    def found() -> str | None:
        listed = web.s3.list_objects_v2(Bucket=web.bucket, Prefix="incoming/").get("Contents", ())
        return next((one["Key"] for one in listed if name in one["Key"]), None)

    return str(wait_for(found))


@pytest.mark.parametrize("script", [True, False])
def test_upload_until_the_rows_appear(
    browser: Any, site: str, web: Web, tmp_path: Path, script: bool
) -> None:
    file = tmp_path / f"New people {script}.csv"
    email = f"new-{script}@example.com".lower()
    good = f"{9000 + script},{email},CA,90001,1 New Street\n"
    file.write_text(f"id,email,state,postal,address\n{good}9999,=bad,CA,90001,1 New Street\n")
    with opened(browser, site, java_script_enabled=script) as page:
        page.goto("/loads")
        page.get_by_label("File, at most").set_input_files(file)
        page.get_by_label("The table afterwards").select_option("merge")
        page.get_by_role("button", name="Upload and load").click()
        assert "Waiting for the job" in page.get_by_role("status").inner_text()
        key, said = new_key(web, f"new-people-{script}".lower()), []
        job = threading.Thread(target=lambda: said.append(load(web, key)))
        job.start()
        page.get_by_role("link", name="People in Redshift").or_(page.get_by_text("is over")).wait_for()
        job.join()
        assert '"target": "redshift"' in said[0], said
        page.get_by_role("link", name="People in Redshift").click()
        page.goto(f"/redshift/{email}")
        assert page.get_by_text("1 New Street").count() == 1
        page.goto("/loads")
        with page.expect_download() as download:
            page.get_by_role("link", name="rejected rows as CSV").first.click()
        assert "'=bad" in Path(download.value.path()).read_text()
        screenshot(page, f"loads-{'script' if script else 'bare'}")


def test_everything_by_keyboard(page: Any) -> None:
    press = page.keyboard.press
    page.goto("/")
    press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    press("/")
    page.keyboard.type("person")
    press("Enter")
    page.wait_for_url("**/rds/people?q=person")
    press("?")
    assert page.get_by_role("dialog").is_visible()
    press("Escape")
    assert not page.get_by_role("dialog").is_visible()
    for key in ("j", "j", "ArrowDown", "ArrowUp", "k"):
        press(key)
    assert page.evaluate("document.activeElement.textContent") == "person100@example.com"
    press("n")
    page.wait_for_url("**after=**")
    press("p")
    page.wait_for_url("**/rds/people?q=person")
    press("/")
    press("ArrowDown")
    press("Enter")
    page.wait_for_url("**/rds/people/100")
    press("h")
    page.wait_for_url(lambda url: url.endswith("/"))


CUT_OFF = """[...document.querySelectorAll('a, button, input, select')].filter(one =>
  one.offsetParent && one.getBoundingClientRect().right > 320 && !one.closest('.overflow')).length"""


def test_at_320_pixels_nothing_is_cut_off(browser: Any, site: str) -> None:
    with opened(browser, site, viewport={"width": 320, "height": 640}) as page:
        for name, address in PAGES.items():
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") == 320, name
            assert page.evaluate(CUT_OFF) == 0, name
            screenshot(page, f"{name}-320")


def luminance(page: Any) -> float:
    """How light the page's ground is, from 0 to 255."""
    numbers = page.evaluate("getComputedStyle(document.documentElement).backgroundColor.match(/[\\d.]+/g)")
    return sum(map(float, numbers[:3])) / 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_and_the_system_chooses_the_colours(
    browser: Any, site: str, scheme: str
) -> None:
    with opened(browser, site, color_scheme=scheme, viewport={"width": 1100, "height": 800}) as page:
        found = {}
        for name, address in PAGES.items():
            page.goto(address)
            screenshot(page, f"{name}-{scheme}")
            found[name] = violations(page, ("color-contrast",) if scheme == "dark" else ())
        assert found == {name: [] for name in PAGES}
        assert (luminance(page) < 60) == (scheme == "dark")


def test_without_script_pages_are_found_filtered_and_turned(browser: Any, site: str) -> None:
    with opened(browser, site, java_script_enabled=False) as page:
        page.goto("/")
        page.get_by_label("E-mail, any part of it").fill("person")
        page.get_by_role("button", name="Search Redshift").click()
        assert len(emails(page)) == 100
        page.get_by_role("link", name="Next page").click()
        assert emails(page)[0] == "person200@example.com"
        page.goto("/compare")
        assert "1 differ" in page.get_by_role("status").inner_text()


def test_axe_is_the_one_that_was_published() -> None:
    digest = hashlib.sha256(AXE.read_bytes()).hexdigest()
    assert AXE.with_suffix(".js.sha256").read_text() == f"{digest}  axe.min.js\n"
    assert "Mozilla Public License, version 2.0" in (AXE.parent / "LICENSE").read_text()
