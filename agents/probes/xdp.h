/*
 * Datagrams of one conversation past the kernel's stack: AF_XDP sockets in copy mode, one for each receiving queue of an interface that the
 * user has named. All of it ends with the process. https://docs.kernel.org/networking/af_xdp.html
 */
#ifndef HFT_XDP_H
#define HFT_XDP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct xdp;

/* Why there is none, and what would make it possible. */
struct xdp_problem {
  char why[200];
  const char *need;
};

/* What the connected socket `datagrams` would have done; NULL: there is a problem, and nothing is left of the attempt. */
struct xdp *xdp_open(const char *interface, int datagrams, size_t payload_bytes, struct xdp_problem *problem);
void xdp_close(struct xdp *xdp);

/* Returns when the card has been told. */
void xdp_send(struct xdp *xdp, const void *data);

/* The bytes of a datagram, or -1 with EAGAIN: there is none. */
ssize_t xdp_receive(struct xdp *xdp, void *data, size_t room);

/* Sleeps until there is one, so long at most. */
void xdp_wait(const struct xdp *xdp, int most_ms);

/* How many came while there was no room for them. */
uint64_t xdp_overflowed(const struct xdp *xdp);

#endif
