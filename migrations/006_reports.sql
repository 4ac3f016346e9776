-- What marketing and finance ask of the facts. Each view has `period` and `at_us`, so that a report may be of a
-- period or of any span of time. Amounts are exact micros; nothing is rounded here.
set local search_path = vendue;

-- Masks of the objectives that a slot admits.
create view slot_objective as
select s.id as slot, coalesce(sum(n.bit), 0)::integer as mask
from slot s
left join lateral unnest(string_to_array(s.objectives, ',')) as word (name) on true
left join objective_name n on n.name = word.name
group by s.id;

-- Rungs that a slot admits.
create view slot_rung as
select s.id as slot, n.rung
from slot s
cross join lateral unnest(string_to_array(s.rungs, ',')) as word (name)
join rung_name n on n.name = word.name;

-- A contact once: objectives its slots admitted, its placements pursued, and it achieved (by a delivered
-- placement; identify and recognize also by the touchpoint's own report). Outcomes are gathered in one pass.
create view report_contact as
select c.contact_id, c.period, c.at_us, c.container,
       coalesce(o.offered, 0) as offered, coalesce(o.won, 0) as won,
       coalesce(o.delivered, 0) | (c.achieved & 3) as achieved
from contact c
left join (
    select o.contact_id, bit_or(s.mask) as offered,
           bit_or(case when o.filled then o.objectives end) as won,
           bit_or(case when e.placement_id is not null then o.objectives end) as delivered
    from outcome o
    left join slot_objective s on s.slot = o.slot
    left join event e on e.placement_id = o.placement_id and e.kind = 'delivered' and e.state = 'posted'
    where o.reason is distinct from 'not_requested'
    group by o.contact_id) o on o.contact_id = c.contact_id;

-- What happened on each rung, one row an occurrence. Slot income is what placements were charged, from
-- partners and departments alike; gain share is the pools, less refunds.
create view report_rung as
select period, at_us, slot, currency, rung, 1 as placements, 0 as delivered, 0 as converted,
       0::bigint as income_micros, 0::bigint as gain_micros
from outcome where filled
union all
select e.period, e.effective_us, e.slot, o.currency, o.rung, 0, 1, 0, 0, 0
from event e join outcome o on o.placement_id = e.placement_id
where e.kind = 'delivered' and e.state = 'posted'
union all
select r.period, r.effective_us, o.slot, r.currency, o.rung, 0, 0, 1, 0, 0
from revenue r join outcome o on o.placement_id = r.placement_id
where r.kind = 'converted' and r.state in ('posted', 'no_share')
union all
select period, effective_us, slot, currency, rung, 0, 0, 0,
       case when kind in ('charge', 'internal') then amount_micros else 0 end,
       case when kind in ('charge', 'internal') then 0
            when debit % 10000 in (1150, 5000) then amount_micros else -amount_micros end
from transfer
where state = 'posted' and kind in ('charge', 'internal', 'share', 'refund');

-- Every slot that a contact offered, filled or empty; an empty one with what stopped the bid that came
-- nearest, or, where no bid came near, why there was none. A slot that its touchpoint did not ask for was not
-- offered.
create view report_slot as
select o.period, o.at_us, o.slot, o.currency, o.filled, o.price_micros, o.floor_micros,
       case when o.filled then null else coalesce(o.main_reason, o.reason) end as reason
from outcome o
where o.reason is distinct from 'not_requested';

grant select on slot_objective, slot_rung, report_contact, report_rung, report_slot to vendue_ledger, vendue_console;
