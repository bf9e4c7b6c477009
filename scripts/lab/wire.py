#!/usr/bin/env python3
"""A wire between two network interfaces, for kernels without netem and 8021q.

Usage: wire.py SETTINGS, a JSON object: "a" and "b" name the interfaces; per
direction "delay" and "jitter" in milliseconds (jitter reorders), "loss" in
percent; "tag" is the VLAN tag that frames carry on "b" and not on "a"; "seed".
Frames are copied as they are otherwise. Prints "ready" once it carries.
"""
import heapq
import json
import random
import select
import socket
import struct
import sys
import time

ETH_P_ALL = 3
VLAN = b"\x81\x00"
MOST_BYTES = 65600


def open_interface(name):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        link.setsockopt(socket.SOL_SOCKET, option, 8 << 20)
    link.bind((name, 0))
    link.setblocking(False)
    return link


def without_tag(frame):
    """The kernel mostly takes the tag off by itself before a frame gets here."""
    return frame[:12] + frame[16:] if frame[12:14] == VLAN else frame


def with_tag(frame, tag):
    return frame[:12] + VLAN + struct.pack("!H", tag) + frame[12:]


def main():
    settings = json.loads(sys.argv[1])
    tag = settings.get("tag")
    dice = random.Random(settings.get("seed", 1))
    delay, jitter = settings.get("delay", 0) / 1000, settings.get("jitter", 0) / 1000
    loss = settings.get("loss", 0) / 100
    a, b = open_interface(settings["a"]), open_interface(settings["b"])
    waiting = []  # (due time, order, where to, frame)
    count = 0
    print("ready", flush=True)
    while True:
        pause = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for link in select.select([a, b], [], [], pause)[0]:
            while True:
                try:
                    frame, address = link.recvfrom(MOST_BYTES)
                except BlockingIOError:
                    break
                if address[2] == socket.PACKET_OUTGOING or dice.random() < loss:
                    continue
                if tag is not None:
                    frame = without_tag(frame)
                    if link is a:
                        frame = with_tag(frame, tag)
                due = time.monotonic() + delay + dice.uniform(-jitter, jitter)
                count += 1
                heapq.heappush(waiting, (due, count, b if link is a else a, frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, link, frame = heapq.heappop(waiting)
            try:
                link.send(frame)
            except OSError:
                pass  # An interface that is going down, or a frame over its MTU: lost, as on a real wire.


main()
