#include "net/net_tcp.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

enum { STATE_CLOSED = 7, STATE_CLOSE_WAIT = 8 }; /* of tcpi_state, as in the kernel's net/tcp_states.h */

bool tcp_progress(int fd, uint64_t *acked, uint64_t *received, bool *peer_is_done)
{
    struct tcp_info info;
    socklen_t n = sizeof info;

    if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0 ||
        n < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received)
        return false;
    *acked = info.tcpi_bytes_acked;
    *received = info.tcpi_bytes_received;
    *peer_is_done = info.tcpi_state == STATE_CLOSED || info.tcpi_state == STATE_CLOSE_WAIT;
    return true;
}
