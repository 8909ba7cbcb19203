#include "xdp.h"

#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "network_card.h"
#include "offloads.h"
#include "placement.h"
#include "session.h"
#include "xdp_frame.h"

#define FRAME_BYTES 2048u
/* Of an Ethernet of 1500 bytes. */
#define MOST_PAYLOAD 1472u
/* So many replies wait while this program gets no CPU; what comes then is lost. */
#define FRAMES_EACH_WAY 256u
#define AREA_BYTES ((size_t)2 * FRAMES_EACH_WAY * FRAME_BYTES)
#define MOST_QUEUES 32u
/* A card that takes nothing loses what is sent. */
#define MOST_TRIES 1000
#define NEED "a Linux of 5.9 or newer with AF_XDP, and CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF (root)"

/* What the kernel and this program share: who writes moves `producer`, who reads `consumer`. */
struct shared_ring {
  uint32_t *producer;
  uint32_t *consumer;
  void *entries;
  void *memory; /* NULL: not there */
  size_t bytes;
};

struct queue {
  int file; /* 0: none */
  char *area; /* the first half is received into, the second sent from */
  struct shared_ring fill;
  struct shared_ring received;
  struct shared_ring outgoing;
  struct shared_ring completed;
};

struct xdp {
  int map;
  int program;
  int link;
  uint32_t queue_count;
  struct queue queues[MOST_QUEUES];
  struct frame_headers headers;
  size_t payload_bytes;
  uint32_t sent;
  uint32_t done;
  struct xdp_problem *problem; /* while it is opened */
  const char *interface;
};

static uint32_t load(const uint32_t *at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
static void store(uint32_t *at, uint32_t value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }

/* Always false. */
static bool complain(struct xdp *xdp, const char *need, const char *what, const char *more) {
  snprintf(xdp->problem->why, sizeof xdp->problem->why, "AF_XDP on %.15s: %s%s", xdp->interface, what, more);
  xdp->problem->need = need;
  return false;
}

static bool refuse(struct xdp *xdp, const char *what) {
  char why[100];
  snprintf(why, sizeof why, ": %s", strerror(errno));
  return complain(xdp, NEED, what, why);
}

static bool count_queues(struct xdp *xdp) {
  char path[64];
  snprintf(path, sizeof path, "/sys/class/net/%.15s/queues", xdp->interface);
  DIR *folder = opendir(path);
  if (folder == NULL) return complain(xdp, "the name of an interface of this host", "there is no such interface", "");
  for (struct dirent *each; (each = readdir(folder)) != NULL;) xdp->queue_count += strncmp(each->d_name, "rx-", 3) == 0;
  closedir(folder);
  if (xdp->queue_count > 0 && xdp->queue_count <= MOST_QUEUES) return true;
  xdp->queue_count = 0;
  return complain(xdp, "an interface with 1 to 32 receiving queues: ethtool -L", "it has too many receiving queues, or none", "");
}

static bool map_ring(struct shared_ring *ring, int file, const struct xdp_ring_offset *at, uint64_t page, size_t entry_bytes) {
  ring->bytes = at->desc + FRAMES_EACH_WAY * entry_bytes;
  char *memory = mmap(NULL, ring->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, (off_t)page);
  if (memory == MAP_FAILED) return false;
  ring->memory = memory;
  ring->producer = (uint32_t *)(void *)(memory + at->producer);
  ring->consumer = (uint32_t *)(void *)(memory + at->consumer);
  ring->entries = memory + at->desc;
  return true;
}

static bool set_ring(int file, int which) {
  uint32_t entries = FRAMES_EACH_WAY;
  return setsockopt(file, SOL_XDP, which, &entries, sizeof entries) == 0;
}

static bool map_rings(struct queue *queue) {
  struct xdp_mmap_offsets at;
  socklen_t bytes = sizeof at;
  return set_ring(queue->file, XDP_UMEM_FILL_RING) && set_ring(queue->file, XDP_UMEM_COMPLETION_RING) && set_ring(queue->file, XDP_RX_RING) &&
         set_ring(queue->file, XDP_TX_RING) && getsockopt(queue->file, SOL_XDP, XDP_MMAP_OFFSETS, &at, &bytes) == 0 &&
         map_ring(&queue->fill, queue->file, &at.fr, XDP_UMEM_PGOFF_FILL_RING, sizeof(uint64_t)) &&
         map_ring(&queue->completed, queue->file, &at.cr, XDP_UMEM_PGOFF_COMPLETION_RING, sizeof(uint64_t)) &&
         map_ring(&queue->received, queue->file, &at.rx, XDP_PGOFF_RX_RING, sizeof(struct xdp_desc)) &&
         map_ring(&queue->outgoing, queue->file, &at.tx, XDP_PGOFF_TX_RING, sizeof(struct xdp_desc));
}

static bool open_queue(struct xdp *xdp, uint32_t number) {
  struct queue *queue = &xdp->queues[number];
  struct sockaddr_xdp place = {.sxdp_family = AF_XDP, .sxdp_ifindex = if_nametoindex(xdp->interface), .sxdp_queue_id = number, .sxdp_flags = XDP_COPY};
  int file = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (file < 0) return refuse(xdp, "socket");
  queue->file = file;
  queue->area = allocate_local(AREA_BYTES);
  struct xdp_umem_reg area = {.addr = (uint64_t)(uintptr_t)queue->area, .len = AREA_BYTES, .chunk_size = FRAME_BYTES};
  if (setsockopt(file, SOL_XDP, XDP_UMEM_REG, &area, sizeof area) != 0) return refuse(xdp, "XDP_UMEM_REG");
  if (!map_rings(queue)) return refuse(xdp, "rings");
  for (uint32_t i = 0; i < FRAMES_EACH_WAY; i++) ((uint64_t *)queue->fill.entries)[i] = (uint64_t)i * FRAME_BYTES;
  store(queue->fill.producer, FRAMES_EACH_WAY);
  if (bind(file, (struct sockaddr *)&place, sizeof place) != 0) return refuse(xdp, "bind");
  return xdp_map_set(xdp->map, number, file) == 0 || refuse(xdp, "a place in the map of sockets");
}

static bool find_flow(struct xdp *xdp, struct xdp_flow *flow, int datagrams) {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_storage room;
  } here, there;
  socklen_t bytes = sizeof here, other_bytes = sizeof there;
  struct card card;
  card_of_socket(&card, datagrams);
  if (strcmp(card.name, xdp->interface) != 0)
    return complain(xdp, "the interface by which the peer is reached", "the way to the peer is through ", card.name);
  if (getsockname(datagrams, &here.any, &bytes) != 0 || getpeername(datagrams, &there.any, &other_bytes) != 0) return refuse(xdp, "getsockname");
  if (here.any.sa_family != AF_INET) return complain(xdp, "an IPv4 address of the peer", "it is measured over IPv4 alone", "");
  *flow = (struct xdp_flow){here.v4.sin_addr.s_addr, there.v4.sin_addr.s_addr, here.v4.sin_port, there.v4.sin_port};
  const char *why = frame_headers_make(&xdp->headers, xdp->interface, flow, xdp->payload_bytes);
  return why == NULL || complain(xdp, "an Ethernet interface with the peer as a neighbour", why, "");
}

/* Attaching in generic mode switches these off, and nothing would switch them on again. */
static bool check_offloads(struct xdp *xdp) {
  const char *offload;
  if (!offloads_find_joining(xdp->interface, &offload)) return refuse(xdp, "its offloads cannot be read");
  return offload == NULL || complain(xdp, "that it is off before: ethtool -K, or the nic part of a profile", "attaching would switch off for good: ", offload);
}

static bool attach(struct xdp *xdp, const struct xdp_flow *flow) {
  xdp->program = xdp_load(flow, xdp->map);
  if (xdp->program < 0) return refuse(xdp, "the program");
  xdp->link = xdp_attach(xdp->program, if_nametoindex(xdp->interface));
  if (xdp->link >= 0) return true;
  if (errno == EBUSY || errno == EEXIST) return complain(xdp, "an interface without an XDP program", "another program is attached to it", "");
  return refuse(xdp, "attaching the program");
}

static bool prepare(struct xdp *xdp, int datagrams) {
  struct xdp_flow flow;
  if (xdp->payload_bytes > MOST_PAYLOAD) return complain(xdp, "messages of at most 1472 bytes", "one frame has no room for these", "");
  if (!count_queues(xdp) || !find_flow(xdp, &flow, datagrams) || !check_offloads(xdp)) return false;
  xdp->map = xdp_map(xdp->queue_count);
  if (xdp->map < 0) return refuse(xdp, "a map of sockets");
  for (uint32_t i = 0; i < xdp->queue_count; i++)
    if (!open_queue(xdp, i)) return false;
  return attach(xdp, &flow);
}

struct xdp *xdp_open(const char *interface, int datagrams, size_t payload_bytes, struct xdp_problem *problem) {
  struct xdp *xdp = allocate_local(sizeof *xdp);
  *xdp = (struct xdp){.map = -1, .program = -1, .link = -1, .payload_bytes = payload_bytes, .problem = problem, .interface = interface};
  if (prepare(xdp, datagrams)) return xdp;
  xdp_close(xdp);
  return NULL;
}

static void close_queue(struct queue *queue) {
  struct shared_ring *rings[] = {&queue->fill, &queue->received, &queue->outgoing, &queue->completed};
  if (queue->file == 0) return;
  for (size_t i = 0; i < sizeof rings / sizeof rings[0]; i++)
    if (rings[i]->memory != NULL) munmap(rings[i]->memory, rings[i]->bytes);
  close(queue->file);
  munmap(queue->area, AREA_BYTES);
}

/* The link first: nothing is sent to sockets that are gone. */
void xdp_close(struct xdp *xdp) {
  const int files[] = {xdp->link, xdp->program, xdp->map};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
    if (files[i] >= 0) close(files[i]);
  for (uint32_t i = 0; i < MOST_QUEUES; i++) close_queue(&xdp->queues[i]);
  munmap(xdp, sizeof *xdp);
}

static void take_completed(struct xdp *xdp) {
  struct shared_ring *ring = &xdp->queues[0].completed;
  uint32_t until = load(ring->producer);
  xdp->done += until - *ring->consumer;
  store(ring->consumer, until);
}

static void tell_card(const struct xdp *xdp) {
  ssize_t ignored = sendto(xdp->queues[0].file, NULL, 0, MSG_DONTWAIT, NULL, 0);
  (void)ignored;
}

void xdp_send(struct xdp *xdp, const void *data) {
  struct queue *queue = &xdp->queues[0];
  take_completed(xdp);
  for (int tries = 0; xdp->sent - xdp->done >= FRAMES_EACH_WAY; tries++) {
    if (tries == MOST_TRIES) return;
    tell_card(xdp);
    take_completed(xdp);
  }
  uint32_t at = xdp->sent % FRAMES_EACH_WAY;
  uint64_t place = (uint64_t)(FRAMES_EACH_WAY + at) * FRAME_BYTES;
  memcpy(queue->area + place, xdp->headers.bytes, FRAME_HEADERS);
  memcpy(queue->area + place + FRAME_HEADERS, data, xdp->payload_bytes);
  ((struct xdp_desc *)queue->outgoing.entries)[at] = (struct xdp_desc){.addr = place, .len = (uint32_t)(FRAME_HEADERS + xdp->payload_bytes)};
  store(queue->outgoing.producer, ++xdp->sent);
  tell_card(xdp);
}

/* The frame goes back to where the kernel takes empty ones. */
static void give_back(struct queue *queue, uint64_t place) {
  uint32_t at = *queue->fill.producer;
  ((uint64_t *)queue->fill.entries)[at % FRAMES_EACH_WAY] = place - place % FRAME_BYTES;
  store(queue->fill.producer, at + 1);
}

static ssize_t take_from(struct queue *queue, void *data, size_t room) {
  uint32_t at = *queue->received.consumer;
  if (load(queue->received.producer) == at) return -1;
  const struct xdp_desc frame = ((const struct xdp_desc *)queue->received.entries)[at % FRAMES_EACH_WAY];
  size_t bytes = frame.len < FRAME_HEADERS ? 0 : frame.len - FRAME_HEADERS;
  if (bytes > room) bytes = room;
  memcpy(data, queue->area + frame.addr + FRAME_HEADERS, bytes);
  store(queue->received.consumer, at + 1);
  give_back(queue, frame.addr);
  return (ssize_t)bytes;
}

ssize_t xdp_receive(struct xdp *xdp, void *data, size_t room) {
  for (uint32_t i = 0; i < xdp->queue_count; i++) {
    ssize_t got = take_from(&xdp->queues[i], data, room);
    if (got >= 0) return got;
  }
  errno = EAGAIN;
  return -1;
}

uint64_t xdp_overflowed(const struct xdp *xdp) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < xdp->queue_count; i++) {
    struct xdp_statistics about = {0};
    socklen_t bytes = sizeof about;
    if (getsockopt(xdp->queues[i].file, SOL_XDP, XDP_STATISTICS, &about, &bytes) == 0) sum += about.rx_dropped + about.rx_ring_full;
  }
  return sum;
}

void xdp_wait(const struct xdp *xdp, int most_ms) {
  struct pollfd files[MOST_QUEUES];
  for (uint32_t i = 0; i < xdp->queue_count; i++) files[i] = (struct pollfd){.fd = xdp->queues[i].file, .events = POLLIN};
  poll(files, xdp->queue_count, most_ms);
}
