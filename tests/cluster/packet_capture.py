"""What goes over the network of a host (host_network), as it lies on the wire."""

import ctypes
import os
import select
import socket
import struct
import threading

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_STATISTICS = 263, 6
BUFFER_BYTES = 64 << 20
PACKET_BYTES_MAX = 1 << 17


class PacketCapture:
    """Listens from its making to stop(). Then `packets` has the bytes of each, in order."""

    def __init__(self, namespace):
        self.packets = []
        self.wake, self.waker = os.pipe()
        self.failure = None
        ready = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(namespace, ready))
        self.thread.start()
        ready.wait()
        if self.failure is not None:
            raise self.failure

    def run(self, namespace, ready):
        try:
            # A namespace is entered by a thread alone, and left with it.
            with open(f"/run/netns/{namespace}", "rb") as place:
                if ctypes.CDLL(None, use_errno=True).setns(place.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        except OSError as error:
            self.failure = error
            ready.set()
            return
        ready.set()
        with wire:
            stopping = False
            while not stopping:
                readable, _, _ = select.select([wire, self.wake], [], [])
                stopping = self.wake in readable
                self.take(wire)
            statistics = wire.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
            self.dropped = struct.unpack("II", statistics)[1]

    def take(self, wire):
        while True:
            try:
                self.packets.append(wire.recv(PACKET_BYTES_MAX, socket.MSG_DONTWAIT))
            except BlockingIOError:
                return

    def stop(self):
        """Returns how many packets were missed."""
        os.write(self.waker, b"x")
        self.thread.join()
        os.close(self.wake)
        os.close(self.waker)
        return self.dropped
