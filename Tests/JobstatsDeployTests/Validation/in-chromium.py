"""Opens a validation report in a headless Chromium and uses it as a person would; ends with 1 when something is wrong.

usage: in-chromium.py work|plain|hostile|empty PAGE [PICTURES]

With PICTURES, a directory, the page, screenshots and the printed page are left there. The browser is driven over the
DevTools protocol through a pipe, and has a profile of its own in a temporary directory.
"""
import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

LIMIT = 60


class Browser:
    """A Chromium with one page."""

    def __init__(self, folder):
        to_read, self.output = os.pipe()
        self.input, to_write = os.pipe()

        def wire():
            # Chromium reads commands from 3 and writes answers to 4.
            copies = os.dup(to_read), os.dup(to_write)
            os.dup2(copies[0], 3)
            os.dup2(copies[1], 4)

        self.log = open(folder + "/log", "wb")
        self.process = subprocess.Popen(
            ["/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             "--user-data-dir=" + folder + "/profile", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage",
             "--force-color-profile=srgb", "about:blank"],
            preexec_fn=wire, close_fds=False, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            start_new_session=True)
        os.close(to_read)
        os.close(to_write)
        self.buffer = b""
        self.number = 0
        self.session = None
        self.requests, self.messages = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(domain + ".enable")

    def end(self):
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(10)
        except Exception:
            os.killpg(self.process.pid, 9)
            self.process.wait()

    def receive(self, deadline):
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.input], [], [], left)[0]:
                return None
            more = os.read(self.input, 1 << 20)
            if not more:
                raise SystemExit("chromium has ended; its log: " + open(self.log.name, errors="replace").read()[-2000:])
            self.buffer += more
        text, self.buffer = self.buffer.split(b"\0", 1)
        answer = json.loads(text)
        method, parameters = answer.get("method"), answer.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Runtime.consoleAPICalled":
            self.messages.append("console: %s" % parameters["args"])
        elif method == "Runtime.exceptionThrown":
            self.messages.append("exception: %s" % parameters["exceptionDetails"])
        elif method == "Log.entryAdded":
            self.messages.append("log: %s" % parameters["entry"])
        elif method == "Audits.issueAdded":
            self.messages.append("issue: %s" % parameters["issue"])
        elif method == "Page.javascriptDialogOpening":
            self.messages.append("dialog: %s" % parameters["message"])
        return answer

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.output, data):]
        deadline = time.monotonic() + LIMIT
        while True:
            answer = self.receive(deadline)
            if answer is None:
                raise SystemExit("no answer to %s" % method)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit("%s: %s" % (method, answer["error"]))
                return answer["result"]

    def wait_for_event(self, name):
        deadline = time.monotonic() + LIMIT
        while True:
            answer = self.receive(deadline)
            if answer is None:
                raise SystemExit("no %s" % name)
            if answer.get("method") == name:
                return

    def open(self, url):
        self.call("Page.navigate", url="about:blank")
        self.requests.clear()
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.protocol === 'file:'")

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise SystemExit("%s: %s" % (expression, answer["exceptionDetails"]))
        return answer["result"].get("value")

    def until(self, expression):
        deadline = time.monotonic() + LIMIT
        while not self.evaluate(expression):
            if time.monotonic() > deadline:
                raise SystemExit("never so: " + expression)
            time.sleep(0.02)

    KEYS = {"ArrowUp": 38, "ArrowDown": 40, "ArrowLeft": 37, "ArrowRight": 39, "Enter": 13, "Escape": 27, "Home": 36,
            "End": 35, "Tab": 9, "PageDown": 34, "PageUp": 33}

    def press(self, key, control=False, shift=False):
        code = self.KEYS.get(key, ord(key.upper()) if len(key) == 1 and key.isalnum() else 191)
        modifiers = (2 if control else 0) + (8 if shift else 0)
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        down = dict(type="keyDown" if text else "rawKeyDown", key=key, code=key, windowsVirtualKeyCode=code,
                    modifiers=modifiers)
        if text:
            down["text"] = text
        self.call("Input.dispatchKeyEvent", **down)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code,
                  modifiers=modifiers)

    def write(self, text):
        self.call("Input.insertText", text=text)

    def click(self, expression):
        box = self.evaluate("(() => { const e = %s; e.scrollIntoView({block: 'center', inline: 'center'}); "
                            "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
                            % expression)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1],
                      button="none" if kind == "mouseMoved" else "left", clickCount=0 if kind == "mouseMoved" else 1)

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def picture(self, name):
        if pictures:
            data = self.call("Page.captureScreenshot", format="png")["data"]
            with open("%s/%s-%s.png" % (pictures, stem, name), "wb") as file:
                file.write(base64.b64decode(data))


def expect(condition, what):
    if not condition:
        failures.append(what)
        print("wrong: " + what)


def value(expression, wanted):
    found = browser.evaluate(expression)
    expect(found == wanted, "%s is %r, not %r" % (expression, found, wanted))


def accessible(element, role):
    """What those who listen find below an element in a role."""
    nodes = browser.call("Accessibility.queryAXTree", nodeId=element, role=role)["nodes"]
    return [node for node in nodes if not node.get("ignored")]


def work():
    data = "JSON.parse(document.getElementById('data').textContent)"
    hosts = browser.evaluate(data + ".hosts.length")
    checks = browser.evaluate(data + ".checks.length")
    title = "document.getElementById('details-title').textContent"
    shown = "[...document.querySelectorAll('#matrix tbody tr')].filter(row => !row.hidden).length"
    active = "document.activeElement"
    where = "[%s.parentElement.sectionRowIndex, %s.cellIndex].join()" % (active, active)
    value(shown, hosts)
    value("document.querySelectorAll('#matrix [tabindex=\"0\"]').length", 1)
    value("document.getElementById('details').hidden", True)
    value("document.documentElement.scrollWidth <= innerWidth", True)
    browser.picture("light")

    # With keys alone: Tab to the grid, walk, open, close.
    for _ in range(40):
        browser.press("Tab")
        if browser.evaluate("%s.matches('#matrix td')" % active):
            break
    else:
        expect(False, "Tab reaches the grid")
    value("/^(failed|could not look|warning)$/.test(%s.getAttribute('aria-label'))" % active, True)
    value("getComputedStyle(%s).outlineStyle" % active, "solid")
    browser.press("Home", control=True)
    value("%s.textContent" % active, "Host")
    browser.press("ArrowDown")
    browser.press("ArrowRight")
    value(where, "0,1")
    browser.press("ArrowDown")
    browser.press("ArrowRight")
    value(where, "1,2")
    value("document.querySelectorAll('#matrix [tabindex=\"0\"]').length", 1)
    browser.press("End", control=True)
    value(where, "%d,%d" % (hosts - 1, checks))
    value("(() => { const c = %s.getBoundingClientRect(), s = document.getElementById('scroller').getBoundingClientRect();"
          " return c.bottom <= s.bottom + 1 && c.right <= s.right + 1; })()" % active, True)
    browser.press("PageUp")
    # Without ten rows above, the headings are the end; their row is the second of its section.
    value(where, "%d,%d" % (hosts - 11 if hosts > 11 else 1, checks))
    browser.press("Home", control=True)
    browser.press("n")
    value("/^[F?W]$/.test(%s.textContent)" % active, True)
    place = browser.evaluate(where)
    # The cell is not hidden below the headings that stay.
    value("(() => { const b = %s.getBoundingClientRect(); return document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2)"
          " === %s; })()" % (active, active), True)
    browser.press("Enter")
    value("document.getElementById('details').hidden", False)
    value("%s.id" % active, "details-title")
    text = browser.evaluate("document.getElementById('details').innerText")
    for part in ("Seen", "Expected", "What to do", "By hand"):
        expect(part in text, "the details have " + part)
    expect("\x7f" not in text, "gaps are filled")
    expect(browser.evaluate("location.hash").startswith("#host="), "the address names the cell")
    browser.picture("details")
    link = browser.evaluate("location.href")
    name = browser.evaluate(title)
    browser.press("Escape")
    value("document.getElementById('details').hidden", True)
    value(where, place)

    # With the pointer.
    browser.click("document.querySelector('#matrix tbody tr td.F, #matrix tbody tr td.U, #matrix tbody tr td.W')")
    value("document.getElementById('details').hidden", False)
    browser.click("document.querySelector('.command button')")
    browser.until("/^(Copied|Selected)$/.test(document.querySelector('.command button').textContent)")
    browser.click("document.getElementById('close')")
    value("document.getElementById('details').hidden", True)
    browser.click("document.querySelector('#matrix tbody th')")
    value(title, browser.evaluate(data + ".hosts[0][0]"))
    browser.click("document.querySelector('#details .link')")
    expect(browser.evaluate(title).startswith(browser.evaluate(data + ".hosts[0][0]") + ": "), "a problem leads to its cell")
    browser.press("Escape")
    browser.click("document.querySelector('.titles th:nth-child(2)')")
    value(title, browser.evaluate(data + ".checks[0][2]"))
    browser.press("Escape")

    # What passed says what was seen.
    browser.click("[...document.querySelectorAll('#matrix tbody td')].find(cell => cell.textContent.trim() === '+')")
    expect("passed" in browser.evaluate("document.getElementById('details').innerText"), "a passed cell has details")
    browser.press("Escape")

    # The filter.
    browser.press("/")
    value("%s.id" % active, "filter")
    browser.write(browser.evaluate(data + ".hosts[%d][0]" % (hosts - 1)))
    browser.until("/hits? on 1 of /.test(document.getElementById('hits').textContent)")
    value(shown, 1)
    value("document.getElementById('hits').getAttribute('aria-live')", "polite")
    browser.picture("filtered")
    browser.press("Enter")
    value("%s.matches('#matrix td')" % active, True)
    browser.press("/")
    browser.press("Escape")
    value(shown, hosts)
    value("document.getElementById('filter').value", "")
    browser.press("/")
    browser.write("no such thing anywhere")
    browser.until("/^0 hits/.test(document.getElementById('hits').textContent)")
    value(shown, 0)
    browser.press("Escape")
    value(shown, hosts)
    browser.click("document.querySelector('#tools fieldset input')")
    count = browser.evaluate("document.querySelectorAll('#matrix td.F').length")
    browser.until("document.getElementById('hits').textContent.startsWith('%d hit')" % count)
    value("[...document.querySelectorAll('#matrix tbody tr')].filter(r => !r.hidden).every(r => r.querySelector('td.F'))", True)
    value("[...document.querySelectorAll('#matrix tbody td.F')].every(c => c.offsetWidth > 0)", True)
    browser.click("document.querySelector('#tools fieldset input')")
    value(shown, hosts)

    # Every state is told apart without colour.
    value("new Set([...document.querySelectorAll('#matrix td')].filter(c => c.textContent.trim()).map("
          "c => c.className.replace(/ ?[oh]\\w*/, '') + c.textContent.trim())).size <= 5", True)

    # Rows and columns have names for those who listen.
    root = browser.call("DOM.getDocument", depth=0)["root"]["nodeId"]
    table = browser.call("DOM.querySelector", nodeId=root, selector="#matrix")["nodeId"]
    tools = browser.call("DOM.querySelector", nodeId=root, selector="#tools")["nodeId"]
    expect(len(accessible(table, "grid")) == 1, "the table is a grid")
    expect(len(accessible(table, "rowheader")) == hosts, "each row has a header")
    expect(len(accessible(table, "columnheader")) >= checks, "each column has a header")
    for role, least in (("searchbox", 1), ("checkbox", 6)):
        controls = accessible(tools, role)
        expect(len(controls) >= least and all(node["name"]["value"].strip() for node in controls),
               "each %s has a name" % role)

    # Dark, narrow, and on paper.
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    value("getComputedStyle(document.documentElement).backgroundColor", "rgb(15, 19, 24)")
    browser.evaluate("scrollTo(0, 0)")
    browser.picture("dark")
    browser.call("Emulation.setEmulatedMedia", features=[])
    for width, picture in ((1024, "80-percent"), (480, "narrow")):
        browser.size(width, 900)
        value("document.documentElement.scrollWidth <= innerWidth", True)
        browser.picture(picture)
    browser.size(1280, 900)
    browser.call("Emulation.setEmulatedMedia", media="print")
    value("getComputedStyle(document.getElementById('tools')).display", "none")
    value("getComputedStyle(document.querySelector('.problems')).maxHeight", "none")
    value("[...document.querySelectorAll('#matrix tr.q')].every(row => getComputedStyle(row).display === 'none')", True)
    browser.call("Emulation.setEmulatedMedia", media="")
    paper = browser.call("Page.printToPDF", printBackground=False, paperWidth=8.27, paperHeight=11.69)["data"]
    paper = base64.b64decode(paper)
    expect(paper.startswith(b"%PDF"), "it prints")
    if pictures:
        with open("%s/%s.pdf" % (pictures, stem), "wb") as file:
            file.write(paper)

    # A link to a cell.
    browser.open(link)
    value("document.getElementById('details').hidden", False)
    value(title, name)
    expect(browser.requests == [link.split("#")[0]] or browser.requests == [link], "requests: %s" % browser.requests)


def plain():
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.call("Page.navigate", url="about:blank")
    browser.call("Page.navigate", url=url)
    browser.wait_for_event("Page.loadEventFired")
    root = browser.call("DOM.getDocument", depth=-1)["root"]["nodeId"]

    def count(selector):
        return len(browser.call("DOM.querySelectorAll", nodeId=root, selector=selector)["nodeIds"])

    expect(count("#matrix tbody tr") == 64, "all rows are there")
    expect(count("#matrix tbody td.F") > 0, "failures are there")
    expect(count(".problems > li") > 2, "problems are there")
    expect(count("#tools[hidden]") == 1, "what does nothing is not shown")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in nodes if not node.get("ignored")]
    expect("table" in roles and roles.count("rowheader") >= 64, "the table has headers")
    browser.picture("plain")


def hostile():
    expect("owned" != browser.evaluate("document.title"), "nothing ran")
    value("document.images.length", 0)
    value("document.scripts.length", 2)
    browser.click("document.querySelector('#matrix td.F')")
    value("document.images.length", 0)
    value("document.querySelector('#details dd').textContent.trim()", "F failed")
    expect("</script><img src=x onerror=alert(1)>" in browser.evaluate("document.getElementById('details').innerText"),
           "texts are shown as they are")
    link = browser.evaluate("location.href")
    browser.open(link)
    value("document.getElementById('details').hidden", False)
    browser.picture("hostile")


def empty():
    expect("Nothing was looked at" in browser.evaluate("document.body.innerText"), "it says so")
    browser.press("/")
    browser.write("x")
    browser.until("document.getElementById('hits').textContent.startsWith('0 hits')")
    browser.picture("empty")


scenario, page = sys.argv[1:3]
pictures = sys.argv[3] if len(sys.argv) > 3 else None
stem = os.path.basename(page).rsplit(".", 1)[0]
if pictures:
    os.makedirs(pictures, exist_ok=True)
    shutil.copy(page, pictures)
failures = []
url = "file://" + urllib.parse.quote(os.path.abspath(page))
folder = tempfile.mkdtemp(prefix="jobstats-chromium.")
try:
    browser = Browser(folder)
    try:
        browser.size(1280, 900)
        began = time.monotonic()
        if scenario != "plain":
            browser.open(url)
            expect(browser.requests == [url], "requests: %s" % browser.requests)
            print("shown after %.2f s" % (time.monotonic() - began))
        {"work": work, "plain": plain, "hostile": hostile, "empty": empty}[scenario]()
        expect(not browser.messages, "messages: %s" % browser.messages)
        expect(all(each.startswith(("file://", "about:")) for each in browser.requests), "requests: %s" % browser.requests)
        print("%s: %.1f s" % (scenario, time.monotonic() - began))
    finally:
        browser.end()
finally:
    shutil.rmtree(folder, ignore_errors=True)
sys.exit(1 if failures else 0)
