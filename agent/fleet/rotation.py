"""Replacing the publisher's keys and the service's certificate."""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.fleet import certificates, filed, onlinekeys, publication
from agent.fleet.certificates import Authority
from agent.fleet.folder import Folder, replace
from agent.fleet.wanted import read_wanted
from agent.trust.site.online import Online


def rotate_online(folder: Folder, now: int) -> None:
    """New online keys: site.yaml names them, and a root and targets that list them are staged.

    Order, so that a crash leaves something that can be run again: stage, then the keys, then site.yaml.
    """
    repository = publication.open_repository(folder)
    if {"root", "targets"} & {one.role for one in repository.pending()}:
        raise BookbagError(
            "conflict",
            "cannot rotate: root or targets already wait for signatures",
            remedy="publish them first: bookbag-fleet publish --as PERSON --as SECOND",
        )
    online = Online.generate()
    wanted = read_wanted(folder)
    repository.rotate(at=now, holders=wanted.holders, online=online.public)
    # Whoever had the old keys may have put other things there: all is filed anew with the next publish.
    repository.clear_mail()
    filed.distrust(folder)
    onlinekeys.save(folder, online)
    folder.save_site(replace(folder.site(), online=onlinekeys.record(online)))


def new_server(folder: Folder, authority_key: bytes, now: int) -> bytes:
    """A new server certificate for the hosts in site.yaml's urls; returns it in PEM."""
    authority = Authority(folder.read(folder.root / "ca.pem"), authority_key)
    certificate, key = certificates.make_server(authority, folder.site().urls, now)
    folder.write(folder.online / "server.pem", certificate + key, mode=0o600)
    return certificate
