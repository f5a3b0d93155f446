/* tcp: the kernel's view of a connection. By itself because <linux/tcp.h>, which has the counters, can't
 * stand beside uv.h. */
#ifndef NET_TCP_H
#define NET_TCP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Bytes that the peer has acknowledged, bytes that have come in, and whether the peer has ended its side.
 * False if fd is none or the kernel doesn't tell.
 */
bool tcp_progress(int fd, uint64_t *acked, uint64_t *received, bool *peer_is_done);

#endif
