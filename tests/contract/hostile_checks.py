"""What files do when somebody plays foul, or the disk does: links, races, full, read-only, no attributes."""

from __future__ import annotations

import os
import random
import struct
import threading
import time
from contextlib import suppress

from agent.core.errors import BookbagError
from agent.host.base import Node
from tests.contract.files_checks import node
from tests.contract.subject import (
    LeftOut,
    Subject,
    get,
    immutable,
    leftovers,
    mounted,
    need_root,
    open_descriptors,
    put,
    read_only,
    refused,
)

STUDENT = 54321  #: a uid that owns what a student would


def as_students(subject: Subject, path: str) -> None:
    """Give a real path to the student where that makes a difference."""
    if subject.real:
        need_root()  # else every link is our own, and trusted
        os.chown(path, STUDENT, STUDENT, follow_symlinks=False)


def check_a_strangers_link_in_the_way_is_refused(subject: Subject) -> None:
    put(f"{subject.outside}/secret", b"secret")
    os.symlink(subject.outside, subject.there("link"))
    as_students(subject, subject.there("link"))
    path = subject.at("link/secret")
    error = refused("bad-path", subject.files.read, path)
    assert error.place == subject.at("link"), "the link is named"
    refused("bad-path", subject.files.write, path, node(subject))
    refused("bad-path", subject.files.remove, path)
    refused("bad-path", subject.files.make_parents, subject.at("link/new/file"))
    refused("bad-path", subject.files.make_directory, subject.at("link/new"), Node("directory"))
    refused("bad-path", subject.files.names, subject.at("link"))
    refused("bad-path", subject.files.rename_beside, path, "renamed")
    assert os.listdir(subject.outside) == ["secret"]
    assert get(f"{subject.outside}/secret") == b"secret"


def check_our_link_where_a_stranger_may_write_is_refused(subject: Subject) -> None:
    """Who may rename in a directory may have brought the link from elsewhere."""
    if not subject.real:
        return  # nobody but us writes into the sandbox's sidecar
    need_root()
    os.mkdir(subject.there("theirs"))
    os.mkdir(subject.there("target"))
    os.symlink("../target", subject.there("theirs/link"))
    os.chown(subject.there("theirs"), STUDENT, STUDENT)
    refused("bad-path", subject.files.write, subject.at("theirs/link/file"), node(subject))
    os.chown(subject.there("theirs"), 0, 0)
    for open_to_others in (0o777, 0o1777, 0o775):
        os.chmod(subject.there("theirs"), open_to_others)
        refused("bad-path", subject.files.write, subject.at("theirs/link/file"), node(subject))
    assert os.listdir(subject.there("target")) == []
    os.chmod(subject.there("theirs"), 0o700)
    subject.files.write(subject.at("theirs/link/file"), node(subject))
    assert os.listdir(subject.there("target")) == ["file"], "the control: now it is the system's"


def check_the_systems_own_links_are_followed(subject: Subject) -> None:
    """/lib → usr/lib, /etc/alternatives/x: made by root in places of root's."""
    owner, group = subject.me()
    os.makedirs(subject.there("usr/lib"))
    for target in ("usr/lib", "./usr/../usr/lib", f"{subject.area}/usr/lib"):
        if target.startswith("/") and subject.real and subject.folder:
            continue  # below a folder an absolute link leads elsewhere than the port thinks
        subject.files.write(subject.at("lib"), Node("symlink", 0o777, owner, group, target.encode()))
        subject.files.write(subject.at("lib/file"), node(subject, target.encode()))
        assert get(subject.there("usr/lib/file")) == target.encode(), target
        read = subject.files.read(subject.at("lib/file"))
        assert read is not None and read.content == target.encode()
        assert subject.files.make_parents(subject.at("lib/new/file")) == (subject.at("lib/new"),)
        subject.files.remove_empty([subject.at("lib/new")])


def check_a_link_never_leads_above_the_folder(subject: Subject) -> None:
    """Even a trusted link's ``..`` ends at the laptop's root."""
    if not subject.folder:
        raise LeftOut("the root is the machine's own")
    owner, group = subject.me()
    up = "/".join([".."] * 12) + subject.outside
    put(f"{subject.outside}/secret", b"secret")
    subject.files.write(subject.at("up"), Node("symlink", 0o777, owner, group, up.encode()))
    assert subject.files.read(subject.at("up/secret")) is None
    refused("not-found", subject.files.write, subject.at("up/file"), node(subject))
    assert os.listdir(subject.outside) == ["secret"]


def check_links_that_go_round_are_refused(subject: Subject) -> None:
    owner, group = subject.me()
    for name, target in (("one", b"two"), ("two", b"one"), ("self", b"self/self")):
        subject.files.write(subject.at(name), Node("symlink", 0o777, owner, group, target))
    for name in ("one", "self"):
        refused("bad-path", subject.files.read, subject.at(f"{name}/file"))
        refused("bad-path", subject.files.write, subject.at(f"{name}/file"), node(subject))
        read = subject.files.read(subject.at(name))
        assert read is not None and read.kind == "symlink", "the link itself can be looked at"


def check_a_race_for_the_directory_leads_nowhere(subject: Subject) -> None:
    """Somebody swaps the directory for a link to elsewhere, as fast as he can, while we write."""
    as_students(subject, subject.outside)
    os.mkdir(subject.there("dir"))
    as_students(subject, subject.there("dir"))
    stop = threading.Event()
    chance = random.Random(1)
    swaps = 0

    def swap() -> None:
        nonlocal swaps
        while not stop.is_set():
            os.rename(subject.there("dir"), subject.there("aside"))
            os.symlink(subject.outside, subject.there("link"))
            if subject.real:
                os.chown(subject.there("link"), STUDENT, STUDENT, follow_symlinks=False)
            os.rename(subject.there("link"), subject.there("dir"))
            swaps += 1
            time.sleep(chance.random() / 2000)  # both states must be met, at any point of our walk
            os.unlink(subject.there("dir"))
            os.rename(subject.there("aside"), subject.there("dir"))
            time.sleep(chance.random() / 1000)

    racer = threading.Thread(target=swap)
    racer.start()
    written = met = 0
    try:
        end = time.monotonic() + 20
        while (written < 30 or met < 30) and time.monotonic() < end:
            try:
                subject.files.write(subject.at("dir/file"), node(subject))
                written += 1
                subject.files.remove(subject.at("dir/file"))
            except BookbagError as error:
                assert error.code in ("bad-path", "not-found"), error
                met += 1
    finally:
        stop.set()
        racer.join()
    assert os.listdir(subject.outside) == [], f"after {swaps} swaps"
    assert written and met and swaps, (written, met, swaps)


def check_a_full_disk_loses_nothing(subject: Subject) -> None:
    os.mkdir(subject.there("small"))
    with mounted(subject.there("small"), "tmpfs", "size=64k"):
        subject.files.write(subject.at("small/file"), node(subject, b"old"))
        error = refused(
            "disk-full", subject.files.write, subject.at("small/file"), node(subject, b"x" * 200_000)
        )
        assert error.remedy
        assert get(subject.there("small/file")) == b"old"
        assert leftovers(subject.there("small")) == []
        put(subject.there("small/filler"), b"x" * 4096)
        with suppress(OSError):
            put(subject.there("small/more"), b"x" * 60_000)
        refused("disk-full", subject.files.write, subject.at("small/file"), node(subject, b"x" * 9000))
        assert get(subject.there("small/file")) == b"old"
        subject.files.remove(subject.at("small/filler"))
        subject.files.remove(subject.at("small/more"))
        subject.files.write(subject.at("small/file"), node(subject, b"new"))
        assert get(subject.there("small/file")) == b"new", "and with space again it goes on"


def check_no_inodes_left_is_a_full_disk(subject: Subject) -> None:
    os.mkdir(subject.there("few"))
    with mounted(subject.there("few"), "tmpfs", "size=1m,nr_inodes=2"):
        put(subject.there("few/file"), b"old")
        refused("disk-full", subject.files.write, subject.at("few/file"), node(subject))
        refused("disk-full", subject.files.make_parents, subject.at("few/dir/file"))
        assert get(subject.there("few/file")) == b"old"


def check_a_read_only_disk_is_refused(subject: Subject) -> None:
    os.mkdir(subject.there("ro"))
    with mounted(subject.there("ro"), "tmpfs", "size=64k"):
        put(subject.there("ro/file"), b"old")
        with read_only(subject.there("ro")):
            refused("not-allowed", subject.files.write, subject.at("ro/file"), node(subject))
            refused("not-allowed", subject.files.remove, subject.at("ro/file"))
            refused("not-allowed", subject.files.make_parents, subject.at("ro/new/file"))
            refused("not-allowed", subject.files.rename_beside, subject.at("ro/file"), "renamed")
            read = subject.files.read(subject.at("ro/file"))
            assert read is not None and read.content == b"old"
        subject.files.write(subject.at("ro/file"), node(subject))
        assert get(subject.there("ro/file")) == b"wanted\n", "the control: only read-only stood in the way"


def check_an_immutable_file_is_refused(subject: Subject) -> None:
    put(subject.there("file"), b"old")
    with immutable(subject.there("file")):
        refused("not-allowed", subject.files.write, subject.at("file"), node(subject))
        refused("not-allowed", subject.files.remove, subject.at("file"))
        refused("not-allowed", subject.files.rename_beside, subject.at("file"), "renamed")
        assert leftovers(subject.there()) == []
    subject.files.write(subject.at("file"), node(subject))
    assert get(subject.there("file")) == b"wanted\n"


def check_a_mount_point_is_not_renamed(subject: Subject) -> None:
    os.mkdir(subject.there("disk"))
    with mounted(subject.there("disk"), "tmpfs", "size=64k"):
        put(subject.there("disk/file"), b"theirs")
        refused("not-allowed", subject.files.rename_beside, subject.at("disk"), "renamed")
        assert get(subject.there("disk/file")) == b"theirs"
    subject.files.rename_beside(subject.at("disk"), "renamed")
    assert os.path.isdir(subject.there("renamed")), "the control: only the mount stood in the way"


def check_a_strangers_things_are_renamed_unopened(subject: Subject) -> None:
    """Whatever a student put there, with whatever rights, goes as it is; a link goes, what it names stays."""
    need_root()
    put(f"{subject.outside}/secret", b"secret")
    os.mkdir(subject.there("theirs"), 0o000)
    os.symlink(f"{subject.outside}/secret", subject.there("link"))
    put(subject.there("kept"), b"kept")
    os.link(subject.there("kept"), subject.there("name"))
    for name in ("theirs", "link"):
        os.chown(subject.there(name), STUDENT, STUDENT, follow_symlinks=False)
        subject.files.rename_beside(subject.at(name), f"{name} aside")
        found = os.lstat(subject.there(f"{name} aside"))
        assert (found.st_uid, found.st_gid) == (STUDENT, STUDENT)
    subject.files.rename_beside(subject.at("name"), "name aside")
    assert os.path.samefile(subject.there("name aside"), subject.there("kept"))
    assert os.listdir(subject.outside) == ["secret"]
    os.rmdir(subject.there("theirs aside"))


def check_attributes_read_back(subject: Subject) -> None:
    owner, group = subject.me()
    xattrs = (("user.empty", b""), ("user.name", b"\0\xff value"))
    wanted = Node("file", 0o640, owner, group, b"x", xattrs)
    subject.files.write(subject.at("file"), wanted)
    assert subject.files.read(subject.at("file")) == wanted
    subject.files.write(subject.at("file"), node(subject))
    read = subject.files.read(subject.at("file"))
    assert read is not None and read.xattrs == (), "exactly those asked for"


def acl(*entries: tuple[int, int, int]) -> bytes:
    """A POSIX ACL as the kernel keeps it: (tag, permissions, id) after version 2."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NOBODY = 0xFFFFFFFF
#: owner rw-, user 1234 r--, group r--, mask r--, others ---
READERS = acl((1, 6, NOBODY), (2, 4, 1234), (4, 4, NOBODY), (16, 4, NOBODY), (32, 0, NOBODY))


def check_access_lists_read_back(subject: Subject) -> None:
    owner, group = subject.me()
    wanted = Node("file", 0o640, owner, group, b"x", (("system.posix_acl_access", READERS),))
    try:
        subject.files.write(subject.at("file"), wanted)
    except BookbagError as error:
        if subject.real and error.code == "not-supported":
            raise LeftOut("this file system keeps no ACLs") from error
        raise
    assert subject.files.read(subject.at("file")) == wanted
    subject.files.write(subject.at("file"), node(subject, mode=0o640))
    read = subject.files.read(subject.at("file"))
    assert read is not None and (read.mode, read.xattrs) == (0o640, ())


def check_a_directorys_default_list_is_not_inherited(subject: Subject) -> None:
    if not subject.real:
        return
    os.mkdir(subject.there("shared"))
    try:
        os.setxattr(subject.there("shared"), "system.posix_acl_default", READERS)
    except OSError as error:
        raise LeftOut("this file system keeps no ACLs") from error
    put(subject.there("shared/control"))
    assert "system.posix_acl_access" in os.listxattr(subject.there("shared/control")), "others do inherit it"
    subject.files.write(subject.at("shared/file"), node(subject, mode=0o664))
    read = subject.files.read(subject.at("shared/file"))
    assert read is not None and (read.mode, read.xattrs) == (0o664, ())
    (made,) = subject.files.make_parents(subject.at("shared/new/file"))
    directory = subject.files.read(made)
    assert directory is not None and (directory.mode, directory.xattrs) == (0o755, ())


def check_a_file_system_without_attributes(subject: Subject) -> None:
    owner, group = subject.me()
    os.mkdir(subject.there("plain"))
    with mounted(subject.there("plain"), "ramfs"):
        with suppress(OSError):
            os.setxattr(subject.there("plain"), "user.name", b"x")
            raise LeftOut("even ramfs keeps attributes here")
        subject.files.write(subject.at("plain/file"), node(subject))
        wanted = Node("file", 0o644, owner, group, b"x", (("user.name", b"x"),))
        if subject.real:
            refused("not-supported", subject.files.write, subject.at("plain/file"), wanted)
            assert get(subject.there("plain/file")) == b"wanted\n"
            assert leftovers(subject.there("plain")) == []
        else:
            subject.files.write(subject.at("plain/file"), wanted)
            assert subject.files.read(subject.at("plain/file")) == wanted, "the sandbox keeps them beside it"


def check_what_we_may_not_do_is_refused(subject: Subject) -> None:
    if os.geteuid() == 0:
        raise LeftOut("root may do everything: run as a user for this")
    os.mkdir(subject.there("closed"))
    put(subject.there("closed/file"), b"old")
    os.chmod(subject.there("closed"), 0o500)
    try:
        refused("not-allowed", subject.files.write, subject.at("closed/file"), node(subject))
        refused("not-allowed", subject.files.remove, subject.at("closed/file"))
        refused("not-allowed", subject.files.make_parents, subject.at("closed/new/file"))
        refused("not-allowed", subject.files.rename_beside, subject.at("closed/file"), "renamed")
        os.chmod(subject.there("closed"), 0)
        refused("not-allowed", subject.files.read, subject.at("closed/file"))
        refused("not-allowed", subject.files.names, subject.at("closed"))
    finally:
        os.chmod(subject.there("closed"), 0o700)
    put(subject.there("unreadable"), mode=0)
    refused("not-allowed", subject.files.read, subject.at("unreadable"))
    if subject.real:
        refused("not-allowed", subject.files.write, subject.at("file"), Node("file", 0o644, "root", "root"))
        assert leftovers(subject.there()) == []


def check_no_descriptor_is_lost(subject: Subject) -> None:
    subject.files.write(subject.at("file"), node(subject))
    before = open_descriptors()
    for number in range(50):
        subject.files.make_parents(subject.at(f"d{number % 3}/file"))
        subject.files.write(subject.at(f"d{number % 3}/file"), node(subject))
        for path in (subject.at("file/x"), subject.at(f"absent{number}/x"), "nonsense", subject.at("d0")):
            with suppress(BookbagError):
                subject.files.read(path)
            with suppress(BookbagError):
                subject.files.write(path, node(subject))
            with suppress(BookbagError):
                subject.files.rename_beside(path, "../out")
    assert open_descriptors() <= before + 3, "the three directories are kept, nothing else"
