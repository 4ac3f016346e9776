// How transfers and their sums are weighed, so that one number tells whether they are told apart
// alike. Columns are those of `transfer` and of `fold`; `day` is an expression.
#ifndef VENDUE_PROOF_INSIDE_H
#define VENDUE_PROOF_INSIDE_H

#define PROOF_WEIGHT(day)                                                                         \
    "((coalesce(seat, 0)::bigint * 7 + coalesce(contract, 0)::bigint * 61"                        \
    " + coalesce(slot, 0)::bigint * 521 + coalesce(message, 0)::bigint * 1009"                    \
    " + coalesce(objectives, 0)::bigint * 2003 + (coalesce(rung, (-1)::smallint) + 1)::bigint * " \
    "3001"                                                                                        \
    " + case when late then 4001 else 0 end + (" day ")::bigint * 83) % 4093)"

#endif
