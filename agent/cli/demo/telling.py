"""What the demonstration shows while it runs: one aligned screen, or one JSON value at the end."""

from __future__ import annotations

import shutil
import textwrap
import time

from agent.cli import _terminal as terminal
from agent.cli.demo.stage import Claim, Stage
from agent.cli.demo.steps import ACTS

_MARGIN = " " * 12


class Telling:
    """Collects what came of each step, and shows it."""

    def __init__(self, folder: str, *, as_json: bool) -> None:
        self._folder = folder
        self._as_json = as_json
        self._began = time.monotonic()
        self._width = max(60, min(shutil.get_terminal_size().columns, 110))
        self._steps: list[dict[str, object]] = []
        self._step: dict[str, object] = {}
        self._claims: list[dict[str, object]] = []
        self.held = 0  #: steps of which everything holds

    def begin(self, laptops: int) -> None:
        """The first line."""
        self._show(f"One school and its {laptops} laptops in {self._folder}; nothing else here is touched.")

    def step(self, number: int) -> None:
        """A step begins; the first of an act under its heading."""
        first = 1
        for heading, steps in ACTS:
            if first == number:
                self._show(f"\n{terminal.paint(heading, 'bold')}")
            first += len(steps)
        self._claims = []
        self._step = {"step": number, "ok": False, "claims": self._claims}
        self._steps.append(self._step)

    def claim(self, claim: Claim, ok: bool, evidence: str) -> None:
        """What the judge said of one claim."""
        self._claims.append({"ok": ok, "said": claim.said, "evidence": evidence})
        mark = terminal.paint("✓", "green") if ok else terminal.paint("✗", "red")
        self._show(f"{time.monotonic() - self._began:6.1f} s {self._step['step']:>2} {mark} {claim.said}")
        self._fold(terminal.plain(evidence))
        for text in claim.shown:
            self._fold(terminal.plain(text))

    def failed(self, said: str, why: str) -> None:
        """The step could not even be played."""
        self.claim(Claim(" ".join(said.split()), "", {}), False, why)

    def done(self) -> None:
        """Everything in the step holds."""
        self._step["ok"] = True
        self.held += 1

    def end(self, code: int, *, sabotage: int, stays: bool) -> None:
        """The last line. ``stays``: everything is left running, and `invite` follows."""
        seconds = time.monotonic() - self._began
        of = sum(len(steps) for _, steps in ACTS)
        if self._as_json:
            terminal.print_json(
                {"steps": self._steps, "held": self.held, "of": of, "ms": int(seconds * 1000), "exit": code}
            )
            return
        if sabotage and self.held < sabotage:
            self._show(f"\nStep {sabotage} was broken on purpose, and it was noticed.")
        self._show(f"\n{self.held} of {of} steps hold, in {seconds:.0f} s.")
        if code == 0 and not stays:
            self._show("Be the student, IT or the thief yourself: make demo ARGS=--keep")

    def invite(self, stage: Stage) -> None:
        """Where to go from here; everything runs."""
        rows = [
            (
                "be the student",
                f"http://127.0.0.1:{stage.portal_port}/ (Lina's pages; her disk: {stage.lina.folder})",
            ),
            (
                "be IT",
                f"{stage.desk} (edit policies/, then: {stage.command('bookbag-fleet publish --as ict-1')})",
            ),
            ("be the thief", f"{stage.folder}/thief (every key of the server; it serves {stage.docroot})"),
        ]
        self._show("\nEverything runs until Ctrl-C:\n" + terminal.table(rows, indent="  "))

    def _fold(self, text: str) -> None:
        for line in textwrap.wrap(text, self._width - len(_MARGIN)) or [""]:
            self._show(terminal.paint(f"{_MARGIN} {line}", "dim"))

    def _show(self, text: str) -> None:
        if not self._as_json:
            print(text, flush=True)
