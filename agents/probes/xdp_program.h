/*
 * The few instructions that a card's packets pass before the kernel's stack has them: those of one conversation go to AF_XDP sockets,
 * all others on as ever. https://docs.kernel.org/bpf/, https://docs.kernel.org/networking/af_xdp.html
 */
#ifndef HFT_XDP_PROGRAM_H
#define HFT_XDP_PROGRAM_H

#include <netinet/in.h>
#include <stdint.h>

/* Datagrams from there to here; IPv4, as in a packet. */
struct xdp_flow {
  in_addr_t here;
  in_addr_t there;
  in_port_t port_here;
  in_port_t port_there;
};

/* A map of sockets by queue. All three return a file, or -1 with errno. What they make ends with their files, so with the process. */
int xdp_map(uint32_t queues);
int xdp_load(const struct xdp_flow *flow, int map);
/* In generic mode: the card is neither reset nor asked for anything. Fails with EBUSY where another program is. */
int xdp_attach(int program, uint32_t interface);

/* false with errno. */
int xdp_map_set(int map, uint32_t queue, int socket);

#endif
