/*
 * archive_chain: the hashes that chain the archive's rows, and the keyed heads that seal each commit.
 *
 *   sum(n)  = H(salt ‖ body)
 *   hash(n) = H(hash(n-1) ‖ n ‖ log ‖ seq ‖ at ‖ kind ‖ sum(n)),  hash(0) = H(archive's id)
 *   mac(n)  = H_key("firstline head" ‖ id ‖ n ‖ hash(n))
 *
 * H is BLAKE2b-256; integers are 8 bytes big-endian; log and kind have their length in bytes in front of
 * them. The key stands in <archive>.key and the heads, one line a commit "n hash mac", in <archive>.heads,
 * both outside the database and mode 0600: who can write the database alone can't forge a head.
 *
 * Thread  any, one at a time.   Source  PROMISES 2.8.
 */
#ifndef ARCHIVE_CHAIN_H
#define ARCHIVE_CHAIN_H

#include "base/base_buf.h"
#include "base/base_crypto.h"
#include "base/base_err.h"

#define ARCHIVE_HASH CRYPTO_HASH_BYTES
#define ARCHIVE_SALT 16

/* What of a row goes into its hash. */
struct archive_link {
    int64_t n, seq, at_ms;
    struct str log, kind;
    unsigned char sum[ARCHIVE_HASH];
};

void archive_chain_start(unsigned char out[ARCHIVE_HASH], struct str id);
void archive_chain_sum(unsigned char out[ARCHIVE_HASH], struct str salt, struct str body);
void archive_chain_next(unsigned char out[ARCHIVE_HASH], const unsigned char before[ARCHIVE_HASH],
                        const struct archive_link *l);

/* One line of the file of heads. */
struct archive_head {
    int64_t n;
    unsigned char hash[ARCHIVE_HASH], mac[ARCHIVE_HASH];
};

struct archive_seal {
    unsigned char key[32];
    char id[64]; /* of the archive; set by the caller */
    char *heads_path;
    int heads_fd;  /* -1: not open */
    int64_t lines; /* in the file of heads */
};

/* Reads the key beside `path`; make: makes it if it is not there. ERR_NOT_FOUND, ERR_IO. Then
 * archive_seal_fini(). */
int archive_seal_init(struct archive_seal *s, const char *path, bool make, struct err *err);
void archive_seal_fini(struct archive_seal *s);
/* Fills h->mac from h->n and h->hash. */
void archive_seal_sign(const struct archive_seal *s, struct archive_head *h);
bool archive_seal_holds(const struct archive_seal *s, const struct archive_head *h);
/* Opens the file of heads for writing, made if absent; *last: its last line (n -1: it has none). A torn last
 * line goes. */
int archive_seal_open_heads(struct archive_seal *s, struct archive_head *last, struct err *err);
/* Adds a line; it need not be on disk yet: what the database says of itself is sealed too. */
int archive_seal_add(struct archive_seal *s, const struct archive_head *h, struct err *err);
void archive_seal_sync(struct archive_seal *s);
/* Reads all lines, in order; caller frees *out. A line that is none is ERR_CORRUPT, a torn last one is left
 * out. */
int archive_seal_read(const struct archive_seal *s, struct archive_head **out, size_t *n, struct err *err);

#endif
