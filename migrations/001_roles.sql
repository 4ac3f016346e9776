-- The two roles that programs work as. Whoever runs the migrations owns the schema and everything in it;
-- these two own nothing, so that the database itself refuses what they must never do (update or delete a
-- fact, a transfer, a posted period). `slotctl` gives them their way in (peer mapping or membership).
do $$
begin
    if not exists (select 1 from pg_roles where rolname = 'vendue_ledger') then
        create role vendue_ledger;
    end if;
    if not exists (select 1 from pg_roles where rolname = 'vendue_console') then
        create role vendue_console;
    end if;
end
$$;

grant usage on schema vendue to vendue_ledger, vendue_console;
grant select on vendue.migration to vendue_ledger, vendue_console;
