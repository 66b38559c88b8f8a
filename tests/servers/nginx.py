"""A real nginx with the configuration that is shipped: in a folder of its own, on free ports, gone with the tests."""

import ipaddress
import shutil
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from servers.processes import HOST, Guarded

DEPLOY = Path(__file__).parents[2] / "deploy" / "nginx"
ABSENT = "no nginx on this machine (Debian: apt-get install nginx-light)"
MAIN = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include opora/opora.conf;
}}
"""


def program() -> str | None:
    """Find nginx."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def certificate(folder: Path) -> Path:
    """Write a key and a certificate of the loopback; returns the certificate's file."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    (folder / "tls.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file = folder / "tls.crt"
    file.write_bytes(made.public_bytes(Encoding.PEM))
    return file


def configured(folder: Path, yours: Mapping[str, str]) -> Path:
    """Lay the shipped files where an operator does, in `opora/`, with what is marked as yours filled in.

    Returns the certificate to trust.
    """
    beside = folder / "opora"
    beside.mkdir(parents=True)
    trusted = certificate(beside)
    text = (DEPLOY / "opora.conf").read_text()
    for old, new in {"/etc/nginx/opora/tls": str(beside / "tls"), **yours}.items():
        assert old in text, f"the shipped configuration does not say {old!r}"
        text = text.replace(old, new)
    (beside / "opora.conf").write_text(text)
    for name in ("opora-proxy.conf", "opora-guarded.conf"):
        shutil.copy(DEPLOY / name, beside / name)
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    return trusted


def start(folder: Path, guarded_pid: int, yours: Mapping[str, str], port: int) -> tuple[Guarded, Path]:
    """Serve the shipped configuration; returns the process and the certificate to trust."""
    found = program()
    assert found is not None, ABSENT
    trusted = configured(folder, yours)
    server = Guarded([found, "-p", str(folder), "-c", str(folder / "nginx.conf")], folder, guarded_pid)
    server.wait_until(lambda: answers(port))
    return server, trusted


def answers(port: int) -> bool:
    """Tell whether something listens."""
    try:
        with socket.create_connection((HOST, port), 0.3):
            return True
    except OSError:
        return False
