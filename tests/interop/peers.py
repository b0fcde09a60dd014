# SPDX-License-Identifier: MIT
"""The peers of the matrix, as data: how each is started, what a row adds, and what it cannot do, with the reason."""
from dataclasses import dataclass, field

# What our client says, and what it is to get back; and the other way around.
LINE = r"line {} of our client\n"
ECHOES = [(LINE.format(1), "line 1 of our client\n"), (LINE.format(2), "line 2 of our client\n")]
TALKS = [("", "line 1 by hand\n"), ("line 1 by hand\r?\n", "line 2 by hand\n"), ("line 2 by hand\r?\n", None)]


@dataclass(frozen=True)
class Side:
    """A peer as server, or as client.
    @command: {port}, {host} (our server's name), {certs}, {bin}, {here}, {work} (a folder of its own), {shared} (another,
        for all), {request} (a file with one) and {early} (a file with early data) are filled in, and {value} in @settings.
    @rows: what a row adds to the command; a list of several is for a client that is started as often.
    @settings: what a row's "may" adds.
    @script: what is typed once what is printed; by row in @scripts.
    @ours: what our side is told for this peer, and by row what more.
    @says: what our side says, where it is not what the row expects.
    @shows: what the peer prints, by row."""
    command: str
    rows: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)
    cannot: dict = field(default_factory=dict)
    script: list = field(default_factory=list)
    scripts: dict = field(default_factory=dict)
    ours: str = ""
    ours_rows: dict = field(default_factory=dict)
    says: dict = field(default_factory=dict)
    shows: dict = field(default_factory=dict)
    slow: tuple = ()        # rows that take seconds


@dataclass(frozen=True)
class Peer:
    name: str
    server: Side = None
    client: Side = None
    suites: dict = field(default_factory=dict)
    groups: dict = field(default_factory=dict)
    prepare: tuple = ()     # commands, once, in {shared}
    needs: tuple = ()       # programs or files; where one is missing the peer is left out


OPENSSL_SUITES = {"1301": "TLS_AES_128_GCM_SHA256", "1302": "TLS_AES_256_GCM_SHA384",
                  "1303": "TLS_CHACHA20_POLY1305_SHA256"}
PLAIN_GROUPS = {"1d": "x25519", "17": "secp256r1", "18": "secp384r1"}
OPENSSL_GROUPS = {"1d": "X25519", "17": "P-256", "18": "P-384"}


def openssl(name, program, needs):
    """s_server and s_client print what comes and send what is typed; a line that is "K" makes a KeyUpdate."""
    return Peer(
        name, needs=needs, suites=OPENSSL_SUITES, groups=OPENSSL_GROUPS,
        server=Side(
            program + " s_server -tls1_3 -accept 127.0.0.1:{port} -cert {certs}/p256.crt -cert_chain {certs}/p256.pem "
            "-key {certs}/p256.key -msg",
            settings={"suite": "-ciphersuites {value}", "group": "-groups {value}"},
            script=ECHOES,
            rows={
                "HelloRetryRequest": "-groups P-384",
                "client certificate": "-Verify 2 -verify_return_error -CAfile {certs}/root.crt",
                "0-RTT accepted": "-early_data -max_early_data 16384",
                "0-RTT rejected": "-early_data -max_early_data 16384",
                "0-RTT, HelloRetryRequest": "-early_data -max_early_data 16384 -groups P-384",
                "ALPN mismatch": "-alpn http/1.1",
            },
            ours_rows={"0-RTT rejected": "--stale"},
            shows={"0-RTT accepted": "early line of our client"},
            scripts={"KeyUpdate, peer's first": [(ECHOES[0][0], "K\n"), ("KeyUpdate", ECHOES[0][1]), ECHOES[1]]}),
        client=Side(
            program + " s_client -tls1_3 -connect 127.0.0.1:{port} -servername {host} -verify_hostname {host} "
            "-CAfile {certs}/root.crt -verify_return_error -msg",
            settings={"suite": "-ciphersuites {value}", "group": "-groups {value}"},
            script=TALKS,
            rows={
                "client certificate": "-cert {certs}/client.crt -cert_chain {certs}/client.pem -key {certs}/client.key",
                "resumption": ["-sess_out {work}/session", "-sess_in {work}/session"],
                "0-RTT accepted": ["-sess_out {work}/session", "-sess_in {work}/session -early_data {early}"],
                "0-RTT rejected": ["-sess_out {work}/session", "-sess_in {work}/session -early_data {early}"],
                "0-RTT, HelloRetryRequest": ["-sess_out {work}/session", "-sess_in {work}/session -early_data {early}"],
                "ALPN mismatch": "-alpn http/1.1",
            },
            scripts={"KeyUpdate, peer's first": [TALKS[0], (TALKS[1][0], "K\n"), ("KeyUpdate", TALKS[1][1]), TALKS[2]]},
            shows={"resumption": "^Reused", "0-RTT accepted": "Early data was accepted",
                   "0-RTT rejected": "Early data was rejected", "0-RTT, HelloRetryRequest": "Early data was rejected"}))


TLS13 = " --priority NORMAL:-VERS-ALL:+VERS-TLS1.3"
PRIORITY = {"suite": ":-CIPHER-ALL:+{value}", "group": ":-GROUP-ALL:+GROUP-{value}"}

GNUTLS = Peer(
    "GnuTLS", needs=("gnutls-serv", "gnutls-cli"),
    suites={"1301": "AES-128-GCM", "1302": "AES-256-GCM", "1303": "CHACHA20-POLY1305"},
    groups={"1d": "X25519", "17": "SECP256R1", "18": "SECP384R1"},
    server=Side(
        "gnutls-serv --port {port} --x509certfile {certs}/p256.pem --x509keyfile {certs}/p256.key --echo" + TLS13,
        settings=PRIORITY,
        rows={
            "HelloRetryRequest": ":-GROUP-ALL:+GROUP-SECP384R1",
            "client certificate": "--require-client-cert --verify-client-cert --x509cafile {certs}/root.crt",
            "0-RTT accepted": "--earlydata --maxearlydata 16384",
            "0-RTT rejected": "--earlydata --maxearlydata 16384",
            "ALPN mismatch": "--alpn http/1.1 --alpn-fatal",
        },
        ours_rows={"0-RTT rejected": "--stale"},
        cannot={
            "0-RTT, HelloRetryRequest": "bad_record_mac, also to OpenSSL's client: it does not skip early data then",
            "KeyUpdate, peer's first": "gnutls-serv has no option or command for it",
        }),
    client=Side(
        "gnutls-cli 127.0.0.1 --port {port} --x509cafile {certs}/root.crt --inline-commands --sni-hostname {host} "
        "--verify-hostname {host}" + TLS13,
        settings=PRIORITY, script=TALKS,
        rows={
            "client certificate": "--x509certfile {certs}/client.pem --x509keyfile {certs}/client.key",
            "resumption": "--resume --waitresumption",
            "0-RTT accepted": "--resume --waitresumption --earlydata {early}",
            "0-RTT rejected": "--resume --waitresumption --earlydata {early}",
            "ALPN mismatch": "--alpn http/1.1",
        },
        cannot={"0-RTT, HelloRetryRequest": "it protects its second ClientHello with the key of early data"},
        scripts={"KeyUpdate, peer's first": [TALKS[0], (TALKS[1][0], "^rekey^\n"), ("", TALKS[1][1]), TALKS[2]]}))

NSS = Peer(
    "NSS", needs=("selfserv", "tstclnt", "certutil", "pk12util", "openssl"),
    groups={"1d": "x25519", "17": "P256", "18": "P384"},
    suites={"1301": ":1301", "1302": ":1302", "1303": ":1303"},
    prepare=(
        "certutil -N -d sql:. --empty-password",
        "openssl pkcs12 -export -in {certs}/p256.pem -inkey {certs}/p256.key -name p256 -passout pass: -out p256.p12",
        "openssl pkcs12 -export -in {certs}/client.pem -inkey {certs}/client.key -name client -passout pass: -out client.p12",
        "pk12util -d sql:. -i p256.p12 -W ''",
        "pk12util -d sql:. -i client.p12 -W ''",
        "certutil -A -d sql:. -n root -t CT,C, -i {certs}/root.crt",
    ),
    server=Side(
        "selfserv -d sql:{shared} -p {port} -e p256 -V tls1.3: -v",
        settings={"suite": "-c {value}", "group": "-I {value}"},
        ours="--get /",
        # It takes none in its first ten seconds; then it closes before it has read our Finished, which is a reset.
        ours_rows={"0-RTT accepted": "--connections 60 --until-accepted --any-end"},
        slow=("0-RTT accepted",),
        rows={
            "HelloRetryRequest": "-I P384",
            "client certificate": "-r -r",
            "resumption": "-u",
            "0-RTT accepted": "-u -Z",
            "0-RTT rejected": "-u -Z",
            "0-RTT, HelloRetryRequest": "-u -Z -I P384",
            "ALPN mismatch": "-Q",
        },
        cannot={"KeyUpdate, peer's first": "selfserv has no option for it"}),
    client=Side(
        "tstclnt -d sql:{shared} -h localhost -p {port} -V tls1.3: -4 -v -a {host} -A {request}",
        settings={"suite": "-c {value}", "group": "-I {value}"},
        ours="--http --bytes 1000",
        ours_rows={"0-RTT accepted": "--await-early"},  # it goes on with the handshake first, and then has no early data
        rows={
            "client certificate": "-n client",
            "resumption": "-u -L 2",
            "0-RTT accepted": "-u -L 2 -Z",
            "0-RTT rejected": "-u -L 2 -Z",
            "0-RTT, HelloRetryRequest": "-u -L 2 -Z",
        },
        cannot={
            "KeyUpdate, peer's first": "tstclnt has no option for it",
            "ALPN mismatch": "tstclnt has no option for ALPN",
        }))

FOREIGN_SERVER = " server --port {port} --cert {certs}/p256.pem --key {certs}/p256.key"
FOREIGN_CLIENT = " client --port {port} --ca {certs}/root.crt --name {host}"


def foreign(name, program, needs, cannot, server_cannot=None, says=None, **more):
    """Programs of ours, see foreign.h; they have no early data and no KeyUpdate where @cannot says so."""
    settings = {"suite": "--suite {value}", "group": "--group {value}"}
    rows = {
        "resumption": "--connections 2",
        "0-RTT accepted": "--connections 2 --early",
        "KeyUpdate, peer's first": "--key-update",
        "ALPN mismatch": "--alpn http/1.1",
    }
    server = {"HelloRetryRequest": f"--group {more['groups']['18']}", "client certificate": "--client-ca {certs}/root.crt",
              "0-RTT rejected": "--connections 2 --early-once",
              "0-RTT, HelloRetryRequest": f"--connections 2 --early --group {more['groups']['18']}"}
    client = {"client certificate": "--cert {certs}/client.pem --key {certs}/client.key",
              "0-RTT rejected": "--connections 2 --early", "0-RTT, HelloRetryRequest": "--connections 2 --early"}
    shows = {"resumption": "^ok resumed=[1?] ", "0-RTT accepted": "^ok resumed=[1?] early=1"}
    return Peer(name, needs=needs,
                server=Side(program + FOREIGN_SERVER, {**rows, **server}, settings,
                            {**cannot, **(server_cannot or {})}, shows=shows),
                client=Side(program + FOREIGN_CLIENT, {**rows, **client}, settings, cannot, shows=shows, says=says or {}),
                **more)


def without(*rows, reason):
    return {row: reason for row in rows}


EARLY = ("0-RTT accepted", "0-RTT rejected", "0-RTT, HelloRetryRequest")

GO = foreign(
    "Go", "{bin}/peer_go", ("{bin}/peer_go",),
    {**without(*EARLY, reason="crypto/tls has no early data outside QUIC"),
     "KeyUpdate, peer's first": "crypto/tls has no function that sends one; it answers only"},
    groups=PLAIN_GROUPS)

PYTHON = foreign(
    "Python", "python3 {here}/peer_python.py", ("python3",),
    {**without(*EARLY, reason="the ssl module has no early data"),
     "KeyUpdate, peer's first": "the ssl module has no function that sends one; it answers only"},
    server_cannot={"ALPN mismatch": "a server of the ssl module goes on without a protocol"},
    groups={"17": "prime256v1", "18": "secp384r1"})

NODE = foreign(
    "Node.js", "node {here}/peer_node.js", ("node",),
    {**without(*EARLY, reason="the tls module has no early data"),
     "KeyUpdate, peer's first": "the tls module has no function that sends one; it answers only"},
    says={"wrong name": "^failed errno=(ECONNRESET|data) "},     # it looks at the name itself, and leaves without an alert
    suites=OPENSSL_SUITES, groups=OPENSSL_GROUPS)

WOLFSSL = foreign(
    "wolfSSL", "{bin}/peer_wolfssl", ("{bin}/peer_wolfssl",),
    without(*EARLY, reason="Debian's library is built without WOLFSSL_EARLY_DATA"),
    suites={"1301": "TLS13-AES128-GCM-SHA256", "1302": "TLS13-AES256-GCM-SHA384", "1303": "TLS13-CHACHA20-POLY1305-SHA256"},
    groups=PLAIN_GROUPS)

CURL = Peer(
    "curl", needs=("curl",), suites=OPENSSL_SUITES, groups=OPENSSL_GROUPS,
    client=Side(
        "curl -sS --cacert {certs}/root.crt --http1.1 --resolve {host}:{port}:127.0.0.1 "
        "https://{host}:{port}/[1-2] -o {work}/#1",
        settings={"suite": "--tls13-ciphers {value}", "group": "--curves {value}"},
        ours="--http --bytes 1000",
        rows={
            "client certificate": "--cert {certs}/client.pem --key {certs}/client.key",
            "resumption": "-H 'Connection: close'",
        },
        says={"wrong name": "^failed errno=data "},     # it looks at the name later, and leaves without an alert
        cannot={
            **without(*EARLY, reason="curl 7.88 has no early data"),
            "KeyUpdate, peer's first": "curl has no option for it",
        }))

MBEDTLS = foreign(
    "Mbed TLS 3.6", "{bin}/peer_mbedtls", ("{newer}/include", "{bin}/peer_mbedtls"),
    {"KeyUpdate, ours first": "it ends the connection: Mbed TLS 3.6 knows no KeyUpdate",
     "KeyUpdate, peer's first": "Mbed TLS 3.6 knows no KeyUpdate"},
    suites={"1301": "TLS1-3-AES-128-GCM-SHA256", "1302": "TLS1-3-AES-256-GCM-SHA384",
            "1303": "TLS1-3-CHACHA20-POLY1305-SHA256"},
    groups=PLAIN_GROUPS)

PEERS = (
    openssl("OpenSSL 3.0", "openssl", ("openssl",)),
    openssl("OpenSSL 3.5", "{newer}/openssl", ("{newer}/openssl",)),
    GNUTLS, NSS, GO, WOLFSSL, MBEDTLS, CURL, PYTHON, NODE,
)
