"""digest() and extract-signed()."""

from __future__ import annotations

import base64
import binascii
import hashlib

from forms.expressions.context import Context
from forms.expressions.errors import ExpressionError
from forms.expressions.functions.registry import function
from forms.expressions.signatures import verify

_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


@function("digest(string, string, string?)", "string")
def digest(context: Context, text: str, algorithm: str, encoding: str = "base64") -> str:
    """Return a text's hash by MD5, SHA-1, SHA-256, SHA-384 or SHA-512, in base64 or hex."""
    name = _ALGORITHMS.get(algorithm.upper())
    if name is None or encoding.lower() not in ("base64", "hex"):
        raise ExpressionError("FORMS_EXPRESSION_DIGEST", algorithm=algorithm, encoding=encoding)
    # A digest tells texts apart; it guards no secret here.
    made = hashlib.new(name, text.encode(), usedforsecurity=False).digest()
    return made.hex() if encoding.lower() == "hex" else base64.b64encode(made).decode("ascii")


@function("extract-signed(string, string)", "string")
def extract_signed(context: Context, signed: str, public_key: str) -> str:
    """Return the message in Base64 of signature (64 bytes) and message, where Ed25519 verifies it; else ""."""
    try:
        data = base64.b64decode("".join(signed.split()), validate=True)
        key = base64.b64decode("".join(public_key.split()), validate=True)
        return data[64:].decode("utf-8") if verify(key, data[:64], data[64:]) else ""
    except (binascii.Error, ValueError):
        return ""
