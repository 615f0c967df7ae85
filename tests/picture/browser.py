"""Headless Chromium over the pipe of its DevTools protocol: opens pages, clicks, and tells what they asked for."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions")


class Page:
    """One tab. `complaints` are its errors and warnings, `requests` the addresses it asked for, itself first."""

    def __init__(self, browser: "Browser", session: str):
        self.browser, self.session = browser, session
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        return self.browser.send(method, params, self.session)

    def hear(self, event: dict[str, Any]) -> None:
        about = event["params"]
        if event["method"] == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif event["method"] == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(about["exceptionDetails"]))
        elif event["method"] == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            self.complaints.append(about["entry"]["text"])
        elif event["method"] == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning", "assert"):
            self.complaints.append(json.dumps(about["args"]))

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        done = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def click(self, x: float, y: float) -> None:
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str) -> None:
        text = {"text": "\r"} if key == "Enter" else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def screenshot(self, path: Path, whole: bool = False) -> None:
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))


class Browser:
    def __init__(self, folder: Path):
        assert CHROMIUM
        ours_in, its_out = os.pipe()
        its_in, ours_out = os.pipe()

        def hand_over() -> None:  # Chromium reads its orders from 3 and answers on 4
            reading, writing = os.dup(its_in), os.dup(its_out)
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        command = [CHROMIUM, *OPTIONS, "--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"]
        self.process = subprocess.Popen(
            command, preexec_fn=hand_over, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(its_in)
        os.close(its_out)
        self.reader, self.writer = os.fdopen(ours_in, "rb"), os.fdopen(ours_out, "wb")
        self.count = 0
        self.rest = b""
        self.pages: dict[str, Page] = {}
        self.loaded: set[str] = set()

    def send(self, method: str, params: dict[str, Any], session: str = "") -> dict[str, Any]:
        self.count += 1
        order = {"id": self.count, "method": method, "params": params} | ({"sessionId": session} if session else {})
        self.writer.write(json.dumps(order).encode() + b"\0")
        self.writer.flush()
        while True:
            answer = self._read()
            if answer.get("id") == self.count:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _read(self) -> dict[str, Any]:
        """The next answer; what happened on the way goes to its page."""
        while b"\0" not in self.rest:
            more = os.read(self.reader.fileno(), 1 << 20)
            assert more, "Chromium has ended"
            self.rest += more
        words, _, self.rest = self.rest.partition(b"\0")
        answer = json.loads(words)
        session = answer.get("sessionId", "")
        if "id" not in answer and session in self.pages:
            self.pages[session].hear(answer)
            if answer["method"] == "Page.loadEventFired":
                self.loaded.add(session)
        return answer

    def open(self, address: str, width: int = 1400, height: int = 1000) -> Page:
        target = self.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.send("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = self.pages[session] = Page(self, session)
        for part in ("Page", "Runtime", "Log", "Network"):
            page.send(f"{part}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        page.send("Emulation.setDeviceMetricsOverride", **size)
        page.send("Page.navigate", url=address)
        while session not in self.loaded:
            self._read()
        return page

    def frame(self) -> Page:
        """The one frame whose page is kept apart from the one around it."""
        targets = self.send("Target.getTargets", {})["targetInfos"]
        (found,) = [target["targetId"] for target in targets if target["type"] == "iframe"]
        session = self.send("Target.attachToTarget", {"targetId": found, "flatten": True})["sessionId"]
        self.pages[session] = Page(self, session)
        return self.pages[session]


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    browser = Browser(folder)
    try:
        yield browser
    finally:
        browser.process.terminate()
        browser.process.wait(20)
        browser.reader.close()
        browser.writer.close()
