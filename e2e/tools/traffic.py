"""Traffic of the lab: small senders and receivers that run inside a host's namespace.

Receivers print one line an event, `SECONDS WHAT`, with the wall clock, so that
what happened on two hosts can be put in order.
"""
import hashlib
import os
import random
import select
import signal
import socket
import struct
import sys
import time

# Of the kernel's headers; Python names none of them.
SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_STATISTICS, PACKET_MR_PROMISC = 263, 1, 6, 1
ETH_P_ALL, ARPHRD_ETHER = 3, 1
LINK_ETHERNET, LINK_RAW = 1, 101


def say(*words):
    print(f"{time.time():.3f}", *words, flush=True)


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listener(address, port):
    s = socket.socket(family(address), socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen(64)
    return s


def sink(address, *ports):
    """Accepts on each port; says how many bytes have come; answers the end with their SHA-256."""
    listeners = {listener(address, int(p)): int(p) for p in ports}
    open_ = {}
    say("ready")
    while True:
        for s in select.select([*listeners, *open_], [], [])[0]:
            if s in listeners:
                connection, _ = s.accept()
                open_[connection] = [listeners[s], 0, hashlib.sha256(), 0.0]
                continue
            state = open_[s]
            try:
                data = s.recv(1 << 16)
            except OSError as e:
                say("broken", state[0], state[1], e)
                del open_[s]
                s.close()
                continue
            state[1] += len(data)
            state[2].update(data)
            if data:
                if time.time() - state[3] > 0.02:
                    state[3] = time.time()
                    say("got", state[0], state[1])
                continue
            say("end", state[0], state[1])
            del open_[s]
            try:
                s.sendall(state[2].hexdigest().encode())
            except OSError:
                pass
            s.close()


def send(address, port, size):
    """Sends SIZE random bytes, and fails unless the other side names their SHA-256."""
    data = random.Random(time.time()).randbytes(int(size))
    s = socket.create_connection((address, int(port)), timeout=10)
    s.settimeout(60)
    start = time.time()
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    answer = b""
    while piece := s.recv(100):
        answer += piece
    if answer.decode() != hashlib.sha256(data).hexdigest():
        sys.exit(f"the other side names the checksum {answer!r}")
    say("sent", size, f"{time.time() - start:.3f}")


def pour(address, port):
    """Sends about 2 MB/s until the connection breaks or nothing is taken for 30 s."""
    s = socket.create_connection((address, int(port)), timeout=10)
    s.settimeout(30)
    say("open")
    piece = os.urandom(1 << 14)
    try:
        while True:
            s.sendall(piece)
            time.sleep(0.008)
    except OSError as e:
        say("broken", e)


def connect(address, port, wait):
    """Says `open`, `refused` or `timeout`."""
    try:
        socket.create_connection((address, int(port)), timeout=float(wait)).close()
        say("open")
    except TimeoutError:
        say("timeout")
    except ConnectionRefusedError:
        say("refused")
    except OSError as e:
        say("error", e)


def udp_sink(address, port):
    """Says the number in each datagram."""
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    s.bind((address, int(port)))
    say("ready")
    while True:
        data = s.recv(65536)
        say("udp", struct.unpack(">Q", data[:8])[0])


def udp_stream(address, port, interval_ms):
    """Sends numbered datagrams at this interval; says how many when asked to stop."""
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    interval, n, going = float(interval_ms) / 1000, 0, [True]
    signal.signal(signal.SIGTERM, lambda *_: going.clear())
    say("ready")
    at = time.time()
    failed = 0
    while going:
        try:
            s.sendto(struct.pack(">Q", n) + bytes(192), (address, int(port)))
            n += 1
        except OSError:
            failed += 1
        at += interval
        time.sleep(max(0, at - time.time()))
    say("sent", n)
    if failed:
        say("failed", failed)


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def canary_sink(address, port):
    """Takes the canary by TCP and by UDP; says how many bytes of each."""
    tcp = listener(address, int(port))
    udp = socket.socket(family(address), socket.SOCK_DGRAM)
    udp.bind((address, int(port)))
    say("ready")
    got = 0
    while True:
        for s in select.select([tcp, udp], [], [])[0]:
            if s is udp:
                got += len(udp.recv(65536))
                say("udp", got)
            else:
                connection, _ = tcp.accept()
                size = 0
                while piece := connection.recv(65536):
                    size += len(piece)
                say("tcp", size)
                connection.close()


def canary(path, address, port):
    """Sends a file by TCP, then by UDP, then in echo requests, waiting for each echo."""
    data = open(path, "rb").read()
    with socket.create_connection((address, int(port)), timeout=10) as s:
        s.sendall(data)
    pieces = [data[i : i + 1024] for i in range(0, len(data), 1024)]
    udp = socket.socket(family(address), socket.SOCK_DGRAM)
    for piece in pieces:
        udp.sendto(piece, (address, int(port)))
        time.sleep(0.002)
    icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    icmp.settimeout(2)
    for n, piece in enumerate(pieces):
        head = struct.pack(">BBHHH", 8, 0, 0, 0x5157, n)
        icmp.sendto(head[:2] + struct.pack(">H", checksum(head + piece)) + head[4:] + piece, (address, 0))
        while True:
            packet = icmp.recv(65536)[20:]
            if packet[0] == 0 and packet[4:8] == head[4:8]:
                if packet[8:] != piece:
                    sys.exit("an echo came back changed")
                break
    say("sent", len(data))


def capture(interface, path):
    """Writes what passes an interface into a pcap file; when asked to stop, says how many it lost."""
    going = [True]
    signal.signal(signal.SIGTERM, lambda *_: going.clear())
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
    except PermissionError:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 26)
    s.bind((interface, ETH_P_ALL))
    # A bridge shows itself what it forwards only so.
    promiscuous = struct.pack("=iHH8x", socket.if_nametoindex(interface), PACKET_MR_PROMISC, 0)
    s.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, promiscuous)
    s.settimeout(0.1)
    kind = LINK_ETHERNET if s.getsockname()[3] == ARPHRD_ETHER else LINK_RAW
    with open(path, "wb") as file:
        file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, kind))
        say("ready")
        while True:
            if not going:
                s.settimeout(0)
            try:
                packet = s.recv(1 << 18)
            except TimeoutError:
                continue
            except BlockingIOError:
                break
            now = time.time()
            file.write(struct.pack("=IIII", int(now), int(now % 1 * 1e6), len(packet), len(packet)) + packet)
    _, lost = struct.unpack("=II", s.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    say("dropped", lost)


if __name__ == "__main__":
    verbs = {
        "sink": sink,
        "send": send,
        "pour": pour,
        "connect": connect,
        "udp-sink": udp_sink,
        "udp-stream": udp_stream,
        "canary-sink": canary_sink,
        "canary": canary,
        "capture": capture,
    }
    verbs[sys.argv[1]](*sys.argv[2:])
