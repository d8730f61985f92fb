"""What a listener on the wire reads of a job: nothing with keys. Without them it reads all of it,
which shows that it would have."""

import random
import string
import subprocess
import sys
import unittest

import host_network
from cluster_case import SPILLWAY, ClusterCase
from host_network import HostNetwork
from packet_capture import PacketCapture

PORT = 7077
LINES = 300


def marker(letters):
    """No letter comes twice, so that a compressor finds nothing within it to refer back to."""
    return "".join(random.sample(letters, 24)).encode()


class OnTheWire(ClusterCase):
    """All of a cluster on one host with a network of its own; the workers say that they are on
    several, so that they fetch from each other."""

    encrypted = True

    def setUp(self):
        self.network = HostNetwork(["h0"])
        self.addCleanup(self.network.close)
        super().setUp()

    def new_endpoint(self):
        if self.encrypted:
            self.keys = self.dir / "keys"
            subprocess.run([SPILLWAY, "keys", "init", self.keys], check=True, capture_output=True)
        return f"tcp://127.0.0.1:{PORT}"

    def on_host(self, name):
        return self.network.command("h0")

    def captured(self):
        """A job's markers, by what they are of; and all that went over the wire."""
        # Key and value share no letter either: the first of each stands whole in its block.
        markers = {"key": marker(string.ascii_lowercase), "value": marker(string.ascii_uppercase),
                   "path": marker(string.ascii_letters), "argument": marker(string.ascii_letters)}
        folder = self.dir / markers["path"].decode()
        folder.mkdir()
        for i in range(4):
            text = b"".join(b"%s-%d\t%s-%d\n" % (markers["key"], n, markers["value"],
                                                 random.randrange(10**16))
                            for n in range(LINES))
            (folder / f"{i}.txt").write_bytes(text)
        self.start_workers(3)
        capture = PacketCapture(self.network.namespace("h0"))
        try:
            job = self.run_on_cluster(
                "stream", [folder], "--reducers", "3",
                args=["--mapper=cat", f"--reducer=cat; : {markers['argument'].decode()}"])
        finally:
            missed = capture.stop()
        self.assertEqual(missed, 0)
        fetched = self.ask("jobs", "status", job.summary["job_id"])["fetched_bytes"]
        self.assertGreater(fetched, LINES)
        wire = b"".join(capture.packets)
        self.assertGreater(len(wire), fetched)
        return markers, wire


class WithKeys(OnTheWire):
    def test_nothing_of_a_job_can_be_read(self):
        markers, wire = self.captured()
        self.assertIn(b"CURVE", wire)
        for what, marker in markers.items():
            self.assertNotIn(marker, wire, what)
        # Nor what the protocol itself would say.
        for text in [b"spillway", b"part-0", b".spillway-", str(self.dir).encode()]:
            self.assertNotIn(text, wire)


class WithoutKeys(OnTheWire):
    encrypted = False

    def test_all_of_a_job_can_be_read(self):
        markers, wire = self.captured()
        for what, marker in markers.items():
            self.assertIn(marker, wire, what)


if __name__ == "__main__":
    reason = host_network.why_not()
    if reason is not None:
        print(f"SKIPPED: {reason}")
        sys.exit(77)
    unittest.main()
