// Posteriors of response and revenue, and draws of them, in integers alone.
//
// A level of the pool has seen n deliveries with s successes (responses or conversions; no more
// than deliveries count), and its parent's mean is m:
//   shapes  alpha = s + LEARN_STRENGTH x m,  beta = n - s + LEARN_STRENGTH x (1 - m)
//   mean    alpha / (alpha + beta)
// The rung, which has no parent, is (s + 1) / (n + 2). Means are fractions of LEARN_ONE, rounded
// down. Of value, a level has seen c conversions worth r net: (r + LEARN_STRENGTH x parent's) /
// (c + LEARN_STRENGTH); a rung's is r / c, and 0 before its first conversion: what nobody has ever
// earned is worth nothing until somebody does.
//
// A draw of Beta(alpha, beta) is X / (X + Y) of two gamma draws. These are exact but for the grid
// of the numbers: rejection never approximates the distribution.
//   gamma   Marsaglia & Tsang 2000, with their factor U^(1/shape) for shapes below 1
//   normal  ratio of uniforms, Kinderman & Monahan 1977, with Knuth's bounds (TAOCP 3.4.1, R)
//   both    logarithms to base 2, so that shapes far below 1 neither underflow nor lose digits
// Error of one draw: log2 of X / Y is within 2^-30 of the exact one of the same random bits (most
// of it from shapes far below 1, whose logarithms are large), so a draw is within 2^-30 of its size
// and one unit of LEARN_ONE. The random bits themselves: normals beyond 9.4 do not occur
// (probability 10^-20).
// Shapes above 2^30 are scaled down together: one standard deviation is then below 2^-15 of the
// mean, which stays exact.
//
// Numbers named q48 are fixed-point with 48 bits behind the point, and so on.
#include "learn.h"

#include "bounds.h"
#include "fail.h"
#include "hash.h"

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 uwide;

#define UNIT_BITS 16        // shapes are in 1/65,536
#define SHAPE_BITS 46       // the largest shape of a draw: 2^30
#define COUNT_BITS 40       // of deliveries that are told apart
#define LN2 0xb17217f7d1cf  // q48

// --- Logarithm and power -------------------------------------------------------------------------
// log2((33 + 2 i) / 32), q60.
static const int64_t log_of_centre[16] = {
    0x00b5d69bac77ec3a, 0x02118b119b4f3c73, 0x0359ebc5b69d927e, 0x049101eac381ce61,
    0x05b8887367433796, 0x06d1fafdce20a829, 0x07dea15a32c1b3b4, 0x08df988f4ae806f2,
    0x09d5d9fd5010b366, 0x0ac241134c4e99e2, 0x0ba58feb2703a9e3, 0x0c80730b0001667f,
    0x0d53847ac00a69be, 0x0e1f4e5170d02a9a, 0x0ee44cd59ffab62f, 0x0fa2f045e7832aa7};
// 2^(i / 16), q48.
static const int64_t power_of_step[16] = {
    0x1000000000000, 0x10b5586cf9891, 0x1172b83c7d518, 0x12387a6e75624,
    0x1306fe0a31b71, 0x13dea64c12342, 0x14bfdad5362a2, 0x15ab07dd48543,
    0x16a09e667f3bd, 0x17a11473eb018, 0x18ace5422aa0e, 0x19c49182a3f09,
    0x1ae89f995ad3b, 0x1c199bdd8552a, 0x1d5818dcfba48, 0x1ea4afa2a490e};

static int64_t
multiply(int64_t a, int64_t b, unsigned shift)
{
    return (int64_t)((wide)a * b >> shift);
}

// log2 of a whole number above 0, q48. With c the centre nearest to the leading bits m:
// ln(m / c) = 2 artanh(s), s = (m - c) / (m + c), |s| <= 1/64, and s^9 / 9 is below 2^-57.
static int64_t
log2_q48(uint64_t value)
{
    unsigned zeros = (unsigned)__builtin_clzll(value);
    uint64_t m = value << zeros;
    unsigned step = m >> 59 & 15;
    uint64_t centre = UINT64_C(1) << 63 | (uint64_t)(2 * step + 1) << 58;
    wide difference = m >= centre ? (wide)(m - centre) : -(wide)(centre - m);
    int64_t s = (int64_t)(difference * (INT64_C(1) << 61) / (wide)(m / 2 + centre / 2));  // q62
    int64_t z = multiply(s, s, 62), z2 = multiply(z, z, 62), z3 = multiply(z2, z, 62);
    int64_t series = (INT64_C(1) << 62) + z / 3 + z2 / 5 + z3 / 7;
    int64_t two_over_ln2 = 0x2e2a8eca5705fc2f;  // q60
    int64_t rest = multiply(multiply(s, series, 62), two_over_ln2, 74);
    return ((int64_t)(63 - zeros) << 48) + (log_of_centre[step] >> 12) + rest;
}

// 2^fraction, q48, of a fraction in [0, 1), q48: a table's step, and Taylor to the sixth power
// (error below 2^-43).
static int64_t
power_q48(int64_t fraction)
{
    int64_t x = multiply(fraction & ((INT64_C(1) << 44) - 1), LN2, 48);
    int64_t one = INT64_C(1) << 48, sum = one;
    for (int64_t term = 6; term > 0; term--) sum = one + multiply(sum, x, 48) / term;
    return multiply(power_of_step[fraction >> 44], sum, 48);
}

// --- Draws ---------------------------------------------------------------------------------------
static uint64_t
bits(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    return hash_mix(*state);
}

// A standard normal, q31: v / u of a point (u, v) drawn in a box that holds the region where
// x^2 <= -4 ln u.
static int64_t
normal_q31(uint64_t *state)
{
    const int64_t half_height = 1842033917;  // sqrt(2 / e), q31
    const int64_t slope = 11029694344;       // 4 e^(1/4), q31, rounded up
    const int64_t inner = INT64_C(5) << 31;  // sure to lie inside: x^2 <= 5 - slope u
    const int64_t outer = 3006477107;        // sure to lie outside: x^2 >= 1.04 / u + 1.4
    for (;;) {
        uint64_t drawn = bits(state);
        int64_t u = (int64_t)(drawn >> 32) + 1;                                  // q32
        int64_t v = 2 * (int64_t)(drawn & UINT32_MAX) - (INT64_C(1) << 32) + 1;  // q32
        int64_t x = v * half_height / u;                                         // q31
        if (x > INT64_C(10) << 31 || x < -(INT64_C(10) << 31)) continue;
        int64_t square = multiply(x, x, 31);
        if (square <= inner - multiply(slope, u, 32)) return x;
        if (square > outer &&
            (uint64_t)(square - outer) >= (UINT64_C(4466765988) << 31) / (uint64_t)u)
            continue;
        int64_t minus_log = (INT64_C(32) << 48) - log2_q48((uint64_t)u);
        if (square <= multiply(minus_log, LN2, 48) >> 15) return x;  // times 4, q48 to q31
    }
}

// log2 of a gamma draw of `shape` (in units), q40.
static int64_t
gamma_log2_q40(uint64_t shape, uint64_t *state)
{
    const int64_t one = INT64_C(1) << 48;
    int64_t below_one = 0;
    if (shape < UINT64_C(1) << UNIT_BITS) {
        int64_t log_u = log2_q48(bits(state) | 1) - (INT64_C(64) << 48);
        below_one = (int64_t)((wide)log_u * (1 << (UNIT_BITS - 8)) / (wide)shape);
        shape += UINT64_C(1) << UNIT_BITS;
    }
    uint64_t d = (shape << (32 - UNIT_BITS)) - 1431655765;  // shape - 1/3, q32
    int64_t log_d = log2_q48(d) - (INT64_C(32) << 48);
    // c = 1 / (3 sqrt(d)), rounded up; any c is exact, this one accepts nearly always.
    int64_t minus_log_c = (log_d + 892254565955501) / 2;  // log2 9 = 3.1699250..., q48
    int64_t c = power_q48(-minus_log_c & (one - 1));
    c = (c >> ((minus_log_c + one - 1) >> 48)) + 1;
    for (;;) {
        int64_t x = normal_q31(state);
        int64_t t = one + multiply(c, x, 31);
        uint64_t u = bits(state);
        if (t <= 0) continue;
        int64_t log_t = log2_q48((uint64_t)t) - (INT64_C(48) << 48);
        int64_t square = multiply(x, x, 31), fourth = multiply(square, square, 31);
        bool taken = (int64_t)(u >> 33) < (INT64_C(1) << 31) - multiply(fourth, 331, 0) / 10000;
        if (!taken) {
            int64_t log_u = multiply(log2_q48(u | 1) - (INT64_C(64) << 48), LN2, 48);
            int64_t v = multiply(multiply(t, t, 48), t, 48);
            wide bracket = (wide)one - v + 3 * (wide)multiply(log_t, LN2, 48);
            taken = log_u < ((wide)square << 16) + (bracket * (wide)d >> 32);
        }
        if (taken) return ((log_d + 3 * log_t) >> 8) + below_one;
    }
}

uint64_t
learn_beta(uint64_t alpha, uint64_t beta, uint64_t seed)
{
    CHECK(alpha > 0 && beta > 0);
    while ((alpha | beta) >> SHAPE_BITS != 0) {
        alpha = alpha / 2 + (alpha == 1);
        beta = beta / 2 + (beta == 1);
    }
    uint64_t state = hash_mix(seed ^ 0xd1b54a32d192ed03u);  // neighbouring seeds: other streams
    int64_t x = gamma_log2_q40(alpha, &state), y = gamma_log2_q40(beta, &state);
    // The smaller of x / (x + y) and y / (x + y): 1 / (1 + 2^distance).
    uint64_t distance = x < y ? (uint64_t)(y - x) : (uint64_t)(x - y);
    uint64_t whole = distance >> 40, smaller = 0;
    if (whole < 34) {
        uwide power = (uwide)power_q48((int64_t)(distance << 8 & ((UINT64_C(1) << 48) - 1)));
        uwide one = (uwide)1 << 48;
        smaller = (uint64_t)(one * LEARN_ONE / (one + (power << whole)));
    }
    return x < y ? smaller : LEARN_ONE - smaller;
}

// --- Posteriors ----------------------------------------------------------------------------------
// Successes among deliveries; more than can be told apart are scaled down.
struct seen {
    uint64_t deliveries, successes;
};

static struct seen
seen_of(uint64_t deliveries, uint64_t successes)
{
    if (successes > deliveries) successes = deliveries;
    while (deliveries >> COUNT_BITS != 0) deliveries /= 2, successes /= 2;
    return (struct seen){deliveries, successes};
}

// (successes x LEARN_ONE + more) / deliveries. A wide division costs as much as all else that a
// mean asks for, and hardly any count needs one.
static uint64_t
fraction(uint64_t successes, uint64_t more, uint64_t deliveries)
{
    if (successes >> 31 == 0) return ((successes << 32) + more) / deliveries;  // more < 2^63
    return (uint64_t)(((uwide)successes * LEARN_ONE + more) / deliveries);
}

static uint64_t
mean_under(struct seen seen, uint64_t parent)
{
    return fraction(seen.successes, LEARN_STRENGTH * parent, seen.deliveries + LEARN_STRENGTH);
}

// Mean of the rate of a rung's messages in a cell.
static uint64_t
parent_rate(struct seen cell, struct seen rung)
{
    return mean_under(cell, fraction(rung.successes + 1, 0, rung.deliveries + 2));
}

// Mean or draw of the rate of message in cell.
static uint64_t
rate(struct seen own, uint64_t of_cell, bool explore, uint64_t seed)
{
    if (!explore) return mean_under(own, of_cell);
    uint64_t strength = (uint64_t)LEARN_STRENGTH << UNIT_BITS;
    uint64_t of_parent = (uint64_t)((uwide)strength * of_cell / LEARN_ONE);
    uint64_t alpha = (own.successes << UNIT_BITS) + of_parent;
    uint64_t beta = ((own.deliveries - own.successes) << UNIT_BITS) + strength - of_parent;
    return learn_beta(alpha > 0 ? alpha : 1, beta > 0 ? beta : 1, seed);
}

static uint64_t
sum_of(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

void
learn_add(struct learn_counts *counts, const struct learn_counts *more)
{
    counts->delivered = sum_of(counts->delivered, more->delivered);
    counts->responded = sum_of(counts->responded, more->responded);
    counts->converted = sum_of(counts->converted, more->converted);
    if (money_add(counts->revenue, more->revenue, &counts->revenue) != STATUS_OK)
        counts->revenue = money_of(more->revenue.micros < 0 ? INT64_MIN : INT64_MAX);
}

// Mean value of a conversion; sums beyond all reason count as the largest amount.
static money
value_under(const struct learn_counts *counts, money parent)
{
    money sum;
    uint64_t weight = counts->converted;
    if (weight > UINT64_MAX - LEARN_STRENGTH) weight = UINT64_MAX - LEARN_STRENGTH;
    if (money_ratio(parent, LEARN_STRENGTH, 1, &sum) != STATUS_OK ||
        money_add(sum, counts->revenue, &sum) != STATUS_OK ||
        money_ratio(sum, 1, weight + LEARN_STRENGTH, &sum) != STATUS_OK)
        return counts->revenue.micros < 0 ? money_of(0) : money_of(BOUND_MICROS);
    return sum;
}

struct learn_parent
learn_parent_of(const struct learn_counts *cell, const struct learn_counts *rung)
{
    struct learn_parent parent = {
        .response_rate = parent_rate(seen_of(cell->delivered, cell->responded),
                                     seen_of(rung->delivered, rung->responded)),
        .conversion_rate = parent_rate(seen_of(cell->delivered, cell->converted),
                                       seen_of(rung->delivered, rung->converted))};
    money value = money_of(0);
    if (rung->converted > 0 && money_ratio(rung->revenue, 1, rung->converted, &value) != STATUS_OK)
        value = money_of(0);
    parent.value = value_under(cell, value);
    return parent;
}

uint64_t
learn_response_under(const struct learn_counts *own, const struct learn_parent *parent,
                     bool explore, uint64_t seed)
{
    uint64_t found = rate(seen_of(own->delivered, own->responded), parent->response_rate, explore,
                          seed);
    return found > 0 ? found : 1;
}

uint64_t
learn_revenue_under(const struct learn_counts *own, const struct learn_parent *parent, bool explore,
                    uint64_t seed)
{
    uint64_t found = rate(seen_of(own->delivered, own->converted), parent->conversion_rate, explore,
                          seed ^ 0x8cb92ba72f3d8dd7u);  // other bits than the response's
    money value = value_under(own, parent->value);
    if (value.micros <= 0) return 0;
    if (money_ratio(value, found, LEARN_ONE, &value) != STATUS_OK || value.micros > BOUND_MICROS)
        return BOUND_MICROS;
    return (uint64_t)value.micros;
}

uint64_t
learn_response_rate(const struct learn *learn, bool explore, uint64_t seed)
{
    struct learn_parent parent = learn_parent_of(&learn->cell, &learn->rung);
    return learn_response_under(&learn->own, &parent, explore, seed);
}

uint64_t
learn_revenue(const struct learn *learn, bool explore, uint64_t seed)
{
    struct learn_parent parent = learn_parent_of(&learn->cell, &learn->rung);
    return learn_revenue_under(&learn->own, &parent, explore, seed);
}
