"""A person who goes to every page by its links, in a real browser, and notes what each is like."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from service.access.demo_accounts import DEMO_PASSWORD

LONGEST_WALK = 250
PHONE, HALF = {"width": 320, "height": 640}, {"width": 640, "height": 900}
DESK = {"width": 1280, "height": 900}
AXE = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
CONTRAST = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}

# Runs before the page's own scripts: notes broken policies, what the Tab key reached and could not be seen to have
# reached, and listeners for the mouse on things that the keyboard never gets to.
_WATCH = """
window.noted = {policy: [], dim: [], mouse: [], reached: new Set()};
document.addEventListener("securitypolicyviolation", (e) => noted.policy.push(`${e.violatedDirective} ${e.blockedURI}`));
document.addEventListener("focusin", ({target}) => {
  noted.reached.add(target);
  const style = getComputedStyle(target);
  if (target.matches(":focus-visible") && style.outlineStyle === "none" && style.boxShadow === "none")
    noted.dim.push(target.outerHTML.slice(0, 80));
});
const listen = EventTarget.prototype.addEventListener;
const keyed = "a[href], button, input, select, textarea, summary, form, [tabindex]";
EventTarget.prototype.addEventListener = function (type, ...rest) {
  const element = this instanceof Element && this !== document.documentElement && this !== document.body;
  if (element && (type === "dblclick" || type.startsWith("mouse") || type === "click")
      && !this.matches(keyed) && !this.querySelector(keyed)) noted.mouse.push(`${type} on ${this.tagName}.${this.className}`);
  return listen.call(this, type, ...rest);
};
"""
_LOOK = """() => ({
  title: document.title,
  headings: document.querySelectorAll("h1").length,
  skips: (document.querySelector("body a")?.getAttribute("href") || "") === "#main" && !!document.getElementById("main"),
  language: document.documentElement.lang,
  links: [...document.querySelectorAll("a[href]:not([download])")].map((a) => a.href).filter((href) => href.startsWith(location.origin)),
  ordered: [...document.querySelectorAll("[tabindex]")].filter((e) => e.tabIndex > 0).length,
  inline: [...document.querySelectorAll("*")].flatMap((e) => [...e.attributes]).map((a) => a.name)
    .filter((name) => name.startsWith("on") || name === "style"),
})"""
_SORTS = """[...document.querySelectorAll("body *:not(svg *)")].map((e) => [e.tagName, e.className, e.type, ...e.getAttributeNames()].join(" "))"""
_FOCUSABLE = """
const focusable = () => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter((e) => e.checkVisibility({visibilityProperty: true}) && !e.matches(":disabled, [tabindex='-1'], [type=hidden]"))
  .filter((e) => e.type !== "radio" || e === [...document.getElementsByName(e.name)].find((r) => r.form === e.form && r.checked)
    || (![...document.getElementsByName(e.name)].some((r) => r.form === e.form && r.checked)
      && e === [...document.getElementsByName(e.name)].find((r) => r.form === e.form)));
"""
_HOW_MANY = "() => {" + _FOCUSABLE + "noted.reached.clear(); return focusable().length; }"
_MISSED = (
    "() => {"
    + _FOCUSABLE
    + "return focusable().filter((e) => !noted.reached.has(e)).map((e) => e.outerHTML.slice(0, 80)); }"
)
_OPEN = "document.activeElement.blur(); document.querySelectorAll('details').forEach((d) => { d.open = true; })"
_WIDTH = "document.documentElement.scrollWidth"
_LARGER = "document.documentElement.style.fontSize = '212.5%'"  # twice heard.css's, as the browser's text size does it


@dataclass
class Visit:
    """What a page was like for one person; each list holds what is wrong, in words."""

    who: str
    address: str
    status: int
    asked: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    shape: list[str] = field(default_factory=list)
    axe: list[str] = field(default_factory=list)
    wide: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    keyboard: list[str] = field(default_factory=list)

    def of(self, part: str) -> list[str]:
        return [f"{self.who}, {self.address}: {one}" for one in getattr(self, part)]


def kind_of(address: str) -> str:
    """An address without the study's name and the numbers in ids, and of its query only what is asked for."""
    parts = urlsplit(address)
    steps = [re.split(r"[-.\d]", step)[0] if re.search(r"\d|^v-", step) else step for step in parts.path.split("/")]
    if len(steps) > 2 and steps[1] == "studies":
        steps[2] = "*"
    return "/".join(steps) + "?" + "&".join(sorted(parse_qs(parts.query)))


class Crawler:
    """Follows the links of everybody, one address of a kind; a page is measured for what has not been seen on it."""

    def __init__(self, browser: Browser, home: str) -> None:
        self._browser, self._home = browser, home
        self._seen: dict[str, set[str]] = defaultdict(set)

    def visit_all(self, who: str, first: tuple[str, ...]) -> Iterator[Visit]:
        """Everything that one person gets to; nobody is signed in where `who` is empty."""
        context = self._browser.new_context(viewport=DESK)
        context.add_init_script(_WATCH)
        page = context.new_page()
        said: list[str] = []
        asked: set[str] = set()
        page.on("console", lambda message: said.append(f"the console says: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"a script broke: {error}"))
        page.on("request", lambda request: said.extend(_elsewhere(request.url, self._home)))
        page.on("request", lambda request: asked.add(urlsplit(request.url).path))
        if who:
            sign_in(page, self._home, who)
        waiting, kinds = deque(first), {kind_of(address) for address in first}
        while waiting:
            said.clear()
            asked.clear()
            visit = self._visit(page, who, waiting.popleft())
            visit.said = said + [f"breaks the policy: {broken}" for broken in page.evaluate("noted.policy")]
            visit.asked = set(asked)
            for link in visit.links:
                if kind_of(link) not in kinds:
                    kinds.add(kind_of(link))
                    waiting.append(link)
            yield visit
        context.close()

    def _visit(self, page: Page, who: str, address: str) -> Visit:
        answer = page.goto(self._home + address)
        assert answer is not None
        visit = Visit(who or "nobody", address, answer.status)
        if not answer.headers["content-type"].startswith("text/html"):
            return visit
        look = page.evaluate(_LOOK)
        visit.links = [link.removeprefix(self._home).partition("#")[0] for link in look["links"]]
        visit.shape = list(_shape(look))
        self._measure(page, visit)
        return visit

    def _measure(self, page: Page, visit: Visit) -> None:
        """Measure a page that holds an element of a sort that has not been measured at that path."""
        path = kind_of(visit.address).partition("?")[0]
        new = set(page.evaluate(_SORTS)) - self._seen[path]
        if not new:
            return
        visit.keyboard = list(_walk(page))
        page.evaluate(_OPEN)
        visit.axe = list(_axe(page, dark=not self._seen[path]))
        visit.wide = list(_widths(page))
        self._seen[path] |= new


def _elsewhere(url: str, home: str) -> Iterator[str]:
    if not url.startswith((home, "data:")):
        yield f"asks another server: {url}"


def sign_in(page: Page, home: str, who: str) -> None:
    page.goto(home + "/sign-in")
    answer = page.request.post(
        home + "/sign-in", form={"name": who, "password": DEMO_PASSWORD}, headers={"Origin": home}, max_redirects=0
    )
    assert answer.status == 303


def _shape(look: dict[str, object]) -> Iterator[str]:
    if look["headings"] != 1:
        yield f"has {look['headings']} h1"
    if len(str(look["title"])) < len("x · Heard"):
        yield "has no title"
    if not look["skips"]:
        yield "does not begin with a skip link"
    if look["language"] != "en-GB":
        yield "has no language"
    if look["inline"]:
        yield f"has inline {look['inline']}"


def _walk(page: Page) -> Iterator[str]:
    """Press Tab through the page, and once more where a script moved the focus or wrote more while it loaded."""
    count = missed = page.evaluate(_HOW_MANY)
    for _ in range(2 if count < LONGEST_WALK else 1):
        for _ in range(min(count + 2, LONGEST_WALK) if missed else 0):
            page.keyboard.press("Tab")
        missed = page.evaluate(_MISSED) if count < LONGEST_WALK else []
    yield from (f"Tab does not reach {one}" for one in missed)
    yield from (f"cannot be seen to have the focus: {dim}" for dim in page.evaluate("noted.dim"))
    yield from (f"needs a mouse: {mouse}" for mouse in page.evaluate("noted.mouse"))
    ordered = page.evaluate("[...document.querySelectorAll('[tabindex]')].filter((e) => e.tabIndex > 0).length")
    if ordered:
        yield "puts the Tab key in an order of its own"


def _axe(page: Page, *, dark: bool) -> Iterator[str]:
    page.evaluate(AXE_SCRIPT)
    for scheme, options in (("light", AXE), ("dark", CONTRAST))[: 1 + dark]:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = page.evaluate("(options) => axe.run(document, options)", options)
        for violation in found["violations"]:
            places = [node["html"][:100] for node in violation["nodes"][:3]]
            yield f"{violation['id']} ({scheme}): {violation['help']}: {places}"
    page.emulate_media(color_scheme="light")


def _widths(page: Page) -> Iterator[str]:
    """A page at 200% zoom in a window of 640 is laid out as at 320; there text alone may be twice as large, too."""
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    if (width := page.evaluate(_WIDTH)) > PHONE["width"]:
        yield f"is {width} px wide at 320"
    page.set_viewport_size(HALF)  # type: ignore[arg-type]
    page.evaluate(_LARGER)
    if (width := page.evaluate(_WIDTH)) > HALF["width"]:
        yield f"is {width} px wide at 640 with text at 200%"
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
