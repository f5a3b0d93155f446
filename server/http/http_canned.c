/* /api/v1/canned: the canned replies of the site's configuration, for those who write to shoppers. */
#include "http/http_private.h"

#include "base/base_json.h"
#include "config/config.h"

/* What all of them take at the most: of each its name, two titles and two texts, if JSON wrote six bytes for each of theirs. */
#define CANNED_BYTES (100 + (size_t)CONFIG_CANNED_MAX * 6 * (CONFIG_NAME_MAX + 2 * 100 + 2 * 2000 + 20))

static void add_if_set(struct buf *b, const char *key, const char *text)
{
    if (*text)
        json_kv_s(b, key, text);
}

void canned_list(struct http_call *call)
{
    const struct config *cfg = call->http->cfg;
    struct buf b;

    buf_init(&b, CANNED_BYTES);
    buf_add_s(&b, "{\"items\":[");
    for (size_t i = 0; i < cfg->canned_n; i++) {
        const struct config_canned *c = &cfg->canned[i];

        json_open(&b, '{');
        json_kv_s(&b, "name", c->name);
        add_if_set(&b, "title_zh", c->title_zh);
        add_if_set(&b, "title_en", c->title_en);
        add_if_set(&b, "text_zh", c->text_zh);
        add_if_set(&b, "text_en", c->text_en);
        json_close(&b, '}');
    }
    buf_add_s(&b, "]}");
    call_json(call, 200, &b);
}
