"""What the school withdraws leaves no trace: bytes, mode, owner, attributes, every folder of /etc."""

from __future__ import annotations

from tests.lab.acceptance import tree
from tests.lab.acceptance.conftest import BASE, HOME, LEFT_OUT, School, write_base
from tests.lab.acceptance.school import bookbag, homepage_of


def test_withdrawn_policy_leaves_etc_as_it_was(school: School) -> None:
    during = {laptop.name: tree.snapshot(laptop, "/etc", LEFT_OUT) for laptop in school.laptops}
    school.desk.withdraw(*BASE)
    school.desk.publish()
    for laptop in school.laptops:
        bookbag(laptop, "sync")
        before = school.before[laptop.name]
        assert tree.differences(before, during[laptop.name]), "the policies had changed something"
        assert tree.differences(before, tree.snapshot(laptop, "/etc", LEFT_OUT)) == []
        assert "user.note" in before["/etc/motd"] and "posix_acl" in before["/etc/motd"]
        assert "user:teacher:r--" in laptop.run(["getfacl", "-p", "/etc/motd"]).stdout
        assert laptop.read("/etc/motd") == "Lina's own words\n"
    write_base(school.desk)
    school.desk.publish()
    for laptop in school.laptops:
        bookbag(laptop, "sync")
        assert homepage_of(laptop) == HOME, "and published again it is in force again"


def test_a_file_that_policy_removed_comes_back(school: School) -> None:
    """Content, mode and all, when the policy goes."""
    laptop = school.lina
    absent = "/usr/share/bookbag/notice.txt"
    laptop.write(absent, "the maker's notice\n", mode=0o604)
    school.desk.policy("no-notice", resources=({"file": {"path": absent, "absent": True}},))
    school.desk.publish()
    bookbag(laptop, "sync")
    assert not laptop.exists(absent)
    school.desk.withdraw("no-notice")
    school.desk.publish()
    bookbag(laptop, "sync")
    assert laptop.read(absent) == "the maker's notice\n"
    assert laptop.path(absent).stat().st_mode & 0o7777 == 0o604
