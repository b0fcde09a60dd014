# SPDX-License-Identifier: MIT
"""Python's ssl module as a peer of ours: see foreign.h."""
import argparse
import socket
import ssl
import sys

parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("role", choices=("client", "server"))
for option in ("cert", "key", "ca", "client-ca", "group", "alpn"):
    parser.add_argument("--" + option)
parser.add_argument("--name", default="localhost")
parser.add_argument("--port", type=int)
parser.add_argument("--connections", type=int, default=1)
opt = parser.parse_args()
is_server = opt.role == "server"


def configure():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if opt.cert:
        context.load_cert_chain(opt.cert, opt.key)
    if opt.ca and not is_server:
        context.load_verify_locations(opt.ca)
    if opt.client_ca:
        context.load_verify_locations(opt.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    if opt.group:
        context.set_ecdh_curve(opt.group)
    if opt.alpn:
        context.set_alpn_protocols([opt.alpn])
    return context


def talk(tls):
    for i in (1, 2):
        line = b"line %d of the other client\n" % i
        tls.sendall(line)
        got = b""
        while len(got) < len(line):
            got += tls.recv(len(line) - len(got)) or sys.exit("failed: the end instead of an echo")
        if got != line:
            sys.exit(f"failed: {got} instead of {line}")


def echo(tls):
    while data := tls.recv(4096):
        tls.sendall(data)


context, session, listener = configure(), None, None
if is_server:
    listener = socket.create_server(("127.0.0.1", opt.port))
for _ in range(opt.connections):
    raw = listener.accept()[0] if is_server else socket.create_connection(("127.0.0.1", opt.port))
    raw.settimeout(20)
    if is_server:
        tls = context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False)
        echo(tls)
    else:
        tls = context.wrap_socket(raw, server_hostname=opt.name, session=session, suppress_ragged_eofs=False)
        talk(tls)
        session = tls.session
    print(f"ok resumed={int(tls.session_reused)} early=0", flush=True)
    tls.unwrap().close()
