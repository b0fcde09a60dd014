# SPDX-License-Identifier: MIT
"""A program that is talked to: what it prints is waited for, and what it reads is typed."""
import re
import subprocess
import threading
import time

ALONE_S = 1     # a program whose other side has ended has nothing more to say
LOOK_S = 0.2
LINE_MAX = 160


class Failed(Exception):
    """Something did not come in time, or the program ended too early."""


class Process:
    def __init__(self, argv, cwd, patience_s):
        self.argv = argv
        self.until = time.monotonic() + patience_s
        self.output = ""
        self.at = 0             # what is behind has been waited for
        self.ended = False      # nothing more will be printed
        self.changed = threading.Condition()
        self.child = subprocess.Popen(argv, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, bufsize=0)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while data := self.child.stdout.read(65536):
            with self.changed:
                self.output += data.decode(errors="replace")
                self.changed.notify()
        with self.changed:
            self.ended = True
            self.changed.notify()

    def wait_for(self, pattern, other=None):
        """Waits until it has printed what matches, behind what was waited for before; not long without the other."""
        until = self.until
        with self.changed:
            while not (match := re.compile(pattern, re.M).search(self.output, self.at)):
                if other and other.child.poll() is not None:
                    until, other = min(until, time.monotonic() + ALONE_S), None
                left = until - time.monotonic()
                if self.ended or left <= 0:
                    raise Failed(f"{self.argv[0]} did not print {pattern!r}")
                self.changed.wait(min(left, LOOK_S) if other else left)
            self.at = match.end()

    def type(self, text):
        try:
            self.child.stdin.write(text.encode())
        except BrokenPipeError as error:
            raise Failed("ended early") from error

    def end_input(self):
        self.child.stdin.close()

    def follow(self, script, other):
        """A script is a list of (what to wait for, what to type then); None is the end of its input."""
        for pattern, text in script:
            self.wait_for(pattern, other)
            if text is None:
                self.end_input()
            else:
                self.type(text)

    def status(self):
        """Waits for its end."""
        try:
            status = self.child.wait(max(0.0, self.until - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise Failed("did not end") from error
        self.reader.join(1)
        return status

    def kill(self):
        self.child.kill()
        self.child.wait()
        if not self.child.stdin.closed:
            self.child.stdin.close()
        self.reader.join(1)
        self.child.stdout.close()

    def told(self):
        """For a person: the command, and the end of what it printed."""
        lines = [line for line in self.output.splitlines() if line.strip()][-12:]
        return "".join(f"{line}\n" for line in [f"$ {' '.join(self.argv)}", *(f"  {line[:LINE_MAX]}" for line in lines)])


def wait_listening(port, process):
    """Until someone listens on the port, by the kernel's own table: a connection would be one for the server to count."""
    wanted = re.compile(rf":{port:04X} [0-9A-F]+:0000 0A ")
    while True:
        for path in ("/proc/net/tcp", "/proc/net/tcp6"):
            with open(path, encoding="ascii") as table:
                if wanted.search(table.read()):
                    return
        if time.monotonic() > process.until or process.child.poll() is not None:
            raise Failed("does not listen")
        time.sleep(0.01)
