-- Programs of before this schema neither write sums nor keys nor acts: the database refuses what they would book, by a
-- name that says why. What was booked before stays as it is.
set local search_path = vendue;

-- Finance's transfers belong to acts.
alter table transfer add constraint program_is_older_than_the_database check (log > 0 or batch > 0) not valid;

-- A fence says which computation its period's statements follow.
alter table period_event add constraint program_is_older_than_the_database
    check (step <> 1 or record like '%statements %') not valid;

-- What is booked from a journal comes with its frame's turn.
alter table frame alter column turn drop default;
alter table frame alter column turn drop not null;
alter table frame add constraint program_is_older_than_the_database check (turn is not null);
