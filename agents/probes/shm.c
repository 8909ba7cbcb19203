/* shm: rings in shared memory (memfd), in pages of 4 KiB or one of 2 MiB. block waits with a futex that processes can share. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "failure.h"
#include "probes.h"
#include "ring.h"
#include "traffic.h"

enum { PAGES_4K, PAGES_2M };

#define HUGE_BYTES (2 * 1024 * 1024)

static uint64_t page_kind = PAGES_4K;
static const char *const PAGES[] = {"4k", "2m", NULL};

static struct {
  _Alignas(APART) struct ring_end out;
  struct ring_end in;
} sides[2];

static char *map_shared(size_t bytes, bool huge) {
  int file = memfd_create("hft-shm", MFD_CLOEXEC | (huge ? MFD_HUGETLB | (21u << 26) : 0u)); /* MFD_HUGE_2MB */
  if (file < 0 && huge) unsupported("a kernel with hugetlbfs and 2 MiB pages", "no shared memory of 2 MiB pages: %s", strerror(errno));
  if (file < 0 || ftruncate(file, (off_t)bytes) != 0) fail("no shared memory: %s", strerror(errno));
  char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
  if (memory == MAP_FAILED && huge && errno == ENOMEM)
    unsupported("one free page of 2 MiB: profile key memory.hugepages.2M", "no hugepage of 2 MiB is free");
  if (memory == MAP_FAILED) fail("no shared memory: mmap: %s", strerror(errno));
  close(file);
  return memory;
}

_Static_assert(2 * RING_BYTES <= HUGE_BYTES, "two rings fit into one hugepage");

static void open_rings(uint64_t message_bytes, enum wait_kind wait) {
  char *there = map_shared(HUGE_BYTES, page_kind == PAGES_2M);
  char *back = there + RING_BYTES;
  ring_open(&sides[ASKER].out, there, message_bytes, wait);
  ring_open(&sides[ANSWERER].in, there, message_bytes, wait);
  ring_open(&sides[ANSWERER].out, back, message_bytes, wait);
  ring_open(&sides[ASKER].in, back, message_bytes, wait);
}

static void send_letter(enum side from, const struct letter *letter) { ring_send(&sides[from].out, letter); }

static bool receive_letter(enum side at, struct letter *letter) {
  ring_receive(&sides[at].in, letter);
  return true;
}

static void describe_pages(struct text *meta) { text_add(meta, ",\"pages\":\"%s\"", PAGES[page_kind]); }

static const struct channel channel = {.open = open_rings, .send = send_letter, .receive = receive_letter, .describe = describe_pages};
static const struct option_spec options[] = {TRAFFIC_OPTIONS, {.name = "pages", .value = &page_kind, .choices = PAGES}, {0}};
const struct probe shm_probe = TRAFFIC_PROBE("shm", channel, options);
