/* A datagram as it is on an Ethernet: all that the kernel's stack would have written before it. */
#ifndef HFT_XDP_FRAME_H
#define HFT_XDP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xdp_program.h"

#define FRAME_HEADERS 42

/* Ethernet, IPv4 and UDP of every datagram of a conversation; all are equally long. */
struct frame_headers {
  uint8_t bytes[FRAME_HEADERS];
};

/* NULL, or why there is none: the other end is not on this link, or this is no Ethernet. */
const char *frame_headers_make(struct frame_headers *headers, const char *interface, const struct xdp_flow *flow, size_t payload_bytes);

#endif
