"""A peer that speaks ZeroMQ and as much Protocol Buffers as a test needs, with any keys or none:
for what no program of the project would do. It uses the libzmq that the product itself needs."""

import ctypes
import ctypes.util

DEALER, LINGER, RCVTIMEO, SNDTIMEO, RCVMORE = 5, 17, 27, 28, 13
CURVE_PUBLICKEY, CURVE_SECRETKEY, CURVE_SERVERKEY = 48, 49, 50
KEY_CHARS = 40

zmq = ctypes.CDLL(ctypes.util.find_library("zmq") or "libzmq.so.5", use_errno=True)
zmq.zmq_ctx_new.restype = ctypes.c_void_p
zmq.zmq_ctx_term.argtypes = [ctypes.c_void_p]
zmq.zmq_socket.restype = ctypes.c_void_p
zmq.zmq_socket.argtypes = [ctypes.c_void_p, ctypes.c_int]
zmq.zmq_setsockopt.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
zmq.zmq_connect.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
zmq.zmq_send.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
zmq.zmq_recv.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
zmq.zmq_close.argtypes = [ctypes.c_void_p]

DONTWAIT = 1


def new_keys():
    """A pair of nobody's: (public, secret)."""
    public, secret = (ctypes.create_string_buffer(KEY_CHARS + 1) for _ in range(2))
    zmq.zmq_curve_keypair(public, secret)
    return public.value, secret.value


def public_of(secret):
    public = ctypes.create_string_buffer(KEY_CHARS + 1)
    zmq.zmq_curve_public(public, secret)
    return public.value


def keys_in(path):
    """The pair (public, secret) of a file NAME.secret."""
    secret = path.read_text().strip().splitlines()[-1].encode()
    return public_of(secret), secret


class RawPeer:
    """Connects to `endpoint`. `keys`: (public, secret), and the server's public one; None: none."""

    def __init__(self, endpoint, keys=None, server=None):
        self.context = zmq.zmq_ctx_new()
        self.socket = zmq.zmq_socket(self.context, DEALER)
        self.set_number(LINGER, 0)
        if keys is not None:
            for option, key in ((CURVE_PUBLICKEY, keys[0]), (CURVE_SECRETKEY, keys[1]),
                                (CURVE_SERVERKEY, server)):
                if zmq.zmq_setsockopt(self.socket, option, key + b"\0", KEY_CHARS + 1) != 0:
                    raise ValueError(f"no key: {key}")
        if zmq.zmq_connect(self.socket, endpoint.encode()) != 0:
            raise ValueError(endpoint)

    def set_number(self, option, number):
        value = ctypes.c_int(number)
        zmq.zmq_setsockopt(self.socket, option, ctypes.byref(value), ctypes.sizeof(value))

    def send(self, data, flags=0):
        """False: its queue is full."""
        return zmq.zmq_send(self.socket, data, len(data), flags) >= 0

    def receive(self, timeout_ms):
        """The next part; None when none comes."""
        self.set_number(RCVTIMEO, timeout_ms)
        buffer = ctypes.create_string_buffer(1 << 20)
        got = zmq.zmq_recv(self.socket, buffer, len(buffer), 0)
        return None if got < 0 else buffer.raw[:min(got, len(buffer))]

    def close(self):
        zmq.zmq_close(self.socket)
        zmq.zmq_ctx_term(self.context)


# --- Messages. docs/formats/protocol.md; the numbers are those of runtime/protocol/spillway.proto.

VERSION = 2
FRAME_VERSION, FRAME_MESSAGES = 1, 5
REGISTER, REGISTERED, REQUEST, REPLY, FETCH_REQUEST, FETCH_REPLY = 1, 20, 50, 51, 90, 91


def varint(number):
    data = b""
    while number > 0x7f:
        data += bytes([number & 0x7f | 0x80])
        number >>= 7
    return data + bytes([number])


def field(number, value):
    """An integer, or bytes of a text or a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def frame(kind, message):
    """A message outside of any session."""
    return field(FRAME_VERSION, VERSION) + field(FRAME_MESSAGES, field(kind, message))


def fields(data):
    """{number: [value, ...]} of a message: integers, and bytes of all else."""
    found = {}
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = number()
        kind = tag & 7
        if kind == 0:
            value = number()
        else:
            size = {1: 8, 5: 4}.get(kind) if kind != 2 else number()
            value = data[at:at + size]
            at += size
        found.setdefault(tag >> 3, []).append(value)
    return found


def messages(data):
    """(kind, bytes) of each message of a frame."""
    return [next(iter((kind, values[0]) for kind, values in fields(text).items()))
            for text in fields(data).get(FRAME_MESSAGES, [])]
