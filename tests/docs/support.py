"""docs/support.md: which setting reaches which program, and how far that was seen, from the code and from the
lab's tests. ``python -m tests.docs.support > docs/support.md``
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from agent.policy import kinds
from agent.policy.bases.setting import Setting
from agent.policy.document import Source, read_document
from agent.policy.syntax.problems import Problems
from tests.lab.acceptance.test_vocabulary import GRADED, LISTED, OFFERED

LAB = Path(__file__).parents[1] / "lab" / "acceptance"
HEAD = 'policy: x\nrank: school\nowner: x@x.example\nreview-by: "2027-08-01"\nsettings:\n'
#: Columns: what it is called, the kinds of resource that reach it.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "Chromium": ("chromium",),
    "Firefox": ("firefox",),
    "Chrome, Edge, snap, flatpak": ("other-browser",),
    "GNOME": ("dconf", "default-applications"),
    "the system": (
        *("administrators", "firewall", "group", "homes", "ini-keys", "login-hours", "password-quality"),
        *("block", "kernel-modules", "lid", "power-button", "recording", "resolvers", "usb-rules", "wifi"),
        *("assurance", "apt-settings", "apt-source", "certificate", "sysctl", "timer", "timesyncd"),
        *("timezone", "firmware-password", "firmware-switch"),
        *("default-printer", "printer", "root-password", "ssh-server"),
        *("blocked-program", "kept-packages", "package", "roster", "service"),
        *("flatpak", "flatpak-source"),
    ),
    "the agent": ("agent", "telemetry"),
}
INTRODUCTION = """\
<!-- Generated: python -m tests.docs.support > docs/support.md -->
# What is supported where

| System | |
|---|---|
| Debian 12 | tested: `make lab` runs on it, in systemd-nspawn, with GNOME's schemas and no screen |
| Debian 13, Ubuntu LTS | untested |
| anything else | not supported |

**seen**: a test on a real laptop asks the program itself, or a student's session, what it obeys.
**written**: the file lies where its maker says that it is read, and undo is exact; nobody saw it obeyed.

Applications of flatpak are installed and removed for all people of the laptop, not updated, and none that
somebody installed for themselves alone is touched. Those of snap are not managed. What browsers of either
read is written.

Of Wi-Fi it is seen that NetworkManager knows each network with its secret, and no longer once it is
withdrawn; that a radio joins one is untested: the machines of the lab have none.

No firmware of a real machine was tested: `firmware.*` is written as the kernel describes it, to trees like
those of Lenovo, Dell and HP.

No policy installs firmware: `updates.firmware` says whether fwupd can be started, and whether it looks for
new firmware. In the lab, which has no device to renew, a program that does nothing stands for it.
"""
#: Cannot be fetched where Bookbag is tested, or there is no such device and no udev.
NEVER = frozenset(("other-browser", "recording", "firmware-password", "firmware-switch"))
#: Setting → kinds of resource that its test does not look at.
ELSEWHERE: Mapping[str, frozenset[str]] = {
    "security.kernel": frozenset(("sysctl",)),  # a laptop of the lab has no kernel of its own
}


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def reached(setting: Setting) -> frozenset[str]:
    """The kinds of resource that the setting's own example comes to."""
    lines = "\n".join(f"  {line}" for line in setting.example.splitlines())
    document = read_document(Source("example.yaml", (HEAD + lines).encode(), "ict"), Problems())
    assert document is not None, setting.key
    (one,) = document.settings
    made = setting.compile(one.value)
    return frozenset(each.kind for resource in made for each in (resource, *resource.copies()))


def seen(key: str) -> bool:
    """Whether a test on real laptops sets it and looks at what comes of it."""
    listed = key in GRADED or key in OFFERED or key in LISTED
    return listed or any(f'"{key}"' in path.read_text(encoding="utf-8") for path in LAB.glob("*.py"))


def _lines() -> Iterator[str]:
    yield INTRODUCTION
    yield f"| Setting | {' | '.join(COLUMNS)} |"
    yield f"|---|{'---|' * len(COLUMNS)}"
    for key, setting in kinds.settings().items():
        there, shown = reached(setting), seen(key)
        unseen = NEVER | ELSEWHERE.get(key, frozenset())
        cells = [_cell(there & set(names), shown=shown, unseen=unseen) for names in COLUMNS.values()]
        yield f"| `{key}` | {' | '.join(cells)} |"


def _cell(there: frozenset[str], *, shown: bool, unseen: frozenset[str]) -> str:
    if not there:
        return ""
    return "seen" if shown and not there & unseen else "written"


if __name__ == "__main__":
    print(page(), end="")
