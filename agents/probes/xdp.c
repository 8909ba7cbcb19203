#include "xdp.h"

#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "failure.h"
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
#define NEED "a Linux of 5.9 or newer with AF_XDP, and CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF (root)"

/* What the kernel and this program share: who writes moves `producer`, who reads `consumer`. */
struct shared_ring {
  uint32_t *producer;
  uint32_t *consumer;
  void *entries;
};

struct queue {
  int file;
  char *area; /* the first half is received into, the second sent from */
  struct shared_ring fill;
  struct shared_ring received;
  struct shared_ring outgoing;
  struct shared_ring completed;
};

struct xdp {
  uint32_t queue_count;
  struct queue queues[MOST_QUEUES];
  struct frame_headers headers;
  size_t payload_bytes;
  uint32_t sent;
  uint32_t done;
};

static uint32_t load(const uint32_t *at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
static void store(uint32_t *at, uint32_t value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }

static _Noreturn void refuse(const char *interface, const char *what) {
  unsupported(NEED, "AF_XDP on %s: %s: %s", interface, what, strerror(errno));
}

static uint32_t count_queues(const char *interface) {
  char path[64];
  uint32_t count = 0;
  snprintf(path, sizeof path, "/sys/class/net/%.15s/queues", interface);
  DIR *folder = opendir(path);
  if (folder == NULL) unsupported("the name of an interface of this host", "AF_XDP: there is no interface %s", interface);
  for (struct dirent *each; (each = readdir(folder)) != NULL;) count += strncmp(each->d_name, "rx-", 3) == 0;
  closedir(folder);
  if (count == 0 || count > MOST_QUEUES)
    unsupported("an interface with 1 to 32 receiving queues: ethtool -L", "AF_XDP: %s has %u of them", interface, count);
  return count;
}

static void map_ring(struct shared_ring *ring, int file, const struct xdp_ring_offset *at, uint64_t page, size_t entry_bytes) {
  size_t bytes = at->desc + FRAMES_EACH_WAY * entry_bytes;
  char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, (off_t)page);
  if (memory == MAP_FAILED) fail("a ring of an AF_XDP socket: %s", strerror(errno));
  ring->producer = (uint32_t *)(void *)(memory + at->producer);
  ring->consumer = (uint32_t *)(void *)(memory + at->consumer);
  ring->entries = memory + at->desc;
}

static bool set_ring(int file, int which) {
  uint32_t entries = FRAMES_EACH_WAY;
  return setsockopt(file, SOL_XDP, which, &entries, sizeof entries) == 0;
}

static void map_rings(struct queue *queue) {
  struct xdp_mmap_offsets at;
  socklen_t bytes = sizeof at;
  if (getsockopt(queue->file, SOL_XDP, XDP_MMAP_OFFSETS, &at, &bytes) != 0) fail("XDP_MMAP_OFFSETS: %s", strerror(errno));
  map_ring(&queue->fill, queue->file, &at.fr, XDP_UMEM_PGOFF_FILL_RING, sizeof(uint64_t));
  map_ring(&queue->completed, queue->file, &at.cr, XDP_UMEM_PGOFF_COMPLETION_RING, sizeof(uint64_t));
  map_ring(&queue->received, queue->file, &at.rx, XDP_PGOFF_RX_RING, sizeof(struct xdp_desc));
  map_ring(&queue->outgoing, queue->file, &at.tx, XDP_PGOFF_TX_RING, sizeof(struct xdp_desc));
}

static void open_queue(struct queue *queue, const char *interface, uint32_t number) {
  queue->area = allocate_local(AREA_BYTES);
  struct xdp_umem_reg area = {.addr = (uint64_t)(uintptr_t)queue->area, .len = AREA_BYTES, .chunk_size = FRAME_BYTES};
  struct sockaddr_xdp place = {.sxdp_family = AF_XDP, .sxdp_ifindex = if_nametoindex(interface), .sxdp_queue_id = number, .sxdp_flags = XDP_COPY};
  queue->file = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (queue->file < 0) refuse(interface, "socket");
  if (setsockopt(queue->file, SOL_XDP, XDP_UMEM_REG, &area, sizeof area) != 0) refuse(interface, "XDP_UMEM_REG");
  if (!set_ring(queue->file, XDP_UMEM_FILL_RING) || !set_ring(queue->file, XDP_UMEM_COMPLETION_RING) || !set_ring(queue->file, XDP_RX_RING) ||
      !set_ring(queue->file, XDP_TX_RING))
    refuse(interface, "rings");
  map_rings(queue);
  for (uint32_t i = 0; i < FRAMES_EACH_WAY; i++) ((uint64_t *)queue->fill.entries)[i] = (uint64_t)i * FRAME_BYTES;
  store(queue->fill.producer, FRAMES_EACH_WAY);
  if (bind(queue->file, (struct sockaddr *)&place, sizeof place) != 0) refuse(interface, "bind");
}

static void find_flow(struct xdp_flow *flow, const char *interface, int datagrams) {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_storage room;
  } here, there;
  socklen_t bytes = sizeof here, other_bytes = sizeof there;
  struct card card;
  card_of_socket(&card, datagrams);
  if (strcmp(card.name, interface) != 0)
    unsupported("the interface by which the peer is reached", "AF_XDP: the way to the peer is through %s, not %s", card.name, interface);
  if (getsockname(datagrams, &here.any, &bytes) != 0 || getpeername(datagrams, &there.any, &other_bytes) != 0)
    fail("AF_XDP: %s", strerror(errno));
  if (here.any.sa_family != AF_INET) unsupported("an IPv4 address of the peer", "AF_XDP is measured over IPv4 alone");
  *flow = (struct xdp_flow){here.v4.sin_addr.s_addr, there.v4.sin_addr.s_addr, here.v4.sin_port, there.v4.sin_port};
}

/* Attaching in generic mode switches these off, and nothing would switch them on again. */
static void require_nothing_lost(const char *interface) {
  const char *offload;
  if (!offloads_find_joining(interface, &offload)) refuse(interface, "its offloads cannot be read");
  if (offload != NULL)
    unsupported("that it is off before: ethtool -K, or the nic part of a profile", "AF_XDP on %s: attaching would switch %s off for good", interface, offload);
}

struct xdp *xdp_open(const char *interface, int datagrams, size_t payload_bytes) {
  struct xdp *xdp = allocate_local(sizeof *xdp);
  struct xdp_flow flow;
  if (payload_bytes > MOST_PAYLOAD) usage("--payload: at most %u bytes with --xdp", MOST_PAYLOAD);
  xdp->payload_bytes = payload_bytes;
  xdp->queue_count = count_queues(interface);
  find_flow(&flow, interface, datagrams);
  require_nothing_lost(interface);
  const char *why = frame_headers_make(&xdp->headers, interface, &flow, payload_bytes);
  if (why != NULL) unsupported("an Ethernet interface with the peer as a neighbour", "AF_XDP on %s: %s", interface, why);
  int map = xdp_map(xdp->queue_count);
  if (map < 0) refuse(interface, "a map of sockets");
  for (uint32_t i = 0; i < xdp->queue_count; i++) {
    open_queue(&xdp->queues[i], interface, i);
    if (xdp_map_set(map, i, xdp->queues[i].file) != 0) refuse(interface, "a place in the map");
  }
  int program = xdp_load(&flow, map);
  if (program < 0) refuse(interface, "the program");
  if (xdp_attach(program, if_nametoindex(interface)) < 0) {
    if (errno == EBUSY || errno == EEXIST) unsupported("an interface without an XDP program", "AF_XDP: another program is attached to %s", interface);
    refuse(interface, "attaching the program");
  }
  return xdp;
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
  for (take_completed(xdp); xdp->sent - xdp->done >= FRAMES_EACH_WAY; take_completed(xdp)) tell_card(xdp);
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
