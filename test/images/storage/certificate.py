"""certificate.py FOLDER NAME: a certificate for that name and its key, signed by nobody else."""

import datetime
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_, folder, name = sys.argv
key = ec.generate_private_key(ec.SECP256R1())
subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
now = datetime.datetime.now(datetime.timezone.utc)
certificate = (
    x509.CertificateBuilder()
    .subject_name(subject)
    .issuer_name(subject)
    .public_key(key.public_key())
    .serial_number(x509.random_serial_number())
    .not_valid_before(now - datetime.timedelta(days=1))
    .not_valid_after(now + datetime.timedelta(days=365))
    .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    .sign(key, hashes.SHA256())
)
target = Path(folder)
target.mkdir(parents=True, exist_ok=True)
target.joinpath("certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
target.joinpath("key.pem").write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
