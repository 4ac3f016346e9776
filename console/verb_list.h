// Every verb of slotctl in the order of its list. VERB(name) stands for `const struct verb
// verb_name`, which a file verb_*.c of this folder defines; verb.h declares them, slotctl.c makes
// the table.

// A market's life.
VERB(init)
VERB(up)
VERB(down)
VERB(status)

// The market file, and the core without a server.
VERB(apply)
VERB(diff)
VERB(export_market)
VERB(dry_run)
VERB(clear)
VERB(sample)

// Trading, over the TLS API.
VERB(cert)
VERB(bid)
VERB(contact)
VERB(event)
VERB(play)

// Why.
VERB(explain)
VERB(reprice)
VERB(reach)

// Finance.
VERB(deposit)
VERB(lock)
VERB(dispute)
VERB(adjust)
VERB(chargeback)
VERB(close)
VERB(statement)
VERB(reconcile)
VERB(export)
VERB(detach)
VERB(report)
VERB(verify)
VERB(split)
VERB(attribute)
VERB(rate)
VERB(payout)
VERB(bank)

VERB(version)
