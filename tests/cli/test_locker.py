"""The locker on a terminal: what it shows at any size, what it takes, and that nothing leads out of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.core.layout import Layout
from tests.cli.terminals import Running, Screen

RIGHT = "K7M2QXD40B"
MESSAGE = {
    "en": "This laptop was reported as lost. Please bring it to the school office.",
    "ar": "أُبلغ عن فقدان هذا الحاسوب. من فضلك أحضره إلى مكتب المدرسة (الغرفة 12).",
}
NOTICE = {
    "v": 1,
    "locked": True,
    "message": MESSAGE,
    "contact": "ict@north.example",
    "challenge": "K7M2-QXD4",
    "grade": 1,
    "since": 1_790_000_000,
    "order": "a" * 32,
    "wait_s": 0,
    "erase_at": 0,
}
FREE = 3  #: wrong answers before one has to wait


class Laptop:
    """A locked laptop as far as the locker sees it: the notice, and whoever listens on the control socket.

    The supervisor's side keeps to the contract of the verb ``unlock``: exit 0 when it is open, 4 with
    ``wrong-code`` or ``too-soon``; the notice is written again before the answer.
    """

    def __init__(self, folder: str) -> None:
        self.layout = Layout(folder)
        self.root = folder
        self.heard: list[str] = []
        self.wrong = 0
        for path in (self.layout.public, self.layout.run):
            os.makedirs(path)
        self.notice: dict[str, object] = dict(NOTICE)
        self.publish()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.layout.control_socket)
        self._listener.listen(4)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def publish(self, **changes: object) -> None:
        self.notice.update(changes)
        path = f"{self.layout.public}/lock.json"
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(self.notice, file)
        os.replace(f"{path}.new", path)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as lines:
                asked = json.loads(lines.readline())
                assert (asked["v"], asked["verb"]) == (1, "unlock")
                for event in self._answer(asked["args"]["code"]):
                    lines.write(json.dumps(event).encode() + b"\n")
                lines.flush()

    def _answer(self, code: str) -> list[dict[str, object]]:
        self.heard.append(code)
        if self.wrong >= FREE:
            return refusal("too-soon")
        if code != RIGHT:
            self.wrong += 1
            self.publish(wait_s=3600 if self.wrong >= FREE else 0)
            return refusal("wrong-code")
        self.publish(locked=False)
        return [{"event": "result", "result": {"locked": False}}, {"event": "exit", "code": 0}]


def refusal(code: str) -> list[dict[str, object]]:
    error = {"code": code, "message": f"cannot unlock: {code}", "remedy": "wait"}
    return [{"event": "error", "error": error}, {"event": "exit", "code": 4}]


@pytest.fixture
def laptop() -> Iterator[Laptop]:
    with tempfile.TemporaryDirectory(prefix="bookbag-locker-") as folder:
        made = Laptop(folder)
        try:
            yield made
        finally:
            made.close()


def locker(laptop: Laptop, **more: object) -> Running:
    return Running(["locker", "--root", laptop.root], **more)  # type: ignore[arg-type]


def entry(screen: Screen) -> str:
    """The line in which the answer is typed, where the cursor stands."""
    return screen.lines[screen.row].strip()


# -- what it shows


def test_it_says_why_whom_to_ask_and_what_to_tell_them(laptop: Laptop) -> None:
    with locker(laptop) as running:
        screen = running.shows(
            "This laptop is locked", "reported as lost", "ict@north.example", "K 7 M 2   -   Q X D 4"
        )
        running.until(lambda screen: entry(screen) == "_____ _____", "the place for the answer")
        assert "erased" not in screen.text
        assert ("12" in screen.text and "\ufee2" in screen.text) or "\ufee3" in screen.text, (
            "Arabic, its letters joined"
        )


def test_a_student_whose_laptop_speaks_arabic_reads_it_first(laptop: Laptop) -> None:
    with locker(laptop, LANG="ar_EG.UTF-8") as running:
        screen = running.shows("This laptop is locked", "ict@north.example")
        titles = [line for line in screen.lines if line.strip()][:2]
        assert titles[1].strip() == "This laptop is locked"
        assert titles[0].startswith(" " * 30), "and from the right"
        assert titles[0].strip()[-1] in "\ufeeb\ufee9\u0647", "its first letter is the last cell"


@pytest.mark.parametrize("kind", ["linux", "vt220", "dumb", ""])
def test_a_console_without_arabic_letters_shows_the_other_language(kind: str, laptop: Laptop) -> None:
    with locker(laptop, kind=kind, LANG="ar_EG.UTF-8") as running:
        screen = running.shows("This laptop is locked", "reported as lost", "K 7 M 2   -   Q X D 4")
        assert screen.text.isascii()
        laptop.publish(message={"ar": MESSAGE["ar"]})
        running.until(lambda screen: "reported" not in screen.text, "the English message to go")
        running.shows("This laptop is locked", "ict@north.example", "K 7 M 2   -   Q X D 4")


def test_accents_are_kept_where_they_can_be(laptop: Laptop) -> None:
    laptop.publish(message={"fr": "Déclaré perdu — rendez-le à l’école…"})
    with locker(laptop, kind="vt220", LANG="fr_FR.UTF-8") as running:
        running.shows(
            "Cet ordinateur est verrouillé", "Déclaré perdu - rendez-le à l'école...", "This laptop is locked"
        )


def test_when_it_will_be_erased_and_how_long_to_wait(laptop: Laptop) -> None:
    laptop.publish(erase_at=1_795_600_800, wait_s=754)
    with locker(laptop, TZ="UTC") as running:
        running.shows("Everything on it will be erased at 2026/11/25 10:00", "The next answer counts in 12:3")
        running.shows("12:30"), "and it counts down"


@pytest.mark.parametrize(
    ("rows", "columns"), [(24, 80), (25, 132), (12, 40), (8, 30), (6, 24), (4, 20), (3, 14)]
)
def test_what_opens_the_laptop_is_on_the_smallest_screen(rows: int, columns: int, laptop: Laptop) -> None:
    laptop.publish(message={**MESSAGE, "en": MESSAGE["en"] * 20})
    with locker(laptop, rows=rows, columns=columns) as running:
        running.until(lambda screen: "K7M2-QXD4" in screen.text.replace(" ", ""), "the challenge")
        running.until(lambda screen: entry(screen).startswith("_____"), "the place for the answer")
        running.type(RIGHT[:5])
        running.until(lambda screen: entry(screen).startswith(RIGHT[:5]), "what was typed")
        if rows >= 6:
            running.type("\r")
            running.shows("ten letters") if columns > 40 else running.until(
                lambda s: "ten" in s.text, "why not"
            )


def test_one_row_and_one_column_harm_nothing(laptop: Laptop) -> None:
    with locker(laptop, rows=1, columns=1) as running:
        running.until(lambda screen: screen.text.strip(), "anything")
        running.resize(24, 80)
        running.signal(signal.SIGWINCH)
        running.shows("This laptop is locked", "ict@north.example", "K 7 M 2   -   Q X D 4")


def test_a_line_that_does_not_know_its_size_counts_as_a_usual_one(laptop: Laptop) -> None:
    with locker(laptop, rows=0, columns=0, kind="vt220") as running:
        running.shows("This laptop is locked", "K 7 M 2   -   Q X D 4", "Ask ict@north.example")


def test_news_is_shown_as_it_comes(laptop: Laptop) -> None:
    with locker(laptop) as running:
        running.shows("K 7 M 2")
        laptop.publish(challenge="AAAA-BBBB", contact="the office")
        running.shows("A A A A   -   B B B B", "Ask the office")
        laptop.publish(locked=False)
        running.shows("This laptop opens now.")


# -- what it takes


def test_the_right_answer_opens_in_whatever_way_it_is_typed(laptop: Laptop) -> None:
    with locker(laptop) as running:
        running.shows("Type the answer")
        running.type("k7m2q-xd4 ob")
        running.until(lambda screen: entry(screen) == "K7M2Q XD40B", "the answer in groups")
        running.type("\r")
        running.shows("This laptop opens now.")
    assert laptop.heard == [RIGHT]


def test_a_wrong_answer_is_told_and_then_they_have_to_wait(laptop: Laptop) -> None:
    with locker(laptop) as running:
        running.shows("Type the answer")
        for _ in range(FREE):
            running.type("0000000000\r")
            running.shows("That was not the answer")
            running.type("1")
            running.until(lambda screen: "not the answer" not in screen.text, "the complaint to go")
            running.type("\x7f")
        running.shows("The next answer counts in 59:")
        running.type(f"{RIGHT}\r")
        running.shows("Too many wrong answers.", "59:")
    assert laptop.heard == ["0000000000"] * FREE + [RIGHT]


def test_misheard_letters_and_other_digits_are_put_right(laptop: Laptop) -> None:
    with locker(laptop) as running:
        running.shows("Type the answer")
        running.type("oil٣۴५")
        running.until(lambda screen: entry(screen) == "01134 5____", "the ten characters")
        running.type("u")
        running.shows("No answer has this in it: u")
        running.type("\x08\x7f")
        running.until(lambda screen: entry(screen) == "0113_ _____", "two taken back")
        running.type("\x15")
        running.until(lambda screen: entry(screen) == "_____ _____", "all of it")
        running.type("AAAAAAAAAAAAAAAAAAAAAA")
        running.until(lambda screen: entry(screen) == "AAAAA AAAAA", "no more than ten")
    assert laptop.heard == []


def test_a_supervisor_that_does_not_answer_is_said(laptop: Laptop) -> None:
    os.unlink(laptop.layout.control_socket)
    with locker(laptop) as running:
        running.shows("Type the answer")
        running.type(f"{RIGHT}\r")
        running.shows("could not be looked at")
        running.until(lambda screen: entry(screen) == "_____ _____", "the place for the next")


# -- nothing leads out


def test_no_key_ends_it_stops_it_or_starts_anything(laptop: Laptop) -> None:
    with locker(laptop) as running:
        running.shows("Type the answer")
        for key in (*range(32), 127):
            running.type(bytes([key]))
        for sequence in (
            b"\x1b[A",
            b"\x1bOP",
            b"\x1b[[A",
            b"\x1b[15~",
            b"\x1b[1;5D",
            b"\x1b\x1b",
            b"\x1bx",
            b"\x1b[M !!",
        ):
            running.type(sequence)
        running.type("\x1b")
        time.sleep(1.2)  # a lone escape is one once nothing follows
        running.type("K")
        running.until(lambda screen: entry(screen).startswith("K"), "a key that means something")
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP, signal.SIGTTIN):
            running.signal(number)
        running.type("7")
        running.until(lambda screen: entry(screen).startswith("K7"), "and another")
        assert running.alive


def test_any_bytes_leave_it_standing(laptop: Laptop) -> None:
    import random

    chance = random.Random(7)
    with locker(laptop) as running:
        running.shows("Type the answer")
        for _ in range(40):
            running.type(
                bytes(chance.randrange(256) for _ in range(100)).replace(b"\r", b"").replace(b"\n", b"")
            )
            running.until(lambda screen: True)
        running.type("\x1b")
        time.sleep(1.2)
        running.type("\x15\x0cK7M2Q")
        running.until(lambda screen: entry(screen) == "K7M2Q _____", "its screen, whole")
        running.shows("This laptop is locked", "ict@north.example", "K 7 M 2   -   Q X D 4")
        assert running.alive


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{",
        b"[]",
        b'{"v": 2, "locked": true}',
        b'{"v": 1, "locked": "yes"}',
        b"\0" * 100_000,
        json.dumps(
            {"v": 1, "locked": True, "message": 7, "contact": [], "challenge": None, "wait_s": "x"}
        ).encode(),
        json.dumps({"v": 1, "locked": True, "message": {"en": "x" * 9000, "\x1b[2J": "\x1b]0;y\7"}}).encode(),
        json.dumps(
            {"v": 1, "locked": True, "wait_s": -5, "erase_at": 1 << 60, "challenge": "\u202e\x9b"}
        ).encode(),
    ],
)
def test_a_notice_that_is_none_still_locks(bad: bytes, laptop: Laptop) -> None:
    Path(laptop.layout.public, "lock.json").write_bytes(bad)
    with Running(["locker", "--stay", "--root", laptop.root]) as running:
        running.shows("This laptop is locked", "Type the answer")
        Path(laptop.layout.public, "lock.json").unlink()
        running.type("K")
        running.until(lambda screen: entry(screen).startswith("K"), "a key")
        laptop.publish()
        running.shows("ict@north.example")


def test_its_service_can_end_it_and_a_line_that_is_gone_does(laptop: Laptop) -> None:
    with locker(laptop) as running:
        running.shows("Type the answer")
        running.signal(signal.SIGTERM)
        assert running.process.wait(10) == 0
        running.until(lambda screen: not screen.text.strip(), "an empty screen: nothing of it stays")
    with locker(laptop) as running:
        running.shows("Type the answer")
        running.hang_up()
        assert running.process.wait(10) == 0


def test_where_nothing_is_locked_it_does_not_begin(laptop: Laptop) -> None:
    laptop.publish(locked=False)
    with locker(laptop) as running:
        running.shows("This laptop is not locked.")
        assert running.process.wait(10) == 0
