/* A stored entry: what can be read is written again to the same bytes, twice over, and what a shopper sees of it is JSON that can be read. */
#include "fuzz.h"

#include "chat/chat_state.h"
#include "chat/chat_view.h"
#include "link/link.h"

static void write(const struct entry *e, struct buf *b)
{
    buf_reset(b);
    buf_add_s(b, "{\"t\":\"event\",\"chat\":\"c_1\",\"seq\":1,\"at\":2,");
    entry_write_tail(b, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct str frame = {(const char *)bytes, n};
    struct entry e, again, seen;
    struct link_stored stored;
    struct buf one, two;
    char *raw;

    if (n == 0 || !utf8_is_valid(frame))
        return 0;
    raw = mem_strndup(frame.s, frame.n); /* as an answer of Redis: with a NUL behind it */
    MUST(!link_stored_read((struct str){raw, n}, &stored) || stored.frame.s + stored.frame.n == raw + n);
    free(raw);
    if (entry_read(frame, &e, NULL) == 0) {
        buf_init(&one, 1 << 22);
        buf_init(&two, 1 << 22);
        write(&e, &one);
        MUST(entry_read(buf_str(&one), &again, NULL) == 0);
        write(&again, &two);
        MUST(one.n == two.n && memcmp(one.p, two.p, one.n) == 0);
        entry_fini(&again);
        if (chat_view_is_shown(e.kind, AUDIENCE_SHOPPER)) {
            buf_reset(&two);
            buf_add_s(&two, "{\"t\":\"event\",\"chat\":\"c_1\",\"seq\":1,\"at\":2,");
            chat_view_write_shopper_tail(&two, &e);
            MUST(entry_read(buf_str(&two), &seen, NULL) == 0);
            entry_fini(&seen);
        }
        buf_fini(&one);
        buf_fini(&two);
    }
    entry_fini(&e);
    return 0;
}
