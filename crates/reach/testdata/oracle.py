"""A second opinion by z3: reads the texts of all hosts with a reader of its own, and asks for packets
between two zones. Called as `oracle.py FOLDER`, where `zones` names hosts and addresses of both, and
`HOST.nft` are the texts. Prints JSON, times in seconds of processor time."""

import ipaddress
import json
import pathlib
import re
import sys
import time

from z3 import And, BitVec, BitVecVal, Or, Solver, UGE, ULE, sat

NUMBERS = {"tcp": 0, "udp": 1, "icmp": 2, "icmpv6": 2}


def ranges(text, spelled=r"[^,]+"):
    for part in re.findall(spelled, text):
        part = part.strip()
        if "/" in part:
            net = ipaddress.ip_network(part)
            yield int(net[0]), int(net[-1])
        else:
            low, _, high = part.partition("-")
            yield int(ipaddress.ip_address(low)), int(ipaddress.ip_address(high or low))


def rules(text, chain, end):
    sets = dict(re.findall(r"set (\S+) \{.*?elements = \{(.*?)\}", text, re.S))
    body = text.partition("\tchain " + chain + " {\n")[2].partition("\t}\n")[0]
    for line in body.splitlines():
        found = re.match(
            r"\s*ip6? " + end + r" @(\S+) (tcp|udp|icmp|icmpv6) (?:dport \{?([^}c]*)\}?|type echo-request) ?counter",
            line,
        )
        name, protocol, ports = found.groups()
        wanted = []
        for port in (ports or "").split(","):
            low, _, high = port.strip().partition("-")
            if low:
                wanted.append((int(low), int(high or low)))
        yield list(ranges(sets[name])), NUMBERS[protocol], wanted or [(0, 0)]


def main():
    folder = pathlib.Path(sys.argv[1])
    question = json.loads((folder / "zones").read_text())
    digit, bits = question["family"], 32 if question["family"] == "4" else 128
    source, target = BitVec("source", bits), BitVec("target", bits)
    protocol, port = BitVec("protocol", 2), BitVec("port", 16)
    value = lambda number: BitVecVal(number, bits)
    within = lambda var, low, high, make: And(UGE(var, make(low)), ULE(var, make(high)))
    word = lambda number: BitVecVal(number, 16)

    known = {}

    def within_any(var, spans, make, key):
        # Hosts are given the same sets again and again.
        if (key, spans) not in known:
            known[key, spans] = Or([within(var, low, high, make) for low, high in spans])
        return known[key, spans]

    def permits(host, chain, end, own, other):
        text = (folder / (host["name"] + ".nft")).read_text()
        any_rule = [
            And(
                within_any(other, tuple(addresses), value, end),
                protocol == number,
                within_any(port, tuple(wanted), word, "port"),
            )
            for addresses, number, wanted in rules(text, chain + "_" + digit, end)
        ]
        mine = Or([own == value(int(ipaddress.ip_address(one))) for one in host["addresses"]])
        return And(mine, Or(any_rule))

    began = time.process_time()
    solver = Solver()
    # Only the hosts of both zones: the others cannot send or take what is asked about.
    chosen = lambda name: [host for host in question["hosts"] if host["zone"] == name]
    solver.add(Or([permits(host, "output", "daddr", source, target) for host in chosen(question["from"])]))
    solver.add(Or([permits(host, "input", "saddr", target, source) for host in chosen(question["to"])]))
    solver.add(source != target)
    built = time.process_time()
    answer = solver.check()
    solved = time.process_time()
    made = {"build_s": built - began, "solve_s": solved - built, "sat": answer == sat}
    if answer == sat:
        model = solver.model()
        number = lambda var: model.eval(var, model_completion=True).as_long()
        address = ipaddress.IPv4Address if digit == "4" else ipaddress.IPv6Address
        made["packet"] = [str(address(number(source))), str(address(number(target))), number(protocol), number(port)]
    print(json.dumps(made))


main()
