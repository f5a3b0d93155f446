/*
 * protocol: frames in and out, as tables built from schema/protocol.
 *
 * A command (client → server) is read by protocol_read_command(): one parse, one check of everything that can be said
 * without code (type, role, fields, sizes). An entry of a log is written by entry_write_tail() and read by entry_read().
 * The tables (messages, kinds, fields) are generated: protocol_table.h has enum msg_type, enum kind, enum field.
 *
 * Owns    struct msg and struct entry hold a parsed document that their strings point into; *_fini() frees it.
 * Bounds  struct protocol_limits, checked before memory is taken.   Thread  any.
 * Source  PROTOCOL.
 */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include "base/base_buf.h"
#include "base/base_err.h"
#include "protocol_table.h"

/* Who speaks on a connection; a mask in tables. */
enum role {
    ROLE_SHOPPER = 1,
    ROLE_REP = 2,
    ROLE_LEAD = 4,
    ROLE_QA = 8,
    ROLE_EDITOR = 16,
    ROLE_DIRECTOR = 32,
    ROLE_ADMIN = 64,
    ROLE_SYSTEM = 128, /* timers, routing: never a connection */
    ROLE_BOT = 256
};
#define ROLE_STAFF (ROLE_REP | ROLE_LEAD | ROLE_QA | ROLE_EDITOR | ROLE_DIRECTOR | ROLE_ADMIN)
/* "rep", "lead" …; for a mask the strongest single one. Never NULL. */
const char *role_name(unsigned role);
/* 0 if there is no such role. */
unsigned role_from_name(struct str name);

/* Error codes of PROTOCOL "Envelope". */
enum code {
    CODE_OK,
    CODE_BAD_REQUEST,
    CODE_TOO_LARGE,
    CODE_UNAUTHORIZED,
    CODE_FORBIDDEN,
    CODE_NOT_FOUND,
    CODE_NOT_HANDLER,
    CODE_CONFLICT,
    CODE_RATE_LIMITED,
    CODE_UNAVAILABLE,
    CODE_CLOSED,
    CODE_RESOLUTION_REQUIRED,
    CODE_INTERNAL,
    CODE_N
};
const char *code_name(enum code code);

enum val_type { VAL_NONE, VAL_STR, VAL_INT, VAL_BOOL, VAL_JSON };

/* One field's value. */
struct val {
    enum val_type type;
    bool b;       /* VAL_BOOL */
    int64_t i;    /* VAL_INT */
    /* VAL_STR: the text, unescaped. VAL_JSON: raw JSON text of a list or object (compact); of a command only the members
     * that its schema names, in the schema's order. */
    struct str s;
};

static inline struct val val_str(struct str s)
{
    return (struct val){.type = s.s ? VAL_STR : VAL_NONE, .s = s};
}
static inline struct val val_s(const char *s)
{
    return val_str(str_of(s));
}
static inline struct val val_int(int64_t i)
{
    return (struct val){.type = VAL_INT, .i = i};
}
static inline struct val val_bool(bool b)
{
    return (struct val){.type = VAL_BOOL, .b = b};
}
static inline struct val val_json(struct str s)
{
    return (struct val){.type = s.s ? VAL_JSON : VAL_NONE, .s = s};
}

struct protocol_limits {
    size_t frame_bytes; /* 65536 */
    unsigned depth;     /* 16: deepest nesting, checked before Jansson parses */
    unsigned keys;      /* 256: keys in all of one frame */
    size_t text_chars;  /* 4000 Unicode characters of a message's `text` (fields whose schema has maxLength 4000) */
};

/* What the schema says of one message from a client; rows of msg_table[] (generated). */
struct field_rule {
    enum field field;
    enum val_type type;     /* what struct val it becomes */
    bool required;
    unsigned char item;     /* VAL_JSON: 'o' object, 's' list of strings, 'O' list of objects */
    int64_t min, max;       /* STR: characters; INT: value; lists: items */
    bool is_id;             /* STR: must be id_is_valid() */
    const char *const *one_of; /* STR: NULL-terminated list of allowed values, or NULL */
    const struct field_rule *sub; /* VAL_JSON object (or items of a list of objects): its rules; 's': one rule for each item */
    unsigned sub_n;
};

struct msg_row {
    const char *name;  /* "chat.start" */
    unsigned roles;    /* mask of ROLE_*: who may send it (ROLE_SHOPPER, staff …) */
    unsigned cost;     /* tokens of the rate limit */
    bool durable;      /* it writes: its id is remembered */
    bool needs_hello;  /* refused before hello (all but hello, ping) */
    const struct field_rule *rules;
    unsigned rules_n;
};
extern const struct msg_row msg_table[MSG_N];

/* What the schema says of one kind of entry; rows of kind_table[] (generated). */
struct kind_row {
    const char *name;           /* "message" */
    const enum field *fields;   /* in the order they are written */
    const enum val_type *types; /* of each */
    unsigned fields_n;
    int format;                 /* of the data that first knew it (PROMISES 2.15): older nodes can't fold it */
};
extern const struct kind_row kind_table[KIND_N];
extern const char *const field_names[FIELD_N];

/* KIND_N if there is none of that name. */
enum kind kind_from_name(struct str name);

/* A command as it came in. */
struct msg {
    enum msg_type type;
    const struct msg_row *row; /* &msg_table[type] */
    struct str id;             /* the client's reference; .s NULL if it was not valid */
    struct val f[FIELD_N];     /* VAL_NONE where absent (or null) */
    void *json;                /* the parsed document; msg_fini() frees it */
    /* Of type and fields, without id and `chat` (one tab may name the open chat, another leave it out): "same id, other
     * content" (PROMISES 2.1). The same on every node. Zero where the row isn't durable. */
    unsigned char digest[8];
};

/* Why a command was refused before any rule saw it. */
struct refusal {
    enum code code;
    char text[160]; /* one English sentence for developers; faces translate the code */
};

/*
 * Parses and checks one text frame (valid UTF-8 already) from a connection with these roles.
 * Returns true and fills *out (caller: msg_fini). On false *why is set, and out->id is the client's reference if the frame
 * had a valid one (else .s NULL; `re` null) — still call msg_fini(). Order of checks: size, depth, JSON, object, id, t,
 * role (forbidden), fields (bad_request, or too_large for a text over its length).
 */
bool protocol_read_command(struct str frame, unsigned roles, const struct protocol_limits *lim, struct msg *out,
                           struct refusal *why);
void msg_fini(struct msg *m);

/* Reading lists and objects that are kept as raw JSON (VAL_JSON). */
/* Calls fn for each string of a JSON list; returns how many there were, -1 if raw is no list of strings. */
int json_each_str(struct str raw, void (*fn)(void *ctx, struct str s), void *ctx);
/*
 * Calls fn(ctx, key, value) for each member of each object of a list (or of one object); fn(ctx, STR_NONE, …) ends an
 * object. A real number comes as VAL_JSON. Returns how many objects, -1 if raw is neither (fn was not called then). What fn
 * gets is valid during the call alone.
 */
int json_each_member(struct str raw, void (*fn)(void *ctx, struct str key, struct val v), void *ctx);
/* A generic parse for HTTP bodies: a JSON object's members, one level, as json_each_member(). Returns 0 or ERR_INVALID, then
 * fn was not called; limits as given. */
int json_read_object(struct str raw, const struct protocol_limits *lim, void (*fn)(void *ctx, struct str key, struct val v),
                     void *ctx, struct err *err);

struct person {
    struct str id;   /* "" none */
    struct str name; /* "" unknown */
};

/* One entry of a log (PROTOCOL "event"). */
struct entry {
    enum kind kind;
    int64_t seq;        /* 0 until it is committed */
    int64_t at_ms;      /* 0 until it is committed */
    unsigned from_role; /* ROLE_* (one bit) */
    struct person from; /* .id.s NULL: none (the system) */
    struct str ref;     /* the client's id; only on the entry that is the command; .s NULL otherwise */
    struct val f[FIELD_N];
    void *json;         /* parsed document or NULL; entry_fini() frees it */
};

/*
 * Once, at the start: JSON's memory is memory that must be there (mem_alloc). A text that can't be read for want of memory would
 * look like a bad one: a command refused while those behind it go through, an entry passed over.
 */
void protocol_start(void);

void entry_init(struct entry *e, enum kind kind);
void entry_fini(struct entry *e);
/*
 * Writes the tail of an entry's frame: `"kind":"message","from":{"role":"shopper","id":"s_…","name":"…"},"text":"…"}` —
 * kind, from, then the kind's fields in the table's order, with the closing brace, without `ref`. Only fields of the kind's row.
 */
void entry_write_tail(struct buf *b, const struct entry *e);
/*
 * Reads a whole frame `{"t":"event","chat":…,"seq":…,"at":…,"kind":…,"from":{…},…}` back. Unknown fields are ignored.
 * ERR_INVALID if it isn't one, ERR_UNSUPPORTED if the kind is unknown. Caller: entry_fini() (also after an error).
 */
int entry_read(struct str frame, struct entry *out, struct err *err);

/* Number of Unicode characters of valid UTF-8. */
size_t utf8_chars(struct str s);
/* True if s is valid UTF-8 without U+0000. */
bool utf8_is_valid(struct str s);
/* True if a reader would see nothing: only spaces, signs of no width, fillers. */
bool utf8_is_blank(struct str s);
/* Takes the signs that turn the direction of what stands behind them out of s[0..n); gives what is left of n. */
size_t utf8_strip_bidi(char *s, size_t n);
/* The longest prefix of at most n characters. */
struct str utf8_prefix(struct str s, size_t n);

#endif
