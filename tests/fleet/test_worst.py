"""Bad input at the desk: every file of the folder broken in every way, kills at every moment, other
people's commits."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agent import __version__
from agent.core.errors import BookbagError
from agent.fleet.cli.main import main
from agent.fleet.emit import emit
from agent.fleet.keyfile import PersonKeys, from_paper, to_paper
from agent.fleet.yamlrecord import plain
from agent.policy.syntax import yamltext
from tests.fleet.desk import PASSPHRASE, Desk, Laptop, deliver, enrolled, make_desk
from tests.policy.powerful import powerful_setting

BOMB = b"a: &a [x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b]\n"
BROKEN = {
    "bomb": BOMB,
    "huge": b"a: " + b"x" * (1 << 20),
    "deep": b"a: " + b"[" * 3000 + b"]" * 3000,
    "nodes": b"a: [" + b"x," * 20_000 + b"x]",
    "binary": bytes(range(256)),
    "empty": b"",
    "tag": b"a: !!python/object/apply:os.system [id]\n",
    "twice": b"v: 1\nv: 1\n",
    "two": b"v: 1\n---\nv: 1\n",
    "list": b"- v: 1\n",
    "unknown": b"v: 1\nsitee: north\n",
    "newer": b"v: 9\n",
    "cut": b"v: 1\nsite: [nor",
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize(
    "file",
    [
        "site.yaml",
        "people/ict-1.yaml",
        "devices/lap-1.yaml",
        "tokens/TOKEN.yaml",
        "policies/ict/secondary.yaml",
    ],
)
def test_each_broken_file_is_named_and_nothing_is_published(desk: Desk, file: str, broken: str) -> None:
    desk.policy("secondary")
    token = desk.run("device", "lap-1").value["token"]
    file = file.replace("TOKEN", token)
    (desk.root / file).write_bytes(BROKEN[broken])
    stamp = (desk.root / "published/metadata/timestamp.json").read_bytes()
    findings = desk.run("check", expect=4).value["findings"]
    mine = [one for one in findings if one["place"].startswith(file)]
    assert mine and all(one["blocks"] and one["message"] and one["code"] for one in mine)
    desk.run("publish", "--as", "ict-1", "--as", "head-1", expect=4)
    assert (desk.root / "published/metadata/timestamp.json").read_bytes() == stamp
    assert desk.run("refresh").value["timestamp"] > 1  # freshness does not depend on what somebody is editing


def test_check_lists_everything_at_once_with_lines(desk: Desk) -> None:
    desk.policy("one", extra="nonsense: 1\n")
    (desk.root / "policies/ict/two.yaml").write_bytes(b"policy: [")
    (desk.root / "policies/nobody").mkdir()
    shutil.copy(desk.root / "policies/ict/one.yaml", desk.root / "policies/nobody/three.yaml")
    (desk.root / "policies/ict/link.yaml").symlink_to(desk.root / "keys/online/timestamp.pem")
    (desk.root / "policies/ict/UPPER.yaml").write_bytes(b"x: 1")
    (desk.root / "policies/stray.yaml").write_bytes(b"x: 1")
    (desk.root / "people/ghost.yaml").write_bytes((desk.root / "people/ict-1.yaml").read_bytes())
    site = (desk.root / "site.yaml").read_text().replace("- head-1", "- nobody-here")
    (desk.root / "site.yaml").write_text(site)
    (desk.root / "orders/gone").mkdir(parents=True)
    (desk.root / "orders/gone/assign.json").write_bytes(b"{")
    desk.run("device", "lap-1")
    (desk.root / "tokens" / (desk.run("device", "lap-2").value["token"] + ".yaml")).unlink()
    places = [one["place"] for one in desk.run("check", expect=4).value["findings"]]
    for part in (
        "policies/ict/one.yaml:8",
        "policies/ict/two.yaml:",
        "policies/nobody/three.yaml",
        "policies/ict/link.yaml",
        "policies/ict/UPPER.yaml",
        "policies/stray.yaml",
        "people/ghost.yaml",
        "site.yaml: roles.ict",
        "orders/gone",
        "devices/lap-2.yaml",
    ):
        assert any(place.startswith(part) for place in places), (part, places)
    text = desk.run("check", expect=4, as_json=False).out
    assert "what to do: " in text


def test_check_counts_one_error_as_one_and_tells_a_folder_from_a_file(desk: Desk) -> None:
    desk.policy("one", extra="nonsense: 1\n")
    (desk.root / "policies/ict/year-9").mkdir()
    (desk.root / "policies/ict/notes.txt").write_bytes(b"x")
    text = desk.run("check", expect=4, as_json=False).out
    assert re.search(r"^1 error, [0-9]+ notices$", text, re.MULTILINE)
    found = {one["place"]: one["message"] for one in desk.run("check", expect=4).value["findings"]}
    assert "a folder of a folder" in found["policies/ict/year-9"]
    assert "does not end in .yaml" in found["policies/ict/notes.txt"]


def test_one_key_under_two_names_is_one_person(desk: Desk) -> None:
    record = (desk.root / "people/head-1.yaml").read_text()
    theirs = (desk.root / "people/ict-1.yaml").read_text()
    (desk.root / "people/head-1.yaml").write_text(theirs.replace("id: ict-1", "id: head-1"))
    codes = {one["code"] for one in desk.run("check", expect=4).value["findings"]}
    assert "duplicate-person" in codes
    (desk.root / "people/head-1.yaml").write_text(record)
    assert desk.run("check").value["findings"] == []


def test_an_overdue_review_is_a_notice_and_stops_nothing(desk: Desk) -> None:
    path = desk.policy("secondary")
    path.write_text(path.read_text().replace("2027-08-01", "2026-01-01"))
    found = desk.run("check").value  # it is listed, and fails no check
    assert found["errors"] == 0 and "review" in found["findings"][0]["message"]
    (notice,) = found["findings"]
    assert desk.publish("ict-1")["notices"] == [notice], "whoever publishes is told"
    assert desk.run("plan", expect=None).value["overdue"] == [notice]
    assert "its review was due by 2026-01-01" in desk.run("plan", expect=None, as_json=False).out
    assert desk.run("status", expect=None).value["findings"] == [notice]
    assert "its review was due by 2026-01-01" in desk.run("status", expect=None, as_json=False).out


def test_contradictions_between_documents_block(desk: Desk) -> None:
    desk.policy("one", after="5m")
    path = desk.policy("two", after="7m")
    path.write_text(path.read_text().replace("https://north.example/", "https://other.example/"))
    (conflict,) = [one for one in desk.run("check", expect=4).value["findings"] if one["code"] == "conflict"]
    assert conflict in desk.publish("ict-1", expect=4)["findings"]
    assert conflict in desk.run("status", expect=2).value["findings"]


def test_a_setting_that_comes_to_root_power_is_told_at_the_desk(desk: Desk, tmp_path: Path) -> None:
    """I-7: decided on what a document comes to, not on where its author put it."""
    folder = tmp_path / "settings"
    folder.mkdir()
    with powerful_setting(folder) as key:
        path = desk.policy("one", extra=f"  {key}: beep\n")
        (found,) = [one for one in desk.run("check", expect=4).value["findings"] if one["blocks"]]
        assert (found["code"], found["place"]) == ("root-power", "policies/ict/one.yaml:8:3")
        assert "power/" in found["remedy"]
        assert desk.publish("ict-1", expect=4)["findings"] == [found]
        path.unlink()
        desk.policy("one", extra=f"  {key}: beep\n", power=True)
        assert desk.run("check", expect=None).value["errors"] == 0, "the control: two persons may"


def test_two_groups_with_one_desktop_key_block_before_anybody_signs(desk: Desk) -> None:
    desk.policy("one", after="5m")
    desk.publish("ict-1")
    path = desk.policy("two", after="5m")
    group = '  - dconf: {group: two, values: {/org/gnome/desktop/session/idle-delay: "uint32 0"}}\n'
    path.write_text(path.read_text() + "resources:\n" + group)
    findings = desk.run("check", expect=4).value["findings"]
    assert len(findings) == 2, "with the setting of either document"
    for finding in findings:
        assert finding["code"] == "conflict" and finding["blocks"]
        assert "the setting screen-lock.after decides it" in finding["message"]
    for verb in ("plan", "publish"):
        refused = desk.run(verb, *(["--as", "ict-1"] if verb == "publish" else []), expect=4)
        assert refused.value["findings"] == findings
    assert not list(desk.root.glob("staged/metadata/*.json"))


@pytest.mark.parametrize("role", ["root", "power-ict"])
@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"signed": {}, "signatures": []}', b"\xff" * 5000])
def test_half_written_staged_files_are_named_and_staged_anew(desk: Desk, role: str, data: bytes) -> None:
    desk.policy("mighty", power=True)
    desk.publish("ict-1", expect=4)
    path = desk.root / f"staged/metadata/{role}.json"
    path.write_bytes(data)
    findings = desk.run("check", expect=None).value["findings"]
    assert findings
    ran = desk.run("publish", "--as", "ict-1", "--as", "head-1", expect=None)
    if ran.code != 0:
        assert role in ran.err or "staged" in ran.err or "repository" in ran.err, ran.err
        path.unlink()
        desk.publish("ict-1", "head-1")


def test_the_command_line_says_what_is_wrong(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nonsense"]) == 64
    assert "cannot do 'nonsense'" in capsys.readouterr().err
    assert main(["publsh"]) == 64
    assert "did you mean 'publish'?" in capsys.readouterr().err
    assert main([]) == 64
    assert "show what publishing would change" in capsys.readouterr().err
    assert main(["publish", "--by", "ict-1"]) == 64
    assert "see bookbag-fleet publish --help" in capsys.readouterr().err
    assert main(["plan", "--folder", "/nowhere"]) == 1
    assert "no site.yaml" in capsys.readouterr().err
    assert main(["--help"]) == 0
    assert "publish" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"bookbag-fleet {__version__}\n"
    desk.run("assign", "lap-1", expect=64)
    desk.run("assign", "lap-1", "grade=9", "--as", "ict-1", expect=1)
    desk.run("device", "Not A Name", expect=64)
    desk.run("device", "../../etc/x", expect=64)
    desk.run("device", "lap-1", "--days", "0", expect=64)
    assert desk.run("assign", "lap-9", "--as", "ict-1", expect=1).value["error"]["code"] == "not-found"


def test_ctrl_c_while_a_verb_is_imported_is_no_traceback() -> None:
    interrupted = """
import sys
class Pressed:
    def find_spec(self, name, path, target=None):
        if name == "agent.fleet.cli.verbs.check":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Pressed())
from agent.fleet.cli.main import program
sys.exit(program())
"""
    for verb, code in (("check", 130), ("template", 0)):
        told = subprocess.run(
            [sys.executable, "-c", interrupted, verb, "--help"], capture_output=True, check=False
        )
        assert (told.returncode, told.stderr) == (code, b"")


def test_every_verb_has_help_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    from agent.fleet.cli.listing import ORDER, verbs

    names = [one.name for one in verbs()]
    assert names[: len(ORDER)] == list(ORDER)
    for name in names:
        assert main([name, "--help"]) == 0
        text = capsys.readouterr().out
        assert "--json" in text and "--folder" in text


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_is_a_script_that_knows_every_verb(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)
    assert "--passphrase-file" in script and "keygen" in script
    if shell == "bash":
        asked = (
            script + 'COMP_WORDS=(bookbag-fleet pub); COMP_CWORD=1; _bookbag_fleet; echo "${COMPREPLY[@]}"'
        )
        done = subprocess.run(["bash"], input=asked, text=True, capture_output=True, check=True)
        assert done.stdout.strip() == "publish"


# -- init


def test_init_refuses_what_it_cannot_do_and_leaves_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "it")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_bytes(b"mine")
    common = ("--site", "north", "--url", "https://n.example/")
    people = ("--person", "a", "--person", "b", "--person", "c")
    desk.run("init", str(desk.root), *common, "--person", "a", "--person", "b", expect=64)
    desk.run("init", str(desk.root), *common, *people[:4], "--person", "a", expect=64)
    desk.run(
        "init", str(desk.root), "--site", "North High", "--url", "https://n.example/", *people, expect=64
    )
    desk.run("init", str(desk.root), "--site", "north", "--url", "ftp://n.example/", *people, expect=64)
    desk.run("init", str(desk.root), *common, *people, "--template", "nonsense", expect=1)
    assert (
        desk.run("init", str(tmp_path / "full"), *common, *people, expect=1).value["error"]["code"]
        == "conflict"
    )
    del desk.environ["BOOKBAG_PASSPHRASE"]
    desk.run("init", str(desk.root), *common, *people, expect=1)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["full"]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_init_that_is_ended_half_way_leaves_no_draft_with_keys(
    tmp_path: Path, ending: signal.Signals
) -> None:
    desk = Desk(tmp_path / "it")
    people = ("--person", "a", "--person", "b", "--person", "c")
    begun = desk.spawn("init", str(desk.root), "--site", "north", "--url", "https://n.example/", *people)
    until = time.monotonic() + 60
    while not (drafts := list(tmp_path.glob(".it.*/*"))) and time.monotonic() < until:
        time.sleep(0.001)
    begun.send_signal(ending)
    out, err = begun.communicate(timeout=60)
    assert drafts and begun.returncode == 130, (out, err)
    assert list(tmp_path.iterdir()) == [] and "Traceback" not in err


def test_keys_on_paper_are_read_back_and_typing_errors_are_noticed() -> None:
    keys = PersonKeys.generate("head-1")
    text = to_paper(keys)
    again = from_paper(text.lower().replace("\n", "   \n"), "head-1", place="x")
    assert again.sign.public == keys.sign.public and again.seal.public == keys.seal.public
    with pytest.raises(BookbagError):
        from_paper(text, "head-2", place="x")
    for at in range(0, len(text), 7):
        if text[at].isalnum():
            wrong = text[:at] + ("A" if text[at] != "A" else "C") + text[at + 1 :]
            with pytest.raises(BookbagError):
                from_paper(wrong, "head-1", place="x")


def test_what_is_written_as_yaml_reads_back_the_same() -> None:
    texts = [
        "yes",
        "0644",
        "2027-08-01",
        "",
        "x: y #z",
        "12:30",
        "1e10",
        "\x85\u2028é\n\t",
        "null",
        "a-b",
        "*x",
        "- x",
    ]
    values: dict[str, object] = {
        "list": [1, "two", {"k": ["v", []], "l": {}}, [["deep"]], *texts],
        "j": None,
        "k": True,
        "l": -3,
        "key": "1e3456789012345678",
        "no": "on",
    }
    assert plain(yamltext.load(emit(values, comment="one\ntwo"), "x")) == values
    assert emit(values) == emit(dict(values))


# -- git


def git(folder: Path, *argv: str) -> None:
    subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", *argv],
        check=True, capture_output=True,
    )  # fmt: skip


@pytest.mark.needs("git")
def test_nobody_signs_on_a_folder_behind_its_upstream(desk: Desk, tmp_path: Path) -> None:
    git(desk.root, "init", "-q", "-b", "main")
    git(desk.root, "add", "-A")
    git(desk.root, "commit", "-q", "-m", "first")
    tracked = subprocess.run(
        ["git", "-C", str(desk.root), "ls-files"], capture_output=True, text=True, check=True
    ).stdout
    assert "keys/online" not in tracked and "keys/ict-1.json" in tracked and "site.yaml" in tracked
    clone = Desk(tmp_path / "clone", desk.now)
    subprocess.run(["git", "clone", "-q", str(desk.root), str(clone.root)], check=True, capture_output=True)
    clone.policy("mine", power=True)
    desk.policy("theirs")
    git(desk.root, "add", "-A")
    git(desk.root, "commit", "-q", "-m", "theirs")
    clone.run("approve", "--as", "ict-1")  # nothing was fetched yet: nothing is known to be missing
    git(clone.root, "fetch", "-q")
    for verb in (
        ["publish", "--as", "ict-1"],
        ["approve", "--as", "ict-1"],
        ["assign", "--renew", "--as", "ict-1"],
    ):
        error = clone.run(*verb, expect=1).value["error"]
        assert error["code"] == "plan-outdated" and "git pull" in error["remedy"]
    assert "behind" in clone.run("plan", expect=2).err
    git(clone.root, "pull", "-q")
    # Signing works on a machine without the online keys; publishing says where it can be done.
    ran = clone.run("publish", "--as", "ict-1", expect=4, as_json=False)
    assert "the machine with the online keys publishes" in ran.out
    signed = clone.run("approve", "--as", "head-1").value["signed"]
    assert {"what": "power-ict", "person": "head-1"} in signed
    assert "online keys are not here" in clone.run("publish", expect=1).err


@pytest.mark.needs("git")
@pytest.mark.parametrize("verb", ["publish", "approve", "approve lap-1"])
def test_nobody_signs_on_a_folder_that_fell_behind_meanwhile(desk: Desk, tmp_path: Path, verb: str) -> None:
    """A passphrase is looked for, and colleagues' work is fetched by the time it is typed."""
    clone = Desk(tmp_path / "clone", desk.now, environ={})
    git(desk.root, "init", "-q", "-b", "main")
    git(desk.root, "add", "-A")
    git(desk.root, "commit", "-q", "-m", "first")
    subprocess.run(["git", "clone", "-q", str(desk.root), str(clone.root)], check=True, capture_output=True)
    clone.policy("mine")
    desk.policy("theirs")
    git(desk.root, "add", "-A")
    git(desk.root, "commit", "-q", "-m", "theirs")
    slow = tmp_path / "slow"
    os.mkfifo(slow, 0o600)

    def whoever_types() -> None:
        with slow.open("wb") as answer:
            git(clone.root, "fetch", "-q")
            answer.write(PASSPHRASE.encode())

    typing = threading.Thread(target=whoever_types, daemon=True)
    typing.start()
    ran = clone.run(*verb.split(), "--as", "ict-1", "--passphrase-file", str(slow), expect=1)
    typing.join()
    error = ran.value["error"]
    assert error["code"] == "plan-outdated" and "git pull" in error["remedy"]
    assert not list((clone.root / "staged/metadata").glob("policy-*"))


# -- rotation


def test_online_keys_are_replaced_without_a_gap(desk: Desk, tmp_path: Path) -> None:
    laptop = enrolled(desk, tmp_path, "lap-1", "year=9")
    desk.publish("ict-1")
    laptop.verify(desk.root / "published", desk.now)
    old = (desk.root / "keys/online/timestamp.pem").read_bytes()
    desk.run("rotate", "online")
    assert (desk.root / "keys/online/timestamp.pem").read_bytes() != old
    desk.now += 60
    assert {"root", "targets"} <= set(desk.publish()["published"])
    view = laptop.verify(desk.root / "published", desk.now)
    assert view.versions["root"] == 2 and view.assignment is not None
    desk.now += 60
    desk.run("refresh")
    laptop.verify(desk.root / "published", desk.now)
    assert desk.run("plan").value["to-sign"] == []


def test_a_new_server_certificate_needs_a_person_and_follows_the_urls(desk: Desk) -> None:
    from cryptography import x509

    site = (desk.root / "site.yaml").read_text()
    (desk.root / "site.yaml").write_text(site.replace("127.0.0.1", "new.north.example"))
    desk.run("rotate", "server", expect=64)
    desk.run("rotate", "server", "--as", "head-1")
    certificate = x509.load_pem_x509_certificate((desk.root / "keys/online/server.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["new.north.example"]


# -- kill -9


@pytest.mark.slow
def test_kill_9_during_publish_then_publish_again_gives_a_consistent_repository(tmp_path: Path) -> None:
    """At random moments. After each: what laptops see verifies; publishing again brings everything."""
    desk = make_desk(tmp_path / "it", now=int(time.time()))
    desk.publish()
    laptop = enrolled(desk, tmp_path, "lap-1", "year=9")
    laptop.root = (desk.root / "published/metadata/1.root.json").read_bytes()
    chooser = random.Random(7)
    began = time.monotonic()
    desk.spawn("publish", "--as", "ict-1").communicate()
    whole = time.monotonic() - began  # of one publication on this machine, just now
    killed = 0
    for number in range(40):
        desk.policy("secondary", after=f"{number + 1}m")
        desk.run("assign", "lap-1", f"class=9-{number}", "--as", "ict-1")
        process = desk.spawn("publish", "--as", "ict-1")
        time.sleep(whole * chooser.uniform(0.3, 1.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if process.returncode == -signal.SIGKILL:
            killed += 1
        else:
            whole *= 0.8  # the machine has less to do by now
        desk.now = int(time.time()) + 1
        laptop.verify(desk.root / "published", desk.now)
        desk.publish("ict-1")
        view = laptop.verify(desk.root / "published", desk.now)
        assert view.assignment is not None and view.assignment.class_ == f"9-{number}"
        assert f"after: {number + 1}m".encode() in view.documents[0].data
        assert desk.run("check").value["findings"] == []
        if killed == 6:
            break
    assert killed == 6


@pytest.mark.slow
def test_kill_9_during_assign_never_spends_a_token_for_nothing(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "it", now=int(time.time()))
    desk.publish()
    chooser = random.Random(11)
    for number in range(6):
        name = f"lap-{number}"
        laptop = Laptop(tmp_path / name)
        deliver(desk, *laptop.enrol(desk, Path(desk.run("device", name).value["file"])))
        process = desk.spawn("assign", name, "year=9", "--as", "ict-1")
        time.sleep(chooser.uniform(0.3, 0.8))
        process.kill()
        process.communicate()
        desk.run("assign", name, "year=10", "--as", "ict-1")
        desk.now = int(time.time()) + 1
        desk.publish("ict-1")
        view = laptop.verify(desk.root / "published", desk.now)
        assert view.assignment is not None and view.assignment.year == "10"


def test_a_full_disk_is_said_and_leaves_the_published_files_whole(desk: Desk, tmp_path: Path) -> None:
    """A file system of 1 MiB under published/ would need root: a quota on file size stands in for it."""
    import resource

    desk.policy("secondary")
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))
        try:
            os._exit(desk.run("publish", "--as", "ict-1", expect=None).code)
        finally:
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    laptop = Laptop(tmp_path / "laptop", root=(desk.root / "published/metadata/1.root.json").read_bytes())
    assert laptop.verify(desk.root / "published", desk.now).documents == ()
    desk.publish("ict-1")
    assert len(laptop.verify(desk.root / "published", desk.now).documents) == 1
