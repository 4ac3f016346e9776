// Who the parties are on documents, the house's rules of finance, and the codes of ISO 3166 and ISO
// 4217 that they are written with.
#include <ctype.h>
#include <string.h>

#include "read.h"

#define DAY_US (86400 * INT64_C(1000000))

// ISO 3166-1, alpha 2; XK is Kosovo's by use, EL is how VAT numbers say Greece.
static const char countries[] =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR "
    "BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ "
    "EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW "
    "GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY "
    "KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV "
    "MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY "
    "QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG "
    "TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA "
    "ZM ZW ";
// ISO 4217, in use.
static const char currencies[] =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP "
    "BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
    "GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR "
    "KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK "
    "MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR "
    "SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS "
    "UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ";

static bool
listed(const char *list, const char *code, size_t len)
{
    for (; *list != '\0'; list += len + 1)
        if (memcmp(list, code, len) == 0) return true;
    return false;
}

bool
read_currency_known(const char *code)
{
    return strlen(code) == 3 && listed(currencies, code, 3);
}

struct market_party
read_party_none(struct place place)
{
    return (struct market_party){.place = place,
                                 .legal_name = "",
                                 .street = "",
                                 .city = "",
                                 .postal_code = "",
                                 .country = "",
                                 .tax_id = "",
                                 .registration = "",
                                 .email = "",
                                 .iban = "",
                                 .bic = ""};
}

// --- Where it is paid --------------------------------------------------------------------------

// ISO 13616: country, two check digits, up to 30 letters and digits; the number that they spell,
// with the first four characters behind the rest, leaves 1 when divided by 97.
static bool
is_iban(const char *text, size_t len)
{
    if (len < 15 || len > 34 || !listed(countries, text, 2)) return false;
    unsigned rest = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[(i + 4) % len];
        bool digit = c >= '0' && c <= '9';
        if (!digit && !(c >= 'A' && c <= 'Z')) return false;
        unsigned value = digit ? (unsigned)(c - '0') : (unsigned)(c - 'A' + 10);
        rest = (rest * (digit ? 10 : 100) + value) % 97;
    }
    return isdigit((unsigned char)text[2]) && isdigit((unsigned char)text[3]) && rest == 1;
}

// ISO 9362: four letters or digits of the party, two of the country, two of the place, and three of
// the branch or none.
static bool
is_bic(const char *text, size_t len)
{
    if (len != 8 && len != 11) return false;
    for (size_t i = 0; i < len; i++)
        if (!(text[i] >= 'A' && text[i] <= 'Z') && !(text[i] >= '0' && text[i] <= '9'))
            return false;
    return listed(countries, text + 4, 2);
}

// A number as it is printed, without its blanks.
static const char *
without_blanks(struct reader *reader, const char *text)
{
    char *packed = arena_take(reader->arena, strlen(text) + 1, 1), *end = packed;
    for (; *text != '\0'; text++)
        if (*text != ' ') *end++ = *text;
    *end = '\0';
    return packed;
}

static void
misfit(struct reader *reader, const struct tree *node, const char *wanted, const char *mend)
{
    report_error(reader->report, node->place, reader->object, "%s: '%.80s' is not %s",
                 node->key->text, node->kind == TREE_SCALAR ? node->text : "", wanted)
        ->mend = mend;
}

static void
read_account(struct reader *reader, const struct tree *map, struct market_party *party)
{
    const struct tree *iban = field_get(map, "iban"), *bic = field_get(map, "bic");
    party->iban = without_blanks(reader, field_text(reader, iban, 64, ""));
    party->bic = without_blanks(reader, field_text(reader, bic, 64, ""));
    if (party->iban[0] != '\0' && !is_iban(party->iban, strlen(party->iban)))
        misfit(reader, iban, "an account number",
               "write the IBAN as the bank gave it; its check digits do not agree");
    if (party->bic[0] != '\0' && !is_bic(party->bic, strlen(party->bic)))
        misfit(reader, bic, "a bank's code", "write 8 or 11 capital letters and digits (BIC)");
    if (party->bic[0] != '\0' && iban == NULL)
        misfit(reader, bic, "enough to be paid by", "write the `iban` beside it");
}

void
read_party(struct reader *reader, const struct tree *map, struct market_party *out_party)
{
    static const char *const keys[] = {"legal_name", "street", "city",  "postal_code",
                                       "country",    "tax_id", "email", "registration",
                                       "iban",       "bic",    NULL};
    if (map == NULL) return;
    out_party->place = map->key->place;
    if (!field_map(reader, map, keys)) return;
    const struct tree *country = field_get(map, "country"), *email = field_get(map, "email");
    const struct tree *name = field_need(reader, map, "legal_name", "the name in its register");
    out_party->legal_name = field_text(reader, name, BOUND_TEXT, "");
    out_party->street = field_text(reader, field_get(map, "street"), BOUND_TEXT, "");
    out_party->city = field_text(reader, field_get(map, "city"), BOUND_TEXT, "");
    out_party->postal_code = field_text(reader, field_get(map, "postal_code"), 16, "");
    out_party->country = field_text(reader, country, BOUND_TEXT, "");
    out_party->tax_id = field_text(reader, field_get(map, "tax_id"), 35, "");
    out_party->registration = field_text(reader, field_get(map, "registration"), BOUND_TEXT, "");
    out_party->email = field_text(reader, email, BOUND_TEXT, "");
    if (out_party->country[0] != '\0' &&
        (strlen(out_party->country) != 2 || !listed(countries, out_party->country, 2)))
        misfit(reader, country, "a country", "write two capital letters (ISO 3166), as DE");
    const char *at = strchr(out_party->email, '@');
    if (out_party->email[0] != '\0' && (at == NULL || at == out_party->email || at[1] == '\0'))
        misfit(reader, email, "an address", "write it as accounts@example.com");
    read_account(reader, map, out_party);
}

// --- Rules of the house --------------------------------------------------------------------------

void
read_finance_usual(struct market_finance *finance)
{
    *finance = (struct market_finance){.party = read_party_none((struct place){0, 0}),
                                       .approve_above = money_of(100000000),
                                       .rate_age_us = 7 * DAY_US,
                                       .dispute_days = 30};
}

void
read_finance(struct reader *reader, const struct tree *map, struct market_finance *out_finance)
{
    static const char *const keys[] = {"party", "approve_above", "rate_age", "dispute_days", NULL};
    if (map == NULL || !field_map(reader, map, keys)) return;
    read_party(reader, field_get(map, "party"), &out_finance->party);
    money above;
    if (field_money(reader, field_get(map, "approve_above"), &above)) {
        out_finance->approve_above = above;
        out_finance->has_approve_above = true;
    }
    const struct tree *age = field_get(map, "rate_age");
    if (age != NULL)
        out_finance->rate_age_us = (int64_t)field_seconds(reader, age, 7 * 86400) * 1000000;
    out_finance->dispute_days = (uint32_t)field_integer(reader, field_get(map, "dispute_days"), 1,
                                                        366, 30);
}
