#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""lines.py FOLDER: Wycheproof's JSON as lines for vectors.c, "FILE NUMBER RESULT KIND PARAMETER HEX...", an empty field as "-"."""
import json
import sys

FILES = {
    "aes_gcm_test": "aead", "chacha20_poly1305_test": "aead",
    "x25519_test": "kem", "ecdh_secp256r1_ecpoint_test": "kem", "ecdh_secp384r1_ecpoint_test": "kem",
    "hmac_sha256_test": "hmac", "hmac_sha384_test": "hmac",
    "ecdsa_secp256r1_sha256_test": 0x0403, "ecdsa_secp384r1_sha384_test": 0x0503, "ed25519_test": 0x0807,
    "rsa_pss_2048_sha256_mgf1_32_test": 0x0804, "rsa_pss_3072_sha256_mgf1_32_test": 0x0804,
    "rsa_pss_4096_sha256_mgf1_32_test": 0x0804, "rsa_pss_2048_sha384_mgf1_48_test": 0x0805,
    "rsa_pss_4096_sha384_mgf1_48_test": 0x0805, "rsa_pss_4096_sha512_mgf1_64_test": 0x0806,
    "rsa_pss_2048_sha256_mgf1_32_params_test": 0x0809, "rsa_pss_3072_sha256_mgf1_32_params_test": 0x0809,
    "rsa_pss_4096_sha512_mgf1_64_params_test": 0x080B,
    # Masks that TLS 1.3 does not allow: every signature is refused.
    "rsa_pss_2048_sha256_mgf1sha1_20_test": -0x0804,
    "rsa_pss_2048_sha512_mgf1sha256_32_params_test": -0x080B,
}

# number, bytes of a share and of a private key
GROUPS = {"x25519": ("1d", 32, 32), "secp256r1": ("17", 65, 32), "secp384r1": ("18", 97, 48)}


def aead(name, group, test):
    """Only what TLS uses: nonces of 96 bits, tags of 128."""
    if group["ivSize"] == 96 and group["tagSize"] == 128 and group["keySize"] in (128, 256):
        cipher = "chacha20" if name.startswith("chacha") else "aes%d" % group["keySize"]
        yield test["result"], cipher, test["key"], test["iv"], test["aad"], test["msg"], test["ct"] + test["tag"]


def kem(name, _group, test):
    """X25519: a secret of zeros is refused, what is merely unusual is computed. The engine checks a share's length."""
    number, share_len, private_len = GROUPS[name.split("_")[-3] if name.startswith("ecdh") else "x25519"]
    if len(test["public"]) == 2 * share_len:
        good = test["result"] != "invalid" and (name.startswith("ecdh") or int(test["shared"], 16) != 0)
        private = test["private"][-2 * private_len:].rjust(2 * private_len, "0")
        yield "valid" if good else "invalid", number, private, test["public"], test["shared"]


def hmac(name, _group, test):
    yield test["result"], name[8:11], test["key"], test["msg"], test["tag"]


def signature(scheme, group, test):
    key = group["publicKey"]["pk"] if scheme == 0x0807 else group["publicKeyDer"]
    result = test["result"] if scheme > 0 else "invalid"
    if result != "acceptable":
        yield result, "%x" % abs(scheme), key, test["msg"], test["sig"]


def main(folder):
    for name, kind in FILES.items():
        with open("%s/%s.json" % (folder, name), encoding="utf-8") as f:
            groups = json.load(f)["testGroups"]
        for group in groups:
            for test in group["tests"]:
                if isinstance(kind, int):
                    rows = signature(kind, group, test)
                else:
                    rows = {"aead": aead, "kem": kem, "hmac": hmac}[kind](name, group, test)
                for result, *fields in rows:
                    what = "sig" if isinstance(kind, int) else kind
                    print(name, test["tcId"], result, what, *(field or "-" for field in fields))


main(sys.argv[1])
