/* A client's frame: what is taken has a valid id, texts within their bounds and in UTF-8, and is taken the same way again; what is refused says why. */
#include "fuzz.h"

#include "base/base_crypto.h"
#include "protocol/protocol.h"

static void look(struct str frame, unsigned roles)
{
    static const struct protocol_limits limits = {65536, 16, 256, 4000};
    struct msg first, again;
    struct refusal why = {0};

    if (!protocol_read_command(frame, roles, &limits, &first, &why)) {
        MUST(why.text[0]);
        MUST(!first.id.s || id_is_valid(first.id));
        msg_fini(&first);
        return;
    }
    MUST(id_is_valid(first.id));
    MUST(first.row->roles & roles);
    for (unsigned i = 0; i < FIELD_N; i++)
        if (first.f[i].type == VAL_STR || first.f[i].type == VAL_JSON)
            MUST(utf8_is_valid(first.f[i].s));
    MUST(first.f[FIELD_TEXT].type != VAL_STR || utf8_chars(first.f[FIELD_TEXT].s) <= limits.text_chars);
    MUST(protocol_read_command(frame, roles, &limits, &again, &why));
    MUST(first.type == again.type && memcmp(first.digest, again.digest, sizeof first.digest) == 0);
    msg_fini(&first);
    msg_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct str frame = {(const char *)bytes, n};

    if (!utf8_is_valid(frame) || n == 0)
        return 0; /* net has refused it */
    look(frame, ROLE_SHOPPER);
    look(frame, ROLE_REP | ROLE_LEAD);
    return 0;
}
