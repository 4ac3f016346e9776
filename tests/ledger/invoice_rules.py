#!/usr/bin/env python3
"""Checks UBL 2.1 invoices and credit notes by rules of EN 16931, written from the standard's text:
what must be there, decimals (BR-DEC), sums (BR-CO-10 to 17) and VAT categories. For each file that
breaks one it prints FILE: RULE: what; exit status 0 when none does."""
import sys
import xml.etree.ElementTree as tree
from decimal import ROUND_HALF_UP, Decimal

BASIC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
PARTS = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
TYPES = {"Invoice": {"380", "384", "389"}, "CreditNote": {"381", "261"}}
WHOLE = {"JPY", "KRW", "ISK", "CLP", "VND"}  # currencies without cents
CATEGORIES = set("SZEGOK") | {"AE", "L", "M"}


class Checker:
    def __init__(self, path):
        self.path, self.root, self.broken = path, tree.parse(path).getroot(), []
        self.credit = self.root.tag.endswith("}CreditNote")

    def want(self, rule, holds, what=""):
        if not holds:
            self.broken.append(f"{self.path}: {rule}: {what}")

    def find(self, where, *names):
        path = "/".join((BASIC if name[0] == "." else PARTS) + name.lstrip(".") for name in names)
        return where.findall(path)

    def text(self, where, *names):
        found = self.find(where, *names)
        return (found[0].text or "").strip() if found else ""

    def amount(self, where, *names):
        found = self.find(where, *names)
        if not found:
            return None
        value = Decimal(found[0].text)
        if names[-1] != ".PriceAmount":
            self.want("BR-DEC", -value.as_tuple().exponent <= 2, f"{names[-1]} {value}")
        self.want("BR-CL-03", found[0].get("currencyID") == self.currency, names[-1])
        return value

    def head(self):
        root = self.root
        kind = "CreditNote" if self.credit else "Invoice"
        self.currency = self.text(root, ".DocumentCurrencyCode")
        custom = self.text(root, ".CustomizationID")
        self.want("BR-01", custom.startswith("urn:cen.eu:en16931:2017"))
        self.want("BR-02", self.text(root, ".ID"))
        self.want("BR-03", len(self.text(root, ".IssueDate")) == 10)
        code = self.text(root, f".{kind}TypeCode")
        self.want("BR-04", code in TYPES[kind], code)
        self.want("BR-05", len(self.currency) == 3)
        roles = (("AccountingSupplierParty", "BR-06", "BR-08", "BR-09"),
                 ("AccountingCustomerParty", "BR-07", "BR-10", "BR-11"))
        for role, name, address, country in roles:
            party = (role, "Party")
            self.want(name, self.text(root, *party, "PartyLegalEntity", ".RegistrationName"), role)
            self.want(address, self.find(root, *party, "PostalAddress"), role)
            self.want(country, len(self.text(root, *party, "PostalAddress", "Country",
                                             ".IdentificationCode")) == 2, role)
        supplier = ("AccountingSupplierParty", "Party")
        self.want("BR-CO-26", self.find(root, *supplier, "PartyIdentification", ".ID")
                  or self.find(root, *supplier, "PartyLegalEntity", ".CompanyID")
                  or self.find(root, *supplier, "PartyTaxScheme", ".CompanyID"))
        start, end = (self.text(root, "InvoicePeriod", name) for name in (".StartDate", ".EndDate"))
        self.want("BR-29", not start or not end or start <= end, f"{start} {end}")

    def lines(self):
        lines = self.find(self.root, "CreditNoteLine" if self.credit else "InvoiceLine")
        self.want("BR-16", lines)
        self.by_rate, total = {}, Decimal(0)
        for line in lines:
            quantity = self.find(line, ".CreditedQuantity" if self.credit else ".InvoicedQuantity")
            name = self.text(line, ".ID")
            self.want("BR-21", name)
            self.want("BR-22", quantity, name)
            self.want("BR-23", quantity and quantity[0].get("unitCode"), name)
            net = self.amount(line, ".LineExtensionAmount")
            self.want("BR-24", net is not None, name)
            self.want("BR-25", self.text(line, "Item", ".Name"), name)
            price = self.amount(line, "Price", ".PriceAmount")
            self.want("BR-26", price is not None, name)
            self.want("BR-27", price is not None and price >= 0, f"{name}: {price}")
            if quantity and price is not None:
                self.want("R120", Decimal(quantity[0].text) * price == net, f"{name}: {net}")
            category = self.text(line, "Item", "ClassifiedTaxCategory", ".ID")
            rate = self.text(line, "Item", "ClassifiedTaxCategory", ".Percent")
            self.want("BR-CO-04", category in CATEGORIES, f"{name}: {category}")
            self.want("BR-O-05", category != "O" or not rate, name)
            self.want("BR-S-05", category != "S" or (rate and Decimal(rate) > 0), name)
            self.want("BR-Z-05", category not in "ZEGK" or (rate and Decimal(rate) == 0), name)
            key = (category, Decimal(rate or 0))
            self.by_rate[key] = self.by_rate.get(key, Decimal(0)) + net
            total += net
        return total

    def taxes(self):
        total = Decimal(0)
        subtotals = self.find(self.root, "TaxTotal", "TaxSubtotal")
        self.want("BR-CO-18", subtotals)
        told = {}
        for part in subtotals:
            base = self.amount(part, ".TaxableAmount")
            tax = self.amount(part, ".TaxAmount")
            category = self.text(part, "TaxCategory", ".ID")
            rate = Decimal(self.text(part, "TaxCategory", ".Percent") or 0)
            reason = self.text(part, "TaxCategory", ".TaxExemptionReason")
            cent = Decimal(1 if self.currency in WHOLE else "0.01")
            exact = (base * rate / 100).quantize(cent, ROUND_HALF_UP)
            self.want("BR-DEC-19", base == base.quantize(cent), f"{base} {self.currency}")
            self.want("BR-CO-17", tax == exact, f"{category} {rate}: {tax}, not {exact}")
            self.want("BR-E-10", (category in "EGOK") == bool(reason), category)
            told[(category, rate)] = base
            total += tax
        self.want("BR-S-08", told == self.by_rate, f"{told} {self.by_rate}")
        self.want("BR-O-11", len(told) == 1 or all(key[0] != "O" for key in told))
        for role in ("AccountingSupplierParty", "AccountingCustomerParty"):
            number = self.text(self.root, role, "Party", "PartyTaxScheme", ".CompanyID")
            self.want("BR-O-02", not number or all(key[0] != "O" for key in told), role)
            if role == "AccountingSupplierParty":
                self.want("BR-S-02", number or all(key[0] == "O" for key in told), role)
        self.want("BR-IC-12", all(key[0] != "K" for key in told)
                  or self.text(self.root, "Delivery", "DeliveryLocation", "Address", "Country",
                               ".IdentificationCode"))
        return total

    def sums(self, lines, taxes):
        money = [self.amount(self.root, "LegalMonetaryTotal", name) for name in
                 (".LineExtensionAmount", ".TaxExclusiveAmount", ".TaxInclusiveAmount",
                  ".PrepaidAmount", ".PayableRoundingAmount", ".PayableAmount")]
        for value, rule in zip(money, ("BR-12", "BR-13", "BR-14", None, None, "BR-15")):
            self.want(rule, value is not None or rule is None)
        if None in (money[0], money[1], money[2], money[5]):
            return
        total = self.amount(self.root, "TaxTotal", ".TaxAmount")
        self.want("BR-CO-10", money[0] == lines, f"{money[0]}, not {lines}")
        self.want("BR-CO-13", money[1] == money[0], f"{money[1]}, not {money[0]}")
        self.want("BR-CO-14", total == taxes, f"{total}, not {taxes}")
        self.want("BR-CO-15", money[2] == money[1] + total, f"{money[2]}")
        due = money[2] - (money[3] or 0) + (money[4] or 0)
        self.want("BR-CO-16", money[5] == due, f"{money[5]}, not {due}")
        self.want("BR-CO-25", due <= 0 or self.find(self.root, "PaymentTerms", ".Note")
                  or self.find(self.root, ".DueDate"))

    def check(self):
        self.head()
        lines = self.lines()
        self.sums(lines, self.taxes())
        return self.broken


def main():
    broken = [fault for path in sys.argv[1:] for fault in Checker(path).check()]
    print("\n".join(broken), end="\n" if broken else "")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
