#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Whole runs of what people trace, in both modes: a server under load whose client counts, and the recipes
beside the checkout (or in ACCEPT_FOLDER), with strace as the oracle.

ACCEPT=1 runs all recipes (servers under load, which are slow); otherwise those that take seconds.
"""
import os
import re
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import recorder
from tap import ROOT, Failure, Skip, Traced, check, eq, main, need_root, need_tool, only_from, test

FOLDER = os.environ.get("ACCEPT_FOLDER", os.path.join(os.path.dirname(ROOT), "shared", "acceptance"))
QUICK = ["13-static-busybox-musl.sh", "15-make-gcc.sh"]
MODES = ("ptrace", "auto")


def each_mode(name, run, timeout):
    for mode in MODES:
        test(lambda t, mode=mode: run(t, mode), name + (" auto" if mode == "auto" else ""), timeout)


# ---- recipes ----

def recipes():
    if not os.path.isdir(FOLDER):
        return ["all recipes"]
    every = sorted(f for f in os.listdir(FOLDER) if f[:2].isdigit() and f.endswith(".sh"))
    return every if os.environ.get("ACCEPT") == "1" else QUICK


def agrees(t, recipe, mode):
    need_root()
    if not os.path.isdir(FOLDER):
        raise Skip("the recipes are not beside the checkout")
    env = dict(os.environ, MODES=mode, WL_TMP=t.path("work"), TMPDIR=t.dir)
    r = t.run([os.path.join(FOLDER, "accept.sh"), t.binary, recipe], timeout=280, env=env)
    if ": skipped" in r.out:
        raise Skip(r.out.strip().replace("\n", "; "))
    eq((r.status, r.out.strip().splitlines()[-1:]), (0, ["1 of 1 agree, 0 skipped"]), "result\n%s" % r)


# ---- servers of our own: what the client sent and got is what the server received and sent ----

UDP = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', 0))
print(s.getsockname()[1], flush=True)
while True:
    query, whom = s.recvfrom(2000)
    if query == b'end': break
    s.sendto(query + b'!', whom)
"""
TCP = """
import socket, threading
s = socket.socket()
s.bind(('127.0.0.1', 0))
s.listen(64)
print(s.getsockname()[1], flush=True)
def serve(c):
    while True:
        query = c.recv(2000)
        if not query: break
        c.sendall(query + b'!')
    c.close()
threads = []
while True:
    c, _ = s.accept()
    if c.recv(3) == b'end': break
    threads.append(threading.Thread(target=serve, args=(c,)))
    threads[-1].start()
for x in threads: x.join()
"""
PYTHON = "/usr/bin/python3"


def under_load(t, mode, server, load):
    """Runs the server under iotrace, and load(port), which ends it. -> (result, what load returned)"""
    need_tool(PYTHON)
    argv, prefix = t.iotrace_argv(["--mode=" + mode, "--trace=%io,%network"], [PYTHON, "-S", "-c", server])
    p = t.start(argv)
    port = p.stdout.readline()
    if not port.strip().isdigit():
        raise Failure("the server did not start: %r" % t.finish(p).err)
    counted = load(int(port))
    r = t.finish(p, 30, Traced)
    r.prefix = prefix
    eq(r.status, 0, "status (%s)" % r.err)
    ways = recorder.check_ways(r)
    eq(ways["calls_recorded_in_process"] > counted["queries"], mode == "auto", "the recorder saw the load")
    return r, counted


def of_fds(r, kind, name):
    """(calls, bytes) of one call on each fd of that kind."""
    return sorted((c["calls"], c["bytes"]) for row in r.json["fds"] if (row["target"] or "").startswith(kind)
                  for c in row["syscalls"] if c["name"] == name)


def udp_load(port):
    """8 on the way at a time."""
    counted = dict(queries=3000, sent=0, got=0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(20)
        s.connect(("127.0.0.1", port))
        for i in range(counted["queries"] + 8):
            if i < counted["queries"]:
                counted["sent"] += s.send(b"q" * (1 + i % 1000))
            if i >= 8:
                counted["got"] += len(s.recv(2000))
        s.send(b"end")
    return counted


def udp_server(t, mode):
    r, counted = under_load(t, mode, UDP, udp_load)
    n = counted["queries"]
    eq(counted["got"], counted["sent"] + n, "bytes of the answers")
    eq((r.call("recvfrom")["ok"], r.call("sendto")["ok"]), (n + 1, n), "calls")
    eq(of_fds(r, "udp", "recvfrom"), [(n + 1, counted["sent"] + 3)], "received")
    eq(of_fds(r, "udp", "sendto"), [(n, counted["got"])], "sent")


CONNECTIONS, QUERIES = 20, 50


def tcp_load(port):
    """Two connections at a time, so that numbers of fds are used again while others are open."""
    counted = dict(queries=CONNECTIONS * QUERIES, got=[])

    def connect():
        c = socket.create_connection(("127.0.0.1", port), 20)
        c.sendall(b"new")
        return c

    for i in range(0, CONNECTIONS, 2):
        two = [connect(), connect()]
        for k, c in enumerate(two):
            for _ in range(QUERIES):
                c.sendall(b"q" * (10 + i + k))
                answer = b""
                while not answer.endswith(b"!"):
                    answer += c.recv(2000)
        for c in two:
            c.close()
        counted["got"] += [QUERIES * (11 + i), QUERIES * (12 + i)]
    with socket.create_connection(("127.0.0.1", port), 20) as c:
        c.sendall(b"end")
    return counted


def tcp_server(t, mode):
    """Each connection is an fd of its own, whichever number it has: its bytes say which."""
    r, counted = under_load(t, mode, TCP, tcp_load)
    eq([b for _, b in of_fds(r, "tcp 127.0.0.1:", "sendto")], sorted(counted["got"]), "sent by connection")
    received = [g - QUERIES + 3 for g in counted["got"]] + [3]
    eq(sorted(b for _, b in of_fds(r, "tcp 127.0.0.1:", "recvfrom")), sorted(received), "received by connection")
    numbers = {row["fd"] for row in r.json["fds"] if re.match(r"tcp \S+ -> ", row["target"] or "")}
    check(len(numbers) < CONNECTIONS, "numbers were used again: %r" % numbers)


only_from(__name__)
each_mode("UDP server under load", udp_server, 60)
each_mode("TCP server, a thread a connection", tcp_server, 60)
for _name in recipes():
    each_mode(_name, lambda t, mode, n=_name: agrees(t, n, mode), 300)

if __name__ == "__main__":
    main()
