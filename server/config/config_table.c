#include "config/config_row.h"

#define MEMBER(section, key) offsetof(struct config, section.key)
#define INT(s, k, def, min, max, help)   {#s, #k, CONFIG_INT, MEMBER(s, k), def, min, max, NULL, NULL, false, help}
#define MS(s, k, def, min, max, help)    {#s, #k, CONFIG_MS, MEMBER(s, k), def, min, max, NULL, NULL, false, help}
#define BYTES(s, k, def, min, max, help) {#s, #k, CONFIG_BYTES, MEMBER(s, k), def, min, max, NULL, NULL, false, help}
#define BOOL(s, k, def, help)            {#s, #k, CONFIG_BOOL, MEMBER(s, k), def, 0, 0, NULL, NULL, false, help}
#define STRING(s, k, def, check, help)   {#s, #k, CONFIG_STR, MEMBER(s, k), def, 0, 1000, NULL, check, false, help}
#define LIST(s, k, def, check, help)     {#s, #k, CONFIG_LIST, MEMBER(s, k), def, 0, 4000, NULL, check, false, help}
#define ENUM(s, k, def, choices, help)   {#s, #k, CONFIG_ENUM, MEMBER(s, k), def, 0, 0, choices, NULL, false, help}
#define CLASS(k, def, help)                                                                                            \
    {"class." #k, "head_start_ms", CONFIG_MS, offsetof(struct config, class.k.head_start_ms), def, 0, DAY, NULL, NULL, \
     false, help},                                                                                                     \
    {"class." #k, "weight", CONFIG_INT, offsetof(struct config, class.k.weight), "1", 1, 100, NULL, NULL, false,       \
     "What one such chat fills of a rep's capacity."},                                                                 \
    {"class." #k, "keywords", CONFIG_LIST, offsetof(struct config, class.k.keywords), "", 0, 8000, NULL, NULL, false,  \
     "Words in a first message that make it one of these."}
#define SITE(k, type, def, max, choices, check, secret, help)                                                          \
    {"site", #k, CONFIG_##type, offsetof(struct config_site, k), def, 0, max, choices, check, secret, help}
#define RULE_MS(s, k, help) {#s, #k, CONFIG_MS, offsetof(struct config_##s, rules.k), "0", 0, YEAR, NULL, NULL, false, help}
/* What a site, and a department in it, may have of its own. */
#define RULES(s)                                                                                                       \
    RULE_MS(s, offer_ms, "As routing.offer_ms, here; 0: as one level up, department, site, section. So with those below."), \
    RULE_MS(s, silent_ms, "As routing.silent_ms."),                                                                    \
    RULE_MS(s, overflow_ms, "As routing.overflow_ms."),                                                                \
    {#s, "auto_accept", CONFIG_ENUM, offsetof(struct config_##s, rules.auto_accept), "inherit", 0, 0, own, NULL, false,  \
     "As routing.auto_accept; inherit: as one level up."},                                                             \
    RULE_MS(s, transfer_ms, "As transfer.answer_ms."),                                                                 \
    RULE_MS(s, grace_ms, "As ownership.grace_ms."),                                                                    \
    RULE_MS(s, return_ms, "As ownership.return_ms."),                                                                  \
    RULE_MS(s, confirm_ms, "As resolution.confirm_ms."),                                                               \
    RULE_MS(s, care_first_ms, "As care.first_ms."),                                                                    \
    RULE_MS(s, care_alert_ms, "As care.alert_ms."),                                                                    \
    RULE_MS(s, care_act_ms, "As care.act_ms."),                                                                        \
    RULE_MS(s, gone_ms, "As queue.gone_ms.")
#define DEPARTMENT(k, type, def, max, check, help)                                                                     \
    {"department", #k, CONFIG_##type, offsetof(struct config_department, k), def, 0, max, NULL, check, false, help}
#define CANNED(k, max, check, help)                                                                                    \
    {"canned", #k, CONFIG_STR, offsetof(struct config_canned, k), "", 0, max, NULL, check, false, help}

#define MINUTE 60000LL
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define YEAR   (366 * DAY)

static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL}; /* enum log_level */
static const char *const fsyncs[] = {"always", "everysec", NULL};                 /* enum config_fsync */
static const char *const locales[] = {"zh-CN", "en", NULL};
static const char *const own[] = {"inherit", "false", "true", NULL}; /* enum config_own */

const struct config_row config_rows[] = {
    STRING(server, listen, "127.0.0.1:8080", config_check_listen,
           "Address and port to serve on; port 0: any free one."),
    BOOL(server, share_port, "false",
         "Nodes of one host listen on one port, each with this setting: the kernel spreads connections over them."),
    STRING(server, node, "", config_check_name_or_none,
           "Name of this node; empty: made from the host's name."),
    ENUM(server, log_level, "info", log_levels, "Lines below this level are not written."),

    STRING(http, public_url, "", config_check_url,
           "Address under which people reach the server, with https behind a proxy."),
    LIST(http, trusted_proxies, "", config_check_networks,
         "Addresses or networks of proxies whose X-Forwarded-For is believed."),

    STRING(metrics, listen, "", config_check_listen_or_none, "Address and port for /metrics; empty: off."),

    ENUM(redis, appendfsync, "always", fsyncs,
         "always: an ok survives a power cut. everysec: faster, a power cut may lose about the last two seconds."),
    MS(redis, wait_ms, "10000", 0, 10 * MINUTE, "How long a start waits for Redis."),
    BOOL(redis, trusted, "false", "Use a Redis whose durability settings cannot be read."),
    MS(redis, command_ms, "5000", 100, 5 * MINUTE,
       "Deadline of one command; after it the answer is unavailable."),
    INT(redis, maxmemory_mb, "512", 16, 1048576, "Memory of the Redis that the server starts itself, MiB."),
    INT(redis, replicas, "0", 0, 8, "Replicas that must have an entry before its ok; 0: none. It narrows what a failover can lose."),
    MS(redis, replicas_ms, "1000", 10, MINUTE, "How long an ok waits for them; then the answer is unavailable."),

    INT(debug, format, "0", 0, 1000, "For tests: this node acts as a version that knows the data's formats up to this; 0: off."),

    INT(limits, messages_per_s, "5", 0, 1000000, "Commands a second of one connection; 0: no limit."),
    INT(limits, burst, "20", 0, 1000000, "Commands that may come at once before that."),
    INT(limits, chats_per_address_h, "30", 0, 1000000,
        "Chats an hour that one address may start anonymously, and messages and call-backs that it may leave; 0: no limit."),
    INT(limits, care_percent, "25", 0, 100,
        "Of these, how many may say themselves that they need care; more count as normal."),
    INT(limits, hellos_per_s, "200", 1, 1000000, "New connections a second; more get 503."),
    INT(limits, connections, "0", 0, 10000000,
        "Connections in all; 0: as many as the system has descriptors for."),
    BYTES(limits, frame_bytes, "65536", 8192, 16777216, "Largest message of a client."),
    INT(limits, text_chars, "4000", 100, 100000, "Unicode characters of a message's text."),
    INT(limits, depth, "16", 4, 1000, "Deepest nesting of a message's JSON."),
    BYTES(limits, outbox_bytes, "262144", 65536, 1073741824, "What may wait for one slow reader."),
    INT(limits, outbox_frames, "500", 10, 1000000, "Frames that may wait for one slow reader."),
    MS(limits, idle_ping_ms, "25000", 1000, HOUR, "A connection that is silent for so long is pinged."),
    MS(limits, ping_grace_ms, "10000", 1000, HOUR,
       "How long a pong may take before the connection is closed."),
    MS(limits, handshake_ms, "5000", 500, 10 * MINUTE,
       "How long a connection may take to say what it wants."),
    MS(limits, chat_idle_ms, "300000", 5000, HOUR,
       "A chat that has ended, or that nobody watches, leaves memory when nothing happened in it for so long; it is read again when needed."),
    BYTES(limits, header_bytes, "8192", 1024, 65536, "Largest header of a request."),
    INT(limits, memory_mb, "0", 0, 1048576,
        "Memory of the server above which new connections are refused, MiB; 0: no limit."),
    INT(limits, disk_percent, "5", 0, 50, "Free disk below which no new chats begin, percent."),
    INT(limits, disk_mb, "1024", 0, 1048576, "Free disk below which no new chats begin, MiB."),

    MS(routing, offer_ms, "30000", 1, DAY, "How long a rep may think about an offered chat."),
    BOOL(routing, auto_accept, "false", "A chat goes to a rep without being asked for."),
    MS(routing, silent_ms, "120000", 1, DAY,
       "A handler who leaves a shopper waiting for so long is reminded."),
    INT(routing, missed_pause, "3", 1, 100, "Missed offers in a row that pause a rep's shift."),
    MS(routing, overflow_ms, "180000", 1, DAY,
       "A chat that waits for so long may go to the fallback department."),

    MS(transfer, answer_ms, "60000", 1, DAY, "How long a receiver may think about a handover."),

    MS(ownership, grace_ms, "30000", 0, DAY, "How long a handler who lost the connection keeps the chat."),
    MS(ownership, return_ms, "259200000", 0, YEAR,
       "How long a returning shopper goes to the owner of the case; 0: not at all."),

    MS(resolution, confirm_ms, "86400000", 1, YEAR,
       "A proposed resolution without an answer closes the case after this."),

    MS(care, first_ms, "300000", 1, DAY, "A waiting shopper gets a care message after this."),
    MS(care, alert_ms, "900000", 1, DAY, "A lead is alerted after this."),
    MS(care, act_ms, "300000", 1, DAY,
       "How long a lead may take to act before the alert goes a level up."),

    MS(queue, gone_ms, "180000", 1, DAY, "A waiting shopper who is offline for so long has left."),

    MS(presence, grace_ms, "30000", 0, DAY,
       "How long somebody who lost the connection still counts as there."),
    MS(presence, beat_ms, "2000", 100, MINUTE, "How often a node says that it lives."),
    MS(presence, silent_ms, "10000", 500, 10 * MINUTE,
       "A node that is silent for so long is taken for dead."),

    MS(chat, keep_ms, "86400000", 0, YEAR, 
       "How long a chat that ended stays in Redis, once it is archived; at least ownership.return_ms."),

    STRING(archive, path, "", NULL, "File of the archive; empty: archive.sqlite in the data folder."),

    INT(kb, threshold_permille, "300", 0, 1000,
        "Confidence from which an article is suggested to reps, thousandths."),
    INT(kb, shopper_permille, "800", 0, 1000,
        "Confidence from which an article is shown to shoppers, thousandths."),
    STRING(kb, dir, "", NULL, "Folder with the articles; empty: those that are built in."),

    MS(auth, session_ms, "43200000", MINUTE, YEAR, "How long a login holds."),
    INT(auth, attempts_per_min, "10", 1, 10000, "Logins a minute that one address may try."),

    CLASS(urgent, "3600000", "Head start of urgent chats in the queue."),
    CLASS(care, "1800000", "Head start of shoppers who need care: elderly or disabled."),
    CLASS(returning, "900000", "Head start of shoppers who return to an unresolved case."),
    CLASS(vip, "600000", "Head start of VIPs."),
    CLASS(normal, "0", "Head start of everybody else."),
};
const size_t config_rows_n = sizeof config_rows / sizeof config_rows[0];

const struct config_row config_site_rows[] = {
    SITE(origins, LIST, "", 16000, NULL, config_check_origins, false,
         "Origins of the shop's pages, https://shop.example; empty: the server's own."),
    SITE(name, STR, "", 100, NULL, NULL, false, "Name shown to shoppers."),
    SITE(color, STR, "", 7, NULL, config_check_color, false, "Colour of the widget, #rrggbb."),
    SITE(time_zone, STR, "Asia/Shanghai", 60, NULL, config_check_zone, false,
         "Time zone of hours and holidays."),
    SITE(jwt_secret, STR, "", 160, NULL, NULL, true,
         "Secret with which the storefront signs who a shopper is (HS256)."),
    SITE(jwt_issuer, STR, "", 160, NULL, NULL, false, "The iss that those tokens bear."),
    SITE(greeting_zh, STR, "", 1000, NULL, NULL, false, "First words to a shopper, in Chinese."),
    SITE(greeting_en, STR, "", 1000, NULL, NULL, false, "First words to a shopper, in English."),
    SITE(farewell_zh, STR, "", 1000, NULL, NULL, false, "Last words to a shopper, in Chinese."),
    SITE(farewell_en, STR, "", 1000, NULL, NULL, false, "Last words to a shopper, in English."),
    SITE(locale, STR, "zh-CN", 10, locales, NULL, false, "Language of shoppers who name none."),
    SITE(listen, STR, "", 1000, NULL, config_check_listen_or_none, false,
         "Address and port of this site, where there are several; empty: server.listen."),
    SITE(metrics_listen, STR, "", 1000, NULL, config_check_listen_or_none, false, "As metrics.listen, for this site."),
    SITE(public_url, STR, "", 1000, NULL, config_check_url, false, "As http.public_url, for this site."),
    SITE(kb_dir, STR, "", 1000, NULL, NULL, false, "As kb.dir, for this site."),
    SITE(redis, STR, "", 1000, NULL, config_check_redis_or_none, true,
         "URL of this site's Redis; empty: as --redis says, without it one of its own."),
    {"site", "preview", CONFIG_BOOL, offsetof(struct config_site, preview), "false", 0, 0, NULL, NULL, false,
     "Reps see what a shopper types before it is sent; tell the shoppers."},
    RULES(site),
};
const size_t config_site_rows_n = sizeof config_site_rows / sizeof config_site_rows[0];

const struct config_row config_department_rows[] = {
    DEPARTMENT(site, STR, "default", CONFIG_NAME_MAX, config_check_name_or_none,
               "The site that it belongs to."),
    DEPARTMENT(title_zh, STR, "", 100, NULL, "Name shown to shoppers, in Chinese."),
    DEPARTMENT(title_en, STR, "", 100, NULL, "Name shown to shoppers, in English."),
    DEPARTMENT(hours, STR, "", 2000, config_check_hours,
               "mon-fri 09:00-18:00; sat 10:00-16:00. Empty: always open."),
    DEPARTMENT(holidays, LIST, "", 8000, config_check_holidays,
               "Days when it is closed: 2026-05-01, 2026-10-01..2026-10-07."),
    DEPARTMENT(skills, LIST, "", 1000, NULL, "Skills that its reps must have."),
    DEPARTMENT(languages, LIST, "", 1000, NULL, "Languages in which it serves: zh, en."),
    DEPARTMENT(lead, STR, "", 100, NULL, "Login of the lead who answers for it."),
    DEPARTMENT(fallback, STR, "", CONFIG_NAME_MAX, config_check_name_or_none,
               "Department of the same site that helps out."),
    DEPARTMENT(keywords, LIST, "", 8000, NULL, "Words in a first message that lead here."),
    RULES(department),
};
const size_t config_department_rows_n = sizeof config_department_rows / sizeof config_department_rows[0];

const struct config_row config_canned_rows[] = {
    CANNED(site, CONFIG_NAME_MAX, config_check_name_or_none, "The only site that has this canned reply; empty: all."),
    CANNED(title_zh, 100, NULL, "What reps find it by in Chinese, beside its name and text."),
    CANNED(title_en, 100, NULL, "What reps find it by in English."),
    CANNED(text_zh, 2000, NULL, "What is sent to shoppers who write Chinese. {name}, {rep} and {department} are filled in, other {variables} by the rep."),
    CANNED(text_en, 2000, NULL, "What is sent to everybody else; without it the other one."),
};
const size_t config_canned_rows_n = sizeof config_canned_rows / sizeof config_canned_rows[0];
