#!/usr/bin/env python3
"""Computes a month's money again, from what was reported and what the market file says, and nothing else.

    recompute.py FACTS.json EXPORT.csv

Written from docs/ledger.md, docs/market-file.md and docs/attribution.md alone, with the standard library; it shares no
line with the ledger. FACTS.json: {"objects": ..., "placements": ..., "events": ..., "revenue": ...} as
tests/flow/recompute_test.sh selects them: rows of facts, in the order of the journal, without any column that the ledger
worked out. EXPORT.csv: slotctl export PERIOD --format csv. Prices, transfer prices, tiers, touches, splits, refunds
and locks are compared account by account, to the millionth, for every placement and every order.
"""
import csv
import json
import sys
from collections import defaultdict
from decimal import Decimal, getcontext
from fractions import Fraction

getcontext().prec = 60
RUNGS = ["geographic", "demographic", "behavioral", "personalization", "predictive", "commercialization",
         "affiliation", "syndication"]
UNITS = {"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}


def span(text):
    return 0 if text == "never" else int(text[:-1]) * UNITS[text[-1]] * 1000000


def percent(text):
    return Fraction(text.rstrip("%")) / 100


def half_even(value):
    return round(value)  # of a Fraction: to even


def split(total, weights):
    """Largest remainders, ties by place."""
    whole = sum(weights)
    parts = [total * w // whole for w in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in order[:total - sum(parts)]:
        parts[i] += 1
    return parts


class Market:
    def __init__(self, objects):
        self.by_id, self.by_code = {}, {}
        for one in objects:
            self.by_id[one["kind"], one["id"]] = one
            self.by_code[one["kind"], one["code"]] = one

    def seat(self, seat):
        return self.by_id["seat", seat]["code"]

    def is_partner(self, seat):
        return self.by_id["seat", seat]["body"]["kind"] == "partner"

    def contract(self, contract):
        return self.by_id["contract", contract]["body"] if contract else None

    def channel(self, slot):
        code = self.by_id["slot", slot]["code"].split(".")[0]
        return self.by_code["container", code]["body"].get("channel")


class Books:
    """Sums by (what it belongs to, account)."""

    def __init__(self):
        self.sums = defaultdict(int)

    def book(self, group, debit, credit, micros):
        self.sums[group, debit] += micros
        self.sums[group, credit] -= micros

    def not_zero(self):
        return {key: micros for key, micros in self.sums.items() if micros}


def is_due(charge, kind, events, orders):
    """Whether a held price came due: rules R1, R11."""
    for one in events + orders:
        word = one["kind"]
        if kind == 0 and charge == "win":
            return True
        if word == "accepted" and (kind == 1 or charge == "response"):
            return True
        if word == "delivered" and kind == 0 and charge == "delivery":
            return True
        if word == "converted" and kind == 0 and charge == "conversion":
            return True
        if word in ("cancelled", "expired", "lapsed"):
            return False
        if word == "declined" and (kind == 1 or charge in ("response", "conversion")):
            return False
    return kind == 0 and charge == "win"


def book_prices(market, facts, books):
    events = defaultdict(list)
    for one in facts["events"]:
        events[one["placement"]].append(one)
    orders = defaultdict(list)
    for one in facts["revenue"]:
        if one["kind"] == "converted":
            orders[one["placement"]].append(one)
    for won in facts["placements"]:
        if won["price_kind"] == 2 or not is_due(won["charge"], won["price_kind"], events[won["id"]], orders[won["id"]]):
            continue
        contract, buyer = market.contract(won["contract"]), market.seat(won["seat"])
        if market.is_partner(won["seat"]):
            assert not contract or contract["billing"] == "credit", "prepaid seats are not in this market"
            books.book(won["id"], "Assets:Receivable:Unbilled:" + buyer, "Income:Slot:External", won["price"])
            continue
        rule = contract["transfer_price"] if contract else "second_price"
        price = {"second_price": won["price"], "zero": 0,
                 "floor": won["floor"] if won["price_kind"] == 0 else won["price"]}[rule]
        if won["owner"] not in (0, None, won["seat"]):
            books.book(won["id"], "Expenses:Slot:Internal:" + buyer,
                       "Income:Slot:Internal:" + market.seat(won["owner"]), price)


def pool_of(share, base, remaining):
    """Rule R13: each piece of [base, base + remaining) at its own tier's rate."""
    assert "cap" not in share and not share.get("retroactive") and share.get("rounding", "half_even") == "half_even"
    tiers = share.get("tiers") or [{"from": "0", "rate": share["rate"]}]
    starts = [int(Fraction(t["from"]) * 1000000) for t in tiers] + [1 << 62]
    exact = Fraction(0)
    for tier, start, end in zip(tiers, starts, starts[1:]):
        inside = max(0, min(base + remaining, end) - max(base, start))
        exact += inside * percent(tier["rate"])
    return half_even(exact)


def counted_touches(market, facts, terms, customer, at):
    """Touches of the customer within the windows: (delivered, placement, fact of the win)."""
    windows = terms.get("windows", {})
    found = []
    for won in facts["placements"]:
        if customer is None or won["customer"] != customer:
            continue
        times = {}
        for one in won["events"]:
            times.setdefault(one["kind"], one["at"])
        delivered, accepted = times.get("delivered"), times.get("accepted")
        if delivered is None or delivered > at:
            continue
        window = span(windows.get(market.channel(won["slot"]), windows.get("delivered", "1d")))
        longer = span(windows.get("accepted", "30d"))
        if (window and at - delivered <= window) or (accepted is not None and longer and accepted <= at
                                                     and at - accepted <= longer):
            found.append((delivered, won["id"], won))
    return sorted(found, key=lambda x: x[:2])


def decay(age, half):
    """2^-(age / half) with 40 binary digits; the age in whole 2^-32 of a half-life."""
    return int(Decimal(2) ** (40 - Decimal((age << 32) // half) / (1 << 32)))


def credits(market, facts, terms, won, at):
    """Millionths by (seat, rung)."""
    touches = counted_touches(market, facts, terms, won["customer"], at)
    if not touches:
        return {}
    model, weights = terms["model"], [1] * len(touches)
    if model == "time_decay":
        half = span(terms.get("half_life", "7d"))
        weights = [decay(touches[-1][0] - t[0], half) for t in touches]
    elif model in ("first", "last"):
        weights = [0] * len(touches)
        weights[0 if model == "first" else -1] = 1
    else:
        assert model == "linear", model
    pairs = defaultdict(int)
    for weight, (_, _, touch) in zip(weights, touches):
        own = touch["seat"] == won["seat"]
        pairs[touch["owner"] if own else touch["seat"], touch["rung"]] += weight
    keys = sorted(pairs)
    return dict(zip(keys, split(1000000, [pairs[k] for k in keys])))


def parts_of(market, facts, share, won, at):
    """Weights by (seat, rung), the host being seat 0."""
    parts, shared = defaultdict(int), {}
    if any(one["to"] == "touches" for one in share["shares"]):
        shared = credits(market, facts, share["attribution"], won, at)
    for one in share["shares"]:
        weight = int(one["weight"])
        if one["to"] == "touches":
            for key, ppm in shared.items():
                parts[key] += weight * ppm
            continue
        seat = 0 if one["to"] == "host" else market.by_code["seat", one["to"]]["id"]
        rung = RUNGS.index(one["rung"]) if "rung" in one else won["rung"]
        parts[seat, rung] += weight * 1000000
    return parts


def rung_name(rung):
    return "Rung:%d-%s" % (rung + 1, RUNGS[rung])


def book_orders(market, facts, books):
    wins = {won["id"]: won for won in facts["placements"]}
    refunds, seen, bases, orders = defaultdict(int), set(), defaultdict(int), 0
    for one in facts["revenue"]:
        if one["kind"] == "refunded" and (one["order"], one["key"]) not in seen:
            seen.add((one["order"], one["key"]))
            refunds[one["order"]] += one["amount"]
    done = set()
    for one in facts["revenue"]:
        won = wins[one["placement"]]
        contract = market.contract(won["contract"])
        share = contract and contract.get("gain_share")
        if one["kind"] != "converted" or one["order"] in done:
            continue
        done.add(one["order"])
        remaining = one["amount"] - (refunds[one["order"]] if refunds[one["order"]] <= one["amount"] else 0)
        if won["price_kind"] == 2:  # R12
            pair = ("Expenses:Slot:Internal:", "Income:Slot:Internal:")
            due = half_even(Fraction(remaining * won["price"], 1000000))
            if market.is_partner(won["seat"]):
                books.book(one["order"], "Assets:Receivable:Unbilled:" + market.seat(won["seat"]),
                           "Income:Slot:External", due)
            elif won["owner"] not in (0, None, won["seat"]):
                books.book(one["order"], pair[0] + market.seat(won["seat"]), pair[1] + market.seat(won["owner"]), due)
        if not share:
            continue
        orders += 1
        base = bases[won["contract"]]
        bases[won["contract"]] += one["amount"]
        pool = pool_of(share, base, remaining)
        parts = parts_of(market, facts, share, won, one["at"])
        keys = sorted(parts)
        validated = contract.get("validation") == "0d"
        for (seat, rung), micros in zip(keys, split(pool, [parts[k] for k in keys])):
            by_host = share.get("merchant", "partner") == "host"
            if by_host and seat == 0:
                continue  # it keeps it
            debit = "Expenses:GainShare:" + rung_name(rung)
            if not by_host:
                debit = "Assets:Receivable:GainShare:" + market.seat(won["seat"])
            if seat == 0:
                books.book(one["order"], debit, "Income:GainShare:Host", micros)
            elif market.is_partner(seat):
                state = "Payable:" if validated else "Accrued:"
                books.book(one["order"], debit, "Liabilities:GainShare:" + state + market.seat(seat), micros)
            else:
                books.book(one["order"], debit, "Income:GainShare:" + rung_name(rung) + ":" + market.seat(seat), micros)
    return orders


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        facts = json.load(file)
    market, mine, theirs = Market(facts["objects"]), Books(), Books()
    events = defaultdict(list)
    for one in facts["events"]:
        events[one["placement"]].append(one)
    for won in facts["placements"]:
        won["events"] = events[won["id"]]
    book_prices(market, facts, mine)
    orders = book_orders(market, facts, mine)
    with open(sys.argv[2], encoding="utf-8", newline="") as file:
        transfers = list(csv.DictReader(file))
    for row in transfers:
        theirs.book(row["group"], row["debit"], row["credit"], int(row["amount_micros"]))
    a, b = mine.not_zero(), theirs.not_zero()
    wrong = sorted(key for key in a.keys() | b.keys() if a.get(key) != b.get(key))
    for group, account in wrong[:20]:
        print("%s %s: computed %d, exported %d" % (group, account, a.get((group, account), 0), b.get((group, account), 0)))
    print("recompute: %s placements=%d orders=%d transfers=%d balances=%d different=%d" % (
        "failed" if wrong else "ok", len(facts["placements"]), orders, len(transfers), len(a), len(wrong)))
    return 1 if wrong or not orders else 0


if __name__ == "__main__":
    sys.exit(main())
