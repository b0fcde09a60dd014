# SPDX-License-Identifier: MIT
"""e2e: the application's contract from Python, a daemon to serve it, and TLS peers to talk to. Runs where tlshd.ko is loaded."""
import ctypes
import functools
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../tools"))
from tap import true  # noqa: E402

BUILD = os.environ.get("B", "build")
CERTS = os.path.join(BUILD, "tests/certs")
WAIT = 30   # seconds, for an event that comes at once; only a broken program needs them

# uapi/tlshd.h
IPPROTO_IP, START, INFO = 0, 0x5400, 0x5401
CLIENT, SERVER = 1, 2
NOWAIT, ANY_NAME = 1, 2
HANDSHAKING, OPEN, CLOSED, FAILED = 1, 3, 4, 5
CLEAN_CLOSE = 1 << 5
NO_ALERT = 0xffff
START_FORMAT = "<IIII64s256s128s16s"
INFO_FORMAT = "<4I6HIqQQ4I32s32s128s256s128s256s"
INFO_FIELDS = ["size", "state", "error", "flags", "suite", "group", "sigscheme", "auth", "alert_sent", "alert_received", "reserved",
               "full_handshake_time", "early_bytes", "tx_records", "tx_key_updates", "rx_key_updates", "tickets", "reserved2",
               "peer_leaf_sha256", "replay_token", "reason", "peer_subject", "alpn", "server_name"]
EKEYEXPIRED, EKEYREJECTED = 127, 129

_libc = ctypes.CDLL(None, use_errno=True)   # socket.setsockopt() would hold the interpreter while START waits


class Info:
    pass


def pack(role, profile, name="", alpn="", flags=0, timeout_ms=0, scope=b""):
    return struct.pack(START_FORMAT, struct.calcsize(START_FORMAT), role, flags, timeout_ms, profile.encode(), name.encode(),
                       alpn.encode(), scope)


def start(sock, role, profile, **fields):
    """TLSHD_START; an OSError if it fails."""
    start_raw(sock, pack(role, profile, **fields))


def start_raw(sock, data):
    if _libc.setsockopt(sock.fileno(), IPPROTO_IP, START, data, len(data)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def info(sock):
    """TLSHD_INFO as an object whose texts are str."""
    values = struct.unpack(INFO_FORMAT, sock.getsockopt(IPPROTO_IP, INFO, struct.calcsize(INFO_FORMAT)))
    result = Info()
    for field, value in zip(INFO_FIELDS, values):
        if isinstance(value, bytes) and field not in ("peer_leaf_sha256", "replay_token"):
            value = value.split(b"\0", 1)[0].decode()
        setattr(result, field, value)
    return result


def await_event(condition, what):
    end = time.monotonic() + WAIT
    while not (result := condition()):
        true(time.monotonic() < end, f"{what}: did not happen")
        time.sleep(0.01)
    return result


# Directories and certificates

work = tempfile.mkdtemp(prefix="e2e.")
os.chmod(work, 0o755)


def cert(name):
    """Copies of a certificate and its key that are the daemon's own, in a place of the guest."""
    paths = []
    for kind, mode in (("pem", 0o644), ("key", 0o600)):
        path = os.path.join(work, f"{name}.{kind}")
        if not os.path.exists(path):
            shutil.copyfile(os.path.join(CERTS, f"{name}.{kind}"), path)
            os.chmod(path, mode)
        paths.append(path)
    return paths


ROOT_CERT = os.path.join(work, "root.crt")
shutil.copyfile(os.path.join(CERTS, "root.crt"), ROOT_CERT)


# The daemon

def server_profile(name, certificate, extra="", allow='allow-users = {"*"}'):
    pem, key = cert(certificate)
    return f'profile "{name}" {{\n identity {{ certificate = "{pem}"\n key = "{key}" }}\n {extra}\n server {{ {allow} }}\n}}\n'


def client_profile(name, extra="", client=""):
    return f'profile "{name}" {{\n trust = "{ROOT_CERT}"\n {extra}\n client {{ allow-users = {{"*"}}\n {client} }}\n}}\n'


CONFIG = (server_profile("www", "p256", 'alpn = {"http/1.1", "echo"}\n timeout = 30') + server_profile("plain", "p256") +
          server_profile("ed25519", "ed25519") + server_profile("rsa", "rsa2048") +
          server_profile("closed", "p256", allow='allow-users = {"daemon"}') +
          client_profile("client", 'alpn = {"http/1.1", "echo"}') + client_profile("anyname", client="any-name = true"))


class Daemon:
    """A tlshd with a configuration, ready when made; in a with statement it ends by SIGTERM."""
    def __init__(self, config=CONFIG):
        path = os.path.join(work, "tlshd.conf")
        with open(path, "w") as f:
            f.write(config)
        os.chmod(path, 0o600)
        self.log_path = os.path.join(work, "tlshd.log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([daemon_path(), "-c", path], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        await_event(self._is_ready, "the daemon's readiness")

    def log(self):
        with open(self.log_path) as f:
            return f.read()

    def _is_ready(self):
        true(self.process.poll() is None, "the daemon ended: " + self.log()[-500:])
        return "ready" in self.log()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(WAIT)
        finally:
            self.process.kill()

    def kill(self):
        """SIGKILL, as the OOM killer would: nothing is tidied up."""
        self.process.kill()
        self.process.wait(WAIT)

    def workers(self):
        return self.children("worker")

    def children(self, role):
        """Process ids of its children whose command line names the role."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as f:
                    parent = int(f.read().rsplit(")", 1)[1].split()[1])
                with open(f"/proc/{pid}/cmdline") as f:
                    if parent == self.process.pid and role in f.read():
                        found.append(int(pid))
            except (FileNotFoundError, ProcessLookupError):
                pass
        return found


def daemon_path():
    path = os.path.join(BUILD, "tlshd")
    return path if os.path.isfile(path) else os.path.join(path, "tlshd")


# Connections

def pair(family=socket.AF_INET):
    """Both ends of a TCP connection over loopback: (application's, peer's)."""
    with socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), family=family) as listener:
        peer = socket.socket(family)
        peer.connect(listener.getsockname())
        app, _ = listener.accept()
    return app, peer


_kept = []


def alone(family=socket.AF_INET):
    """The application's end of a connection whose peer stays and says nothing."""
    app, other = pair(family)
    _kept.append(other)
    return app


class Peer(threading.Thread):
    """Runs a function of the peer's side in a thread; join() gives its result or raises what it raised."""
    def __init__(self, function, *args):
        super().__init__(daemon=True)
        self.function, self.args, self.result, self.error = function, args, None, None
        self.start()

    def run(self):
        try:
            self.result = self.function(*self.args)
        except BaseException as error:  # handed to whoever joins
            self.error = error

    def finish(self):
        self.join(WAIT)
        true(not self.is_alive(), "the peer hangs")
        if self.error:
            raise self.error
        return self.result


@functools.lru_cache(maxsize=None)      # reading certificates takes longer than shaking hands
def _client_context(alpn):
    context = ssl.create_default_context(cafile=ROOT_CERT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def client_context(alpn=()):
    return _client_context(tuple(alpn))


@functools.lru_cache(maxsize=None)
def _server_context(certificate, alpn, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(*cert(certificate))
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def server_context(certificate="p256", alpn=(), version=ssl.TLSVersion.TLSv1_3):
    return _server_context(certificate, tuple(alpn), version)


def tls_client(sock, name="localhost", **options):
    """The peer's TLS client on a connected socket; a cut connection is an error, as it should be everywhere."""
    return client_context(**options).wrap_socket(sock, server_hostname=name, suppress_ragged_eofs=False)


def tls_server(sock, **options):
    return server_context(**options).wrap_socket(sock, server_side=True, suppress_ragged_eofs=False)


def client_hello(sock):
    """Send a ClientHello and wait for the answer: the daemon is in mid-handshake, and stays there."""
    outgoing = ssl.MemoryBIO()
    hello = client_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    try:
        hello.do_handshake()
    except ssl.SSLWantReadError:
        pass
    sock.sendall(outgoing.read())
    true(sock.recv(1) == b"\x16", "no ServerHello")


def serve(family=socket.AF_INET, profile="www", peer=tls_client, **options):
    """START as a server against a TLS client: (application's socket, the client's ssl socket)."""
    app, other = pair(family)
    thread = Peer(lambda: peer(other, **options))
    start(app, SERVER, profile)
    return app, thread.finish()


def connect(family=socket.AF_INET, profile="client", name="localhost", fields=None, **options):
    """START as a client against a TLS server: (application's socket, the server's ssl socket)."""
    app, other = pair(family)
    thread = Peer(lambda: tls_server(other, **options))
    start(app, CLIENT, profile, name=name, **(fields or {}))
    return app, thread.finish()


def read_exactly(sock, length):
    parts = []
    while length and (part := sock.recv(min(length, 1 << 16))):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def read_all(sock):
    parts = []
    while part := sock.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def cleanup():
    shutil.rmtree(work, ignore_errors=True)
