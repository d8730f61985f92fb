"""Every endpoint that a cluster with keys has open, with every kind of wrong key: who has one is
not heard. The same request with the right key is answered, so that silence means something."""

import os
import pathlib
import re
import sqlite3
import subprocess
import unittest

import raw_peer
from cluster_case import SPILLWAY, ClusterCase, free_port
from raw_peer import RawPeer, field, frame, keys_in

SILENCE_MS = 700
ANSWER_MS = 20_000
LISTENING = "0A"
REPLY_STATUS = 2


def open_ports(process):
    """The TCP ports that a process listens on."""
    inodes = set()
    for link in pathlib.Path(f"/proc/{process.pid}/fd").iterdir():
        found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(link))
        if found:
            inodes.add(found[1])
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{process.pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == LISTENING and words[9] in inodes:
                ports.add(int(words[1].rpartition(":")[2], 16))
    return ports


def unix_sockets(directory):
    return [path for path in directory.rglob("*") if path.is_socket()]


CLUSTER_QUERY = frame(raw_peer.REQUEST, field(1, 1) + field(6, b""))


def register(incarnation):
    """As a worker does; see docs/formats/protocol.md."""
    details = (field(1, 1) + field(2, 2) + b"\x19" + incarnation.to_bytes(8, "little") +
               field(4, b"stranger") + field(5, b"h9") + field(7, 1) + field(8, 1 << 28) +
               field(17, 1))
    return frame(raw_peer.REGISTER, details)


# A range of a job that is not there: the token is looked at before.
FETCH = frame(raw_peer.FETCH_REQUEST, field(1, 1) + field(2, 1) + field(7, field(5, 100)))


class WrongKeys(ClusterCase):
    def new_endpoint(self):
        self.keys = self.dir / "keys"
        self.keys_command("init", self.keys)
        for name, role in [("gone", "worker"), ("eve", "viewer")]:
            self.keys_command("add", self.keys, name, "--role", role, "--export",
                              self.dir / f"keys-{name}")
        self.gone = keys_in(self.dir / "keys-gone" / "gone.secret")
        self.keys_command("revoke", self.keys, "gone")
        return super().new_endpoint()

    def setUp(self):
        super().setUp()
        self.fetch_port = free_port()
        self.start_worker("--fetch-listen", f"127.0.0.1:{self.fetch_port}")
        self.wait_for_workers(1)
        self.fetch_endpoint = f"tcp://127.0.0.1:{self.fetch_port}"
        self.coordinator_key = keys_in(self.keys / "coordinator.secret")[0]

    def keys_command(self, *words):
        subprocess.run([SPILLWAY, "keys", *map(str, words)], check=True, capture_output=True)

    def peer(self, endpoint, keys, server):
        peer = RawPeer(endpoint, keys, server)
        self.addCleanup(peer.close)
        return peer

    def answer(self, peer, request, timeout_ms):
        """(kind, fields of the message) of what comes back; None: silence."""
        peer.send(request, raw_peer.DONTWAIT)
        data = peer.receive(timeout_ms)
        if data is None:
            return None
        (kind, text), = raw_peer.messages(data)
        return kind, raw_peer.fields(text)

    def own(self, name):
        return keys_in(self.keys / f"{name}.secret")

    def fetch_server_key(self):
        """Of the worker's data socket, as it registered it: the journal has it."""
        journal = sqlite3.connect(f"file:{self.journal}/journal.db?mode=ro", uri=True)
        self.addCleanup(journal.close)
        tables = [row[0] for row in
                  journal.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            for row in journal.execute(f"select * from {table}"):
                for value in row:
                    found = isinstance(value, bytes) and re.search(
                        b":%d" % self.fetch_port + rb"\x52\x28(.{40})", value)
                    if found:
                        return found[1]
        raise AssertionError("no worker's data key is in the journal")

    def fetchers(self):
        """The pair that workers fetch with: who registers with a worker's key is told it."""
        peer = self.peer(self.endpoint, self.own("worker"), self.coordinator_key)
        kind, registered = self.answer(peer, register(99), ANSWER_MS)
        self.assertEqual(kind, raw_peer.REGISTERED)
        return registered[9][0], registered[8][0]

    def rows(self, endpoint, server, right):
        """(what, keys, server key) of what is not heard on the endpoint."""
        yield "no keys", None, None
        yield "a key of its own making", raw_peer.new_keys(), server
        yield "a revoked key", self.gone, server
        yield "the right key, for another server", right, raw_peer.new_keys()[0]
        yield "the server's public key as its own", (server, raw_peer.new_keys()[1]), server
        if endpoint == self.fetch_endpoint:
            for name in ["worker", "submitter", "viewer", "coordinator"]:
                yield f"the role {name}", self.own(name), server

    def test_who_has_a_wrong_key_is_not_heard_on_any_open_port(self):
        endpoints = [(self.endpoint, CLUSTER_QUERY, self.own("submitter"), self.coordinator_key,
                      raw_peer.REPLY),
                     (self.fetch_endpoint, FETCH, self.fetchers(), self.fetch_server_key(),
                      raw_peer.FETCH_REPLY)]
        # There is no other: a new one belongs in the table.
        ports = open_ports(self.coordinator) | open_ports(self.workers[0])
        self.assertEqual(ports, {int(e[0].rpartition(":")[2]) for e in endpoints})
        for endpoint, request, right, server, kind in endpoints:
            answered = self.answer(self.peer(endpoint, right, server), request, ANSWER_MS)
            self.assertEqual(answered[0], kind)
            for what, keys, server_key in self.rows(endpoint, server, right):
                with self.subTest(endpoint=endpoint, key=what):
                    peer = self.peer(endpoint, keys, server_key)
                    self.assertIsNone(self.answer(peer, request, SILENCE_MS))

    def test_roles_decide_what_a_known_key_may_ask(self):
        submit = frame(raw_peer.REQUEST, field(1, 1) + field(2, field(3, 1) + field(4, b"x")))
        kill = frame(raw_peer.REQUEST, field(1, 1) + field(5, field(1, b"../../etc")))
        elsewhere = field(1, 1) + field(2, b"../../etc")
        piece = frame(raw_peer.REQUEST, field(1, 1) + field(7, elsewhere))
        query = CLUSTER_QUERY
        denied = {"viewer": [submit, kill, piece], "worker": [submit, kill, query],
                  "submitter": [piece], "coordinator": [piece]}
        for role, requests in denied.items():
            for request in requests:
                with self.subTest(role=role, request=request):
                    peer = self.peer(self.endpoint, self.own(role), self.coordinator_key)
                    kind, reply = self.answer(peer, request, ANSWER_MS)
                    self.assertEqual(kind, raw_peer.REPLY)
                    text = raw_peer.fields(reply[REPLY_STATUS][0])[2][0]
                    self.assertIn(f"role {role}", text.decode())
            if role != "worker":
                peer = self.peer(self.endpoint, self.own(role), self.coordinator_key)
                kind, registered = self.answer(peer, register(100), ANSWER_MS)
                self.assertEqual(kind, raw_peer.REGISTERED)
                self.assertIn(12, registered)  # Refused,
                self.assertTrue(set(registered).isdisjoint({8, 9, 10}))  # and told no secret.

    def test_a_fetch_without_a_token_gets_nothing(self):
        peer = self.peer(self.fetch_endpoint, self.fetchers(), self.fetch_server_key())
        kind, reply = self.answer(peer, FETCH, ANSWER_MS)
        self.assertEqual(kind, raw_peer.FETCH_REPLY)
        fetched = raw_peer.fields(reply[3][0])
        self.assertIn(b"token", raw_peer.fields(fetched[1][0])[2][0])
        self.assertFalse(peer.receive(SILENCE_MS))  # There is no payload.

    def test_sockets_of_executors_lie_where_only_their_user_may_enter(self):
        sockets = unix_sockets(self.workers[0].spill_dirs[0])
        self.assertEqual(len(sockets), 1)
        place = sockets[0].parent
        self.assertEqual(place.stat().st_mode & 0o777, 0o700)
        self.assertEqual(place.stat().st_uid, os.getuid())


if __name__ == "__main__":
    unittest.main()
