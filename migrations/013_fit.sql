-- Fits: weights of touches that the data-driven models of attribution found in a period's paths. Rows are only
-- added: a fit is never changed, a newer one has a newer version, and every transfer that one divided names it.
set local search_path = vendue;

-- One row a fit and log. The fit is in force for the frames of that log behind `batch`, which was the log's
-- watermark when it was made; it was made of the facts up to `seen`. So the same frames meet the same fit for ever.
create table model_fit (
    version integer not null check (version > 0),  -- 1, 2, 3 ... over all models
    log integer not null,
    model text not null check (model in ('markov', 'shapley', 'counterfactual')),
    period text not null,
    batch bigint not null,
    seen bigint not null,
    at_us bigint not null,
    act bigint not null,
    paths bigint not null,            -- that led to a conversion
    nulls bigint not null,            -- customers without one
    primary key (version, log)
);
comment on table model_fit is
    'One row a fit of a data-driven attribution model and journal: from which frame on it is in force.';
comment on column model_fit.batch is 'In force for frames of this log with a higher batch.';
comment on column model_fit.seen is 'Made of the facts of this log up to this batch.';

create table model_weight (
    version integer not null,
    seat integer not null,            -- whose message the touch was
    rung smallint not null,           -- of the message, 0 to 7
    ppm bigint not null check (ppm >= 0),
    primary key (version, seat, rung)
);
comment on table model_weight is
    'One row a seat and rung of a fit: its part of all credit, in millionths that add up to 1,000,000.';

grant select on model_fit, model_weight to vendue_ledger, vendue_console;
grant insert on model_fit, model_weight to vendue_ledger, vendue_console;
