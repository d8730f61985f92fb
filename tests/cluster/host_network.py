"""Hosts that are network namespaces, each with an address of its own, joined by a switch whose
ports can be pulled. What runs on such a host sees no other network, so nothing of it disturbs, or
is disturbed by, the machine's own."""

import os
import shutil
import subprocess

BRIDGE = "switch0"
NOBODY = "02:00:00:00:00:01"  # An address on the wire that no host has.
# A line that is thin, late and, with no more than this waiting, loses what does not fit.
THIN = ["rate", "3mbit", "burst", "12kb", "limit", "24kb"]
PREFIX = "10.203.7."  # Within the namespaces only: two networks do not meet.


def why_not():
    """Why this machine cannot have such hosts; None when it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for tool in ["ip", "nsenter"]:
        if shutil.which(tool) is None:
            return f"there is no '{tool}' command"
    try:
        HostNetwork(["probe"]).close()
    except subprocess.CalledProcessError as error:
        return f"{' '.join(error.cmd)}: {error.stderr.decode(errors='replace').strip()}"
    return None


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


class HostNetwork:
    """A switch and the hosts of these names. close() removes them all."""

    made = 0

    def __init__(self, names):
        HostNetwork.made += 1
        self.prefix = f"spw{os.getpid()}n{HostNetwork.made}"
        self.switch = f"{self.prefix}-switch"
        self.addresses = {name: f"{PREFIX}{i + 1}" for i, name in enumerate(names)}
        self.namespaces = []
        try:
            self.make_switch()
            for name in names:
                self.make_host(name)
        except BaseException:
            self.close()
            raise

    def make_namespace(self, name):
        ip("netns", "add", name)
        self.namespaces.append(name)

    def make_switch(self):
        self.make_namespace(self.switch)
        ip("-n", self.switch, "link", "add", "name", BRIDGE, "type", "bridge")
        ip("-n", self.switch, "link", "set", BRIDGE, "up")

    def make_host(self, name):
        namespace = self.namespace(name)
        self.make_namespace(namespace)
        # A port is named as its host.
        ip("-n", self.switch, "link", "add", "name", name, "type", "veth",
           "peer", "name", "eth0", "netns", namespace)
        ip("-n", self.switch, "link", "set", name, "master", BRIDGE)
        ip("-n", self.switch, "link", "set", name, "up")
        ip("-n", namespace, "addr", "add", f"{self.addresses[name]}/24", "dev", "eth0")
        ip("-n", namespace, "link", "set", "eth0", "up")
        ip("-n", namespace, "link", "set", "lo", "up")

    def namespace(self, name):
        return f"{self.prefix}-{name}"

    def command(self, name):
        """What comes before a command to make it run on the host; it becomes the command."""
        return ["nsenter", f"--net=/run/netns/{self.namespace(name)}"]

    def cut(self, name):
        """Pulls the host's cable at the switch: what it sends and should get is lost."""
        ip("-n", self.switch, "link", "set", name, "nomaster")

    def heal(self, name):
        ip("-n", self.switch, "link", "set", name, "master", BRIDGE)

    def part(self, *names):
        """These hosts no longer reach each other; all others they do."""
        for name in names:
            ip("-n", self.switch, "link", "set", name, "type", "bridge_slave", "isolated", "on")

    def join(self, *names):
        for name in names:
            ip("-n", self.switch, "link", "set", name, "type", "bridge_slave", "isolated", "off")

    def mute(self, name):
        """What the host sends is lost; what others send to it arrives."""
        for other in self.others(name):
            self.mislead(name, other)

    def deafen(self, name):
        """What others send to the host is lost; what it sends arrives."""
        for other in self.others(name):
            self.mislead(other, name)

    def speak(self, name):
        """Ends mute and deafen of the host."""
        for other in self.others(name):
            for one, another in ((name, other), (other, name)):
                subprocess.run(["ip", "-n", self.namespace(one), "neigh", "del",
                                self.addresses[another], "dev", "eth0"], capture_output=True)

    def others(self, name):
        return [other for other in self.addresses if other != name]

    def mislead(self, name, other):
        """What the host of that name sends to the other goes to nobody."""
        ip("-n", self.namespace(name), "neigh", "replace", self.addresses[other], "lladdr", NOBODY,
           "nud", "permanent", "dev", "eth0")

    def slow(self, name):
        """Both directions of the host's cable become thin."""
        for namespace, device in ((self.namespace(name), "eth0"), (self.switch, name)):
            subprocess.run(["tc", "-n", namespace, "qdisc", "add", "dev", device, "root", "tbf",
                            *THIN], check=True, capture_output=True)

    def quicken(self, name):
        for namespace, device in ((self.namespace(name), "eth0"), (self.switch, name)):
            subprocess.run(["tc", "-n", namespace, "qdisc", "del", "dev", device, "root"],
                           capture_output=True)

    def received_bytes(self, name):
        """That have come to the host since it was made."""
        path = f"/sys/class/net/{name}/statistics/tx_bytes"  # What the port sent, the host got.
        command = ["ip", "netns", "exec", self.switch, "cat", path]
        return int(subprocess.run(command, check=True, capture_output=True).stdout)

    def close(self):
        for name in reversed(self.namespaces):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)
        self.namespaces = []
