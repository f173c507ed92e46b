"""Whether every login asks the gate, as PAM's own files say; tests/lab asks PAM itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.linux.pam import Pam
from tests.host.machines import COMMON_ACCOUNT, GATE, debian_pam


@pytest.fixture
def root(tmp_path: Path) -> Path:
    debian_pam(tmp_path)
    return tmp_path


def common(root: Path, text: str) -> Pam:
    (root / "etc/pam.d/common-account").write_text(text)
    return Pam(str(root))


def test_debians_own_files_with_our_profile_are_closed(root: Path) -> None:
    assert Pam(str(root)).fault() == ""
    assert Pam(str(root)).holes() == ()


@pytest.mark.parametrize(
    "text",
    [
        COMMON_ACCOUNT.replace(GATE, ""),
        COMMON_ACCOUNT.replace(GATE, "# " + GATE.replace("\n", "\n# ")),
        COMMON_ACCOUNT.replace(GATE, "") + GATE,  # behind pam_unix: not asked where a password has expired
        COMMON_ACCOUNT.replace(GATE, "account sufficient pam_permit.so\n" + GATE),
        COMMON_ACCOUNT.replace("default=die", "default=ignore"),
        COMMON_ACCOUNT.replace("uid < 1000", "uid < 100000"),
        COMMON_ACCOUNT.replace("bookbag-login.conf", "access.conf"),
        COMMON_ACCOUNT.replace("account\t[success=ignore", "auth\t[success=ignore"),
        "@include elsewhere\n",
        "",
        "\0" * 5000,
    ],
)
def test_a_shared_stage_that_does_not_ask_first_is_a_fault(text: str, root: Path) -> None:
    assert common(root, text).fault()


def test_the_same_rules_written_otherwise_are_the_same(root: Path) -> None:
    spaced = GATE.replace("account\t", "ACCOUNT    ").replace("pam_access.so ", "\\\n  pam_access.so   ")
    assert common(root, COMMON_ACCOUNT.replace(GATE, spaced + "  # ours\n")).fault() == ""
    for kind in ("auth required", "account required", "account requisite", "account [default=bad]"):
        assert common(root, COMMON_ACCOUNT.replace(GATE, f"{kind} pam_x.so\n{GATE}")).fault() == "", kind
    for control in ("sufficient", "[success=1 default=bad]", "[success=done default=bad]"):
        assert common(root, COMMON_ACCOUNT.replace(GATE, f"account {control} pam_x.so\n{GATE}")).fault(), (
            control
        )


@pytest.mark.parametrize(
    ("service", "text"),
    [
        ("sshd", "auth required pam_unix.so\naccount required pam_permit.so\n"),
        ("login", "account sufficient pam_succeed_if.so uid = 1000\n@include common-account\n"),
        ("login", "account [success=1 default=ignore] pam_x.so\n@include common-account\n"),
        ("login", "account [default=done] pam_x.so\naccount include common-account\n"),
        ("cron", ""),
        ("cron", "@include nowhere\n"),
        ("cron", "@include cron\n"),
        ("gdm-autologin", "account required pam_permit.so\n"),
        ("su-l", "account include elsewhere\n"),
    ],
)
def test_a_way_in_that_goes_past_it_is_a_hole(service: str, text: str, root: Path) -> None:
    (root / "etc/pam.d" / service).write_text(text)
    assert service in Pam(str(root)).holes()
    assert Pam(str(root)).fault() == ""


@pytest.mark.parametrize(
    "text",
    [
        "account required pam_nologin.so\n@include common-account\n",
        "-account optional pam_x.so\naccount\tsubstack common-account\n",
        "account include su\n",
        "account requisite pam_time.so\naccount include common-account\naccount sufficient pam_permit.so\n",
    ],
)
def test_what_only_denies_may_come_before(text: str, root: Path) -> None:
    (root / "etc/pam.d/xdm").write_text(text)
    assert Pam(str(root)).holes() == ()


def test_no_pam_at_all_is_a_fault(tmp_path: Path) -> None:
    assert "common-account" in Pam(str(tmp_path)).fault()
    assert Pam(str(tmp_path)).holes() == ()
