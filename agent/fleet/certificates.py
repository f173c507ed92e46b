"""The site's own certificate authority and the server certificate of its service: laptops pin the
authority, not the web's."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from agent.core.clock import DAY
from agent.core.errors import BookbagError

CA_LIFE = 20 * 365 * DAY
#: Laptops asleep in a cupboard for two years must still get in, and nobody at a school renews certificates
#: by hand.
SERVER_LIFE = 5 * 365 * DAY
#: Laptops' clocks may lag; what is valid a week before it was made still validates there.
_EARLIER = 7 * DAY


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: its certificate in PEM, its private key in DER."""

    pem: bytes
    key: bytes


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _at(seconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def make_authority(site: str, now: int) -> Authority:
    """A fresh authority for ``site``, good for certificates of servers only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Bookbag site {site}")
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_at(now - _EARLIER))
        .not_valid_after(_at(now + CA_LIFE))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate.public_bytes(Encoding.PEM), _der(key))


def make_server(authority: Authority, urls: Sequence[str], now: int) -> tuple[bytes, bytes]:
    """(certificate PEM, private key PEM) for the hosts in ``urls``. Raises ``bad-argument`` if they name
    none."""
    hosts = [host for host in dict.fromkeys(urlsplit(url).hostname for url in urls) if host]
    if not hosts:
        raise BookbagError("bad-argument", "cannot make a server certificate: no URL names a host")
    issuer_key = load_der_private_key(authority.key, None)
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise BookbagError(
            "bad-key", "cannot make a server certificate: the authority's key is of another kind"
        )
    issuer = x509.load_pem_x509_certificate(authority.pem)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(hosts[0]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_at(now - _EARLIER))
        .not_valid_after(_at(min(now + SERVER_LIFE, int(issuer.not_valid_after_utc.timestamp()))))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_general(host) for host in hosts]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .sign(issuer_key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), private


def expiry(pem: bytes) -> int:
    """When a certificate expires, unix seconds."""
    return int(x509.load_pem_x509_certificate(pem).not_valid_after_utc.timestamp())


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
