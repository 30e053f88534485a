"""Who asks? Verifies the `rampart-assertion` header of a request.

    pip install pyjwt cryptography
    python verify_assertion.py KEYS ISSUER AUDIENCE < assertion

KEYS is https://<your host>/.rampart/assertion-keys.json, or a file with what is served there.
Prints the claims (exit 0), or says why the assertion is refused (exit 1).
"""

import json
import sys
import urllib.request

import jwt


def keys(source):
    """The public keys by id. Keep them, and ask again when an assertion names another."""
    if source.startswith(("https://", "http://127.0.0.1:")):
        with urllib.request.urlopen(source, timeout=5) as answer:
            text = answer.read(65536)
    else:
        with open(source, "rb") as file:
            text = file.read(65536)
    found = {}
    for key in json.loads(text)["keys"]:
        # Rampart signs with Ed25519 and with nothing else.
        if key["kty"] == "OKP" and key["crv"] == "Ed25519":
            found[key["kid"]] = jwt.PyJWK(key, algorithm="EdDSA")
    return found


def verify(assertion, known, issuer, audience):
    """The claims; raises for every assertion that does not hold here and now."""
    head = jwt.get_unverified_header(assertion)
    # Another JWT signed by the same key would say something else.
    if head.get("typ") != "rampart-assertion+jwt":
        raise jwt.InvalidTokenError("this is no assertion")
    if head.get("kid") not in known:
        raise jwt.InvalidTokenError("it names no key of Rampart's")
    return jwt.decode(
        assertion,
        known[head["kid"]],
        algorithms=["EdDSA"],  # never what the assertion says
        issuer=issuer,
        audience=audience,
        leeway=5,
        options={"require": ["iss", "aud", "sub", "iat", "exp"], "strict_aud": True},
    )


def main():
    source, issuer, audience = sys.argv[1:4]
    assertion = sys.stdin.read(16384).strip()
    try:
        claims = verify(assertion, keys(source), issuer, audience)
    except jwt.InvalidTokenError as why:
        sys.exit(f"refused: {why}")
    print(json.dumps(claims))


if __name__ == "__main__":
    main()
