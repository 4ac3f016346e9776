-- What was reported, and the market as declared: input of recompute.py. No column that the ledger worked out: only what
-- the journal's facts say themselves (slotctl verify compares these rows with the journal's files).
set search_path = vendue;
select json_build_object(
    'objects', (
        select json_agg(json_build_object('kind', kind, 'id', id, 'code', code, 'body', body))
        from market_object where body is not null and version = 1),
    'placements', (
        select json_agg(json_build_object(
            'id', replace(o.placement_id::text, '-', ''), 'slot', o.slot, 'seat', o.seat, 'owner', o.owner,
            'contract', o.contract, 'charge', o.charge, 'price_kind', o.kind, 'price', o.price_micros,
            'floor', o.floor_micros, 'rung', o.rung, 'customer', c.customer) order by o.log, o.batch, o.idx)
        from outcome o join contact c on c.contact_id = o.contact_id where o.filled),
    'events', (
        select coalesce(json_agg(json_build_object(
            'placement', replace(placement_id::text, '-', ''), 'kind', kind, 'at', effective_us)
            order by log, batch, idx), '[]')
        from event),
    'revenue', (
        select coalesce(json_agg(json_build_object(
            'order', replace(order_id::text, '-', ''), 'placement', replace(placement_id::text, '-', ''),
            'kind', kind, 'key', key, 'amount', amount_micros, 'at', effective_us) order by log, batch, idx), '[]')
        from revenue));
