/*
 * futex: a place for one message between two threads of one process, and a word that says what is in it. block: the sender
 * always wakes (FUTEX_WAKE), the receiver always sleeps (FUTEX_WAIT) until the word changes: what a condition variable costs at
 * least. spin: the receiver looks at the word, and nobody calls the kernel.
 */
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "failure.h"
#include "placement.h"
#include "probes.h"
#include "traffic.h"

struct mailbox {
  _Alignas(APART) _Atomic uint32_t there; /* the number of the last message put in */
  _Alignas(APART) _Atomic uint32_t taken; /* of the last taken out */
  _Alignas(APART) char message[MOST_MESSAGE_BYTES];
};

static struct {
  struct mailbox *boxes; /* by who puts in */
  uint64_t bytes;
  enum wait_kind wait;
} post;

static void open_boxes(uint64_t message_bytes, enum wait_kind wait) {
  post.boxes = allocate_local(2 * sizeof *post.boxes);
  post.bytes = message_bytes;
  post.wait = wait;
}

static void put(enum side from, const struct letter *letter) {
  struct mailbox *box = &post.boxes[from];
  uint32_t number = (uint32_t)letter->number;
  while (atomic_load_explicit(&box->taken, memory_order_acquire) != number - 1) {
  }
  struct message *message = (struct message *)box->message;
  message_fill(message, post.bytes, letter);
  atomic_store_explicit(&message->number, letter->number, memory_order_relaxed);
  atomic_store_explicit(&box->there, number, memory_order_release);
  if (post.wait == WAIT_BLOCK) syscall(SYS_futex, &box->there, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static bool take(enum side at, struct letter *letter) {
  struct mailbox *box = &post.boxes[at == ASKER ? ANSWERER : ASKER];
  uint32_t before = atomic_load_explicit(&box->taken, memory_order_relaxed);
  while (atomic_load_explicit(&box->there, memory_order_acquire) == before) {
    if (post.wait == WAIT_SPIN) continue;
    /* Returns at once when the word has changed already: no wake is missed. */
    if (syscall(SYS_futex, &box->there, FUTEX_WAIT_PRIVATE, before, NULL, NULL, 0) != 0 && errno != EAGAIN && errno != EINTR)
      fail("futex: %s", strerror(errno));
  }
  const struct message *message = (const struct message *)box->message;
  message_read(message, post.bytes, atomic_load_explicit(&message->number, memory_order_relaxed), letter);
  atomic_store_explicit(&box->taken, before + 1, memory_order_release);
  return true;
}

static const struct channel channel = {.open = open_boxes, .send = put, .receive = take};
static const struct option_spec options[] = {TRAFFIC_OPTIONS, {0}};
const struct probe futex_probe = TRAFFIC_PROBE("futex", channel, options);
