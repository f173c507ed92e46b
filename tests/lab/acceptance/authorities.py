"""An authority of the school's, and certificates that it made: one that it may make, one that it may not."""

from __future__ import annotations

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: Whether Python programs on the laptop believe the authority.
KNOWN = (
    "import ssl; found = ssl.create_default_context().get_ca_certs();"
    "print(any('Lab Authority' in str(one['subject']) for one in found))"
)
_BEGIN, _END = datetime.datetime(2020, 1, 1), datetime.datetime(2046, 1, 1)


def make(domain: str, **leaves: str) -> dict[str, str]:
    """``authority``, which is held to ``domain``, and for each of ``leaves`` (name → host) a certificate and,
    as ``NAME-key``, its key.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named("Lab Authority")
    constraints = x509.NameConstraints([x509.DNSName(domain)], None)
    authority = (
        _begun(subject, subject, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(constraints, critical=True)
        .sign(key, hashes.SHA256())
    )
    made = {"authority": _pem(authority)}
    for name, host in leaves.items():
        own = ec.generate_private_key(ec.SECP256R1())
        leaf = _begun(_named(host), subject, own)
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        made[f"{name}-key"] = own.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        made[name] = _pem(leaf.add_extension(names, critical=False).sign(key, hashes.SHA256()))
    return made


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    return builder.not_valid_before(_BEGIN).not_valid_after(_END)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
