#include "ring.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
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

static uint64_t word_count(const struct ring_end *end) { return (end->bytes - offsetof(struct message, words)) / sizeof(uint64_t); }

static void wait_for_place(struct ring_end *end, uint64_t number) {
  while (number - end->known_received > end->slots)
    end->known_received = atomic_load_explicit(&end->lines->received, memory_order_acquire);
}

void ring_send(struct ring_end *end, uint64_t intended, uint64_t kind) {
  uint64_t number = ++end->number;
  wait_for_place(end, number);
  struct message *message = slot_of(end, number);
  uint64_t words = word_count(end);
  message->intended = intended;
  message->kind = kind;
  for (uint64_t i = 0; i < words; i++) message->words[i] = number + i;
  if (end->wait == WAIT_SPIN) {
    atomic_store_explicit(&message->number, number, memory_order_release);
    return;
  }
  /* Either the receiver sees the message, or we see that it waits: both stores and loads are in one total order. */
  atomic_store(&message->number, number);
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

struct received ring_receive(struct ring_end *end) {
  uint64_t number = ++end->number;
  struct message *message = slot_of(end, number);
  if (end->wait == WAIT_BLOCK) block_until_there(end, message, number);
  while (atomic_load_explicit(&message->number, memory_order_acquire) != number) {
  }
  struct received received = {.intended = message->intended, .kind = message->kind};
  uint64_t words = word_count(end);
  uint64_t difference = 0;
  for (uint64_t i = 0; i < words; i++) difference |= message->words[i] ^ (number + i);
  if (UNLIKELY(difference != 0)) end->damaged++;
  atomic_store_explicit(&end->lines->received, number, memory_order_release);
  return received;
}

void ring_wait_until_read(struct ring_end *end) {
  while (end->known_received != end->number)
    end->known_received = atomic_load_explicit(&end->lines->received, memory_order_acquire);
}
