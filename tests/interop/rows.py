# SPDX-License-Identifier: MIT
"""The rows of the matrix: what our side is told, what it must say of the last connection, and what the peer must do."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """@client, @server: arguments of our client, or server; the peer's are in peers.py, by the row's name.
    @client_says, @server_says: what the last line must match.
    @may: settings that the peer is given where it has them: ours does as well without.
    @host: the name by which a client of the peer knows our server.
    @fails: there is no connection, and the peer must notice, too."""
    name: str
    client: str = ""
    server: str = ""
    client_says: str = "^ok "
    server_says: str = "^ok "
    may: dict = field(default_factory=dict)
    connections: int = 1
    host: str = "localhost"
    fails: bool = False


def both(name, options, says, **more):
    return Row(name, options, options, says, says, **more)


SUITES = {"1301": "TLS_AES_128_GCM_SHA256", "1302": "TLS_AES_256_GCM_SHA384", "1303": "TLS_CHACHA20_POLY1305_SHA256"}
GROUPS = {"1d": "x25519", "17": "secp256r1", "18": "secp384r1"}

ROWS = (
    Row("full handshake"),
    Row("HelloRetryRequest", "--groups 1d,17,18", "--groups 18", "^ok .*group=0018 retry=1", "^ok .*group=0018 retry=1"),
    *(both(name, f"--suites {number}", f"^ok suite={number}", may={"suite": number}) for number, name in SUITES.items()),
    *(both(name, f"--groups {number}", f"^ok .*group=00{number}", may={"group": number}) for number, name in GROUPS.items()),
    Row("client certificate", "--cert {certs}/client.pem --key {certs}/client.key", "--client-ca {certs}/root.crt",
        server_says="^ok .*auth=certificate .*peer=.*CN=client"),
    both("resumption", "", "^ok .*resumed=1", connections=2),
    Row("0-RTT accepted", "--early", "--early", "^ok .*resumed=1 early=accepted:[1-9]", "^ok .*resumed=1 early=accepted:[1-9]",
        connections=2),
    Row("0-RTT rejected", "--early", "--early-once", "^ok .*early=rejected", "^ok .*early=rejected", connections=2),
    Row("0-RTT, HelloRetryRequest", "--early", "--early --groups 18", "^ok .*retry=1 .*early=rejected",
        "^ok .*retry=1 .*early=rejected", connections=2),
    both("KeyUpdate, ours first", "--key-update", r"^ok .*updates=[1-9]"),
    both("KeyUpdate, peer's first", "", r"^ok .*updates=[1-9]"),
    Row("ALPN mismatch", "--alpn h2", "--alpn h2", "^failed errno=EPROTO sent=-1 got=120", "^failed errno=EPROTO sent=120",
        fails=True),
    Row("wrong name", "--name db2", "", "^failed errno=EKEYREJECTED sent=42 ", "^failed errno=EPROTO sent=-1 got=4[26]",
        host="db2", fails=True),
)
