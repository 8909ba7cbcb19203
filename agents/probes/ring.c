#include "ring.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "failure.h"

/* Not FUTEX_PRIVATE: such a ring is shared between processes. */
static long futex(_Atomic uint32_t *word, int operation, uint32_t value) {
  return syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

void ring_open(struct ring_end *end, void *memory, uint64_t message_bytes, enum wait_kind wait) {
  uint64_t slots = MOST_SLOTS;
  while (slots * message_bytes > RING_BYTES_OF_SLOTS) slots /= 2;
  *end = (struct ring_end){.lines = memory, .bytes = message_bytes, .slots = slots, .wait = wait};
}

static struct message *slot_of(const struct ring_end *end, uint64_t number) {
  return (struct message *)(end->lines->slots + ((number - 1) & (end->slots - 1)) * end->bytes);
}

static bool has_place(struct ring_end *end, uint64_t number) {
  if (LIKELY(number - end->known_received <= end->slots)) return true;
  end->known_received = atomic_load_explicit(&end->lines->received, memory_order_acquire);
  return number - end->known_received <= end->slots;
}

static void wait_for_place(struct ring_end *end, uint64_t number) {
  if (LIKELY(has_place(end, number))) return;
  end->full++;
  while (!has_place(end, number)) {
  }
}

void ring_send(struct ring_end *end, const struct letter *letter) {
  wait_for_place(end, letter->number);
  struct message *message = slot_of(end, letter->number);
  message_fill(message, end->bytes, letter);
  if (end->wait == WAIT_SPIN) {
    atomic_store_explicit(&message->number, letter->number, memory_order_release);
    return;
  }
  /* Either the receiver sees the message, or we see that it waits: both stores and loads are in one total order. */
  atomic_store(&message->number, letter->number);
  atomic_fetch_add(&end->lines->doorbell, 1);
  if (atomic_load(&end->lines->waiting) != 0) futex(&end->lines->doorbell, FUTEX_WAKE, 1);
}

static void block_until_there(struct ring_end *end, struct message *message, uint64_t number) {
  while (atomic_load(&message->number) != number) {
    uint32_t rung = atomic_load(&end->lines->doorbell);
    atomic_store(&end->lines->waiting, 1);
    if (atomic_load(&message->number) != number && futex(&end->lines->doorbell, FUTEX_WAIT, rung) != 0 && errno != EAGAIN && errno != EINTR)
      fail("futex: %s", strerror(errno));
    atomic_store(&end->lines->waiting, 0);
  }
}

void ring_receive(struct ring_end *end, struct letter *letter) {
  uint64_t number = ++end->number;
  struct message *message = slot_of(end, number);
  if (end->wait == WAIT_BLOCK) block_until_there(end, message, number);
  while (atomic_load_explicit(&message->number, memory_order_acquire) != number) {
  }
  message_read(message, end->bytes, number, letter);
  atomic_store_explicit(&end->lines->received, number, memory_order_release);
}
